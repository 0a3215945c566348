#include "journal/layout.h"

#include <algorithm>

#include "base/assert.h"
#include "base/checksum.h"

namespace laketap::journal {
namespace {

constexpr uint64_t kSegmentMagic = 0x4a504154454b414c;  // "LAKETAPJ" as bytes.
constexpr uint32_t kCommitMagic = 0x3143544c;           // "LTC1" as bytes.
constexpr uint32_t kSealFlag = 1;

// Every header begins with the checksum of what follows it.
constexpr size_t kChecksumBytes = 4;

void seal_with_checksum(uint8_t* header, size_t bytes) {
  store_le<uint32_t>(header, crc32c({header + kChecksumBytes, bytes - kChecksumBytes}));
}

bool has_right_checksum(ByteView bytes) {
  return load_le<uint32_t>(bytes) == crc32c(bytes.subspan(kChecksumBytes));
}

}  // namespace

void encode(const SegmentHeader& header, std::span<uint8_t> block) {
  ASSERT(block.size() == kBlockBytes);
  std::ranges::fill(block, 0);
  store_le<uint32_t>(&block[4], kFormatVersion);
  store_le<uint64_t>(&block[8], kSegmentMagic);
  store_le<uint64_t>(&block[16], header.segment);
  store_le<uint64_t>(&block[24], header.stamp);
  store_le<uint64_t>(&block[32], header.bytes);
  seal_with_checksum(block.data(), kSegmentHeaderBytes);
}

void encode(const CommitHeader& header, uint8_t* target) {
  store_le<uint32_t>(target + 4, kCommitMagic);
  store_le<uint64_t>(target + 8, header.stamp);
  store_le<uint64_t>(target + 16, header.number);
  store_le<uint32_t>(target + 24, header.bytes);
  store_le<uint32_t>(target + 28, header.frame_count);
  store_le<uint32_t>(target + 32, header.is_seal ? kSealFlag : 0);
  store_le<uint32_t>(target + 36, header.tag);
  seal_with_checksum(target, kCommitHeaderBytes);
}

void encode_frame(uint8_t* target, FrameKind kind, Group group, uint32_t payload_bytes,
                  uint32_t tag) {
  store_le<uint32_t>(target + 4, payload_bytes);
  store_le<uint64_t>(target + 8, group);
  store_le<uint32_t>(target + 16, static_cast<uint32_t>(kind));
  store_le<uint32_t>(target + 20, tag);
  seal_with_checksum(target, kFrameHeaderBytes + payload_bytes);
}

std::optional<SegmentHeader> decode_segment_header(ByteView block) {
  if (block.size() < kSegmentHeaderBytes) return std::nullopt;
  const ByteView bytes = block.first(kSegmentHeaderBytes);
  if (!has_right_checksum(bytes) || load_le<uint64_t>(bytes.subspan(8)) != kSegmentMagic ||
      load_le<uint32_t>(bytes.subspan(4)) != kFormatVersion)
    return std::nullopt;
  return SegmentHeader{.segment = load_le<uint64_t>(bytes.subspan(16)),
                       .stamp = load_le<uint64_t>(bytes.subspan(24)),
                       .bytes = load_le<uint64_t>(bytes.subspan(32))};
}

std::optional<CommitHeader> decode_commit_header(ByteView bytes, uint64_t stamp) {
  if (bytes.size() < kCommitHeaderBytes) return std::nullopt;
  bytes = bytes.first(kCommitHeaderBytes);
  // The stamp first: it settles nearly every block that is none.
  if (load_le<uint64_t>(bytes.subspan(8)) != stamp ||
      load_le<uint32_t>(bytes.subspan(4)) != kCommitMagic || !has_right_checksum(bytes))
    return std::nullopt;
  const CommitHeader header{.stamp = stamp,
                            .number = load_le<uint64_t>(bytes.subspan(16)),
                            .bytes = load_le<uint32_t>(bytes.subspan(24)),
                            .frame_count = load_le<uint32_t>(bytes.subspan(28)),
                            .is_seal = load_le<uint32_t>(bytes.subspan(32)) == kSealFlag,
                            .tag = load_le<uint32_t>(bytes.subspan(36))};
  if (header.bytes < kCommitHeaderBytes || header.bytes > kCommitBytesMax) return std::nullopt;
  return header;
}

std::optional<Frame> decode_frame(ByteView bytes, uint32_t tag, bool check) {
  if (bytes.size() < kFrameHeaderBytes) return std::nullopt;
  const auto payload_bytes = load_le<uint32_t>(bytes.subspan(4));
  if (payload_bytes > bytes.size() - kFrameHeaderBytes) return std::nullopt;
  // A frame of a write that was cut short in an earlier life may be whole: it is not of this
  // commit.
  if (load_le<uint32_t>(bytes.subspan(20)) != tag) return std::nullopt;
  if (check && !has_right_checksum(bytes.first(kFrameHeaderBytes + payload_bytes)))
    return std::nullopt;

  const auto kind = load_le<uint32_t>(bytes.subspan(16));
  if (kind != static_cast<uint32_t>(FrameKind::payload) &&
      kind != static_cast<uint32_t>(FrameKind::releases))
    return std::nullopt;
  return Frame{.kind = static_cast<FrameKind>(kind),
               .group = load_le<uint64_t>(bytes.subspan(8)),
               .payload = bytes.subspan(kFrameHeaderBytes, payload_bytes)};
}

}  // namespace laketap::journal
