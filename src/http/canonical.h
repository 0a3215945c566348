// The canonical request: the text that a signature covers. Inner header of http.
#pragma once

#include "http/sigv4.h"

namespace laketap::http {

// Method, path, query, the signed headers and the body's hash, as AWS writes them: S3 signs the
// path encoded once and as it is; every other service normalises it and encodes it once more.
std::string canonical_request(const RequestHead& head, const Signature& signature, bool is_s3,
                              std::string_view payload_hash);

}  // namespace laketap::http
