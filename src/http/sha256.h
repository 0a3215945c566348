// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), by OpenSSL's block function. Its newer interface
// looks the algorithm up and allocates for each hash, which costs more than hashing a small
// request.
#pragma once

#include <openssl/sha.h>

#include <array>
#include <string>
#include <string_view>

namespace laketap::http {

using Sha256 = std::array<uint8_t, 32>;

// A hash in pieces. Not thread-safe.
class Sha256Stream {
 public:
  Sha256Stream();
  void add(std::string_view bytes);
  Sha256 finish();    // Once.
  std::string hex();  // finish() in lower-case hexadecimal.

 private:
  SHA256_CTX context_;
};

Sha256 sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
Sha256 hmac_sha256(std::string_view key, std::string_view text);

inline std::string_view view_of(const Sha256& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

// Equal, without telling by its time where they differ.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace laketap::http
