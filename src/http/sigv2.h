// Signature Version 2 in the query of an S3 URL, verified only: boto3 and the AWS CLI v1 still make
// presigned URLs of this kind by default in the oldest regions, us-east-1 among them.
// Source: S3 developer guide, "Signing and authenticating REST requests", query string alternative.
#pragma once

#include "http/sigv4.h"

namespace laketap::http {

// Whether the query is of this kind at all.
bool has_query_v2(const RequestHead& head);

// Further, an unsigned key of the query may only be one that chooses what a list shows: else adding
// one to a URL would make another operation of it. Such a query is malformed.
struct SignatureV2 {
  std::string access_key_id, signature;  // Base64.
  std::string expires;                   // Seconds since 1970, as sent.
};
// Errors: incomplete, malformed, expired, unsupported (a session token).
std::expected<SignatureV2, SignatureRefusal> read_query_v2(const RequestHead& head, Timestamp now);

// `bucket`: when the Host names it, else "". Constant time in the signature.
// Comparison::canonical_request stays empty: this version has none.
Comparison check_query_v2(const RequestHead& head, const SignatureV2& signature,
                          std::string_view bucket, std::string_view secret);

// Takes what only belongs to the signature out of a query that was verified, and the headers that
// botocore repeats there.
std::string without_v2(std::string_view query);

}  // namespace laketap::http
