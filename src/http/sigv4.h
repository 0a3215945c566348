// Signature Version 4: verifying what clients sign, and signing for our own clients.
// Source: AWS General Reference, "Signing AWS API requests"; S3 API reference, "Authenticating
// requests".
//
// Verifying has two steps, because most of it can be refused before a body is read:
//     read_signature(head)      the form and scope of what was sent, its date, its signed headers
//     check_signature(...)      the signature itself, once the hash of the body is known
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "http/message.h"
#include "http/sha256.h"

namespace laketap::http {

enum class SignatureProblem {
  missing,      // Nothing was signed.
  incomplete,   // A part of the Authorization header, or the date, is missing.
  malformed,    // A part is there and makes no sense.
  wrong_scope,  // The credential's date, service or terminator is not this request's.
  not_signed,   // A header that must be signed is not: host, or an x-amz-* one.
  skewed,       // The date is more than 15 minutes from ours.
  expired,      // A presigned URL's time is over, or has not begun.
  unsupported,  // A form that we do not verify.
  mismatch,     // The signature is another one.
};

struct SignatureRefusal {
  SignatureProblem problem;
  std::string message;
  std::string header;  // not_signed: the x-amz-* header that should be.
};

struct Signature {
  bool presigned = false;
  std::string access_key_id, scope_date, region, service;
  std::string date;  // As signed: 20261128T072445Z.
  Timestamp at;
  std::vector<std::string> signed_headers;  // Lower case, sorted.
  std::string signature;                    // 64 hexadecimal digits.
  std::string session_token;
  // x-amz-content-sha256, "" when absent. Of a presigned URL UNSIGNED-PAYLOAD when it does not say.
  std::string content_sha256;
};

struct SignatureRules {
  std::string_view service;  // The API's signing name: "firehose", "monitoring"; "": any.
  bool is_s3 =
      false;  // One encoding of the path, x-amz-content-sha256 needed, unsigned payloads allowed.
  Timestamp now;
};

inline constexpr std::chrono::minutes kSkewMax{15};
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// What was sent, checked as far as that needs neither secret nor body.
std::expected<Signature, SignatureRefusal> read_signature(const RequestHead& head,
                                                          const SignatureRules& rules);

// The texts that S3 repeats in SignatureDoesNotMatch.
struct Comparison {
  bool equal = false;
  std::string canonical_request, string_to_sign;
};
// `payload_hash`: 64 hexadecimal digits of the body's SHA-256, or S3's UNSIGNED-PAYLOAD and the
// like. Constant time in the signature. Thread-safe.
Comparison check_signature(const RequestHead& head, const Signature& signature,
                           const SignatureRules& rules, std::string_view secret,
                           std::string_view payload_hash);

// The chain of signatures of S3's STREAMING-AWS4-HMAC-SHA256-PAYLOAD[-TRAILER]: each covers its
// chunk and the one before it; the first follows the head's. Not thread-safe.
class SignatureChain {
 public:
  SignatureChain(const Signature& head, std::string_view secret);
  // Whether `signature` is that of the next chunk (or of the trailer, "name:value\n" lines).
  bool follows(const Sha256& chunk_hash, std::string_view signature);
  bool follows_as_trailer(std::string_view trailer, std::string_view signature);
  // What the next chunk's is: for clients, and tests.
  std::string next(const Sha256& chunk_hash);
  std::string next_as_trailer(std::string_view trailer);

 private:
  std::string sign(std::string_view algorithm, std::string_view middle, const Sha256& hash) const;

  Sha256 key_;
  std::string date_, scope_, previous_;
};

struct Credential {
  std::string access_key_id, secret;
};
// Adds host, x-amz-date and Authorization to `head` (and x-amz-content-sha256 for s3);
// `head.headers` must hold Host.
void sign(RequestHead& head, const Credential& credential, std::string_view region,
          std::string_view service, std::string_view payload_hash, Timestamp now);

}  // namespace laketap::http
