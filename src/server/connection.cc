#include "server/connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/shape.h"

namespace laketap::server {
namespace {

constexpr size_t kReadBlock = 256 << 10;
constexpr size_t kDefaultBodyBytes = 1 << 20;  // First buffer of a chunked body.

size_t body_bytes_max(const wire::Service& service) {
  switch (service.protocol) {
    case wire::Protocol::json: return kJsonBodyBytesMax;
    case wire::Protocol::query: return kQueryBodyBytesMax;
    case wire::Protocol::rest_xml: return kXmlBodyBytesMax;
  }
  return kXmlBodyBytesMax;
}

// Request ids are names for a log, no secrets: a counter mixed into a start value per thread.
std::string new_request_id(io::Random& random) {
  thread_local uint64_t high = random.next();
  thread_local uint64_t low = random.next();
  high += 0x9e3779b97f4a7c15ULL;
  low = low * 6364136223846793005ULL + 1442695040888963407ULL;
  const uint64_t h = high ^ (high >> 29);
  std::string id(36, '-');
  static constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0, nibble = 0; i < 36; ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) continue;
    const uint64_t word = nibble < 16 ? h : low;
    id[i] = kDigits[word >> (60 - 4 * (nibble % 16)) & 15];
    ++nibble;
  }
  return id;
}

void add_cors(const http::RequestHead& head, http::Response& response) {
  if (!head.find("origin") || head.path.starts_with("/_")) return;
  response.headers.push_back({"Access-Control-Allow-Origin", "*"});
  response.headers.push_back(
      {"Access-Control-Expose-Headers",
       "x-amzn-RequestId,x-amz-request-id,x-amz-id-2,x-amzn-ErrorType,ETag,x-amz-version-id,Date"});
}

http::Response preflight(const http::RequestHead& head) {
  http::Response response;
  response.status = 200;
  if (head.path.starts_with("/_")) return response;
  const std::string_view asked = head.value("access-control-request-headers");
  response.headers = {
      {"Access-Control-Allow-Origin", "*"},
      {"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE"},
      // A wildcard never covers `authorization`, so the names that were asked for are repeated.
      {"Access-Control-Allow-Headers", asked.empty() ? "*" : std::string(asked)},
      {"Access-Control-Max-Age", "172800"}};
  return response;
}

bool is_page(const Page& page, std::string_view path) {
  return page.prefix.ends_with('/') ? path.starts_with(page.prefix) : path == page.prefix;
}

class Connection {
 public:
  Connection(Socket& socket, Shared& shared)
      : socket_(socket), shared_(shared), peer_(socket.peer()) {}

  Task<> run() {
    bool more = true;
    while (more && !shared_.draining) {
      more = co_await one_request();
      count();
    }
    socket_.close();
  }

 private:
  // False: the connection is over.
  Task<bool> one_request();
  Task<bool> read_head(ParsedHead& parsed);
  Task<bool> answer(const ParsedHead& parsed, http::Response response, bool keep);
  Task<bool> answer_bad(BadRequest bad);
  Task<bool> serve_page(const Page& page, ParsedHead& parsed);
  Task<bool> serve_operation(ParsedHead& parsed);
  // The whole body in `buffer`, hashed. False: the connection is over, and an answer was sent where
  // one can be.
  Task<std::optional<size_t>> read_body(ParsedHead& parsed, BodyFraming& framing, size_t bytes_max,
                                        Buffer& buffer, Hasher* hasher);
  Task<bool> tell_to_continue(const ParsedHead& parsed);

  void count() {
    shared_.counters.bytes_in += std::exchange(socket_.bytes_in, 0);
    shared_.counters.bytes_out += std::exchange(socket_.bytes_out, 0);
  }

  Socket& socket_;
  Shared& shared_;
  std::string peer_;
};

Task<bool> Connection::read_head(ParsedHead& parsed) {
  socket_.idle = socket_.buffer().empty();
  socket_.wait_at_most(shared_.options.idle_wait_max);
  while (true) {
    const auto size = head_size(socket_.buffer());
    if (!size) co_return co_await answer_bad(size.error());
    if (*size > 0) {
      auto made = parse_head(std::string_view(socket_.buffer()).substr(0, *size));
      socket_.buffer().erase(0, *size);
      if (!made) co_return co_await answer_bad(made.error());
      parsed = std::move(*made);
      parsed.head.peer = peer_;
      co_return true;
    }
    const bool first = socket_.buffer().empty();
    const bool got = co_await socket_.fill();
    if (!got) co_return false;
    // A slow head has its time from its first byte on, however it dribbles.
    if (first) socket_.wait_at_most(shared_.options.head_wait_max);
    socket_.idle = false;
  }
}

Task<bool> Connection::answer_bad(BadRequest bad) {
  ++shared_.counters.bad_requests;
  ParsedHead none;
  http::Response response;
  response.status = bad.status;
  response.headers.push_back({"Content-Type", "application/xml"});
  response.body = fmt::format(
      "<?xml version=\"1.0\" "
      "encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>",
      bad.status == 501 ? "NotImplemented" : "BadRequest", bad.message);
  (void)co_await answer(none, std::move(response), false);
  co_await socket_.linger();
  co_return false;
}

Task<bool> Connection::answer(const ParsedHead& parsed, http::Response response, bool keep) {
  add_cors(parsed.head, response);
  const bool stays = keep && parsed.keep_alive && !shared_.draining;
  const uint64_t length = response.content_length ? *response.content_length
                          : response.stream       ? response.stream->size()
                                                  : response.body.size();
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                  http::reason_phrase(response.status), http_date(shared_.clock.now()));
  for (const http::Header& header : response.headers) {
    // A value of a client's, repeated: no line of its own may come out of it.
    if (header.value.find_first_of("\r\n") != std::string::npos) continue;
    head += header.name;
    head += ": ";
    head += header.value;
    head += "\r\n";
  }
  if (response.status != 204 && response.status != 304)
    head += fmt::format("Content-Length: {}\r\n", length);
  head += stays ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  socket_.wait_at_most(shared_.options.body_wait_max);
  const bool no_body =
      parsed.head.method == "HEAD" || response.status == 204 || response.status == 304;
  const std::string_view body =
      no_body || response.stream ? std::string_view() : std::string_view(response.body);
  const bool sent = co_await socket_.write(head, body);
  if (!sent) co_return false;
  if (response.stream && !no_body) {
    const bool whole = co_await socket_.send_file(*response.stream);
    if (!whole) co_return false;
  }
  co_return stays;
}

Task<bool> Connection::tell_to_continue(const ParsedHead& parsed) {
  if (!parsed.expects_continue) co_return true;
  co_return co_await socket_.write("HTTP/1.1 100 Continue\r\n\r\n", "");
}

Task<std::optional<size_t>> Connection::read_body(ParsedHead& parsed, BodyFraming& framing,
                                                  size_t bytes_max, Buffer& buffer,
                                                  Hasher* hasher) {
  const bool alive = co_await tell_to_continue(parsed);
  if (!alive) co_return std::nullopt;
  size_t used = 0;
  while (true) {
    if (used == buffer.capacity())
      buffer.grow(std::min(bytes_max + 1, buffer.capacity() * 2), used);
    socket_.wait_at_most(shared_.options.body_wait_max);
    const Result<size_t> got =
        co_await framing.read(buffer.data() + used, std::min(kReadBlock, buffer.capacity() - used));
    if (!got) {
      BadRequest bad{400, got.error().what};
      if (got.error().kind == ErrorKind::invalid) (void)co_await answer_bad(std::move(bad));
      co_return std::nullopt;
    }
    if (*got == 0) break;
    if (hasher) hasher->add(std::string_view(buffer.data() + used, *got));
    used += *got;
    if (used > bytes_max) {
      BadRequest bad{413, "the body is too long"};
      (void)co_await answer_bad(std::move(bad));
      co_return std::nullopt;
    }
  }
  std::fill_n(buffer.data() + used, Buffer::kPadding, '\0');
  co_return used;
}

Task<bool> Connection::one_request() {
  ParsedHead parsed;
  const bool got = co_await read_head(parsed);
  if (!got) co_return false;
  socket_.idle = false;
  ++shared_.counters.requests;
  const http::RequestHead& head = parsed.head;
  if (head.method == "OPTIONS") {
    http::Response response = preflight(head);
    const bool empty = parsed.content_length.value_or(0) == 0 && !parsed.chunked;
    co_return co_await answer(parsed, std::move(response), empty);
  }
  for (const Page& page : shared_.pages)
    if (is_page(page, head.path)) co_return co_await serve_page(page, parsed);
  if (head.method == "GET" && head.path == "/" && !head.find("authorization") &&
      head.query.empty() && head.value("accept").contains("text/html")) {
    http::Response response;
    response.status = 302;
    response.headers.push_back({"Location", "/_console/"});
    co_return co_await answer(parsed, std::move(response), true);
  }
  co_return co_await serve_operation(parsed);
}

Task<bool> Connection::serve_page(const Page& page, ParsedHead& parsed) {
  if (parsed.content_length.value_or(0) > kPageBodyBytesMax) {
    BadRequest bad{413, "the body is too long"};
    co_return co_await answer_bad(std::move(bad));
  }
  BodyFraming framing(socket_, parsed);
  Buffer buffer(parsed.content_length.value_or(0));
  const std::optional<size_t> used =
      co_await read_body(parsed, framing, kPageBodyBytesMax, buffer, nullptr);
  if (!used) co_return false;
  http::Response response = page.handle(parsed.head, std::string_view(buffer.data(), *used));
  co_return co_await answer(parsed, std::move(response), true);
}

Task<bool> Connection::serve_operation(ParsedHead& parsed) {
  const http::RequestHead& head = parsed.head;
  const Timestamp now = shared_.clock.now();
  wire::Call call;
  call.request_id = new_request_id(shared_.random);
  call.head = &head;
  const Destination destination = find_destination(head, "");
  // Unsigned, by Action alone: the query protocol's refusal without reading the body.
  const wire::Service& service =
      destination.service ? *destination.service : *wire::find_service("sts");
  const bool is_s3 = service.protocol == wire::Protocol::rest_xml;
  const bool has_body = parsed.chunked || parsed.content_length.value_or(0) > 0;
  Task<bool> (*const refuse)(
      Connection&, const ParsedHead&, const wire::Service&, const wire::Call&, wire::Fault,
      bool) = [](Connection& self, const ParsedHead& of, const wire::Service& by,
                 const wire::Call& of_call, wire::Fault fault, bool body_unread) -> Task<bool> {
    http::Response response = wire::Operations::render(by, of_call, fault);
    const bool stays = co_await self.answer(of, std::move(response), !body_unread);
    if (body_unread) co_await self.socket_.linger();
    co_return stays;
  };

  const http::SignatureRules rules{.service = service.signing_name, .is_s3 = is_s3, .now = now};
  const auto signature = http::read_signature(head, rules);
  if (!signature) {
    ++shared_.counters.refused_signatures;
    wire::Fault fault = signature_fault(service, signature.error(), head, now);
    co_return co_await refuse(*this, parsed, service, call, std::move(fault), has_body);
  }
  const std::optional<Principal> principal =
      shared_.options.find_principal(signature->access_key_id);
  if (!principal || !signature->session_token.empty()) {
    ++shared_.counters.refused_signatures;
    // The same work as for a known key, so that the time tells nothing.
    (void)http::check_signature(head, *signature, rules, "an unknown key's secret",
                                signature->content_sha256);
    wire::Fault fault = unknown_key_fault(service, signature->access_key_id);
    co_return co_await refuse(*this, parsed, service, call, std::move(fault), has_body);
  }
  call.region = signature->region;
  call.account = principal->account;
  call.caller_arn = principal->arn;
  call.access_key_id = signature->access_key_id;

  std::string expected_hash;  // Of the body; "" when it is not signed.
  if (is_s3) {
    const std::string& declared = signature->content_sha256;
    const bool hex = declared.size() == 64 &&
                     declared.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (declared.starts_with("STREAMING-")) {
      wire::Fault fault{"NotImplemented",
                        501,
                        "A header you provided implies functionality that is not implemented",
                        {{"Header", "x-amz-content-sha256"}}};
      co_return co_await refuse(*this, parsed, service, call, std::move(fault), has_body);
    }
    if (!hex && declared != http::kUnsignedPayload) {
      wire::Fault fault{
          "InvalidArgument",
          400,
          "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a "
          "valid sha256 value.",
          {{"ArgumentName", "x-amz-content-sha256"}, {"ArgumentValue", declared.substr(0, 100)}}};
      co_return co_await refuse(*this, parsed, service, call, std::move(fault), has_body);
    }
    if (hex) expected_hash = declared;
    const http::Comparison made =
        http::check_signature(head, *signature, rules, principal->secret, declared);
    if (!made.equal) {
      ++shared_.counters.refused_signatures;
      wire::Fault fault = mismatch_fault(service, *signature, made);
      co_return co_await refuse(*this, parsed, service, call, std::move(fault), has_body);
    }
  }

  const wire::Answer<wire::Route> early = service.protocol == wire::Protocol::query
                                              ? wire::Answer<wire::Route>(wire::Route{})
                                              : shared_.operations.match(service, head, "");
  if (!early && is_s3)
    co_return co_await refuse(*this, parsed, service, call, early.error(), has_body);

  BodyFraming framing(socket_, parsed);
  if (early && early->streams_body) {
    if (!parsed.chunked && !parsed.content_length) {
      wire::Fault fault{
          "MissingContentLength", 411, "You must provide the Content-Length HTTP header.", {}};
      co_return co_await refuse(*this, parsed, service, call, std::move(fault), true);
    }
    if (parsed.content_length.value_or(0) > kObjectBytesMax) {
      wire::Fault fault{"EntityTooLarge",
                        400,
                        "Your proposed upload exceeds the maximum allowed size",
                        {{"MaxSizeAllowed", std::to_string(kObjectBytesMax)}}};
      co_return co_await refuse(*this, parsed, service, call, std::move(fault), true);
    }
    StreamReader reader(socket_, framing, parsed.content_length, expected_hash,
                        shared_.options.body_wait_max);
    if (parsed.expects_continue && has_body)
      reader.before_reading([this, &parsed] { return tell_to_continue(parsed); });
    wire::RequestBody body;
    body.stream = &reader;
    Task<http::Response> running = shared_.operations.run(*early, call, body);
    http::Response response = co_await std::move(running);
    const bool read_all = framing.ended() || !has_body;
    const bool stays = co_await answer(parsed, std::move(response), read_all);
    if (!read_all) co_await socket_.linger();
    co_return stays;
  }

  const size_t bytes_max = body_bytes_max(service);
  if (parsed.content_length.value_or(0) > bytes_max) {
    BadRequest bad{413, "the body is too long"};
    co_return co_await answer_bad(std::move(bad));
  }
  Buffer buffer(parsed.content_length ? *parsed.content_length
                : parsed.chunked      ? kDefaultBodyBytes
                                      : 0);
  Hasher hasher;
  const std::optional<size_t> used =
      co_await read_body(parsed, framing, bytes_max, buffer, &hasher);
  if (!used) co_return false;
  const std::string hash = hasher.hex();
  const std::string_view bytes(buffer.data(), *used);
  if (is_s3) {
    if (!expected_hash.empty() && expected_hash != hash) {
      ++shared_.counters.refused_signatures;
      wire::Fault fault{
          "XAmzContentSHA256Mismatch",
          400,
          "The provided 'x-amz-content-sha256' header does not match what was computed.",
          {{"ClientComputedContentSHA256", expected_hash}, {"S3ComputedContentSHA256", hash}}};
      co_return co_await refuse(*this, parsed, service, call, std::move(fault), false);
    }
  } else {
    const http::Comparison made =
        http::check_signature(head, *signature, rules, principal->secret, hash);
    if (!made.equal) {
      ++shared_.counters.refused_signatures;
      wire::Fault fault = mismatch_fault(service, *signature, made);
      co_return co_await refuse(*this, parsed, service, call, std::move(fault), false);
    }
  }
  const wire::Answer<wire::Route> route =
      service.protocol == wire::Protocol::query
          ? shared_.operations.match(service, head,
                                     head.method == "GET" ? std::string_view(head.query) : bytes)
          : early;
  if (!route) co_return co_await refuse(*this, parsed, service, call, route.error(), false);
  wire::RequestBody body;
  body.bytes = bytes;
  body.padding = Buffer::kPadding;
  socket_.set_deadline(
      std::chrono::steady_clock::time_point::max());  // The handler's time is its own.
  Task<http::Response> running = shared_.operations.run(*route, std::move(call), body);
  http::Response response = co_await std::move(running);
  co_return co_await answer(parsed, std::move(response), true);
}

}  // namespace

Task<> serve(Socket& socket, Shared& shared) {
  Connection connection(socket, shared);
  co_await connection.run();
}

}  // namespace laketap::server
