// Headers that are kept with an object, from requests to rows and back. Inner header.
#pragma once

#include "api/s3/digest.h"
#include "api/s3/doors.h"

namespace laketap::api::s3 {

inline constexpr std::string_view kMetaPrefix = "x-amz-meta-";
inline constexpr size_t kMetadataBytesMax = 2048;  // S3's limit of user metadata.

// Notes of ours beside the headers in an object's or upload's row.
inline constexpr const char* kUploadId = "upload-id";          // The upload in parts that made it.
inline constexpr const char* kPartCount = "parts";             // Of such an object.
inline constexpr const char* kChecksumType = "checksum-type";  // "COMPOSITE"; else FULL_OBJECT.
inline constexpr const char* kAlgorithm = "checksum-algorithm";  // Of an upload in parts.

using Metadata = std::map<std::string, std::string>;

// "aws-chunked,gzip" -> "gzip": how a body travelled is no matter of the object.
std::string without_aws_chunked(std::string_view encoding);

// What PutObject, CreateMultipartUpload and CopyObject keep.
template <class In>
wire::Answer<Metadata> kept_headers(const In& input) {
  Metadata kept;
  const auto keep = [&](const char* name, const std::optional<std::string>& value) {
    if (value && !value->empty()) kept[name] = *value;
  };
  keep("content-type", input.content_type);
  keep("cache-control", input.cache_control);
  keep("content-disposition", input.content_disposition);
  keep("content-language", input.content_language);
  keep("expires", input.expires);
  if (input.content_encoding)
    keep("content-encoding", without_aws_chunked(*input.content_encoding));
  if (input.storage_class && *input.storage_class != "STANDARD")
    kept["storage-class"] = *input.storage_class;
  keep("server-side-encryption", input.server_side_encryption);
  keep("website-redirect-location", input.website_redirect_location);
  size_t bytes = 0;
  if (input.metadata)
    for (const auto& [name, value] : *input.metadata) {
      bytes += name.size() + value.size();
      kept[std::string(kMetaPrefix) + name] = value;
    }
  if (bytes > kMetadataBytesMax)
    return wire::refuse(
        "MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size",
        {{"Size", std::to_string(bytes)}, {"MaxSizeAllowed", std::to_string(kMetadataBytesMax)}});
  return kept;
}

inline std::optional<std::string> kept(const Metadata& metadata, const std::string& name) {
  const auto found = metadata.find(name);
  return found == metadata.end() ? std::nullopt : std::optional(found->second);
}

// What GetObject and HeadObject tell of them.
template <class Out>
void tell_headers(const Metadata& metadata, Out& output) {
  output.content_type = kept(metadata, "content-type").value_or("binary/octet-stream");
  output.cache_control = kept(metadata, "cache-control");
  output.content_disposition = kept(metadata, "content-disposition");
  output.content_encoding = kept(metadata, "content-encoding");
  output.content_language = kept(metadata, "content-language");
  output.expires = kept(metadata, "expires");
  output.storage_class = kept(metadata, "storage-class");
  output.server_side_encryption = kept(metadata, "server-side-encryption");
  output.website_redirect_location = kept(metadata, "website-redirect-location");
  std::map<std::string, std::string> own;
  for (const auto& [name, value] : metadata)
    if (name.starts_with(kMetaPrefix)) own[name.substr(kMetaPrefix.size())] = value;
  if (!own.empty()) output.metadata = std::move(own);
}

// The checksums that are kept with an object or a part.
template <class Out>
void tell_checksums(const Metadata& metadata, Out& output) {
  output.checksum_crc32 = kept(metadata, "checksum-crc32");
  output.checksum_crc32_c = kept(metadata, "checksum-crc32c");
  output.checksum_crc64_nvme = kept(metadata, "checksum-crc64nvme");
  output.checksum_sha1 = kept(metadata, "checksum-sha1");
  output.checksum_sha256 = kept(metadata, "checksum-sha256");
}
template <class Out>
void tell_checksum_type(const Metadata& metadata, Out& output) {
  if (output.checksum_crc32 || output.checksum_crc32_c || output.checksum_crc64_nvme ||
      output.checksum_sha1 || output.checksum_sha256)
    output.checksum_type = kept(metadata, kChecksumType).value_or("FULL_OBJECT");
}

// The algorithm of an object's checksum, if it has one.
std::optional<Algorithm> algorithm_of(const Metadata& metadata);

// The version's id as answers show it; nothing in buckets that never had versions.
std::optional<std::string> shown_version(const Doors& doors, const store::ObjectInfo& object);

}  // namespace laketap::api::s3
