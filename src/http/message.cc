#include "http/message.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/process.h"

namespace laketap::http {
namespace {

class FileRange : public BodySource {
 public:
  FileRange(io::Descriptor file, uint64_t offset, uint64_t size, std::shared_ptr<void> held)
      : file_(std::move(file)), offset_(offset), size_(size), held_(std::move(held)) {}
  int descriptor() const override { return file_.get(); }
  uint64_t offset() const override { return offset_; }
  uint64_t size() const override { return size_; }

 private:
  io::Descriptor file_;
  uint64_t offset_, size_;
  std::shared_ptr<void> held_;
};

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return a.size() == b.size() && std::ranges::equal(a, b, {}, lower, lower);
}

const std::string* RequestHead::find(std::string_view name) const {
  for (const Header& header : headers)
    if (same_name(header.name, name)) return &header.value;
  return nullptr;
}

std::string_view RequestHead::value(std::string_view name) const {
  const std::string* found = find(name);
  return found ? std::string_view(*found) : std::string_view();
}

Result<std::unique_ptr<BodySource>> file_range(const std::string& path, uint64_t offset,
                                               uint64_t size, std::shared_ptr<void> held) {
  io::Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return fail(errno == ENOENT ? ErrorKind::not_found : ErrorKind::unavailable,
                "opening " + path + ": " + std::strerror(errno));
  return std::make_unique<FileRange>(std::move(file), offset, size, std::move(held));
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Payload Too Large";
    case 414: return "URI Too Long";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Unknown";
  }
}

}  // namespace laketap::http
