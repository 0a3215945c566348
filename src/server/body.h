// A request's body: framing (length or chunks), where it is kept, and its hash. Inner header of
// server.
#pragma once

#include <atomic>
#include <memory>

#include "http/sha256.h"
#include "server/head.h"
#include "server/socket.h"
#include "wire/wire.h"

namespace laketap::server {

inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// The content's bytes as they arrive, without framing. After an error the connection is of no more
// use.
class BodyFraming {
 public:
  BodyFraming(Socket& socket, const ParsedHead& head)
      : socket_(socket),
        chunked_(head.chunked),
        left_(head.chunked ? 0 : head.content_length.value_or(0)) {}

  // 0 at the end. Errors: cancelled - the peer left; invalid - a broken chunk.
  Task<Result<size_t>> read(char* target, size_t size);
  // Every byte of the body was read: what follows on the connection is another request.
  bool ended() const { return chunked_ ? ended_ : left_ == 0; }

 private:
  Task<Result<>> next_chunk();
  Task<Result<std::string>> line(size_t bytes_max);

  Socket& socket_;
  bool chunked_;
  uint64_t left_;  // Of the length, or of this chunk.
  bool in_chunks_ = false;
  bool ended_ = false;
};

// A share of the memory that all bodies together may take; given back when destroyed.
class MemoryShare {
 public:
  MemoryShare(std::atomic<uint64_t>& used, uint64_t bytes_max)
      : used_(used), bytes_max_(bytes_max) {}
  ~MemoryShare() { used_ -= bytes_; }
  MemoryShare(const MemoryShare&) = delete;
  // Makes it `bytes` in all. False: there is not so much left, and nothing changed.
  bool grow(uint64_t bytes);

 private:
  std::atomic<uint64_t>& used_;
  const uint64_t bytes_max_;
  uint64_t bytes_ = 0;
};

// A body in one piece with room for a parser behind it. From a pool, since most are of a size.
class Buffer {
 public:
  static constexpr size_t kPadding = 64;  // simdjson's SIMDJSON_PADDING.
  explicit Buffer(size_t bytes);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  char* data() { return data_.get(); }
  size_t capacity() const { return capacity_; }
  // Keeps the first `used` bytes.
  void grow(size_t bytes, size_t used);

 private:
  std::unique_ptr<char[]> data_;
  size_t capacity_;
};

// What an object's readers have in common: says 100 Continue before the first byte, counts, words
// the errors as S3 does.
class ObjectBody {
 public:
  ObjectBody(Socket& socket, BodyFraming& framing, std::chrono::seconds wait, bool tell_to_continue)
      : socket_(socket), framing_(framing), wait_(wait), tell_to_continue_(tell_to_continue) {}
  // As BodyReader::read.
  Task<Result<size_t>> read(char* target, size_t size);

 private:
  Socket& socket_;
  BodyFraming& framing_;
  std::chrono::seconds wait_;
  bool tell_to_continue_;
  bool begun_ = false;
  uint64_t seen_ = 0;
};

// An object's bytes as they are: checks the hash that was signed at the end.
class PlainReader : public wire::BodyReader {
 public:
  // `expected_hash`: 64 hexadecimal digits, or "" when the payload is unsigned.
  PlainReader(ObjectBody& body, std::optional<uint64_t> length, std::string expected_hash)
      : body_(body), length_(length), expected_(std::move(expected_hash)) {}
  Task<Result<size_t>> read(std::span<uint8_t> target) override;
  std::optional<uint64_t> length() const override { return length_; }

 private:
  ObjectBody& body_;
  std::optional<uint64_t> length_;
  std::string expected_;
  http::Sha256Stream hash_;
};

}  // namespace laketap::server
