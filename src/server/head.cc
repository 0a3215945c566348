#include "server/head.h"

#include <llhttp.h>

#include <algorithm>

#include "server/server.h"

namespace laketap::server {
namespace {

std::unexpected<BadRequest> refuse(int status, std::string message) {
  return std::unexpected(BadRequest{status, std::move(message)});
}

bool is_token_char(unsigned char c) {
  return std::isalnum(c) != 0 ||
         std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
}

struct Collector {
  http::RequestHead head;
  std::string name, value;
};

int on_url(llhttp_t* parser, const char* at, size_t length) {
  static_cast<Collector*>(parser->data)->head.target.append(at, length);
  return 0;
}
int on_method(llhttp_t* parser, const char* at, size_t length) {
  static_cast<Collector*>(parser->data)->head.method.append(at, length);
  return 0;
}
int on_header_field(llhttp_t* parser, const char* at, size_t length) {
  static_cast<Collector*>(parser->data)->name.append(at, length);
  return 0;
}
int on_header_value(llhttp_t* parser, const char* at, size_t length) {
  static_cast<Collector*>(parser->data)->value.append(at, length);
  return 0;
}
int on_header_value_complete(llhttp_t* parser) {
  auto& collector = *static_cast<Collector*>(parser->data);
  while (collector.value.ends_with(' ') || collector.value.ends_with('\t'))
    collector.value.pop_back();
  collector.head.headers.push_back({std::move(collector.name), std::move(collector.value)});
  collector.name.clear();
  collector.value.clear();
  return collector.head.headers.size() > kHeadersMax ? -1 : 0;
}
int on_headers_complete(llhttp_t*) {
  return HPE_PAUSED;
}

const llhttp_settings_t& settings() {
  static const llhttp_settings_t kSettings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_url = on_url;
    made.on_method = on_method;
    made.on_header_field = on_header_field;
    made.on_header_value = on_header_value;
    made.on_header_value_complete = on_header_value_complete;
    made.on_headers_complete = on_headers_complete;
    return made;
  }();
  return kSettings;
}

// The lines as bytes, before a parser may be lenient about them: no folding, no control characters,
// names of token characters with the colon right after.
std::expected<bool, BadRequest> check_lines(std::string_view bytes) {
  if (std::ranges::count(bytes.substr(0, bytes.find("\r\n")), ' ') != 2)
    return refuse(400, "a request line is METHOD TARGET VERSION, with one blank between");
  size_t lines = 0;
  for (size_t from = bytes.find("\r\n") + 2; from + 2 < bytes.size();) {
    const size_t end = bytes.find("\r\n", from);
    const std::string_view line = bytes.substr(from, end - from);
    if (++lines > kHeadersMax) return refuse(431, "too many header fields");
    if (line.front() == ' ' || line.front() == '\t') return refuse(400, "folded header line");
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0)
      return refuse(400, "a header line without a name");
    if (!std::ranges::all_of(line.substr(0, colon),
                             [](unsigned char c) { return is_token_char(c); }))
      return refuse(400, "a character in a header's name");
    for (const char c : line.substr(colon + 1))
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f)
        return refuse(400, "a control character in a header's value");
    from = end + 2;
  }
  return true;
}

std::expected<bool, BadRequest> read_framing(ParsedHead& made, bool http_1_0) {
  const std::string* coding = nullptr;
  const std::string* length = nullptr;
  const std::string* host = nullptr;
  for (const http::Header& header : made.head.headers) {
    const auto once = [&](const std::string*& slot) {
      const bool first = slot == nullptr;
      slot = &header.value;
      return first;
    };
    if (http::same_name(header.name, "transfer-encoding") && !once(coding))
      return refuse(400, "two Transfer-Encoding headers");
    if (http::same_name(header.name, "content-length") && !once(length))
      return refuse(400, "two Content-Length headers");
    if (http::same_name(header.name, "host") && !once(host)) return refuse(400, "two Host headers");
  }
  if (!host || host->empty()) return refuse(400, "a request needs one Host header");
  if (host->find_first_of("@/\\ \t,#?") != std::string::npos)
    return refuse(400, "a Host header that is no host");
  if (coding && length) return refuse(400, "Content-Length beside Transfer-Encoding");
  if (coding) {
    if (http_1_0) return refuse(400, "Transfer-Encoding in HTTP/1.0");
    if (!http::same_name(*coding, "chunked")) return refuse(501, "a transfer coding but chunked");
    made.chunked = true;
  }
  if (length) {
    if (length->empty() || length->size() > 18 ||
        !std::ranges::all_of(*length, [](char c) { return c >= '0' && c <= '9'; }))
      return refuse(400, "a Content-Length that is no number");
    made.content_length = std::stoull(*length);
  }
  return true;
}

// Whether one of the Connection headers lists this option.
bool says(const http::RequestHead& head, std::string_view option) {
  for (const http::Header& header : head.headers) {
    if (!http::same_name(header.name, "connection")) continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      const size_t comma = std::min(list.find(','), list.size());
      std::string_view one = list.substr(0, comma);
      while (one.starts_with(' ') || one.starts_with('\t')) one.remove_prefix(1);
      while (one.ends_with(' ') || one.ends_with('\t')) one.remove_suffix(1);
      if (http::same_name(one, option)) return true;
      list.remove_prefix(std::min(comma + 1, list.size()));
    }
  }
  return false;
}

std::expected<bool, BadRequest> read_target(http::RequestHead& head) {
  std::string_view target = head.target;
  if (target.size() > kTargetBytesMax) return refuse(414, "the request target is too long");
  for (const char c : target)
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f)
      return refuse(400, "a character in the request target");
  if (target.starts_with("http://") ||
      target.starts_with("https://")) {  // The absolute form must name the same host.
    target = target.substr(target.find("//") + 2);
    const size_t slash = std::min(target.find_first_of("/?"), target.size());
    if (target.substr(0, slash) != *head.find("host"))
      return refuse(400, "the target's host and the Host header differ");
    target = target.substr(slash);
    if (target.empty()) target = "/";
  }
  if (!target.starts_with('/')) return refuse(400, "a request target without a path");
  if (target.find('#') != std::string_view::npos)
    return refuse(400, "a fragment in the request target");
  const size_t question = std::min(target.find('?'), target.size());
  head.path = target.substr(0, question);
  head.query = question < target.size() ? target.substr(question + 1) : std::string_view();
  return true;
}

}  // namespace

std::expected<size_t, BadRequest> head_size(std::string_view bytes) {
  size_t line = 0;
  for (size_t at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return refuse(400, "a bare line feed");
    if (at - line == 1)
      return line == 0 ? refuse(400, "an empty request line")
                       : std::expected<size_t, BadRequest>(at + 1);
    if (line == 0 && at > kTargetBytesMax + 64)
      return refuse(414, "the request target is too long");
    line = at + 1;
    if (at + 1 > kHeadBytesMax) return refuse(431, "the request's head is too long");
  }
  if (line == 0 && bytes.size() > kTargetBytesMax + 64)
    return refuse(414, "the request target is too long");
  if (bytes.size() > kHeadBytesMax) return refuse(431, "the request's head is too long");
  // A first line that is no method: a TLS hello, garbage.
  for (size_t i = 0; i < std::min<size_t>(bytes.size(), 16) && line == 0 && bytes[i] != ' '; ++i)
    if (bytes[i] < 'A' || bytes[i] > 'Z') return refuse(400, "no HTTP request");
  return 0;
}

std::expected<ParsedHead, BadRequest> parse_head(std::string_view bytes) {
  if (bytes.find('\0') != std::string_view::npos) return refuse(400, "a NUL byte");
  for (size_t at = bytes.find('\r'); at != std::string_view::npos; at = bytes.find('\r', at + 1))
    if (at + 1 >= bytes.size() || bytes[at + 1] != '\n')
      return refuse(400, "a bare carriage return");
  if (const auto good = check_lines(bytes); !good) return std::unexpected(good.error());
  Collector collector;
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings());
  parser.data = &collector;
  const llhttp_errno_t code = llhttp_execute(&parser, bytes.data(), bytes.size());
  if (code != HPE_PAUSED)
    return refuse(
        collector.head.headers.size() > kHeadersMax ? 431 : 400,
        llhttp_get_error_reason(&parser) ? llhttp_get_error_reason(&parser) : "no HTTP request");
  if (parser.http_major != 1 || parser.http_minor > 1)
    return refuse(400, "an HTTP version but 1.0 and 1.1");

  ParsedHead made;
  made.head = std::move(collector.head);
  const bool http_1_0 = parser.http_minor == 0;
  if (const auto good = read_framing(made, http_1_0); !good) return std::unexpected(good.error());
  if (const auto good = read_target(made.head); !good) return std::unexpected(good.error());
  made.keep_alive = http_1_0 ? says(made.head, "keep-alive") && !says(made.head, "close")
                             : !says(made.head, "close");
  if (const std::string* expect = made.head.find("expect")) {
    if (!http::same_name(*expect, "100-continue"))
      return refuse(417, "an expectation but 100-continue");
    made.expects_continue = !http_1_0;
  }
  return made;
}

}  // namespace laketap::server
