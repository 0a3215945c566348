// The bytes of a segment's file. Drawn, with reasons, in docs/formats/journal.md.
//
//     0            segment header     two copies, a block each
//     8192         commit             header, frames, zeroes up to the next block
//                  commit
//                  ...
//     last block   seal               a commit that says where the others end and what they hold
#pragma once

#include <optional>
#include <vector>

#include "journal/journal.h"

namespace laketap::journal {

inline constexpr uint64_t kBlockBytes = io::kDirectAlignment;
inline constexpr uint64_t kDataOffset = 2 * kBlockBytes;
inline constexpr uint32_t kFormatVersion = 1;

inline constexpr size_t kSegmentHeaderBytes = 40;
inline constexpr size_t kCommitHeaderBytes = 40;
inline constexpr size_t kFrameHeaderBytes = 24;

// A commit with its padding: one fits into the smallest segment, and recovery need not look further
// than this for the successor of a damaged one.
inline constexpr uint64_t kCommitBytesMax = 6 << 20;

inline constexpr uint64_t padded(uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

struct SegmentHeader {
  uint64_t segment;  // Ordered by use. A recycled file gets a new one.
  uint64_t stamp;    // Random; in each commit of this segment, so that what the file held in an
                     // earlier life, or what a client sent, cannot pass for a commit.
  uint64_t bytes;    // The file's length.
};

struct CommitHeader {
  uint64_t stamp;
  uint64_t number;  // Grows within a segment and from segment to segment.
  uint32_t bytes;   // With this header, without padding.
  uint32_t frame_count;
  uint32_t flags;
  uint32_t
      tag;  // In each of its frames: a frame that a write cut short left here is no frame of it.
};

inline constexpr uint32_t kSealFlag = 1;
inline constexpr uint32_t kUnlistedFlag = 2;  // A seal whose lists did not fit: it has none.

enum class FrameKind : uint32_t {
  payload = 1,
  releases = 2,  // Groups, 8 bytes each. In a seal: all of the segment that still mean something.
  groups = 3,    // In a seal only: of which there are payloads. Its `group` is the segment's end.
};

struct Frame {
  FrameKind kind;
  Group group;  // 0 for releases.
  ByteView payload;
};

struct Seal {
  uint64_t end = 0;  // Of the last commit, with its padding.
  uint64_t number = 0;
  bool has_lists = false;
  std::vector<Group> releases;
  std::vector<Group> groups;
};

void encode(const SegmentHeader& header, std::span<uint8_t> block);  // kBlockBytes.
void encode(const CommitHeader& header, uint8_t* target);
// The payload stands behind the header already.
void encode_frame(uint8_t* target, FrameKind kind, Group group, uint32_t payload_bytes,
                  uint32_t tag);

void encode(const Seal& seal, uint64_t stamp,
            std::span<uint8_t> block);  // Drops lists if too long.

// Absent where the bytes are no such header, or a damaged one.
std::optional<SegmentHeader> decode_segment_header(ByteView block);
std::optional<CommitHeader> decode_commit_header(ByteView bytes, uint64_t stamp);
std::optional<Seal> decode_seal(ByteView block, uint64_t stamp);

// The frame at the front of `bytes`, the rest of its commit; with `check`, its checksum is
// computed. Absent when damaged.
std::optional<Frame> decode_frame(ByteView bytes, uint32_t tag, bool check);

std::vector<Group> decode_groups(ByteView payload);

}  // namespace laketap::journal
