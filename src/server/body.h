// A request's body: framing (length or chunks) and its hash. Inner header of server.
#pragma once

#include <openssl/evp.h>

#include <memory>

#include "server/head.h"
#include "server/socket.h"
#include "wire/wire.h"

namespace laketap::server {

// SHA-256 in pieces.
class Hasher {
 public:
  Hasher();
  void add(std::string_view bytes);
  std::string hex();  // Once.

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

// The content's bytes as they arrive, without framing. After a false or an error the connection is
// of no more use.
class BodyFraming {
 public:
  BodyFraming(Socket& socket, const ParsedHead& head)
      : socket_(socket),
        chunked_(head.chunked),
        left_(head.chunked ? 0 : head.content_length.value_or(0)) {}

  // 0 at the end. Errors: cancelled - the peer left; invalid - a broken chunk.
  Task<Result<size_t>> read(char* target, size_t size);
  bool ended() const { return ended_; }

 private:
  Task<Result<>> next_chunk();
  Task<Result<std::string>> line(size_t bytes_max);

  Socket& socket_;
  bool chunked_;
  uint64_t left_;  // Of the length, or of this chunk.
  bool in_chunks_ = false;
  bool ended_ = false;
};

// A body in one piece with room for a parser behind it. From a pool, since most are of a size.
class Buffer {
 public:
  static constexpr size_t kPadding = 64;
  explicit Buffer(size_t bytes);
  Buffer(Buffer&&) noexcept;
  Buffer& operator=(Buffer&&) = delete;
  ~Buffer();
  char* data() { return data_.get(); }
  size_t capacity() const { return capacity_; }
  // Keeps the first `used` bytes.
  void grow(size_t bytes, size_t used);

 private:
  std::unique_ptr<char[]> data_;
  size_t capacity_;
};

// S3's bodies: checks the hash that was signed at the end.
class StreamReader : public wire::BodyReader {
 public:
  // `expected_hash`: 64 hexadecimal digits, or "" when the payload is unsigned.
  StreamReader(Socket& socket, BodyFraming& framing, std::optional<uint64_t> length,
               std::string expected_hash, std::chrono::seconds wait)
      : socket_(socket),
        framing_(framing),
        length_(length),
        expected_(std::move(expected_hash)),
        wait_(wait) {}
  Task<Result<size_t>> read(std::span<uint8_t> target) override;
  std::optional<uint64_t> length() const override { return length_; }
  // Called before the first byte is read: sends 100 Continue.
  void before_reading(std::function<Task<bool>()> hook) { hook_ = std::move(hook); }

 private:
  Socket& socket_;
  BodyFraming& framing_;
  std::optional<uint64_t> length_;
  std::string expected_;
  std::chrono::seconds wait_;
  std::function<Task<bool>()> hook_;
  Hasher hasher_;
  uint64_t seen_ = 0;
};

}  // namespace laketap::server
