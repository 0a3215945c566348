// One request's records as the journal keeps them: a small header and the records' bytes, joined
// with nothing between, so that a run of record bytes can be copied or queried in place.
//
//     | header: batch, arrival, count | lengths, 4 bytes each, if count > 1 | record bytes ... |
//
// The bytes are drawn in docs/formats/batch-frame.md. Every frame names its whole batch, so a crash
// loses nothing that must be known to go on, whichever frames came through.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace laketap::delivery {

using Uuid = std::array<uint8_t, 16>;
std::string to_text(const Uuid& uuid);  // 01234567-89ab-4def-8123-456789abcdef

// What fixes a batch's object: its key follows from this and the configuration of that version.
struct BatchId {
  uint64_t stream = 0;
  uint64_t version = 0;  // Of the configuration.
  Uuid uuid{};           // Also the object's plan id.
  Timestamp begin;       // Arrival of its first record.
  bool operator==(const BatchId&) const = default;
};

struct FrameHeader {
  BatchId batch;
  Timestamp arrival;
  uint32_t record_count = 0;
  uint32_t lead_bytes = 0;  // Header and lengths: the records begin here.
};

// A frame being filled: room for the records first, the header when its batch is known.
// Not thread-safe; move-only. The bytes stay where they are when it is moved.
class Draft {
 public:
  Draft() = default;
  explicit Draft(std::span<const uint32_t> record_sizes);  // At most kRecordsMax.

  // Where the records' bytes go, one after the other.
  std::span<uint8_t> records();
  size_t record_count() const { return record_count_; }
  size_t record_bytes() const { return bytes_ - lead_bytes_; }

  void set_batch(const BatchId& batch, Timestamp arrival);
  ByteView frame() const { return {storage_.get(), bytes_}; }
  uint32_t lead_bytes() const { return static_cast<uint32_t>(lead_bytes_); }
  // The frame's memory, for whoever holds it until delivery.
  std::unique_ptr<uint8_t[]> take() { return std::move(storage_); }

 private:
  std::unique_ptr<uint8_t[]> storage_;
  size_t bytes_ = 0, lead_bytes_ = 0, record_count_ = 0;
};

inline constexpr size_t kRecordsMax = 500;  // Firehose model, PutRecordBatch.

// Errors: corrupt - no frame of ours.
Result<FrameHeader> parse_frame(ByteView frame);
// The length of each record. Precondition: parse_frame() succeeded on these bytes.
std::vector<uint32_t> record_lengths(ByteView frame);

}  // namespace laketap::delivery
