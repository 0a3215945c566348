#include "server/connection.h"

#include <algorithm>

#include "server/answer.h"
#include "server/aws_chunked.h"

namespace laketap::server {
namespace {

constexpr size_t kReadBlock = 256 << 10;  // Hashed while it is in the cache.

size_t body_bytes_max(const wire::Service& service) {
  switch (service.protocol) {
    case wire::Protocol::json: return kJsonBodyBytesMax;
    case wire::Protocol::query: return kQueryBodyBytesMax;
    case wire::Protocol::rest_xml: return kXmlBodyBytesMax;
  }
  return kXmlBodyBytesMax;
}

const Page* find_page(const std::vector<Page>& pages, std::string_view path) {
  for (const Page& page : pages)
    if (page.prefix.ends_with('/') ? path.starts_with(page.prefix) : path == page.prefix)
      return &page;
  return nullptr;
}

// A browser at the front door.
bool wants_console(const http::RequestHead& head) {
  return head.method == "GET" && (head.path == "/" || head.path == "/_console") &&
         head.query.empty() && !head.find("authorization") &&
         head.value("accept").contains("text/html");
}

// What a request is answered with before it was read to its end.
enum class Unread { nothing, body };

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
  void count() {
    shared_.counters.bytes_in += std::exchange(socket_.bytes_in, 0);
    shared_.counters.bytes_out += std::exchange(socket_.bytes_out, 0);
  }
  // Each returns false when the connection is over.
  Task<bool> one_request();
  Task<bool> read_head();
  Task<bool> serve_page(const Page& page);
  Task<bool> serve_operation();
  Task<bool> serve_object(const wire::Route& route, const Admitted& admitted);
  Task<bool> serve_whole(const wire::Answer<wire::Route>& early, const Admitted& admitted);
  Task<bool> run_operation(const wire::Route& route, std::string_view bytes);

  Task<bool> answer(http::Response response, Unread unread = Unread::nothing);
  Task<bool> refuse(const wire::Fault& fault, Unread unread);
  Task<bool> answer_bad(BadRequest bad);

  // A whole body in memory.
  struct Whole {
    Whole(Connection& connection, size_t bytes_max_)
        : bytes_max(bytes_max_),
          framing(connection.socket_, connection.parsed_),
          share(connection.shared_.body_bytes, kBodiesBytesMax),
          buffer(std::min<uint64_t>(connection.parsed_.content_length.value_or(
                                        connection.parsed_.chunked ? kReadBlock : 0),
                                    bytes_max_)) {}
    std::string_view bytes() { return {buffer.data(), used}; }

    const size_t bytes_max;
    BodyFraming framing;
    MemoryShare share;
    Buffer buffer;
    size_t used = 0;
    http::Sha256Stream hash;
  };
  enum class ReadEnd { whole, too_large, busy, broken, gone };
  Task<ReadEnd> read_whole(Whole& whole, bool hashed);

  bool has_body() const { return parsed_.chunked || parsed_.content_length.value_or(0) > 0; }

  Socket& socket_;
  Shared& shared_;
  const std::string peer_;
  // Of the request that is being served.
  ParsedHead parsed_;
  Timestamp now_;
  const wire::Service* service_ = nullptr;
  wire::Call call_;
};

Task<bool> Connection::read_head() {
  parsed_ = {};
  socket_.idle = socket_.buffer().empty();
  socket_.allow(socket_.idle ? shared_.options.idle_wait_max : shared_.options.head_wait_max);
  while (true) {
    const auto size = head_size(socket_.buffer());
    if (!size) co_return co_await answer_bad(size.error());
    if (*size > 0) {
      auto made = parse_head(std::string_view(socket_.buffer()).substr(0, *size));
      socket_.buffer().erase(0, *size);
      if (!made) co_return co_await answer_bad(made.error());
      parsed_ = std::move(*made);
      parsed_.head.peer = peer_;
      parsed_.head.tls = socket_.is_tls();
      co_return true;
    }
    const bool got = co_await socket_.fill();
    if (!got) co_return false;
    // A slow head has its time from its first byte on, however it dribbles.
    if (std::exchange(socket_.idle, false)) socket_.allow(shared_.options.head_wait_max);
  }
}

Task<bool> Connection::answer(http::Response response, Unread unread) {
  if (response.status >= 500)
    ++shared_.counters.server_errors;
  else if (response.status >= 400)
    ++shared_.counters.client_errors;
  const http::RequestHead* head = parsed_.head.method.empty() ? nullptr : &parsed_.head;
  const bool stays = head && unread == Unread::nothing && parsed_.keep_alive && !shared_.draining;
  const AnswerContext context{.head = head, .now = shared_.clock.now(), .stays_open = stays};
  const std::string rendered = render_head(response, context);
  const bool no_body = has_no_body(response, head);
  std::string_view body = response.body;
  if (no_body || response.stream) body = {};
  socket_.allow_while_moving(shared_.options.body_wait_max);
  const bool sent = co_await socket_.write(rendered, body);
  if (!sent) co_return false;
  if (response.stream && !no_body) {
    const bool whole = co_await socket_.send_file(*response.stream);
    if (!whole) co_return false;
  }
  count();
  if (unread == Unread::body) co_await socket_.linger();
  co_return stays;
}

Task<bool> Connection::refuse(const wire::Fault& fault, Unread unread) {
  http::Response response = wire::Operations::render(*service_, call_, fault);
  co_return co_await answer(std::move(response), unread);
}

Task<bool> Connection::answer_bad(BadRequest bad) {
  ++shared_.counters.bad_requests;
  http::Response response = bad_request(bad.status, bad.message);
  (void)co_await answer(std::move(response), Unread::body);
  co_return false;
}

Task<Connection::ReadEnd> Connection::read_whole(Whole& whole, bool hashed) {
  const uint64_t declared = parsed_.content_length.value_or(0);
  if (declared > whole.bytes_max) co_return ReadEnd::too_large;
  if (!whole.share.grow(whole.buffer.capacity())) co_return ReadEnd::busy;
  socket_.allow_while_moving(shared_.options.body_wait_max);
  if (parsed_.expects_continue && has_body()) {
    const bool alive = co_await socket_.write(kContinue, "");
    if (!alive) co_return ReadEnd::gone;
  }
  while (true) {
    if (whole.used == whole.buffer.capacity() && !whole.framing.ended()) {  // Chunks only.
      const size_t more = std::min(whole.bytes_max + 1, whole.buffer.capacity() * 2);
      if (!whole.share.grow(more)) co_return ReadEnd::busy;
      whole.buffer.grow(more, whole.used);
    }
    char* target = whole.buffer.data() + whole.used;
    const size_t room = std::min(kReadBlock, whole.buffer.capacity() - whole.used);
    const Result<size_t> got = co_await whole.framing.read(target, room);
    if (!got) co_return got.error().kind == ErrorKind::invalid ? ReadEnd::broken : ReadEnd::gone;
    if (*got == 0) break;
    if (hashed) whole.hash.add(std::string_view(target, *got));
    whole.used += *got;
    if (whole.used > whole.bytes_max) co_return ReadEnd::too_large;
  }
  std::fill_n(whole.buffer.data() + whole.used, Buffer::kPadding, '\0');
  co_return ReadEnd::whole;
}

Task<bool> Connection::one_request() {
  const bool got = co_await read_head();
  if (!got) co_return false;
  ++shared_.counters.requests;
  now_ = shared_.clock.now();
  call_ = {};
  call_.request_id = new_request_id(shared_.random);
  call_.head = &parsed_.head;
  service_ = &find_service(parsed_.head);
  const Unread unread = has_body() ? Unread::body : Unread::nothing;
  if (parsed_.head.method == "OPTIONS") {
    http::Response response = preflight(parsed_.head);
    co_return co_await answer(std::move(response), unread);
  }
  if (const Page* page = find_page(shared_.pages, parsed_.head.path))
    co_return co_await serve_page(*page);
  if (wants_console(parsed_.head)) {
    http::Response response;
    response.status = 302;
    response.headers.push_back({"Location", "/_console/"});
    co_return co_await answer(std::move(response), unread);
  }
  co_return co_await serve_operation();
}

Task<bool> Connection::serve_page(const Page& page) {
  const bool open =
      page.access == Page::Access::open || (page.lets_in && page.lets_in(parsed_.head));
  service_ = &page_service();
  std::optional<Admitted> admitted;
  if (!open) {
    auto made = admit(shared_.options, *service_, parsed_.head, now_);
    if (!made) {
      ++shared_.counters.refused_signatures;
      co_return co_await refuse(made.error(), has_body() ? Unread::body : Unread::nothing);
    }
    admitted = std::move(*made);
  }
  Whole whole(*this, kPageBodyBytesMax);
  const ReadEnd end = co_await read_whole(whole, !open);
  if (end == ReadEnd::gone) co_return false;
  if (end == ReadEnd::busy) co_return co_await refuse(busy_fault(*service_), Unread::body);
  if (end != ReadEnd::whole) {
    BadRequest bad{end == ReadEnd::too_large ? 413 : 400, "the request's body"};
    co_return co_await answer_bad(std::move(bad));
  }
  if (admitted) {
    if (const auto fault = check_body(*service_, parsed_.head, *admitted, whole.hash.hex())) {
      ++shared_.counters.refused_signatures;
      co_return co_await refuse(*fault, Unread::nothing);
    }
  }
  http::Response response;
  std::function<void()> work = [&] { response = page.handle(parsed_.head, whole.bytes()); };
  const bool taken = co_await shared_.page_pool.run(std::move(work));
  if (!taken) co_return co_await refuse(busy_fault(*service_), Unread::nothing);
  co_return co_await answer(std::move(response));
}

Task<bool> Connection::serve_operation() {
  const Unread unread = has_body() ? Unread::body : Unread::nothing;
  const auto admitted = admit(shared_.options, *service_, parsed_.head, now_);
  if (!admitted) {
    ++shared_.counters.refused_signatures;
    co_return co_await refuse(admitted.error(), unread);
  }
  call_.region = admitted->signature.region;
  call_.account = admitted->principal.account;
  call_.caller_arn = admitted->principal.arn;
  call_.access_key_id = admitted->signature.access_key_id;

  const bool is_s3 = service_->protocol == wire::Protocol::rest_xml;
  if (admitted->version_2) parsed_.head.query = http::without_v2(parsed_.head.query);
  if (is_s3) {  // Its signature held already, so the path may be told in the other style now.
    if (const auto bucket =
            bucket_of_host(parsed_.head.value("host"), shared_.options.bucket_hosts))
      parsed_.head.path = "/" + *bucket + (parsed_.head.path == "/" ? "" : parsed_.head.path);
  }
  wire::Answer<wire::Route> early = wire::Route{};
  if (service_->protocol != wire::Protocol::query && !is_foreign(*service_))
    early = shared_.operations.match(*service_, parsed_.head, "");
  if (!early && is_s3) co_return co_await refuse(early.error(), unread);
  const bool streams = early && early->streams_body;
  if (admitted->form == BodyForm::chunks && !streams) {  // Attack case 25: nowhere else.
    const wire::Fault fault{"InvalidRequest", 400, "This operation takes no chunked payload", {}};
    co_return co_await refuse(fault, unread);
  }
  if (streams) co_return co_await serve_object(*early, *admitted);
  co_return co_await serve_whole(early, *admitted);
}

// PutObject and UploadPart: the handler reads, and hears at the end whether the bytes are the
// signed ones.
Task<bool> Connection::serve_object(const wire::Route& route, const Admitted& admitted) {
  if (!parsed_.chunked && !parsed_.content_length) {
    const wire::Fault fault{
        "MissingContentLength", 411, "You must provide the Content-Length HTTP header.", {}};
    co_return co_await refuse(fault, Unread::body);
  }
  if (parsed_.content_length.value_or(0) > kObjectBytesMax) {
    const wire::Fault fault{"EntityTooLarge",
                            400,
                            "Your proposed upload exceeds the maximum allowed size",
                            {{"MaxSizeAllowed", std::to_string(kObjectBytesMax)}}};
    co_return co_await refuse(fault, Unread::body);
  }
  BodyFraming framing(socket_, parsed_);
  ObjectBody object(socket_, framing, shared_.options.body_wait_max,
                    parsed_.expects_continue && has_body());
  const bool hashed = admitted.form == BodyForm::hashed_by_header;
  PlainReader plain(object, parsed_.content_length,
                    hashed ? admitted.signature.content_sha256 : std::string());
  std::optional<AwsChunkedReader> chunks;
  wire::RequestBody body;
  body.stream = &plain;
  if (admitted.form == BodyForm::chunks) {
    auto rules =
        read_aws_chunked_rules(parsed_.head, admitted.signature, admitted.principal.secret);
    if (!rules) co_return co_await refuse(rules.error(), Unread::body);
    remove_aws_chunked(parsed_.head);
    chunks.emplace(object, parsed_.head, std::move(*rules));
    body.stream = &*chunks;
  }
  Task<http::Response> running = shared_.operations.run(route, call_, body);
  http::Response response = co_await std::move(running);
  co_return co_await answer(std::move(response), framing.ended() ? Unread::nothing : Unread::body);
}

Task<bool> Connection::serve_whole(const wire::Answer<wire::Route>& early,
                                   const Admitted& admitted) {
  Whole whole(*this, body_bytes_max(*service_));
  const ReadEnd end = co_await read_whole(whole, true);
  switch (end) {
    case ReadEnd::whole: break;
    case ReadEnd::gone: co_return false;
    case ReadEnd::busy: co_return co_await refuse(busy_fault(*service_), Unread::body);
    case ReadEnd::too_large:
      co_return co_await refuse(too_large_fault(*service_, whole.bytes_max), Unread::body);
    case ReadEnd::broken: {
      BadRequest bad{400, "a chunked body that is none"};
      co_return co_await answer_bad(std::move(bad));
    }
  }
  if (const auto fault = check_body(*service_, parsed_.head, admitted, whole.hash.hex())) {
    ++shared_.counters.refused_signatures;
    co_return co_await refuse(*fault, Unread::nothing);
  }
  if (is_foreign(*service_))
    co_return co_await refuse(foreign_fault(parsed_.head), Unread::nothing);
  const bool by_form = service_->protocol == wire::Protocol::query;
  const std::string_view form =
      parsed_.head.method == "GET" ? std::string_view(parsed_.head.query) : whole.bytes();
  const wire::Answer<wire::Route> route =
      by_form ? shared_.operations.match(*service_, parsed_.head, form) : early;
  if (!route) co_return co_await refuse(route.error(), Unread::nothing);
  co_return co_await run_operation(*route, whole.bytes());
}

Task<bool> Connection::run_operation(const wire::Route& route, std::string_view bytes) {
  wire::RequestBody body;
  body.bytes = bytes;
  body.padding = Buffer::kPadding;
  Task<http::Response> running = shared_.operations.run(route, call_, body);
  http::Response response = co_await std::move(running);
  co_return co_await answer(std::move(response));
}

}  // namespace

Task<> serve(Socket& socket, Shared& shared) {
  Connection connection(socket, shared);
  co_await connection.run();
}

}  // namespace laketap::server
