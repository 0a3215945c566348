// A connection's socket: buffered reads, whole writes, and how long the peer may take for its part.
// Inner header of server.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <unordered_set>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "server/tls.h"

namespace laketap::server {

class Socket;

// The sockets of one io_context; a timer of the context's cuts those whose deadline passed. One
// thread.
struct Watched {
  std::unordered_set<Socket*> sockets;
};

// Not thread-safe: all on the context's thread.
class Socket {
 public:
  using Clock = std::chrono::steady_clock;

  Socket(boost::asio::ip::tcp::socket socket, Watched& watched);
  ~Socket();
  Socket(const Socket&) = delete;

  // Before anything else, on a TLS listener. False: no TLS came of it.
  Task<bool> begin_tls(const TlsContext& context, std::chrono::seconds wait);
  bool is_tls() const { return tls_ != nullptr; }

  // Bytes that were received and not yet taken.
  std::string& buffer() { return buffer_; }
  // Appends what arrives to buffer(). False: the peer left or its time is over.
  Task<bool> fill();
  // Reads some bytes into `target`: first from buffer(). 0: the peer left or its time is over.
  Task<size_t> read_some(char* target, size_t size);
  // Sends all of both, by one system call where the kernel takes it.
  Task<bool> write(std::string_view head, std::string_view body);
  Task<bool> send_file(const http::BodySource& source);

  // From now on the peer has `wait` for what we wait for; only waiting for the peer counts.
  void allow(std::chrono::seconds wait);
  // The same, and each byte moved gives it more time, up to `wait` again: a second a KiB. So a slow
  // line gets through, and one byte every ten seconds does not.
  void allow_while_moving(std::chrono::seconds wait);
  // While we wait for the peer: until when.
  Clock::time_point deadline() const { return deadline_; }
  // Waits for a new request: a drain may close it.
  bool idle = true;
  void close();
  // Says that no more will be sent, and reads away what the peer still sends, so that the answer is
  // not lost to a reset.
  Task<> linger();
  std::string peer() const;

  uint64_t bytes_in = 0, bytes_out = 0;

 private:
  class Waiting;
  void moved(size_t bytes);
  Task<bool> wait_for(TlsStep::Wants wants);
  Task<size_t> receive(char* target, size_t size);
  Task<bool> send_tls(std::string_view bytes);
  Task<bool> send_file_tls(const http::BodySource& source);
  Task<> give_way(size_t bytes);

  boost::asio::ip::tcp::socket socket_;
  TlsStream tls_{nullptr, &SSL_free};
  Watched& watched_;
  std::string buffer_;
  Clock::duration wait_{0};
  Clock::duration left_{0};  // Of the peer's time.
  bool moving_ = false;
  Clock::time_point deadline_ = Clock::time_point::max();
  size_t moved_at_once_ = 0;  // Since we last let others run.
};

}  // namespace laketap::server
