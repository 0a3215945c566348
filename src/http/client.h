// A small blocking client over plain HTTP with keep-alive: for the data generator, the command line
// and benchmarks, which talk to a Laketap. One connection; not thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "http/url.h"
#include "io/process.h"

namespace laketap::http {

struct ClientResponse {
  int status = 0;
  std::vector<Header> headers;
  std::string body;
};

class Client {
 public:
  explicit Client(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

  // Sends the bytes of one whole request and reads its answer. Connects when there is no
  // connection, once again when the server closed an idle one. Errors: unavailable - no connection,
  // or it broke; invalid - no HTTP answer.
  Result<ClientResponse> send(std::string_view request);

  // The bytes of a request; Content-Length is added.
  static std::string render(const RequestHead& head, std::string_view body);

  const Endpoint& endpoint() const { return endpoint_; }
  std::string host_header() const { return endpoint_.host + ":" + endpoint_.port; }

 private:
  Result<> connect();
  Result<ClientResponse> receive(bool to_head);
  Result<size_t> fill();

  Endpoint endpoint_;
  io::Descriptor socket_;
  std::string buffer_;
};

}  // namespace laketap::http
