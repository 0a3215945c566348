#include "server/answer.h"

#include <fmt/compile.h>
#include <fmt/format.h>

namespace laketap::server {
namespace {

constexpr std::string_view kExposedHeaders =
    "x-amzn-RequestId,x-amz-request-id,x-amz-id-2,x-amzn-ErrorType,ETag,x-amz-version-id,Date";

// Our own pages are for our own origin only.
bool is_for_other_origins(const http::RequestHead& head) {
  return head.find("origin") && !head.path.starts_with("/_");
}

// A second's text, made once.
std::string_view date_text(Timestamp now) {
  thread_local int64_t second = -1;
  thread_local std::string text;
  const int64_t this_second = now.time_since_epoch().count() / 1'000'000;
  if (this_second != second) {
    text = http_date(now);
    second = this_second;
  }
  return text;
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

bool has_no_body(const http::Response& response, const http::RequestHead* head) {
  return (head && head->method == "HEAD") || response.status == 204 || response.status == 304;
}

std::string render_head(const http::Response& response, const AnswerContext& context) {
  std::string out;
  out.reserve(512);
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("HTTP/1.1 {} {}\r\n"), response.status,
                 http::reason_phrase(response.status));
  append_line(out, "Date", date_text(context.now));
  append_line(out, "Server", "Laketap");
  for (const http::Header& header : response.headers) {
    // A value of a client's, repeated: no line of its own may come out of it.
    if (header.value.find_first_of("\r\n") != std::string::npos) continue;
    append_line(out, header.name, header.value);
  }
  if (context.head && is_for_other_origins(*context.head)) {
    append_line(out, "Access-Control-Allow-Origin", "*");
    append_line(out, "Access-Control-Expose-Headers", kExposedHeaders);
  }
  if (response.status != 204 && response.status != 304) {
    const uint64_t length = response.content_length ? *response.content_length
                            : response.stream       ? response.stream->size()
                                                    : response.body.size();
    append_line(out, "Content-Length", fmt::format_int(length).c_str());
  }
  append_line(out, "Connection", context.stays_open ? "keep-alive" : "close");
  out += "\r\n";
  return out;
}

http::Response preflight(const http::RequestHead& head) {
  http::Response response;
  if (head.path.starts_with("/_")) return response;
  const std::string_view asked = head.value("access-control-request-headers");
  response.headers = {{"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE"},
                      // A wildcard never covers `authorization`: the names that were asked for.
                      {"Access-Control-Allow-Headers", asked.empty() ? "*" : std::string(asked)},
                      {"Access-Control-Max-Age", "172800"}};
  if (!head.find("origin")) response.headers.push_back({"Access-Control-Allow-Origin", "*"});
  return response;
}

http::Response bad_request(int status, std::string_view message) {
  http::Response response;
  response.status = status;
  response.headers.push_back({"Content-Type", "application/xml"});
  response.body = fmt::format(
      "<?xml version=\"1.0\" "
      "encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>",
      status == 501 ? "NotImplemented" : "BadRequest", message);
  return response;
}

std::string new_request_id(io::Random& random) {
  thread_local uint64_t high = random.next();
  thread_local uint64_t low = random.next();
  high += 0x9e3779b97f4a7c15ULL;
  low = low * 6364136223846793005ULL + 1442695040888963407ULL;
  const uint64_t mixed = high ^ (high >> 29);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id(36, '-');
  for (size_t i = 0, nibble = 0; i < id.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) continue;
    const uint64_t word = nibble < 16 ? mixed : low;
    id[i] = kDigits[word >> (60 - 4 * (nibble % 16)) & 15];
    ++nibble;
  }
  return id;
}

}  // namespace laketap::server
