#include "http/client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace laketap::http {
namespace {

constexpr size_t kHeadBytesMax = 64 << 10;
constexpr size_t kBodyBytesMax = size_t{256} << 20;
constexpr timeval kWaitMax{.tv_sec = 120, .tv_usec = 0};

std::unexpected<Error> system_error(const char* doing) {
  return fail(ErrorKind::unavailable, fmt::format("{}: {}", doing, std::strerror(errno)));
}

Result<> send_bytes(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return system_error("sending");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

}  // namespace

std::string Client::render(const RequestHead& head, std::string_view body) {
  std::string out = fmt::format("{} {} HTTP/1.1\r\n", head.method, head.target);
  for (const Header& header : head.headers)
    out += fmt::format("{}: {}\r\n", header.name, header.value);
  out += fmt::format("Content-Length: {}\r\n\r\n", body.size());
  out += body;
  return out;
}

Result<> Client::connect() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(endpoint_.host.c_str(), endpoint_.port.c_str(), &hints, &found);
      code != 0)
    return fail(ErrorKind::unavailable,
                fmt::format("looking up {}: {}", endpoint_.host, gai_strerror(code)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  for (const addrinfo* one = found; one; one = one->ai_next) {
    io::Descriptor made(socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol));
    if (!made || ::connect(made.get(), one->ai_addr, one->ai_addrlen) != 0) continue;
    const int on = 1;
    setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(made.get(), SOL_SOCKET, SO_RCVTIMEO, &kWaitMax, sizeof kWaitMax);
    setsockopt(made.get(), SOL_SOCKET, SO_SNDTIMEO, &kWaitMax, sizeof kWaitMax);
    socket_ = std::move(made);
    buffer_.clear();
    return {};
  }
  return system_error(fmt::format("connecting to {}:{}", endpoint_.host, endpoint_.port).c_str());
}

Result<size_t> Client::fill() {
  char block[64 << 10];
  while (true) {
    const ssize_t got = recv(socket_.get(), block, sizeof block, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("receiving");
    buffer_.append(block, static_cast<size_t>(got));
    return static_cast<size_t>(got);
  }
}

Result<ClientResponse> Client::receive(bool to_head) {
  size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (buffer_.size() > kHeadBytesMax)
      return fail(ErrorKind::invalid, "an answer's head is too long");
    const Result<size_t> got = fill();
    if (!got) return fail(got.error());
    if (*got == 0) return fail(ErrorKind::unavailable, "the server closed the connection");
  }
  ClientResponse response;
  const std::string head = buffer_.substr(0, end);
  buffer_.erase(0, end + 4);
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 12)
    return fail(ErrorKind::invalid, "no HTTP/1.1 answer");
  std::from_chars(head.data() + 9, head.data() + 12, response.status);
  size_t length = 0;
  bool close = false;
  for (size_t from = head.find("\r\n"); from != std::string::npos;) {
    from += 2;
    const size_t stop = std::min(head.find("\r\n", from), head.size());
    const std::string_view line = std::string_view(head).substr(from, stop - from);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      std::string_view value = line.substr(colon + 1);
      while (value.starts_with(' ')) value.remove_prefix(1);
      if (same_name(line.substr(0, colon), "content-length"))
        std::from_chars(value.data(), value.data() + value.size(), length);
      close =
          close || (same_name(line.substr(0, colon), "connection") && same_name(value, "close"));
      response.headers.push_back({std::string(line.substr(0, colon)), std::string(value)});
    }
    from = stop == head.size() ? std::string::npos : stop;
  }
  if (response.status == 100) return receive(to_head);
  if (to_head) length = 0;
  if (length > kBodyBytesMax) return fail(ErrorKind::invalid, "an answer's body is too long");
  while (buffer_.size() < length) {
    const Result<size_t> got = fill();
    if (!got) return fail(got.error());
    if (*got == 0) return fail(ErrorKind::unavailable, "the server closed the connection");
  }
  response.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  if (close) socket_.reset();
  return response;
}

Result<ClientResponse> Client::send(std::string_view request) {
  const bool to_head = request.starts_with("HEAD ");
  const bool fresh = !socket_;
  if (fresh)
    if (const Result<> connected = connect(); !connected) return fail(connected.error());
  Result<> sent = send_bytes(socket_.get(), request);
  Result<ClientResponse> response =
      sent ? receive(to_head) : Result<ClientResponse>(fail(sent.error()));
  if (response) return response;
  socket_.reset();
  // An idle connection that the server closed meanwhile: nothing was answered, and nothing
  // received.
  if (fresh || !buffer_.empty() || response.error().what.find("closed") == std::string::npos)
    return response;
  if (const Result<> connected = connect(); !connected) return fail(connected.error());
  sent = send_bytes(socket_.get(), request);
  return sent ? receive(to_head) : Result<ClientResponse>(fail(sent.error()));
}

}  // namespace laketap::http
