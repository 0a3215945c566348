#include "api/s3/body.h"

#include <fmt/format.h>

namespace laketap::api::s3 {
namespace {

constexpr size_t kBlockBytes = 256 * 1024;
constexpr std::string_view kTrailerPrefix = "x-amz-checksum-";

// What is computed over a body while it passes.
class Hashes {
 public:
  explicit Hashes(const Expected& expected)
      : expected_(expected), md5_(make_digest(Algorithm::md5)) {
    if (expected.algorithm) checksum_ = make_digest(*expected.algorithm);
  }
  void add(ByteView bytes) {
    md5_->add(bytes);
    if (checksum_) checksum_->add(bytes);
  }
  // The ETag and the checksums to keep, or what does not fit to what the client said.
  wire::Answer<std::pair<std::string, Metadata>> finish() {
    const Bytes md5 = md5_->finish();
    if (expected_.md5 && *expected_.md5 != md5) return std::unexpected(bad_digest("Content-MD5"));
    Metadata checksums;
    if (checksum_) {
      const Bytes checksum = checksum_->finish();
      if (expected_.checksum && *expected_.checksum != checksum)
        return std::unexpected(bad_digest(name_of(*expected_.algorithm)));
      checksums[metadata_name(*expected_.algorithm)] = to_base64(checksum);
    }
    return std::pair(to_hex(md5), std::move(checksums));
  }

 private:
  const Expected& expected_;
  std::unique_ptr<Digest> md5_, checksum_;
};

// A checksum that came behind the body.
wire::Answer<void> read_trailer(Expected& expected) {
  if (!expected.head) return {};
  const std::string name = "x-amz-" + metadata_name(*expected.algorithm);
  const std::string* value = expected.head->find(name);
  if (!value)
    return wire::refuse("MalformedTrailerError", 400,
                        "The request contained trailing data that was not well-formed");
  expected.checksum = from_base64(*value);
  if (!expected.checksum)
    return std::unexpected(
        invalid_request(fmt::format("Value for {} trailing header is invalid.", name)));
  return {};
}

wire::Answer<void> write_block(std::optional<Sink>& sink,
                               const std::function<wire::Answer<Sink>()>& open, Hashes& hashes,
                               ByteView block, bool last) {
  if (!sink) {
    wire::Answer<Sink> opened = open();
    if (!opened) return std::unexpected(std::move(opened.error()));
    sink = std::move(*opened);
  }
  if (!block.empty()) {
    hashes.add(block);
    if (const Result<> written = sink->write(block); !written)
      return std::unexpected(to_fault(written.error(), {}));
  }
  if (!last) return {};
  const auto done = hashes.finish();
  if (!done) return std::unexpected(done.error());
  return sink->commit(done->first, done->second);
}

}  // namespace

Task<wire::Answer<void>> receive(Doors& doors, wire::BodyReader& body, Expected expected,
                                 std::function<wire::Answer<Sink>()> open) {
  Hashes hashes(expected);
  std::optional<Sink> sink;
  Bytes buffer(kBlockBytes);
  bool last = false;
  wire::Answer<void> answer;
  while (!last) {
    size_t filled = 0;
    while (filled < buffer.size()) {
      const std::span<uint8_t> rest = std::span(buffer).subspan(filled);
      const Result<size_t> count = co_await body.read(rest);
      if (!count) {
        answer = std::unexpected(wire::body_fault(count.error()));
        break;
      }
      last = *count == 0;
      if (last) break;
      filled += *count;
    }
    if (last) answer = read_trailer(expected);
    std::function<void()> work;
    if (answer)
      work = [&] {
        answer = write_block(sink, open, hashes, ByteView(buffer).first(filled), last);
      };
    else
      work = [&] { sink.reset(); };  // Removes the file: that waits for the disk, too.
    co_await on_pool(doors, std::move(work));
    if (!answer) break;
  }
  if (!answer && sink) {
    std::function<void()> drop = [&] { sink.reset(); };
    co_await on_pool(doors, std::move(drop));
  }
  co_return answer;
}

wire::Answer<Expected> read_expected(
    const std::optional<std::string>& content_md5,
    const std::vector<std::pair<Algorithm, std::optional<std::string>>>& checksums, bool others,
    const std::optional<std::string>& algorithm, const http::RequestHead* head) {
  Expected expected;
  if (content_md5) {
    expected.md5 = from_base64(*content_md5);
    if (!expected.md5 || expected.md5->size() != 16)
      return wire::refuse("InvalidDigest", 400, "The Content-MD5 you specified was invalid.",
                          {{"Content-MD5", *content_md5}});
  }
  for (const auto& [one, value] : checksums) {
    if (!value) continue;
    if (expected.algorithm)
      return std::unexpected(invalid_request(
          "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."));
    expected.algorithm = one;
    expected.checksum = from_base64(*value);
    if (!expected.checksum || expected.checksum->size() != digest_of(one, {}).size())
      return std::unexpected(invalid_request(
          fmt::format("Value for x-amz-{} header is invalid.", metadata_name(one))));
  }
  if (others) return std::unexpected(not_implemented("x-amz-checksum-algorithm"));
  const std::string* trailer = head ? head->find("x-amz-trailer") : nullptr;
  if (!expected.algorithm && trailer && trailer->starts_with(kTrailerPrefix)) {
    expected.algorithm = find_algorithm(trailer->substr(kTrailerPrefix.size()));
    if (!expected.algorithm) return std::unexpected(not_implemented("x-amz-trailer"));
    expected.head = head;
  }
  if (!expected.algorithm && algorithm) expected.algorithm = find_algorithm(*algorithm);
  return expected;
}

}  // namespace laketap::api::s3
