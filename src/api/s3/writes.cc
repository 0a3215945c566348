// PutObject.
#include "api/s3/body.h"
#include "api/s3/conditions.h"
#include "base/utf8.h"

namespace laketap::api::s3 {
namespace {

constexpr uint64_t kPutBytesMax = uint64_t{5} * 1024 * 1024 * 1024;  // S3's limit of one PUT.

// An upload and what its object is to have; shared by the sink's two halves.
struct Put {
  std::unique_ptr<store::Upload> upload;
  store::CommitOptions options;
  store::ObjectInfo object;
};

wire::Answer<Sink> open_object(Doors& doors, const shapes::PutObjectRequest& input,
                               const std::shared_ptr<Put>& put) {
  const Subject subject{.bucket = input.bucket, .key = input.key};
  Result<std::unique_ptr<store::Upload>> upload = doors.store.begin_upload(input.bucket, input.key);
  if (!upload) return std::unexpected(to_fault(upload.error(), subject));
  put->upload = std::move(*upload);
  Sink sink;
  sink.write = [put](ByteView bytes) { return put->upload->write(bytes); };
  sink.commit = [put, subject](const std::string& etag,
                               const Metadata& checksums) -> wire::Answer<void> {
    put->options.etag = etag;
    put->options.metadata.insert(checksums.begin(), checksums.end());
    Result<store::ObjectInfo> done = put->upload->commit(put->options);
    if (!done) return std::unexpected(to_fault(done.error(), subject));
    put->object = std::move(*done);
    return {};
  };
  return sink;
}

std::optional<wire::Fault> check_put(const Doors& doors, const shapes::PutObjectRequest& input) {
  if (auto fault = check_common(doors, input)) return fault;
  if (!is_utf8(input.key))
    return wire::Fault{"InvalidURI", 400, "Couldn't parse the specified URI.", {}};
  if (input.write_offset_bytes) return not_implemented("x-amz-write-offset-bytes");
  const std::optional<uint64_t> length = input.body->length();
  if (!length)
    return wire::Fault{
        "MissingContentLength", 411, "You must provide the Content-Length HTTP header.", {}};
  if (*length > kPutBytesMax)
    return wire::Fault{"EntityTooLarge",
                       400,
                       "Your proposed upload exceeds the maximum allowed size",
                       {{"ProposedSize", std::to_string(*length)},
                        {"MaxSizeAllowed", std::to_string(kPutBytesMax)}}};
  return std::nullopt;
}

Task<wire::Answer<shapes::PutObjectOutput>> put_object(std::shared_ptr<Doors> doors,
                                                       const wire::Call& call,
                                                       shapes::PutObjectRequest input) {
  if (auto fault = check_put(*doors, input)) co_return std::unexpected(std::move(*fault));
  wire::Answer<Expected> expected = expected_of(call, input);
  if (!expected) co_return std::unexpected(std::move(expected.error()));
  wire::Answer<Metadata> metadata = kept_headers(input);
  if (!metadata) co_return std::unexpected(std::move(metadata.error()));
  const auto put = std::make_shared<Put>();
  put->options.metadata = std::move(*metadata);
  if (auto fault = read_conditions(input, put->options))
    co_return std::unexpected(std::move(*fault));

  std::function<wire::Answer<Sink>()> open = [&] { return open_object(*doors, input, put); };
  const wire::Answer<void> received =
      co_await receive(*doors, *input.body, std::move(*expected), std::move(open));
  if (!received) co_return std::unexpected(received.error());

  shapes::PutObjectOutput output;
  output.e_tag = quoted(put->object.etag);
  output.version_id = shown_version(*doors, put->object);
  output.server_side_encryption = input.server_side_encryption;
  tell_checksums(put->object.metadata, output);
  tell_checksum_type(put->object.metadata, output);
  co_return output;
}

}  // namespace

void add_writes(wire::Operations& operations, const std::shared_ptr<Doors>& doors) {
  add_async(operations, doors, "PutObject", put_object);
}

}  // namespace laketap::api::s3
