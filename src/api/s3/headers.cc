#include "api/s3/headers.h"

namespace laketap::api::s3 {

std::string without_aws_chunked(std::string_view encoding) {
  std::string out;
  while (!encoding.empty()) {
    std::string_view one = encoding.substr(0, encoding.find(','));
    encoding.remove_prefix(std::min(encoding.size(), one.size() + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one.empty() || one == "aws-chunked") continue;
    if (!out.empty()) out += ',';
    out += one;
  }
  return out;
}

std::optional<Algorithm> algorithm_of(const Metadata& metadata) {
  for (const Algorithm one : {Algorithm::crc32, Algorithm::crc32c, Algorithm::crc64nvme,
                              Algorithm::sha1, Algorithm::sha256})
    if (metadata.contains(metadata_name(one))) return one;
  return std::nullopt;
}

std::optional<std::string> shown_version(const Doors& doors, const store::ObjectInfo& object) {
  if (object.version_id != "null") return object.version_id;
  const Result<store::Bucket> bucket = doors.store.find_bucket(object.bucket);
  if (!bucket || bucket->versioning == store::Versioning::never) return std::nullopt;
  return object.version_id;
}

}  // namespace laketap::api::s3
