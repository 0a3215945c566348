#include "api/s3/digest.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "base/checksum.h"

namespace laketap::api::s3 {
namespace {

// Reflected polynomials.
constexpr uint64_t kCrc32 = 0xedb88320;
constexpr uint64_t kCrc32c = 0x82f63b78;
constexpr uint64_t kCrc64Nvme = 0x9a6c9329ac4bc9b5;

Bytes big_endian(uint64_t value, size_t bytes) {
  Bytes out(bytes);
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<uint8_t>(value >> (8 * (bytes - 1 - i)));
  return out;
}
uint64_t from_big_endian(ByteView bytes) {
  uint64_t value = 0;
  for (const uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

class EvpDigest : public Digest {
 public:
  explicit EvpDigest(const EVP_MD* type) : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    ASSERT(context_ && EVP_DigestInit_ex(context_.get(), type, nullptr) == 1);
  }
  void add(ByteView bytes) override {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
  }
  Bytes finish() override {
    Bytes out(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), out.data(), &size);
    out.resize(size);
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

class Crc32Digest : public Digest {
 public:
  void add(ByteView bytes) override { crc_ = crc32_z(crc_, bytes.data(), bytes.size()); }
  Bytes finish() override { return big_endian(crc_, 4); }

 private:
  uLong crc_ = 0;
};

class Crc32cDigest : public Digest {
 public:
  void add(ByteView bytes) override { crc_ = crc32c(bytes, crc_); }
  Bytes finish() override { return big_endian(crc_, 4); }

 private:
  uint32_t crc_ = 0;
};

// Eight bytes a step: tables[k][b] is the CRC of byte b followed by k zero bytes.
using Tables = std::array<std::array<uint64_t, 256>, 8>;
const Tables& crc64_tables() {
  static const Tables tables = [] {
    Tables made{};
    for (uint64_t byte = 0; byte < 256; ++byte) {
      uint64_t crc = byte;
      for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ kCrc64Nvme : crc >> 1;
      made[0][byte] = crc;
    }
    for (size_t k = 1; k < 8; ++k)
      for (size_t byte = 0; byte < 256; ++byte)
        made[k][byte] = made[k - 1][byte] >> 8 ^ made[0][made[k - 1][byte] & 0xff];
    return made;
  }();
  return tables;
}

class Crc64Digest : public Digest {
 public:
  void add(ByteView bytes) override {
    const Tables& tables = crc64_tables();
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
      const uint64_t word = load_le<uint64_t>(bytes) ^ crc_;
      crc_ = 0;
      for (size_t k = 0; k < 8; ++k) crc_ ^= tables[7 - k][word >> (8 * k) & 0xff];
    }
    for (const uint8_t byte : bytes) crc_ = crc_ >> 8 ^ tables[0][(crc_ ^ byte) & 0xff];
  }
  Bytes finish() override { return big_endian(~crc_, 8); }

 private:
  uint64_t crc_ = ~uint64_t{0};
};

// Products of polynomials over GF(2) modulo the CRC's, bits reflected: bit `width - 1` is x^0.
uint64_t multiply(uint64_t a, uint64_t b, uint64_t polynomial, int width) {
  uint64_t product = 0;
  for (uint64_t bit = uint64_t{1} << (width - 1); bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = b & 1 ? b >> 1 ^ polynomial : b >> 1;
  }
  return product;
}

}  // namespace

std::string_view name_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::md5: return "MD5";
    case Algorithm::crc32: return "CRC32";
    case Algorithm::crc32c: return "CRC32C";
    case Algorithm::crc64nvme: return "CRC64NVME";
    case Algorithm::sha1: return "SHA1";
    case Algorithm::sha256: return "SHA256";
  }
  std::unreachable();
}

std::optional<Algorithm> find_algorithm(std::string_view name) {
  for (const Algorithm one : {Algorithm::crc32, Algorithm::crc32c, Algorithm::crc64nvme,
                              Algorithm::sha1, Algorithm::sha256})
    if (std::ranges::equal(name_of(one), name, {}, {}, [](char c) { return std::toupper(c); }))
      return one;
  return std::nullopt;
}

std::string metadata_name(Algorithm algorithm) {
  std::string name = "checksum-";
  for (const char c : name_of(algorithm)) name += static_cast<char>(std::tolower(c));
  return name;
}

std::unique_ptr<Digest> make_digest(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::md5: return std::make_unique<EvpDigest>(EVP_md5());
    case Algorithm::crc32: return std::make_unique<Crc32Digest>();
    case Algorithm::crc32c: return std::make_unique<Crc32cDigest>();
    case Algorithm::crc64nvme: return std::make_unique<Crc64Digest>();
    case Algorithm::sha1: return std::make_unique<EvpDigest>(EVP_sha1());
    case Algorithm::sha256: return std::make_unique<EvpDigest>(EVP_sha256());
  }
  std::unreachable();
}

Bytes digest_of(Algorithm algorithm, ByteView bytes) {
  const auto digest = make_digest(algorithm);
  digest->add(bytes);
  return digest->finish();
}

// crc(AB) = crc(A) * x^(8 |B|) + crc(B): the inversions at both ends cancel out.
Bytes combine_crcs(Algorithm algorithm, ByteView first, ByteView second, uint64_t second_bytes) {
  const int width = algorithm == Algorithm::crc64nvme ? 64 : 32;
  const uint64_t polynomial = algorithm == Algorithm::crc64nvme ? kCrc64Nvme
                              : algorithm == Algorithm::crc32c  ? kCrc32c
                                                                : kCrc32;
  uint64_t shift = uint64_t{1} << (width - 1);       // x^0
  uint64_t power = uint64_t{1} << (width - 1) >> 8;  // x^8
  for (uint64_t left = second_bytes; left != 0; left >>= 1) {
    if (left & 1) shift = multiply(shift, power, polynomial, width);
    power = multiply(power, power, polynomial, width);
  }
  const uint64_t moved = multiply(from_big_endian(first), shift, polynomial, width);
  return big_endian(moved ^ from_big_endian(second), static_cast<size_t>(width / 8));
}

std::string to_base64(ByteView bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

std::optional<Bytes> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 1024) return std::nullopt;
  Bytes out(text.size() / 4 * 3);
  const int size = EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<size_t>(size) - padding);
  if (to_base64(out) != text) return std::nullopt;  // OpenSSL skips blanks around it.
  return out;
}

}  // namespace laketap::api::s3
