// A connection's socket: buffered reads, whole writes, and the deadline after which it is cut.
// Inner header of server.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <unordered_set>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"

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
  Socket(boost::asio::ip::tcp::socket socket, Watched& watched);
  ~Socket();
  Socket(const Socket&) = delete;

  // Bytes that were received and not yet taken.
  std::string& buffer() { return buffer_; }
  // Appends what arrives to buffer(). False: the peer left or the deadline passed.
  Task<bool> fill();
  // Reads some bytes into `target`: first from buffer(). 0: the peer left or the deadline passed.
  Task<size_t> read_some(char* target, size_t size);
  Task<bool> write(std::string_view head, std::string_view body);
  Task<bool> send_file(const http::BodySource& source);

  void set_deadline(std::chrono::steady_clock::time_point at) { deadline_ = at; }
  void wait_at_most(std::chrono::seconds wait) {
    deadline_ = std::chrono::steady_clock::now() + wait;
  }
  std::chrono::steady_clock::time_point deadline() const { return deadline_; }
  // Nothing is being handled: a drain may close it.
  bool idle = true;
  void close();
  // Says that no more will be sent, and reads away what the peer still sends, so that the answer is
  // not lost to a reset.
  Task<> linger();
  std::string peer() const;

  uint64_t bytes_in = 0, bytes_out = 0;

 private:
  boost::asio::ip::tcp::socket socket_;
  Watched& watched_;
  std::string buffer_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace laketap::server
