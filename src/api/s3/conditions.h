// Conditions of writes: PutObject, CompleteMultipartUpload, CopyObject. Inner header.
#pragma once

#include "api/s3/doors.h"

namespace laketap::api::s3 {

// If-None-Match may only be `*`, If-Match only an ETag, and not both: else 501, as S3.
template <class In>
std::optional<wire::Fault> read_conditions(const In& input, store::CommitOptions& options) {
  if (input.if_none_match && *input.if_none_match != "*") return not_implemented("If-None-Match");
  if (input.if_match && (*input.if_match == "*" || input.if_none_match))
    return not_implemented("If-Match");
  options.if_none_match = input.if_none_match.has_value();
  if (input.if_match) options.if_match = unquoted(*input.if_match);
  return std::nullopt;
}

}  // namespace laketap::api::s3
