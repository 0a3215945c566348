// The content coding aws-chunked: an object in chunks, each signed or none, with trailers behind
// it.
//
//     SIZE[;chunk-signature=64 hex]\r\n BYTES \r\n ... 0[;chunk-signature=...]\r\n
//     [name:value\r\n ...][x-amz-trailer-signature:64 hex\r\n]\r\n
//
// Source: S3 API reference, "Transferring payload in multiple chunks". Inner header of server.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "http/sigv4.h"
#include "server/body.h"

namespace laketap::server {

struct AwsChunkedRules {
  bool has_trailer = false;
  std::vector<std::string> trailers;  // Their names, lower case: what x-amz-trailer declares.
  uint64_t length = 0;                // x-amz-decoded-content-length.
  std::optional<http::SignatureChain> chain;  // Absent: chunks are not signed.
};
// By the head of a request whose x-amz-content-sha256 is a STREAMING-... one.
// Errors: the fault to answer; a form that we do not know is refused.
std::expected<AwsChunkedRules, wire::Fault> read_aws_chunked_rules(const http::RequestHead& head,
                                                                   const http::Signature& signature,
                                                                   std::string_view secret);

// Content-Encoding without aws-chunked, which is a coding of the transfer and not kept.
void remove_aws_chunked(http::RequestHead& head);

// Takes framed bytes, gives content. Pure: no waiting. After an error it is of no more use.
class AwsChunkedDecoder {
 public:
  explicit AwsChunkedDecoder(AwsChunkedRules rules) : rules_(std::move(rules)) {}

  struct Step {
    size_t taken = 0, given = 0;  // Bytes of `framed`, bytes put at the front of `target`.
  };
  // Goes as far as both allow. Errors: invalid - "CODE: message" in S3's words.
  Result<Step> decode(std::string_view framed, std::span<uint8_t> target);
  // The last chunk and the trailer came, and all signatures and lengths were right.
  bool ended() const { return state_ == State::end; }
  // In order; each was declared and came once. Their values are not checked here.
  const std::vector<http::Header>& trailers() const { return trailers_; }

 private:
  enum class State { size_line, bytes, bytes_end, trailer, end };
  // The next line without its end, "" and false while it is not whole.
  Result<bool> take_line(std::string_view framed, size_t& taken);
  Result<> begin_chunk();
  Result<> end_chunk();
  Result<> add_trailer();
  Result<> finish();

  AwsChunkedRules rules_;
  State state_ = State::size_line;
  std::string line_;
  uint64_t left_ = 0, chunk_bytes_ = 0, given_ = 0;
  bool short_chunk_seen_ = false;
  std::string chunk_signature_;
  http::Sha256Stream chunk_hash_;
  std::vector<http::Header> trailers_;
  std::string trailer_text_, trailer_signature_;
  size_t trailer_bytes_ = 0;
};

// An object in this coding, as its handler reads it. At the end the trailers are headers of `head`,
// so that a handler can compare them with what it read.
class AwsChunkedReader : public wire::BodyReader {
 public:
  AwsChunkedReader(ObjectBody& body, http::RequestHead& head, AwsChunkedRules rules)
      : body_(body), head_(head), length_(rules.length), decoder_(std::move(rules)) {}
  Task<Result<size_t>> read(std::span<uint8_t> target) override;
  std::optional<uint64_t> length() const override { return length_; }

 private:
  ObjectBody& body_;
  http::RequestHead& head_;
  const uint64_t length_;
  AwsChunkedDecoder decoder_;
  std::string framed_;
  size_t taken_ = 0;  // Of framed_.
  bool body_ended_ = false;
};

}  // namespace laketap::server
