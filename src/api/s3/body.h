// A body on its way to the disk: read here, hashed and written on the doors' own threads. Inner
// header.
#pragma once

#include "api/s3/headers.h"

namespace laketap::api::s3 {

// What a client said its body is: checked at the end.
struct Expected {
  std::optional<Bytes> md5;  // Of Content-MD5.
  std::optional<Algorithm> algorithm;
  std::optional<Bytes> checksum;  // Of that algorithm; absent when it comes behind the body.
  // Where it is found then: the body's trailers become headers. Null when there is none.
  const http::RequestHead* head = nullptr;
};

// From the headers of PutObject and UploadPart.
template <class In>
wire::Answer<Expected> expected_of(const wire::Call& call, const In& input);

// Where the bytes go: an object's upload or a part's.
struct Sink {
  std::function<Result<>(ByteView)> write;
  // After the last byte; with what was computed.
  std::function<wire::Answer<void>(const std::string& etag, const Metadata& checksums)> commit;
};

// Reads the whole body into the sink that `open` makes when the first bytes are here. All but
// reading runs on the doors' threads, so a small body costs one hand-over.
Task<wire::Answer<void>> receive(Doors& doors, wire::BodyReader& body, Expected expected,
                                 std::function<wire::Answer<Sink>()> open);

wire::Answer<Expected> read_expected(
    const std::optional<std::string>& content_md5,
    const std::vector<std::pair<Algorithm, std::optional<std::string>>>& checksums, bool others,
    const std::optional<std::string>& algorithm, const http::RequestHead* head);

template <class In>
wire::Answer<Expected> expected_of(const wire::Call& call, const In& input) {
  return read_expected(input.content_md5,
                       {{Algorithm::crc32, input.checksum_crc32},
                        {Algorithm::crc32c, input.checksum_crc32_c},
                        {Algorithm::crc64nvme, input.checksum_crc64_nvme},
                        {Algorithm::sha1, input.checksum_sha1},
                        {Algorithm::sha256, input.checksum_sha256}},
                       input.checksum_sha512 || input.checksum_md5 || input.checksum_xxhash64 ||
                           input.checksum_xxhash3 || input.checksum_xxhash128,
                       input.checksum_algorithm, call.head);
}

}  // namespace laketap::api::s3
