#include "journal/staging.h"

#include <algorithm>

#include "base/assert.h"

namespace laketap::journal {
namespace {
constexpr uint64_t kKeptBytes = 64
                                << 10;  // A quiet journal's commits fit; not given back when idle.
}

void Staging::reset(uint32_t tag) {
  used_ = kCommitHeaderBytes;
  frame_count_ = 0;
  tag_ = tag;
  entries_.clear();
}

uint8_t* Staging::reserve(Group group, uint32_t payload_bytes, Done done) {
  uint8_t* const frame = buffer_.data() + used_;
  const auto offset = static_cast<uint32_t>(used_ + kFrameHeaderBytes);
  entries_.push_back({group, offset, payload_bytes, std::move(done)});
  used_ += kFrameHeaderBytes + payload_bytes;
  ++frame_count_;
  filling_count_.fetch_add(1, std::memory_order_relaxed);  // Ordered by the mutex.
  return frame;
}

void Staging::fill(uint8_t* frame, Group group, std::span<const ByteView> pieces,
                   uint32_t payload_bytes) {
  uint8_t* target = frame + kFrameHeaderBytes;
  for (const ByteView piece : pieces) target = std::ranges::copy(piece, target).out;
  encode_frame(frame, FrameKind::payload, group, payload_bytes, tag_);
  if (filling_count_.fetch_sub(1, std::memory_order_release) == 1) filling_count_.notify_one();
}

void Staging::wait_until_filled() const {
  for (;;) {
    const uint32_t count = filling_count_.load(std::memory_order_acquire);
    if (count == 0) return;
    filling_count_.wait(count, std::memory_order_acquire);
  }
}

void Staging::add_releases(std::span<const Group> groups) {
  if (groups.empty()) return;
  ASSERT(groups.size() <= kReleaseCountMax);
  uint8_t* const frame = buffer_.data() + used_;
  uint8_t* target = frame + kFrameHeaderBytes;
  for (const Group group : groups) {
    store_le<uint64_t>(target, group);
    target += 8;
  }
  const auto payload_bytes = static_cast<uint32_t>(8 * groups.size());
  encode_frame(frame, FrameKind::releases, 0, payload_bytes, tag_);
  used_ += kFrameHeaderBytes + payload_bytes;
  ++frame_count_;
}

ByteView Staging::finish(uint64_t stamp, uint64_t number) {
  const uint64_t whole = padded(used_);
  std::fill(buffer_.data() + used_, buffer_.data() + whole, 0);
  touched_ = std::max(touched_, whole);
  encode(CommitHeader{.stamp = stamp,
                      .number = number,
                      .bytes = static_cast<uint32_t>(used_),
                      .frame_count = frame_count_,
                      .flags = 0,
                      .tag = tag_},
         buffer_.data());
  return {buffer_.data(), whole};
}

void Staging::forget_pages() {
  ASSERT(entries_.empty());
  if (touched_ <= kKeptBytes) return;
  buffer_.forget();
  entries_.shrink_to_fit();
  touched_ = 0;
}

}  // namespace laketap::journal
