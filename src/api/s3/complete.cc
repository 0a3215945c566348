#include "api/s3/complete.h"

#include <fmt/format.h>

#include "api/s3/conditions.h"
#include "http/url.h"

namespace laketap::api::s3 {
namespace {

using Request = shapes::CompleteMultipartUploadRequest;
constexpr uint64_t kPartBytesMin = 5 * 1024 * 1024;  // Of all parts but the last.

wire::Fault invalid_part(const Request& input, int64_t number, const std::string& etag) {
  return {"InvalidPart",
          400,
          "One or more of the specified parts could not be found.  The part may not have been "
          "uploaded, or the specified entity tag may not match the part's entity tag.",
          {{"ETag", etag}, {"PartNumber", std::to_string(number)}, {"UploadId", input.upload_id}}};
}

bool same_checksum(const store::Part& stored, const shapes::CompletedPart& named) {
  const auto same = [&](Algorithm algorithm, const std::optional<std::string>& value) {
    return !value || kept(stored.metadata, metadata_name(algorithm)) == value;
  };
  return same(Algorithm::crc32, named.checksum_crc32) &&
         same(Algorithm::crc32c, named.checksum_crc32_c) &&
         same(Algorithm::crc64nvme, named.checksum_crc64_nvme) &&
         same(Algorithm::sha1, named.checksum_sha1) &&
         same(Algorithm::sha256, named.checksum_sha256);
}

// The stored parts that the caller names, in order.
wire::Answer<std::vector<store::Part>> chosen_parts(const std::vector<store::Part>& stored,
                                                    const Request& input) {
  std::vector<store::Part> chosen;
  auto from = stored.begin();
  int64_t previous = 0;
  for (const shapes::CompletedPart& named : *input.multipart_upload->parts) {
    const int64_t number = named.part_number.value_or(0);
    const std::string etag = unquoted(named.e_tag.value_or(""));
    if (number <= previous && !chosen.empty())
      return wire::refuse(
          "InvalidPartOrder", 400,
          "The list of parts was not in ascending order. Parts must be ordered by part number.",
          {{"UploadId", input.upload_id}});
    previous = number;
    from = std::find_if(from, stored.end(),
                        [&](const store::Part& part) { return part.number >= number; });
    if (from == stored.end() || from->number != number || from->etag != etag ||
        !same_checksum(*from, named))
      return std::unexpected(invalid_part(input, number, etag));
    chosen.push_back(*from);
  }
  for (size_t i = 0; i + 1 < chosen.size(); ++i)
    if (chosen[i].size < kPartBytesMin)
      return wire::refuse("EntityTooSmall", 400,
                          "Your proposed upload is smaller than the minimum allowed size",
                          {{"ETag", chosen[i].etag},
                           {"PartNumber", std::to_string(chosen[i].number)},
                           {"ProposedSize", std::to_string(chosen[i].size)},
                           {"MinSizeAllowed", std::to_string(kPartBytesMin)}});
  return chosen;
}

// MD5 of the joined binary MD5s, then the number of parts: S3's form.
std::string multipart_etag(const std::vector<store::Part>& parts) {
  Bytes joined;
  for (const store::Part& part : parts)
    for (size_t i = 0; i + 1 < part.etag.size(); i += 2)
      joined.push_back(static_cast<uint8_t>(std::stoi(part.etag.substr(i, 2), nullptr, 16)));
  return fmt::format("{}-{}", to_hex(digest_of(Algorithm::md5, joined)), parts.size());
}

// The whole's checksum from the parts': absent when a part has none.
std::optional<std::string> whole_checksum(Algorithm algorithm, bool composite,
                                          const std::vector<store::Part>& parts) {
  Bytes joined;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto value = kept(parts[i].metadata, metadata_name(algorithm));
    const auto bytes = value ? from_base64(*value) : std::nullopt;
    if (!bytes) return std::nullopt;
    if (composite)
      joined.insert(joined.end(), bytes->begin(), bytes->end());
    else
      joined = i == 0 ? *bytes : combine_crcs(algorithm, joined, *bytes, parts[i].size);
  }
  if (!composite) return to_base64(joined);
  return fmt::format("{}-{}", to_base64(digest_of(algorithm, joined)), parts.size());
}

std::optional<std::string> given_checksum(const Request& input, Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::crc32: return input.checksum_crc32;
    case Algorithm::crc32c: return input.checksum_crc32_c;
    case Algorithm::crc64nvme: return input.checksum_crc64_nvme;
    case Algorithm::sha1: return input.checksum_sha1;
    case Algorithm::sha256: return input.checksum_sha256;
    case Algorithm::md5: return std::nullopt;
  }
  std::unreachable();
}

// Adds the whole's checksum to what is kept, or says that it is not what the caller expects.
std::optional<wire::Fault> add_checksum(const Request& input, const std::vector<store::Part>& parts,
                                        Metadata& metadata) {
  const std::optional<std::string> wanted = kept(metadata, kAlgorithm);
  const bool composite = kept(metadata, kChecksumType) == "COMPOSITE";
  metadata.erase(kAlgorithm);
  metadata.erase(kChecksumType);
  const std::optional<Algorithm> algorithm = wanted ? find_algorithm(*wanted) : std::nullopt;
  if (!algorithm) return std::nullopt;
  const std::optional<std::string> whole = whole_checksum(*algorithm, composite, parts);
  if (!whole) return std::nullopt;
  const std::optional<std::string> given = given_checksum(input, *algorithm);
  // A composite one may be named with or without its "-N".
  if (given && *given != *whole && !(composite && whole->starts_with(*given + "-")))
    return bad_digest(name_of(*algorithm));
  metadata[metadata_name(*algorithm)] = *whole;
  if (composite) metadata[kChecksumType] = "COMPOSITE";
  return std::nullopt;
}

shapes::CompleteMultipartUploadOutput answer(Doors& doors, const wire::Call& call,
                                             const store::ObjectInfo& object) {
  shapes::CompleteMultipartUploadOutput output;
  const std::string* host = call.head ? call.head->find("host") : nullptr;
  output.location = fmt::format("http://{}/{}/{}", host ? *host : "localhost", object.bucket,
                                http::percent_encode(object.key, true));
  output.bucket = object.bucket;
  output.key = object.key;
  output.e_tag = quoted(object.etag);
  output.version_id = shown_version(doors, object);
  tell_checksums(object.metadata, output);
  tell_checksum_type(object.metadata, output);
  return output;
}

// Of an upload that is not open: completed already, and the answer was lost on its way?
wire::Answer<shapes::CompleteMultipartUploadOutput> answer_closed(Doors& doors,
                                                                  const wire::Call& call,
                                                                  const Request& input,
                                                                  const Error& error) {
  const auto object = doors.store.find(input.bucket, input.key);
  if (object && !object->delete_marker && kept(object->metadata, kUploadId) == input.upload_id)
    return answer(doors, call, *object);
  return std::unexpected(
      to_fault(error, {.bucket = input.bucket, .key = input.key, .upload_id = input.upload_id}));
}

}  // namespace

wire::Answer<shapes::CompleteMultipartUploadOutput> complete(Doors& doors, const wire::Call& call,
                                                             const Request& input) {
  if (auto fault = check_common(doors, input)) return std::unexpected(std::move(*fault));
  const Subject subject{.bucket = input.bucket, .key = input.key, .upload_id = input.upload_id};
  if (!input.multipart_upload || !input.multipart_upload->parts ||
      input.multipart_upload->parts->empty())
    return std::unexpected(invalid_request("You must specify at least one part"));
  store::Multipart& multipart = doors.store.multipart();
  const auto upload = multipart.find(input.bucket, input.key, input.upload_id);
  if (!upload) return answer_closed(doors, call, input, upload.error());
  const auto stored = multipart.parts(*upload, 0, store::kPartNumberMax);
  if (!stored) return std::unexpected(to_fault(stored.error(), subject));
  const auto parts = chosen_parts(*stored, input);
  if (!parts) return std::unexpected(parts.error());
  uint64_t size = 0;
  for (const store::Part& part : *parts) size += part.size;
  if (input.mpu_object_size && std::cmp_not_equal(*input.mpu_object_size, size))
    return std::unexpected(invalid_request(fmt::format(
        "The provided 'x-amz-mp-object-size' header value {} does not match what was computed: {}",
        *input.mpu_object_size, size)));

  store::CommitOptions options;
  if (auto fault = read_conditions(input, options)) return std::unexpected(std::move(*fault));
  options.metadata = upload->metadata;
  if (auto fault = add_checksum(input, *parts, options.metadata))
    return std::unexpected(std::move(*fault));
  options.metadata[kUploadId] = input.upload_id;
  options.metadata[kPartCount] = std::to_string(parts->size());
  options.etag = multipart_etag(*parts);
  const auto object = multipart.complete(*upload, *parts, options);
  if (object) return answer(doors, call, *object);
  // Somebody else completed or aborted it meanwhile?
  if (const auto open = multipart.find(input.bucket, input.key, input.upload_id); !open)
    return answer_closed(doors, call, input, open.error());
  return std::unexpected(to_fault(object.error(), subject));
}

}  // namespace laketap::api::s3
