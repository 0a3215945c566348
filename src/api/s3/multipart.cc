// Uploads in parts, but for completing them (complete.cc).
#include <fmt/format.h>

#include <algorithm>

#include "api/s3/body.h"
#include "api/s3/complete.h"
#include "api/s3/source.h"
#include "base/utf8.h"
#include "http/url.h"

namespace laketap::api::s3 {
namespace {

constexpr int64_t kPageMax = 1000;
constexpr uint64_t kPartBytesMax = uint64_t{5} * 1024 * 1024 * 1024;

wire::Answer<shapes::CreateMultipartUploadOutput> create(
    Doors& doors, const wire::Call&, const shapes::CreateMultipartUploadRequest& input) {
  if (!is_utf8(input.key))
    return wire::refuse("InvalidURI", 400, "Couldn't parse the specified URI.");
  wire::Answer<Metadata> metadata = kept_headers(input);
  if (!metadata) return std::unexpected(std::move(metadata.error()));
  std::optional<std::string> type = input.checksum_type;
  if (input.checksum_algorithm) {
    const std::optional<Algorithm> algorithm = find_algorithm(*input.checksum_algorithm);
    if (!algorithm) return std::unexpected(not_implemented("x-amz-checksum-algorithm"));
    const bool sha = *algorithm == Algorithm::sha1 || *algorithm == Algorithm::sha256;
    if (!type) type = *algorithm == Algorithm::crc64nvme ? "FULL_OBJECT" : "COMPOSITE";
    if ((sha && *type == "FULL_OBJECT") ||
        (*algorithm == Algorithm::crc64nvme && *type == "COMPOSITE"))
      return std::unexpected(invalid_request("The " + *type +
                                             " checksum type cannot be used with the " +
                                             *input.checksum_algorithm + " checksum algorithm."));
    (*metadata)[kAlgorithm] = std::string(name_of(*algorithm));
    (*metadata)[kChecksumType] = *type;
  } else if (type) {
    return std::unexpected(invalid_request(
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm "
        "header."));
  }
  const Result<store::OpenUpload> upload =
      doors.store.multipart().create(input.bucket, input.key, *metadata);
  if (!upload)
    return std::unexpected(to_fault(upload.error(), {.bucket = input.bucket, .key = input.key}));
  shapes::CreateMultipartUploadOutput output;
  output.bucket = input.bucket;
  output.key = input.key;
  output.upload_id = upload->upload_id;
  output.checksum_algorithm = kept(*metadata, kAlgorithm);
  output.checksum_type = kept(*metadata, kChecksumType);
  output.server_side_encryption = input.server_side_encryption;
  return output;
}

std::optional<wire::Fault> check_number(int64_t number) {
  if (number >= 1 && number <= store::kPartNumberMax) return std::nullopt;
  return invalid_argument("Part number must be an integer between 1 and 10000, inclusive",
                          "partNumber", std::to_string(number));
}

// A part and what became of it; shared by the sink's two halves.
struct PutPart {
  std::unique_ptr<store::PartUpload> upload;
  store::Part part;
};

wire::Answer<Sink> open_part(Doors& doors, const shapes::UploadPartRequest& input,
                             const std::shared_ptr<PutPart>& put) {
  const Subject subject{.bucket = input.bucket, .key = input.key, .upload_id = input.upload_id};
  auto upload = doors.store.multipart().begin_part(input.bucket, input.key, input.upload_id,
                                                   static_cast<int>(input.part_number));
  if (!upload) return std::unexpected(to_fault(upload.error(), subject));
  put->upload = std::move(*upload);
  Sink sink;
  sink.write = [put](ByteView bytes) { return put->upload->write(bytes); };
  sink.commit = [put, subject](const std::string& etag,
                               const Metadata& checksums) -> wire::Answer<void> {
    Result<store::Part> done = put->upload->commit(etag, checksums);
    if (!done) return std::unexpected(to_fault(done.error(), subject));
    put->part = std::move(*done);
    return {};
  };
  return sink;
}

Task<wire::Answer<shapes::UploadPartOutput>> upload_part(std::shared_ptr<Doors> doors,
                                                         const wire::Call& call,
                                                         shapes::UploadPartRequest input) {
  if (auto fault = check_common(*doors, input)) co_return std::unexpected(std::move(*fault));
  if (auto fault = check_number(input.part_number)) co_return std::unexpected(std::move(*fault));
  const std::optional<uint64_t> length = input.body->length();
  if (!length)
    co_return wire::refuse("MissingContentLength", 411,
                           "You must provide the Content-Length HTTP header.");
  if (*length > kPartBytesMax)
    co_return wire::refuse("EntityTooLarge", 400,
                           "Your proposed upload exceeds the maximum allowed size");
  wire::Answer<Expected> expected = expected_of(call, input);
  if (!expected) co_return std::unexpected(std::move(expected.error()));

  const auto put = std::make_shared<PutPart>();
  std::function<wire::Answer<Sink>()> open = [&]() -> wire::Answer<Sink> {
    // The whole's checksum is made from the parts', so each needs one of the same kind.
    return open_part(*doors, input, put);
  };
  const wire::Answer<void> received =
      co_await receive(*doors, *input.body, std::move(*expected), std::move(open));
  if (!received) co_return std::unexpected(received.error());
  shapes::UploadPartOutput output;
  output.e_tag = quoted(put->part.etag);
  tell_checksums(put->part.metadata, output);
  co_return output;
}

// "bytes=A-B" within the source; all of it when absent.
wire::Answer<std::pair<uint64_t, uint64_t>> copy_range(const std::optional<std::string>& header,
                                                       uint64_t size) {
  if (!header) return std::pair<uint64_t, uint64_t>(0, size);
  unsigned long long first = 0, last = 0;
  int used = 0;
  if (std::sscanf(header->c_str(), "bytes=%llu-%llu%n", &first, &last, &used) != 2 ||
      static_cast<size_t>(used) != header->size() || first > last)
    return std::unexpected(invalid_argument(
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
        "last are the zero-based offsets of the first and last bytes to copy",
        "x-amz-copy-source-range", *header));
  if (last >= size)
    return std::unexpected(invalid_argument(
        "Range specified is not valid for source object of size: " + std::to_string(size),
        "x-amz-copy-source-range", *header));
  return std::pair<uint64_t, uint64_t>(first, last - first + 1);
}

wire::Answer<shapes::UploadPartCopyOutput> copy_part(Doors& doors,
                                                     const shapes::UploadPartCopyRequest& input) {
  if (auto fault = check_common(doors, input)) return std::unexpected(std::move(*fault));
  if (auto fault = check_number(input.part_number)) return std::unexpected(std::move(*fault));
  const Subject subject{.bucket = input.bucket, .key = input.key, .upload_id = input.upload_id};
  const auto open = doors.store.multipart().find(input.bucket, input.key, input.upload_id);
  if (!open) return std::unexpected(to_fault(open.error(), subject));
  const wire::Answer<Source> source =
      open_source(doors, input.copy_source, source_conditions(input));
  if (!source) return std::unexpected(source.error());
  const auto range = copy_range(input.copy_source_range, source->object.size);
  if (!range) return std::unexpected(range.error());
  if (range->second > kPartBytesMax)
    return std::unexpected(invalid_request("The specified copy range is larger than 5 GiB"));

  auto upload = doors.store.multipart().begin_part(input.bucket, input.key, input.upload_id,
                                                   static_cast<int>(input.part_number));
  if (!upload) return std::unexpected(to_fault(upload.error(), subject));
  const auto md5 = make_digest(Algorithm::md5);
  const Algorithm algorithm =
      find_algorithm(kept(open->metadata, kAlgorithm).value_or("")).value_or(Algorithm::md5);
  const bool summed = algorithm != Algorithm::md5;  // The upload has a checksum beside the ETag.
  const auto checksum = summed ? make_digest(algorithm) : nullptr;
  const Result<> copied =
      read_file(source->pin.path(), range->first, range->second, [&](ByteView bytes) {
        md5->add(bytes);
        if (checksum) checksum->add(bytes);
        return (*upload)->write(bytes);
      });
  if (!copied) return std::unexpected(to_fault(copied.error(), subject));
  Metadata checksums;
  if (checksum) checksums[metadata_name(algorithm)] = to_base64(checksum->finish());
  const Result<store::Part> part = (*upload)->commit(to_hex(md5->finish()), checksums);
  if (!part) return std::unexpected(to_fault(part.error(), subject));
  shapes::UploadPartCopyOutput output;
  output.copy_part_result.emplace();
  output.copy_part_result->e_tag = quoted(part->etag);
  output.copy_part_result->last_modified = part->last_modified;
  tell_checksums(part->metadata, *output.copy_part_result);
  output.copy_source_version_id = shown_version(doors, source->object);
  return output;
}

Task<wire::Answer<shapes::UploadPartCopyOutput>> upload_part_copy(
    std::shared_ptr<Doors> doors, const wire::Call&, shapes::UploadPartCopyRequest input) {
  wire::Answer<shapes::UploadPartCopyOutput> answer;
  std::function<void()> work = [&] { answer = copy_part(*doors, input); };
  co_await on_pool(*doors, std::move(work));
  co_return answer;
}

Task<wire::Answer<shapes::CompleteMultipartUploadOutput>> complete_upload(
    std::shared_ptr<Doors> doors, const wire::Call& call,
    shapes::CompleteMultipartUploadRequest input) {
  wire::Answer<shapes::CompleteMultipartUploadOutput> answer;
  std::function<void()> work = [&] { answer = complete(*doors, call, input); };
  co_await on_pool(*doors, std::move(work));
  co_return answer;
}

wire::Answer<shapes::AbortMultipartUploadOutput> abort_upload(
    Doors& doors, const wire::Call&, const shapes::AbortMultipartUploadRequest& input) {
  const Subject subject{.bucket = input.bucket, .key = input.key, .upload_id = input.upload_id};
  const Result<> aborted = doors.store.multipart().abort({.bucket = input.bucket,
                                                          .key = input.key,
                                                          .upload_id = input.upload_id,
                                                          .initiated = {},
                                                          .metadata = {}});
  if (!aborted) return std::unexpected(to_fault(aborted.error(), subject));
  return shapes::AbortMultipartUploadOutput{};
}

std::optional<wire::Fault> negative(const char* name, const std::optional<int64_t>& value) {
  if (!value || *value >= 0) return std::nullopt;
  return invalid_argument(
      fmt::format("Argument {} must be an integer between 0 and 2147483647", name), name,
      std::to_string(*value));
}

wire::Answer<shapes::ListPartsOutput> list_parts(Doors& doors, const wire::Call&,
                                                 const shapes::ListPartsRequest& input) {
  const Subject subject{.bucket = input.bucket, .key = input.key, .upload_id = input.upload_id};
  store::Multipart& multipart = doors.store.multipart();
  const auto upload = multipart.find(input.bucket, input.key, input.upload_id);
  if (!upload) return std::unexpected(to_fault(upload.error(), subject));
  if (auto wrong = negative("max-parts", input.max_parts)) return std::unexpected(*wrong);
  const int64_t limit = std::min<int64_t>(input.max_parts.value_or(kPageMax), kPageMax);
  const int64_t after =
      std::clamp<int64_t>(input.part_number_marker.value_or(0), 0, store::kPartNumberMax);
  auto parts = multipart.parts(*upload, static_cast<int>(after), static_cast<size_t>(limit) + 1);
  if (!parts) return std::unexpected(to_fault(parts.error(), subject));
  const bool truncated = std::cmp_greater(parts->size(), limit);
  if (truncated) parts->resize(static_cast<size_t>(limit));
  shapes::ListPartsOutput output;
  output.bucket = input.bucket;
  output.key = input.key;
  output.upload_id = input.upload_id;
  output.part_number_marker = after;
  output.next_part_number_marker = parts->empty() ? 0 : parts->back().number;
  output.max_parts = limit;
  output.is_truncated = truncated && limit > 0;
  output.storage_class = kept(upload->metadata, "storage-class").value_or("STANDARD");
  output.checksum_algorithm = kept(upload->metadata, kAlgorithm);
  output.checksum_type = kept(upload->metadata, kChecksumType);
  output.owner = shapes::Owner{.display_name = std::nullopt, .id = doors.options.account};
  output.initiator = shapes::Initiator{.id = doors.options.account, .display_name = std::nullopt};
  if (!parts->empty()) output.parts.emplace();
  for (const store::Part& part : *parts) {
    shapes::Part shown;
    shown.part_number = part.number;
    shown.last_modified = part.last_modified;
    shown.e_tag = quoted(part.etag);
    shown.size = static_cast<int64_t>(part.size);
    tell_checksums(part.metadata, shown);
    output.parts->push_back(std::move(shown));
  }
  return output;
}

wire::Answer<shapes::ListMultipartUploadsOutput> list_uploads(
    Doors& doors, const wire::Call&, const shapes::ListMultipartUploadsRequest& input) {
  const bool encode = input.encoding_type.has_value();
  const auto encoded = [&](const std::string& text) {
    return encode ? http::percent_encode(text, true) : text;
  };
  store::OpenUploadsRequest request;
  request.prefix = input.prefix.value_or("");
  request.delimiter = input.delimiter.value_or("");
  request.key_marker = input.key_marker.value_or("");
  request.upload_id_marker = input.upload_id_marker.value_or("");
  if (auto wrong = negative("max-uploads", input.max_uploads)) return std::unexpected(*wrong);
  request.limit =
      static_cast<size_t>(std::min<int64_t>(input.max_uploads.value_or(kPageMax), kPageMax));
  const auto page = doors.store.multipart().list(input.bucket, request);
  if (!page) return std::unexpected(to_fault(page.error(), {.bucket = input.bucket}));
  shapes::ListMultipartUploadsOutput output;
  output.bucket = input.bucket;
  output.prefix = encoded(request.prefix);
  if (!request.delimiter.empty()) output.delimiter = encoded(request.delimiter);
  output.key_marker = encoded(request.key_marker);
  output.upload_id_marker = request.upload_id_marker;
  output.max_uploads = static_cast<int64_t>(request.limit);
  output.is_truncated = page->truncated;
  if (encode) output.encoding_type = "url";
  if (page->truncated) {
    output.next_key_marker = encoded(page->next_key);
    output.next_upload_id_marker = page->next_upload_id;
  }
  if (!page->uploads.empty()) output.uploads.emplace();
  for (const store::OpenUpload& upload : page->uploads) {
    shapes::MultipartUpload shown;
    shown.upload_id = upload.upload_id;
    shown.key = encoded(upload.key);
    shown.initiated = upload.initiated;
    shown.storage_class = kept(upload.metadata, "storage-class").value_or("STANDARD");
    shown.owner = shapes::Owner{.display_name = std::nullopt, .id = doors.options.account};
    shown.initiator = shapes::Initiator{.id = doors.options.account, .display_name = std::nullopt};
    shown.checksum_algorithm = kept(upload.metadata, kAlgorithm);
    shown.checksum_type = kept(upload.metadata, kChecksumType);
    output.uploads->push_back(std::move(shown));
  }
  if (!page->common_prefixes.empty()) output.common_prefixes.emplace();
  for (const std::string& one : page->common_prefixes)
    output.common_prefixes->push_back({.prefix = encoded(one)});
  return output;
}

}  // namespace

void add_multipart(wire::Operations& operations, const std::shared_ptr<Doors>& doors) {
  add(operations, doors, "CreateMultipartUpload", create);
  add_async(operations, doors, "UploadPart", upload_part);
  add_async(operations, doors, "UploadPartCopy", upload_part_copy);
  add_async(operations, doors, "CompleteMultipartUpload", complete_upload);
  add(operations, doors, "AbortMultipartUpload", abort_upload);
  add(operations, doors, "ListParts", list_parts);
  add(operations, doors, "ListMultipartUploads", list_uploads);
}

}  // namespace laketap::api::s3
