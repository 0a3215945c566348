#include "server/socket.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

namespace laketap::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kReadBytes = 16 << 10;
constexpr size_t kFileBlockBytes = 64 << 10;
constexpr size_t kSendFileBytes = 1 << 20;
constexpr size_t kLingerBytesMax = 4 << 20;
constexpr std::chrono::seconds kLingerWait{2};
constexpr size_t kMovedAtOnceMax = 4
                                   << 20;  // Then the context's other connections have their turn.
constexpr int64_t kBytesPerSecondMin = 1024;

}  // namespace

// While it lives, the peer's time runs.
class Socket::Waiting {
 public:
  explicit Waiting(Socket& socket) : socket_(socket), begin_(Clock::now()) {
    socket_.deadline_ = begin_ + socket_.left_;
  }
  ~Waiting() {
    socket_.left_ -= Clock::now() - begin_;
    socket_.deadline_ = Clock::time_point::max();
  }
  Waiting(const Waiting&) = delete;

 private:
  Socket& socket_;
  const Clock::time_point begin_;
};

Socket::Socket(tcp::socket socket, Watched& watched)
    : socket_(std::move(socket)), watched_(watched) {
  boost::system::error_code ignored;
  (void)socket_.set_option(tcp::no_delay(true), ignored);
  (void)socket_.non_blocking(true, ignored);
  watched_.sockets.insert(this);
}

Socket::~Socket() {
  watched_.sockets.erase(this);
}

void Socket::close() {
  boost::system::error_code ignored;
  if (tls_ && SSL_is_init_finished(tls_.get())) (void)SSL_shutdown(tls_.get());
  (void)socket_.shutdown(tcp::socket::shutdown_both, ignored);
  (void)socket_.close(ignored);
}

std::string Socket::peer() const {
  boost::system::error_code error;
  const auto end = socket_.remote_endpoint(error);
  return error ? std::string() : end.address().to_string();
}

void Socket::allow(std::chrono::seconds wait) {
  wait_ = wait;
  moving_ = false;
  left_ = wait;
}

void Socket::allow_while_moving(std::chrono::seconds wait) {
  allow(wait);
  moving_ = true;
}

void Socket::moved(size_t bytes) {
  if (!moving_) return;
  const std::chrono::milliseconds earned(static_cast<int64_t>(bytes) * 1000 / kBytesPerSecondMin);
  left_ = std::min<Clock::duration>(left_ + earned, wait_);
}

Task<> Socket::give_way(size_t bytes) {
  moved_at_once_ += bytes;
  if (moved_at_once_ < kMovedAtOnceMax) co_return;
  moved_at_once_ = 0;
  co_await asio::post(socket_.get_executor(), asio::use_awaitable);
}

// By the way that Asio would: at once when bytes are there, else when the loop says so.
Task<size_t> Socket::receive(char* target, size_t size) {
  if (tls_) {
    while (true) {
      const TlsStep step = tls_read(tls_.get(), target, size);
      if (step.wants == TlsStep::Wants::nothing) co_return step.moved;
      const bool ready = co_await wait_for(step.wants);
      if (!ready) co_return 0;
    }
  }
  const auto into = asio::buffer(target, size);
  const Waiting waiting(*this);
  const auto [error, got] = co_await socket_.async_read_some(into, kAwait);
  co_return error ? 0 : got;
}

Task<bool> Socket::wait_for(TlsStep::Wants wants) {
  if (wants == TlsStep::Wants::to_end) co_return false;
  const auto direction =
      wants == TlsStep::Wants::to_read ? tcp::socket::wait_read : tcp::socket::wait_write;
  const Waiting waiting(*this);
  const auto [error] = co_await socket_.async_wait(direction, kAwait);
  co_return !error;
}

Task<bool> Socket::begin_tls(const TlsContext& context, std::chrono::seconds wait) {
  allow(wait);
  tls_ = make_stream(context, socket_.native_handle());
  while (tls_) {
    const TlsStep step = tls_accept(tls_.get());
    if (step.wants == TlsStep::Wants::nothing) co_return true;
    const bool ready = co_await wait_for(step.wants);
    if (!ready) break;
  }
  co_return false;
}

Task<bool> Socket::fill() {
  const size_t before = buffer_.size();
  // Grown without clearing what the kernel is about to write.
  buffer_.resize_and_overwrite(before + kReadBytes, [](char*, size_t size) { return size; });
  const size_t got = co_await receive(buffer_.data() + before, kReadBytes);
  buffer_.resize(before + got);
  bytes_in += got;
  moved(got);
  co_return got > 0;
}

Task<size_t> Socket::read_some(char* target, size_t size) {
  if (!buffer_.empty()) {
    const size_t taken = std::min(size, buffer_.size());
    buffer_.copy(target, taken);
    buffer_.erase(0, taken);
    co_return taken;
  }
  // A body's bytes are mostly there already: without a round through the event loop.
  const ssize_t there = tls_ ? -1 : ::recv(socket_.native_handle(), target, size, MSG_DONTWAIT);
  size_t got = there > 0 ? static_cast<size_t>(there) : 0;
  if (there < 0) got = co_await receive(target, size);
  co_await give_way(got);
  bytes_in += got;
  moved(got);
  co_return got;
}

Task<bool> Socket::send_tls(std::string_view bytes) {
  while (!bytes.empty()) {
    const TlsStep step = tls_write(tls_.get(), bytes);
    if (step.wants != TlsStep::Wants::nothing) {
      const bool ready = co_await wait_for(step.wants);
      if (!ready) co_return false;
      continue;
    }
    bytes.remove_prefix(step.moved);
    bytes_out += step.moved;
    moved(step.moved);
    co_await give_way(step.moved);
  }
  co_return true;
}

Task<bool> Socket::write(std::string_view head, std::string_view body) {
  if (tls_) {
    const bool sent = co_await send_tls(head);
    co_return sent&& co_await send_tls(body);
  }
  while (!head.empty() || !body.empty()) {
    std::array<iovec, 2> parts{};
    parts[0] = {const_cast<char*>(head.data()), head.size()};
    parts[1] = {const_cast<char*>(body.data()), body.size()};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) co_return false;
    if (sent < 0) {
      const Waiting waiting(*this);
      const auto [error] = co_await socket_.async_wait(tcp::socket::wait_write, kAwait);
      if (error) co_return false;
      continue;
    }
    const auto bytes = static_cast<size_t>(sent);
    bytes_out += bytes;
    moved(bytes);
    const size_t of_head = std::min(bytes, head.size());
    head.remove_prefix(of_head);
    body.remove_prefix(bytes - of_head);
  }
  co_return true;
}

Task<bool> Socket::send_file_tls(const http::BodySource& source) {
  std::string block(std::min<uint64_t>(source.size(), kFileBlockBytes), '\0');
  for (uint64_t at = 0; at < source.size();) {
    const size_t size = std::min<uint64_t>(block.size(), source.size() - at);
    const ssize_t got =
        pread(source.descriptor(), block.data(), size, static_cast<off_t>(source.offset() + at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) co_return false;  // The file is shorter than its row says.
    const std::string_view read(block.data(), static_cast<size_t>(got));
    const bool sent = co_await send_tls(read);
    if (!sent) co_return false;
    at += static_cast<uint64_t>(got);
  }
  co_return true;
}

Task<bool> Socket::send_file(const http::BodySource& source) {
  if (tls_) co_return co_await send_file_tls(source);
  auto offset = static_cast<off_t>(source.offset());
  uint64_t left = source.size();
  while (left > 0) {
    const ssize_t sent = ::sendfile(socket_.native_handle(), source.descriptor(), &offset,
                                    std::min<uint64_t>(left, kSendFileBytes));
    if (sent == 0) co_return false;  // The file is shorter than its row says.
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) co_return false;
    if (sent < 0) {
      const Waiting waiting(*this);
      const auto [error] = co_await socket_.async_wait(tcp::socket::wait_write, kAwait);
      if (error) co_return false;
      continue;
    }
    const auto bytes = static_cast<size_t>(sent);
    left -= bytes;
    bytes_out += bytes;
    moved(bytes);
    co_await give_way(bytes);
  }
  co_return true;
}

Task<> Socket::linger() {
  boost::system::error_code ignored;
  if (tls_) (void)SSL_shutdown(tls_.get());
  (void)socket_.shutdown(tcp::socket::shutdown_send, ignored);
  allow(kLingerWait);
  char block[16 << 10];
  const auto target = asio::buffer(block);
  for (size_t seen = 0; seen < kLingerBytesMax;) {
    const Waiting waiting(*this);
    const auto [error, got] = co_await socket_.async_read_some(target, kAwait);
    if (error || got == 0) break;
    seen += got;
  }
}

}  // namespace laketap::server
