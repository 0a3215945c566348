#include "http/canonical.h"

#include <algorithm>

#include "http/url.h"

namespace laketap::http {
namespace {

// Blanks around gone, runs of blanks inside one blank.
void append_header_value(std::string& out, std::string_view value) {
  bool blank = false;
  bool begun = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      blank = begun;
      continue;
    }
    if (blank) out += ' ';
    out += c;
    blank = false;
    begun = true;
  }
}

std::string canonical_query(std::string_view query, bool presigned) {
  if (query.empty()) return {};
  // A '+' is a blank to whoever reads the query later, so it is one here.
  std::string blanks(query);
  std::ranges::replace(blanks, '+', ' ');
  const auto pairs = parse_query(blanks);
  if (!pairs) return blanks;
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [name, value] : *pairs) {
    if (presigned && name == "X-Amz-Signature") continue;
    encoded.emplace_back(percent_encode(name), percent_encode(value));
  }
  std::ranges::sort(encoded);
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out += name;
    out += '=';
    out += value;
  }
  return out;
}

// RFC 3986, 5.2.4, and no empty segments: every service but S3 signs the normalised path.
std::string normalised(std::string_view path) {
  std::vector<std::string_view> kept;
  for (size_t from = 0; from < path.size();) {
    const size_t slash = std::min(path.find('/', from), path.size());
    const std::string_view part = path.substr(from, slash - from);
    if (part == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!part.empty() && part != ".") {
      kept.push_back(part);
    }
    from = slash + 1;
  }
  std::string out;
  for (const std::string_view part : kept) {
    out += '/';
    out += part;
  }
  if (out.empty() || path.ends_with('/')) out += '/';
  return out;
}

std::string canonical_path(const RequestHead& head, bool is_s3) {
  if (!is_s3) return percent_encode(normalised(head.path), true);
  // Part by part: an encoded slash stays encoded, as the client signed it.
  std::string out;
  for (size_t from = 0; from <= head.path.size();) {
    const size_t slash = std::min(head.path.find('/', from), head.path.size());
    const std::string_view part = std::string_view(head.path).substr(from, slash - from);
    const std::optional<std::string> decoded = percent_decode(part);
    out += percent_encode(decoded ? std::string_view(*decoded) : part);
    if (slash < head.path.size()) out += '/';
    from = slash + 1;
  }
  return out;
}

}  // namespace

std::string canonical_request(const RequestHead& head, const Signature& signature, bool is_s3,
                              std::string_view payload_hash) {
  std::string out;
  out.reserve(512);
  out += head.method;
  out += '\n';
  out += canonical_path(head, is_s3);
  out += '\n';
  out += canonical_query(head.query, signature.presigned);
  out += '\n';
  for (const std::string& name : signature.signed_headers) {
    out += name;
    out += ':';
    bool first = true;
    for (const Header& header : head.headers) {
      if (!same_name(header.name, name)) continue;
      if (!first) out += ',';
      first = false;
      append_header_value(out, header.value);
    }
    out += '\n';
  }
  out += '\n';
  for (size_t i = 0; i < signature.signed_headers.size(); ++i) {
    if (i > 0) out += ';';
    out += signature.signed_headers[i];
  }
  out += '\n';
  out += payload_hash;
  return out;
}

}  // namespace laketap::http
