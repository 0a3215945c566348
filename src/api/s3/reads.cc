// GetObject and HeadObject: conditions, ranges, versions.
#include <fmt/format.h>

#include <charconv>

#include "api/s3/headers.h"

namespace laketap::api::s3 {
namespace {

constexpr int kTriesMax = 5;  // An object that is overwritten between looking and opening.

struct Range {
  uint64_t first = 0, bytes = 0;
  bool partial = false;
};

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// One range; what is malformed, or several ranges, are as good as none: the whole object.
wire::Answer<Range> find_range(const std::optional<std::string>& header, uint64_t size) {
  const Range whole{.first = 0, .bytes = size, .partial = false};
  if (!header || !header->starts_with("bytes=")) return whole;
  const std::string_view text = std::string_view(*header).substr(6);
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos || text.contains(',')) return whole;
  const std::optional<uint64_t> first = number(text.substr(0, dash));
  const std::optional<uint64_t> last = number(text.substr(dash + 1));
  if ((dash > 0 && !first) || (dash + 1 < text.size() && !last) || (!first && !last)) return whole;
  if (first && last && *last < *first) return whole;
  const bool beyond = first ? *first >= size : *last == 0 || size == 0;
  if (beyond)
    return wire::refuse("InvalidRange", 416, "The requested range is not satisfiable",
                        {{"RangeRequested", *header}, {"ActualObjectSize", std::to_string(size)}});
  if (!first) {
    const uint64_t bytes = std::min(*last, size);
    return Range{.first = size - bytes, .bytes = bytes, .partial = true};
  }
  const uint64_t end = last ? std::min(*last, size - 1) + 1 : size;
  return Range{.first = *first, .bytes = end - *first, .partial = true};
}

// A part by its number: of an object put in one go there is one, the whole.
template <class In>
wire::Answer<Range> find_part(const In& input, const store::ObjectInfo& object) {
  if (!input.part_number) return find_range(input.range, object.size);
  if (input.range)
    return std::unexpected(
        invalid_request("Cannot specify both Range header and partNumber query parameter"));
  const std::optional<std::string> parts = kept(object.metadata, kPartCount);
  if (parts && *parts != "1") return std::unexpected(not_implemented("partNumber"));
  if (*input.part_number != 1)
    return wire::refuse(
        "InvalidPartNumber", 416, "The requested partnumber is not satisfiable",
        {{"PartNumberRequested", std::to_string(*input.part_number)}, {"ActualPartCount", "1"}});
  return Range{.first = 0, .bytes = object.size, .partial = object.size > 0};
}

Timestamp whole_seconds(Timestamp at) {
  return std::chrono::floor<std::chrono::seconds>(at);
}

bool names(const std::string& condition, const store::ObjectInfo& object) {
  std::string_view rest = condition;
  while (!rest.empty()) {
    std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one == "*" || unquoted(std::string(one)) == object.etag) return true;
  }
  return false;
}

// RFC 9110 section 13.2.2, as S3 does it.
template <class In>
std::optional<wire::Fault> check_conditions(const In& input, const store::ObjectInfo& object) {
  const Timestamp modified = whole_seconds(object.last_modified);
  if (input.if_match) {
    if (!names(*input.if_match, object)) return precondition_failed("If-Match");
  } else if (input.if_unmodified_since && modified > *input.if_unmodified_since) {
    return precondition_failed("If-Unmodified-Since");
  }
  const wire::Fault not_modified{"NotModified", 304, "Not Modified", {}};
  if (input.if_none_match) {
    if (names(*input.if_none_match, object)) return not_modified;
  } else if (input.if_modified_since && modified <= *input.if_modified_since &&
             *input.if_modified_since <= std::chrono::system_clock::now()) {
    return not_modified;
  }
  return std::nullopt;
}

void add_header(const wire::Call& call, std::string name, std::string value) {
  call.reply->headers.emplace_back(std::move(name), std::move(value));
}

// The object, or what S3 says of a marker.
template <class In>
wire::Answer<store::ObjectInfo> find_object(Doors& doors, const wire::Call& call, const In& input) {
  const std::string wanted = input.version_id.value_or("");
  Result<store::ObjectInfo> found = doors.store.find(input.bucket, input.key, wanted);
  if (!found)
    return std::unexpected(
        to_fault(found.error(), {.bucket = input.bucket, .key = input.key, .version_id = wanted}));
  if (!found->delete_marker) return std::move(*found);
  add_header(call, "x-amz-delete-marker", "true");
  if (const auto version = shown_version(doors, *found))
    add_header(call, "x-amz-version-id", *version);
  if (wanted.empty()) return std::unexpected(no_such_key(input.key));
  add_header(call, "Allow", "DELETE");
  add_header(call, "Last-Modified", http_date(found->last_modified));
  return wire::refuse(
      "MethodNotAllowed", 405, "The specified method is not allowed against this resource.",
      {{"Method", call.head ? call.head->method : "GET"}, {"ResourceType", "DeleteMarker"}});
}

// All but the bytes. `range` gets what is to be sent.
template <class In, class Out>
std::optional<wire::Fault> describe(Doors& doors, const wire::Call& call, const In& input,
                                    const store::ObjectInfo& object, Out& output, Range& range) {
  if (auto fault = check_conditions(input, object)) {
    if (fault->status == 304) {
      add_header(call, "ETag", quoted(object.etag));
      add_header(call, "Last-Modified", http_date(object.last_modified));
    }
    return fault;
  }
  const wire::Answer<Range> found = find_part(input, object);
  if (!found) return found.error();
  range = *found;
  output.accept_ranges = "bytes";
  output.last_modified = object.last_modified;
  output.e_tag = quoted(object.etag);
  output.content_length = static_cast<int64_t>(range.bytes);
  output.version_id = shown_version(doors, object);
  tell_headers(object.metadata, output);
  if (input.response_content_type) output.content_type = input.response_content_type;
  if (input.response_cache_control) output.cache_control = input.response_cache_control;
  if (input.response_content_disposition)
    output.content_disposition = input.response_content_disposition;
  if (input.response_content_encoding) output.content_encoding = input.response_content_encoding;
  if (input.response_content_language) output.content_language = input.response_content_language;
  if (input.response_expires) output.expires = http_date(*input.response_expires);
  // Not with a part: an SDK would hold the range against the whole object's checksum.
  if (input.checksum_mode && !range.partial) {
    tell_checksums(object.metadata, output);
    tell_checksum_type(object.metadata, output);
  }
  if (input.part_number)
    if (const auto parts = kept(object.metadata, kPartCount))
      output.parts_count = std::stoll(*parts);
  if (range.partial) {
    call.reply->status = 206;
    output.content_range =
        fmt::format("bytes {}-{}/{}", range.first, range.first + range.bytes - 1, object.size);
  }
  return std::nullopt;
}

wire::Answer<shapes::GetObjectOutput> get_object(Doors& doors, const wire::Call& call,
                                                 const shapes::GetObjectRequest& input) {
  for (int tries = 1;; ++tries) {
    const auto object = find_object(doors, call, input);
    if (!object) return std::unexpected(object.error());
    Result<store::Pin> pin = doors.store.pin(*object);
    if (!pin && pin.error().kind == ErrorKind::not_found && tries < kTriesMax) continue;
    if (!pin)
      return std::unexpected(to_fault(pin.error(), {.bucket = input.bucket, .key = input.key}));
    shapes::GetObjectOutput output;
    Range range;
    if (auto fault = describe(doors, call, input, *object, output, range))
      return std::unexpected(std::move(*fault));
    const std::string path = pin->path();
    auto held = std::make_shared<store::Pin>(std::move(*pin));
    auto body = http::file_range(path, range.first, range.bytes, std::move(held));
    if (!body) {
      // A row without its file: damage, not an absent key.
      return std::unexpected(to_fault({ErrorKind::corrupt, body.error().what}, {}));
    }
    output.body = std::move(*body);
    return output;
  }
}

wire::Answer<shapes::HeadObjectOutput> head_object(Doors& doors, const wire::Call& call,
                                                   const shapes::HeadObjectRequest& input) {
  const auto object = find_object(doors, call, input);
  if (!object) return std::unexpected(object.error());
  shapes::HeadObjectOutput output;
  Range range;
  if (auto fault = describe(doors, call, input, *object, output, range))
    return std::unexpected(std::move(*fault));
  return output;
}

}  // namespace

void add_reads(wire::Operations& operations, const std::shared_ptr<Doors>& doors) {
  add(operations, doors, "GetObject", get_object);
  add(operations, doors, "HeadObject", head_object);
}

}  // namespace laketap::api::s3
