// CopyObject.
#include "api/s3/conditions.h"
#include "api/s3/source.h"
#include "base/utf8.h"

namespace laketap::api::s3 {
namespace {

constexpr uint64_t kCopyBytesMax = uint64_t{5} * 1024 * 1024 * 1024;

wire::Answer<store::CommitOptions> copy_options(const shapes::CopyObjectRequest& input,
                                                const Source& source) {
  const bool replace = input.metadata_directive.value_or("COPY") == "REPLACE";
  const bool onto_itself = source.object.bucket == input.bucket && source.object.key == input.key &&
                           source.object.is_latest;
  if (onto_itself && !replace && !input.storage_class && !input.server_side_encryption &&
      !input.website_redirect_location)
    return std::unexpected(invalid_request(
        "This copy request is illegal because it is trying to copy an object to itself without "
        "changing the object's metadata, storage class, website redirect location or encryption "
        "attributes."));
  store::CommitOptions options;
  if (auto fault = read_conditions(input, options)) return std::unexpected(std::move(*fault));
  wire::Answer<Metadata> given = kept_headers(input);
  if (!given) return std::unexpected(std::move(given.error()));
  if (replace) {
    options.metadata = std::move(*given);
    return options;
  }
  options.metadata = source.object.metadata;
  for (const char* own : {"storage-class", "server-side-encryption", "website-redirect-location"}) {
    options.metadata.erase(own);
    if (given->contains(own)) options.metadata[own] = given->at(own);
  }
  // Notes that are about how the source came to be.
  for (const char* note : {kUploadId, kPartCount, kChecksumType, store::kQueryResult})
    options.metadata.erase(note);
  return options;
}

wire::Answer<shapes::CopyObjectOutput> copy(Doors& doors, const shapes::CopyObjectRequest& input) {
  if (auto fault = check_common(doors, input)) return std::unexpected(std::move(*fault));
  if (!is_utf8(input.key))
    return wire::refuse("InvalidURI", 400, "Couldn't parse the specified URI.");
  const wire::Answer<Source> source =
      open_source(doors, input.copy_source, source_conditions(input));
  if (!source) return std::unexpected(source.error());
  if (source->object.size > kCopyBytesMax)
    return std::unexpected(invalid_request(
        "The specified copy source is larger than the maximum allowable size for a copy source: "
        "5368709120"));
  wire::Answer<store::CommitOptions> options = copy_options(input, *source);
  if (!options) return std::unexpected(std::move(options.error()));

  // The copy is one piece, so its checksum is of the whole, whatever the source's was.
  std::optional<Algorithm> algorithm = algorithm_of(source->object.metadata);
  if (input.checksum_algorithm) algorithm = find_algorithm(*input.checksum_algorithm);
  std::erase_if(options->metadata,
                [](const auto& one) { return one.first.starts_with("checksum-"); });
  const auto md5 = make_digest(Algorithm::md5);
  const auto checksum = algorithm ? make_digest(*algorithm) : nullptr;

  const Subject subject{.bucket = input.bucket, .key = input.key};
  Result<std::unique_ptr<store::Upload>> upload = doors.store.begin_upload(input.bucket, input.key);
  if (!upload) return std::unexpected(to_fault(upload.error(), subject));
  const Result<> copied =
      read_file(source->pin.path(), 0, source->object.size, [&](ByteView bytes) {
        md5->add(bytes);
        if (checksum) checksum->add(bytes);
        return (*upload)->write(bytes);
      });
  if (!copied) return std::unexpected(to_fault(copied.error(), subject));
  options->etag = to_hex(md5->finish());
  if (checksum) options->metadata[metadata_name(*algorithm)] = to_base64(checksum->finish());
  const Result<store::ObjectInfo> object = (*upload)->commit(*options);
  if (!object) return std::unexpected(to_fault(object.error(), subject));

  shapes::CopyObjectOutput output;
  output.copy_object_result.emplace();
  output.copy_object_result->e_tag = quoted(object->etag);
  output.copy_object_result->last_modified = object->last_modified;
  tell_checksums(object->metadata, *output.copy_object_result);
  tell_checksum_type(object->metadata, *output.copy_object_result);
  output.version_id = shown_version(doors, *object);
  output.copy_source_version_id = shown_version(doors, source->object);
  output.server_side_encryption = input.server_side_encryption;
  return output;
}

Task<wire::Answer<shapes::CopyObjectOutput>> copy_object(std::shared_ptr<Doors> doors,
                                                         const wire::Call&,
                                                         shapes::CopyObjectRequest input) {
  wire::Answer<shapes::CopyObjectOutput> answer;
  std::function<void()> work = [&] { answer = copy(*doors, input); };
  co_await on_pool(*doors, std::move(work));
  co_return answer;
}

}  // namespace

void add_copies(wire::Operations& operations, const std::shared_ptr<Doors>& doors) {
  add_async(operations, doors, "CopyObject", copy_object);
}

}  // namespace laketap::api::s3
