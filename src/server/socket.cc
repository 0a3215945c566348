#include "server/socket.h"

#include <sys/sendfile.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

namespace laketap::server {
namespace {

namespace asio = boost::asio;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kReadBytes = 16 << 10;
constexpr size_t kSendFileBytes = 1 << 20;
constexpr size_t kLingerBytesMax = 4 << 20;
constexpr std::chrono::seconds kLingerWait{2};

}  // namespace

Socket::Socket(asio::ip::tcp::socket socket, Watched& watched)
    : socket_(std::move(socket)),
      watched_(watched),
      deadline_(std::chrono::steady_clock::time_point::max()) {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  watched_.sockets.insert(this);
}

Socket::~Socket() {
  watched_.sockets.erase(this);
}

void Socket::close() {
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

std::string Socket::peer() const {
  boost::system::error_code error;
  const auto end = socket_.remote_endpoint(error);
  return error ? std::string() : end.address().to_string();
}

Task<bool> Socket::fill() {
  const size_t before = buffer_.size();
  buffer_.resize(before + kReadBytes);
  const auto target = asio::buffer(buffer_.data() + before, kReadBytes);
  const auto [error, got] = co_await socket_.async_read_some(target, kAwait);
  buffer_.resize(before + got);
  bytes_in += got;
  co_return !error && got > 0;
}

Task<size_t> Socket::read_some(char* target, size_t size) {
  if (!buffer_.empty()) {
    const size_t taken = std::min(size, buffer_.size());
    buffer_.copy(target, taken);
    buffer_.erase(0, taken);
    co_return taken;
  }
  const auto into = asio::buffer(target, size);
  const auto [error, got] = co_await socket_.async_read_some(into, kAwait);
  bytes_in += got;
  co_return error ? 0 : got;
}

Task<bool> Socket::write(std::string_view head, std::string_view body) {
  const std::array<asio::const_buffer, 2> parts{asio::buffer(head.data(), head.size()),
                                                asio::buffer(body.data(), body.size())};
  const auto [error, sent] = co_await asio::async_write(socket_, parts, kAwait);
  bytes_out += sent;
  co_return !error;
}

Task<bool> Socket::send_file(const http::BodySource& source) {
  auto offset = static_cast<off_t>(source.offset());
  uint64_t left = source.size();
  while (left > 0) {
    const ssize_t sent = ::sendfile(socket_.native_handle(), source.descriptor(), &offset,
                                    std::min<uint64_t>(left, kSendFileBytes));
    if (sent > 0) {
      left -= static_cast<uint64_t>(sent);
      bytes_out += static_cast<uint64_t>(sent);
      wait_at_most(std::chrono::seconds(30));
      continue;
    }
    if (sent == 0) co_return false;  // The file is shorter than its row says.
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return false;
    const auto [error] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, kAwait);
    if (error) co_return false;
  }
  co_return true;
}

Task<> Socket::linger() {
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  wait_at_most(kLingerWait);
  char block[16 << 10];
  const auto target = asio::buffer(block);
  for (size_t seen = 0; seen < kLingerBytesMax;) {
    const auto [error, got] = co_await socket_.async_read_some(target, kAwait);
    if (error || got == 0) break;
    seen += got;
  }
}

}  // namespace laketap::server
