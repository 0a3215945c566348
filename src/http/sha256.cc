#define OPENSSL_SUPPRESS_DEPRECATED  // The block function's own interface: see sha256.h.
#include "http/sha256.h"

#include <openssl/crypto.h>

#include <cstring>

#include "base/bytes.h"

namespace laketap::http {
namespace {

constexpr size_t kBlockBytes = 64;

}  // namespace

Sha256Stream::Sha256Stream() {
  SHA256_Init(&context_);
}

void Sha256Stream::add(std::string_view bytes) {
  SHA256_Update(&context_, bytes.data(), bytes.size());
}

Sha256 Sha256Stream::finish() {
  Sha256 hash;
  SHA256_Final(hash.data(), &context_);
  return hash;
}

std::string Sha256Stream::hex() {
  return to_hex(finish());
}

Sha256 sha256(std::string_view bytes) {
  Sha256Stream stream;
  stream.add(bytes);
  return stream.finish();
}

std::string sha256_hex(std::string_view bytes) {
  return to_hex(sha256(bytes));
}

Sha256 hmac_sha256(std::string_view key, std::string_view text) {
  Sha256 short_key;
  if (key.size() > kBlockBytes) {
    short_key = sha256(key);
    key = view_of(short_key);
  }
  char inner[kBlockBytes];
  char outer[kBlockBytes];
  std::memset(inner, 0x36, sizeof inner);
  std::memset(outer, 0x5c, sizeof outer);
  for (size_t i = 0; i < key.size(); ++i) {
    inner[i] = static_cast<char>(inner[i] ^ key[i]);
    outer[i] = static_cast<char>(outer[i] ^ key[i]);
  }
  Sha256Stream first;
  first.add({inner, sizeof inner});
  first.add(text);
  const Sha256 hash = first.finish();
  Sha256Stream second;
  second.add({outer, sizeof outer});
  second.add(view_of(hash));
  return second.finish();
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace laketap::http
