#include <fmt/format.h>

#include <algorithm>

#include "http/message.h"
#include "wire/form.h"
#include "wire/rest.h"

namespace laketap::wire {
namespace {

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  if (text.size() < start.size()) return false;
  return std::ranges::equal(text.substr(0, start.size()), start, [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

// Keys that choose no operation: parts of a presigned signature, JS SDK v3's x-id, overrides of
// headers.
bool is_no_subresource(std::string_view key) {
  return starts_with_ignoring_case(key, "X-Amz-") || key == "x-id" ||
         key.starts_with("response-") || key == "AWSAccessKeyId" || key == "Signature" ||
         key == "Expires";
}

bool has_all(const Operation& operation, const Form& query, const http::RequestHead& head) {
  for (const QueryKey& key : operation.query) {
    const std::string* value = query.find(key.name);
    if (!value || (key.value && *value != key.value)) return false;
  }
  return std::ranges::all_of(operation.headers,
                             [&](std::string_view name) { return head.find(name) != nullptr; });
}

bool knows(const Operation& operation, std::string_view key) {
  if (is_no_subresource(key)) return true;
  if (std::ranges::any_of(operation.query,
                          [&](const QueryKey& known) { return known.name == key; }))
    return true;
  if (!operation.input) return true;  // It answers 501 by its own name.
  return std::ranges::any_of(operation.input->members, [&](const Member& member) {
    return member.location == Location::query && member.name == key;
  });
}

// More required parts win; of two that require the same, the one we have types for.
bool is_better(const Operation& candidate, const Operation* best) {
  if (!best) return true;
  const size_t parts = candidate.query.size() + candidate.headers.size();
  const size_t best_parts = best->query.size() + best->headers.size();
  return parts > best_parts || (parts == best_parts && candidate.input && !best->input);
}

}  // namespace

Answer<const Operation*> match_rest(const Service& service, const http::RequestHead& head) {
  const Result<Form> query = parse_form(head.query);
  if (!query || !head.path.starts_with('/'))
    return refuse("InvalidURI", 400, "Couldn't parse the specified URI.");
  const std::string_view path = std::string_view(head.path).substr(1);
  const bool on_bucket = !path.empty();
  const size_t slash = path.find('/');
  const bool on_key = slash != std::string_view::npos && slash + 1 < path.size();

  const Operation* best = nullptr;
  bool method_known = false;
  for (const Operation& candidate : service.operations) {
    if (candidate.method != head.method || candidate.on_bucket != on_bucket ||
        candidate.on_key != on_key)
      continue;
    method_known = true;
    if (has_all(candidate, *query, head) && is_better(candidate, best)) best = &candidate;
  }
  if (!method_known)
    return refuse("MethodNotAllowed", 405,
                  "The specified method is not allowed against this resource.",
                  {{"Method", head.method},
                   {"ResourceType", on_key      ? "OBJECT"
                                    : on_bucket ? "BUCKET"
                                                : "SERVICE"}});
  for (const auto& [key, value] : query->pairs) {
    if (best && knows(*best, key)) continue;
    return refuse("NotImplemented", 501,
                  fmt::format("The query parameter {} is not implemented here", key),
                  {{"Parameter", key}});
  }
  if (!best)
    return refuse("NotImplemented", 501,
                  fmt::format("{} without a subresource is not implemented here", head.method));
  return best;
}

}  // namespace laketap::wire
