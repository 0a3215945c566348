// A request's head, a response, and what a response streams from: what server, wire and clients
// share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace laketap::http {

struct Header {
  std::string name, value;  // As received: case kept, blanks around the value removed.
};

struct RequestHead {
  std::string method;
  std::string target;  // As received.
  std::string path;    // Of the target, still percent-encoded; begins with '/'.
  std::string query;   // Without '?'; empty when there is none.
  std::vector<Header> headers;
  std::string peer;  // Address of the socket's other end.
  bool tls = false;

  // The first header of this name, whatever its case; null when there is none.
  const std::string* find(std::string_view name) const;
  // "" when there is none.
  std::string_view value(std::string_view name) const;
};

// A range of a file, sent as a body. Owns the descriptor and whatever keeps the file alive.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual int descriptor() const = 0;
  virtual uint64_t offset() const = 0;
  virtual uint64_t size() const = 0;  // Bytes to send.
};

// `size` bytes of `path` from `offset`; `held` lives as long as the source (a pin, say).
// Errors: not_found, unavailable - opening the file.
Result<std::unique_ptr<BodySource>> file_range(const std::string& path, uint64_t offset,
                                               uint64_t size, std::shared_ptr<void> held);

struct Response {
  int status = 200;
  std::vector<Header>
      headers;  // Without Content-Length, Connection and Date: the server writes those.
  std::string body;
  std::unique_ptr<BodySource> stream;  // Instead of body.
  // A HEAD answer tells a length without sending it: set by who knows it.
  std::optional<uint64_t> content_length;
};

bool same_name(std::string_view a, std::string_view b);  // ASCII case ignored.

// "OK", "Not Found", ...; "Unknown" for a status without a name here.
std::string_view reason_phrase(int status);

}  // namespace laketap::http
