// A request's head and a response, as server, wire and the doors hand them to each other.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace laketap::http {

// What is sent as a body without being held in memory, such as a file's range.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual uint64_t length() const = 0;  // Bytes that will be sent.
};

struct Header {
  std::string name, value;
};

struct RequestHead {
  std::string method, target, path /* raw, undecoded */, query /* raw */;
  std::vector<Header> headers;  // Names as received.
  std::string peer;
  bool tls = false;

  // The first header of that name, ignoring case; null when absent.
  const std::string* find(std::string_view name) const {
    for (const Header& header : headers) {
      if (header.name.size() != name.size()) continue;
      bool same = true;
      for (size_t i = 0; i < name.size() && same; ++i) same = fold(header.name[i]) == fold(name[i]);
      if (same) return &header.value;
    }
    return nullptr;
  }

 private:
  static char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
};

struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string body;
  std::unique_ptr<BodySource> stream;  // Instead of `body`, when set.
};

}  // namespace laketap::http
