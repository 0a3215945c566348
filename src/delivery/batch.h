// A batch: the records of one future object, and where they lie until it is put.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "delivery/configuration.h"
#include "delivery/frame.h"
#include "journal/journal.h"

namespace laketap::delivery {

// One frame of a batch in the journal. Small, because a full journal holds millions of them.
struct FrameRef {
  uint32_t segment, offset, bytes, lead_bytes;

  journal::Location frame() const { return {segment, offset, bytes}; }
  journal::Location records() const {
    return {segment, uint64_t{offset} + lead_bytes, bytes - lead_bytes};
  }
};
FrameRef frame_ref(const journal::Location& location, uint32_t lead_bytes);

// Members after the line are guarded by the mutex of the buffer that the batch belongs to.
struct Batch {
  BatchId id;
  journal::Group group = 0;
  std::string plan_id;  // The uuid as text.
  std::shared_ptr<const Configuration> configuration;
  std::string key;
  std::chrono::microseconds opened{};  // Monotonic; what its age is counted from.
  bool recovered = false;  // Built from the journal at start: it may be delivered already.
  // ----
  std::vector<FrameRef> frames;                  // On the disk, acknowledged.
  std::vector<std::unique_ptr<uint8_t[]>> held;  // The first of them, still in memory as well.
  uint64_t held_bytes = 0;
  uint64_t admitted_bytes = 0;  // Record bytes handed to the journal, for the size bound.
  uint64_t record_bytes = 0, record_count = 0;  // Of `frames`.
  size_t in_flight = 0;                         // Frames that the journal has not answered for.
  bool sealed = false;                          // No more frames.
  bool planned = false;  // A plan row exists: its key and its frames are final.
  bool stuck = false;    // The journal failed under a frame: only the next start knows what it has.
  bool discarded = false;

  // Nothing will be added, and everything is known.
  bool is_complete() const { return sealed && in_flight == 0 && !stuck; }
  std::string_view folder() const { return std::string_view(key).substr(0, key.rfind('/') + 1); }
};

std::shared_ptr<Batch> make_batch(const BatchId& id, journal::Group group,
                                  std::shared_ptr<const Configuration> configuration);

// Whether an open batch must be sealed: the bound that is met first. An interval of 0 is
// `zero_interval`.
bool is_full(const Batch& batch);
bool is_old(const Batch& batch, std::chrono::microseconds monotonic_now,
            std::chrono::microseconds zero_interval);

}  // namespace laketap::delivery
