// Hashes and checksums of object bodies: the ETag's MD5 and the checksums that S3 knows. Inner
// header.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace laketap::api::s3 {

enum class Algorithm { md5, crc32, crc32c, crc64nvme, sha1, sha256 };

std::string_view name_of(Algorithm algorithm);  // "CRC32".
// By the name in x-amz-checksum-algorithm, any case; absent for one that is not built.
std::optional<Algorithm> find_algorithm(std::string_view name);
// "checksum-crc32": how an object's row names it; behind "x-amz-" the header of it.
std::string metadata_name(Algorithm algorithm);

// A running hash. One thread at a time.
class Digest {
 public:
  virtual ~Digest() = default;
  virtual void add(ByteView bytes) = 0;
  virtual Bytes finish() = 0;  // Once. CRCs big-endian, as S3 writes them.
};
std::unique_ptr<Digest> make_digest(Algorithm algorithm);
Bytes digest_of(Algorithm algorithm, ByteView bytes);

// The CRC of a text from those of its halves, the second of `second_bytes` bytes. Only for CRCs.
Bytes combine_crcs(Algorithm algorithm, ByteView first, ByteView second, uint64_t second_bytes);

std::string to_base64(ByteView bytes);
std::optional<Bytes> from_base64(std::string_view text);  // Strict, padded.

}  // namespace laketap::api::s3
