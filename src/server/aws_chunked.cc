#include "server/aws_chunked.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/bytes.h"
#include "server/server.h"

namespace laketap::server {
namespace {

constexpr size_t kLineBytesMax = 256;
constexpr size_t kTrailerBytesMax = 4 << 10;
constexpr size_t kTrailersMax = 8;
constexpr size_t kFramedBytes = 64 << 10;
constexpr uint64_t kSignedChunkBytesMin = 8 << 10;  // But for the last one with bytes.
constexpr std::string_view kSignatureMark = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";

std::unexpected<Error> incomplete(std::string_view why) {
  return fail(ErrorKind::invalid, fmt::format("IncompleteBody: {}", why));
}
std::unexpected<Error> mismatch() {
  return fail(ErrorKind::invalid,
              "SignatureDoesNotMatch: The request signature we calculated does not match the "
              "signature you provided. Check your key and signing method.");
}
std::unexpected<Error> bad_trailer(std::string_view why) {
  return fail(ErrorKind::invalid, fmt::format("MalformedTrailerError: {}", why));
}

std::string lower_trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return out;
}

std::unexpected<wire::Fault> refuse(std::string_view message) {
  return wire::refuse("InvalidRequest", 400, std::string(message));
}

}  // namespace

std::expected<AwsChunkedRules, wire::Fault> read_aws_chunked_rules(const http::RequestHead& head,
                                                                   const http::Signature& signature,
                                                                   std::string_view secret) {
  AwsChunkedRules rules;
  const std::string& form = signature.content_sha256;
  const bool is_signed = form.starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  rules.has_trailer = form.ends_with("-TRAILER");
  if (form != "STREAMING-UNSIGNED-PAYLOAD-TRAILER" &&
      form != "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" &&
      form != "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
    return wire::refuse("NotImplemented", 501,
                        "A header you provided implies functionality that is not implemented",
                        {{"Header", "x-amz-content-sha256"}});
  if (is_signed) rules.chain.emplace(signature, secret);

  const std::string* length = head.find("x-amz-decoded-content-length");
  if (!length)
    return wire::refuse("MissingContentLength", 411,
                        "You must provide the Content-Length HTTP header.");
  const char* end = length->data() + length->size();
  if (length->empty() || length->size() > 18 || length->front() == '-' ||
      std::from_chars(length->data(), end, rules.length).ptr != end)
    return refuse("x-amz-decoded-content-length is no number");
  if (rules.length > kObjectBytesMax)
    return wire::refuse("EntityTooLarge", 400,
                        "Your proposed upload exceeds the maximum allowed size",
                        {{"MaxSizeAllowed", std::to_string(kObjectBytesMax)}});

  std::string_view list = head.value("x-amz-trailer");
  if (!list.empty() && !rules.has_trailer)
    return refuse("x-amz-trailer needs a payload with trailers");
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    rules.trailers.push_back(lower_trimmed(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
    // What may come behind a body is what S3 knows to do with: a checksum of it.
    if (!rules.trailers.back().starts_with("x-amz-checksum-"))
      return refuse("The value specified in the x-amz-trailer header is not supported");
    if (rules.trailers.size() > kTrailersMax) return refuse("x-amz-trailer names too many");
  }
  return rules;
}

void remove_aws_chunked(http::RequestHead& head) {
  for (http::Header& header : head.headers) {
    if (!http::same_name(header.name, "content-encoding")) continue;
    std::string kept;
    std::string_view list = header.value;
    while (!list.empty()) {
      const size_t comma = std::min(list.find(','), list.size());
      const std::string coding = lower_trimmed(list.substr(0, comma));
      list.remove_prefix(std::min(comma + 1, list.size()));
      if (!coding.empty() && coding != "aws-chunked") kept += (kept.empty() ? "" : ",") + coding;
    }
    header.value = kept;
  }
  std::erase_if(head.headers, [](const http::Header& one) {
    return one.value.empty() && http::same_name(one.name, "content-encoding");
  });
}

Result<bool> AwsChunkedDecoder::take_line(std::string_view framed, size_t& taken) {
  const std::string_view rest = framed.substr(taken);
  const size_t end = rest.find('\n');
  const size_t size = end == std::string_view::npos ? rest.size() : end + 1;
  const size_t bytes_max = state_ == State::trailer ? kTrailerBytesMax : kLineBytesMax;
  if (line_.size() + size > bytes_max)
    return incomplete("A line of the chunked payload is too long");
  line_.append(rest.substr(0, size));
  taken += size;
  if (end == std::string_view::npos) return false;
  if (!line_.ends_with("\r\n") || line_.find('\r') != line_.size() - 2 ||
      line_.find('\0') != std::string::npos)
    return incomplete("A line of the chunked payload does not end in CR LF");
  line_.resize(line_.size() - 2);
  return true;
}

Result<> AwsChunkedDecoder::begin_chunk() {
  const std::string line = std::exchange(line_, {});
  const size_t digits = std::min(line.find_first_not_of("0123456789abcdefABCDEF"), line.size());
  if (digits == 0 || digits > 15) return incomplete("A chunk's size");
  uint64_t size = 0;
  std::from_chars(line.data(), line.data() + digits, size, 16);
  const std::string_view rest = std::string_view(line).substr(digits);
  if (rules_.chain) {
    if (!rest.starts_with(kSignatureMark)) return incomplete("A chunk without a signature");
    chunk_signature_ = rest.substr(kSignatureMark.size());
  } else if (!rest.empty() && rest.front() != ';') {
    return incomplete("A chunk's size");
  }
  if (size > rules_.length - given_)
    return incomplete("You provided more bytes than x-amz-decoded-content-length says");
  if (rules_.chain && size > 0 && short_chunk_seen_)
    return fail(ErrorKind::invalid,
                "InvalidChunkSizeError: Only the last chunk is allowed to have a size less than "
                "8192 bytes");
  short_chunk_seen_ = size < kSignedChunkBytesMin;
  left_ = chunk_bytes_ = size;
  state_ = State::bytes;
  return {};
}

// Behind a chunk's bytes.
Result<> AwsChunkedDecoder::end_chunk() {
  if (rules_.chain) {
    const http::Sha256 hash = std::exchange(chunk_hash_, {}).finish();
    if (!rules_.chain->follows(hash, chunk_signature_)) return mismatch();
  }
  state_ = chunk_bytes_ > 0 ? State::bytes_end : State::trailer;
  return {};
}

Result<> AwsChunkedDecoder::add_trailer() {
  const std::string line = std::exchange(line_, {});
  trailer_bytes_ += line.size();
  if (trailer_bytes_ > kTrailerBytesMax) return bad_trailer("The trailer is too long");
  const size_t colon = line.find(':');
  if (colon == std::string::npos) return bad_trailer("A trailer without a value");
  const std::string name = lower_trimmed(std::string_view(line).substr(0, colon));
  std::string_view value = std::string_view(line).substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  while (value.ends_with(' ')) value.remove_suffix(1);
  if (name == kTrailerSignature) {
    if (!rules_.chain || !trailer_signature_.empty()) return bad_trailer("A trailer's signature");
    trailer_signature_ = value;
    return {};
  }
  if (!trailer_signature_.empty()) return bad_trailer("A trailer behind the trailer's signature");
  if (std::ranges::find(rules_.trailers, name) == rules_.trailers.end())
    return bad_trailer("A trailer that x-amz-trailer does not declare");
  if (std::ranges::find(trailers_, name, &http::Header::name) != trailers_.end())
    return bad_trailer("A trailer came twice");
  trailers_.push_back({name, std::string(value)});
  trailer_text_ += fmt::format("{}:{}\n", name, value);
  return {};
}

// Behind the empty line.
Result<> AwsChunkedDecoder::finish() {
  if (given_ != rules_.length)
    return incomplete(
        "You did not provide the number of bytes specified by x-amz-decoded-content-length");
  if (trailers_.size() != rules_.trailers.size())
    return bad_trailer("A trailer that x-amz-trailer declares did not come");
  if (rules_.chain && rules_.has_trailer &&
      !rules_.chain->follows_as_trailer(trailer_text_, trailer_signature_))
    return mismatch();
  state_ = State::end;
  return {};
}

Result<AwsChunkedDecoder::Step> AwsChunkedDecoder::decode(std::string_view framed,
                                                          std::span<uint8_t> target) {
  Step step;
  while (state_ != State::end) {
    if (state_ == State::bytes) {
      const size_t size = std::min(
          {left_, uint64_t{framed.size() - step.taken}, uint64_t{target.size() - step.given}});
      if (size == 0 && left_ > 0) return step;  // One of them is at its end.
      std::memcpy(target.data() + step.given, framed.data() + step.taken, size);
      if (rules_.chain) chunk_hash_.add(framed.substr(step.taken, size));
      step.taken += size;
      step.given += size;
      given_ += size;
      left_ -= size;
      if (left_ > 0) continue;
      if (const Result<> ended = end_chunk(); !ended) return fail(ended.error());
      continue;
    }
    if (step.taken == framed.size()) return step;
    const Result<bool> whole = take_line(framed, step.taken);
    if (!whole) return fail(whole.error());
    if (!*whole) return step;
    Result<> done;
    if (state_ == State::size_line) {
      done = begin_chunk();
    } else if (state_ == State::bytes_end) {
      if (!line_.empty()) return incomplete("A chunk longer than its size");
      state_ = State::size_line;
    } else {
      done = line_.empty() ? finish() : add_trailer();
    }
    if (!done) return fail(done.error());
  }
  if (step.taken < framed.size()) return incomplete("Bytes behind the last chunk");
  return step;
}

Task<Result<size_t>> AwsChunkedReader::read(std::span<uint8_t> target) {
  while (true) {
    const std::string_view framed = std::string_view(framed_).substr(taken_);
    const Result<AwsChunkedDecoder::Step> step = decoder_.decode(framed, target);
    if (!step) co_return fail(step.error());
    taken_ += step->taken;
    if (step->given > 0) co_return step->given;
    if (body_ended_) break;
    framed_.resize_and_overwrite(kFramedBytes, [](char*, size_t size) { return size; });
    taken_ = 0;
    const Result<size_t> got = co_await body_.read(framed_.data(), framed_.size());
    framed_.resize(got.value_or(0));
    if (!got) co_return fail(got.error());
    body_ended_ = *got == 0;
  }
  if (!decoder_.ended()) co_return incomplete("The request body terminated unexpectedly");
  for (const http::Header& trailer : decoder_.trailers()) head_.headers.push_back(trailer);
  co_return size_t{0};
}

}  // namespace laketap::server
