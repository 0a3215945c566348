// The commit that is being filled: frames are copied, once, to where they are written from.
#pragma once

#include <atomic>
#include <deque>

#include "journal/aligned.h"
#include "journal/layout.h"

namespace laketap::journal {

struct Entry {
  Group group;
  uint32_t offset;  // Of the payload, within the commit.
  uint32_t bytes;
  Done done;
};

// Two of them take turns: one is filled by many threads while the other is written by one.
// Reserving happens under the journal's mutex, filling outside of it.
class Staging {
 public:
  static constexpr size_t kReleaseCountMax = 500;
  static constexpr uint64_t kReleaseRoomBytes = kFrameHeaderBytes + 8 * kReleaseCountMax;

  explicit Staging(uint64_t bytes_max) : buffer_(bytes_max), bytes_max_(bytes_max) {}

  void reset(uint32_t tag);
  bool fits(uint64_t payload_bytes) const {
    return used_ + kFrameHeaderBytes + payload_bytes + kReleaseRoomBytes <= bytes_max_;
  }
  // Room for a frame; the returned place must be filled.
  uint8_t* reserve(Group group, uint32_t payload_bytes, Done done);
  void fill(uint8_t* frame, Group group, std::span<const ByteView> pieces, uint32_t payload_bytes);

  // By the writer, when nobody reserves any more.
  void wait_until_filled() const;
  void add_releases(std::span<const Group> groups);
  ByteView finish(uint64_t stamp, uint64_t number);  // The commit's bytes, padded.

  uint64_t bytes() const { return used_; }
  std::vector<Entry>& entries() { return entries_; }
  const std::vector<Entry>& entries() const { return entries_; }
  void forget_pages();  // When idle. Only when empty.

 private:
  AlignedBuffer buffer_;
  uint64_t bytes_max_;
  uint64_t used_ = kCommitHeaderBytes;
  uint64_t touched_ = 0;
  uint32_t tag_ = 0;
  uint32_t frame_count_ = 0;
  std::vector<Entry> entries_;
  std::atomic<uint32_t> filling_count_ = 0;
};

}  // namespace laketap::journal
