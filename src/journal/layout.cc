#include "journal/layout.h"

#include <algorithm>

#include "base/assert.h"
#include "base/checksum.h"

namespace laketap::journal {
namespace {

constexpr uint64_t kSegmentMagic = 0x4a504154454b414c;  // "LAKETAPJ" as bytes.
constexpr uint32_t kCommitMagic = 0x3143544c;           // "LTC1" as bytes.

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
  store_le<uint32_t>(target + 32, header.flags);
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

void encode(const Seal& seal, uint64_t stamp, std::span<uint8_t> block) {
  ASSERT(block.size() == kBlockBytes);
  std::ranges::fill(block, 0);
  const size_t listed = 8 * (seal.releases.size() + seal.groups.size());
  const bool has_lists =
      seal.has_lists && kCommitHeaderBytes + 2 * kFrameHeaderBytes + listed <= kBlockBytes;
  uint8_t* at = block.data() + kCommitHeaderBytes;
  const auto add = [&](FrameKind kind, Group group, std::span<const Group> list) {
    for (size_t i = 0; i < list.size(); ++i) store_le(at + kFrameHeaderBytes + 8 * i, list[i]);
    encode_frame(at, kind, group, static_cast<uint32_t>(8 * list.size()), 0);
    at += kFrameHeaderBytes + 8 * list.size();
  };
  if (has_lists) add(FrameKind::releases, 0, seal.releases);
  add(FrameKind::groups, seal.end, has_lists ? std::span(seal.groups) : std::span<const Group>());
  encode(CommitHeader{.stamp = stamp,
                      .number = seal.number,
                      .bytes = static_cast<uint32_t>(at - block.data()),
                      .frame_count = has_lists ? 2U : 1U,
                      .flags = kSealFlag | (has_lists ? 0 : kUnlistedFlag),
                      .tag = 0},
         block.data());
}

std::optional<Seal> decode_seal(ByteView block, uint64_t stamp) {
  const auto header = decode_commit_header(block, stamp);
  if (!header || !(header->flags & kSealFlag) || header->bytes > block.size()) return std::nullopt;
  Seal seal;
  seal.number = header->number;
  seal.has_lists = !(header->flags & kUnlistedFlag);
  ByteView rest = block.subspan(kCommitHeaderBytes);
  for (uint32_t i = 0; i < header->frame_count; ++i) {
    const auto frame = decode_frame(rest, header->tag, true);
    if (!frame) return std::nullopt;
    rest = rest.subspan(kFrameHeaderBytes + frame->payload.size());
    if (frame->kind == FrameKind::releases) {
      seal.releases = decode_groups(frame->payload);
    } else {
      seal.end = frame->group;
      seal.groups = decode_groups(frame->payload);
    }
  }
  if (seal.end < kDataOffset || seal.end % kBlockBytes != 0) return std::nullopt;
  return seal;
}

std::vector<Group> decode_groups(ByteView payload) {
  std::vector<Group> groups;
  for (; payload.size() >= 8; payload = payload.subspan(8))
    groups.push_back(load_le<Group>(payload));
  return groups;
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
                            .flags = load_le<uint32_t>(bytes.subspan(32)),
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
  if (kind < static_cast<uint32_t>(FrameKind::payload) ||
      kind > static_cast<uint32_t>(FrameKind::groups))
    return std::nullopt;
  return Frame{.kind = static_cast<FrameKind>(kind),
               .group = load_le<uint64_t>(bytes.subspan(8)),
               .payload = bytes.subspan(kFrameHeaderBytes, payload_bytes)};
}

}  // namespace laketap::journal
