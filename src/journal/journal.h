// The journal keeps every accepted record on disk until its delivery is done.
//
//     ingest ── append ──▶ journal ── replay, read, pin ──▶ delivery ── release ──▶ segments
//     recycled
//
// Promise: once `done` was called with a location, the payload survives a crash of the machine.
// Price: one write and one sync, shared by all that arrive while the ones before are being synced.
// The bytes on disk: docs/formats/journal.md.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "io/files.h"
#include "io/random.h"

namespace laketap::journal {

// What is released together: a batch, the future object. Chosen by the caller, unique for ever; an
// append to a group that was released may be gone after a restart.
using Group = uint64_t;

// Where a payload lies: a range of the segment's file.
struct Location {
  uint64_t segment = 0;
  uint64_t offset = 0;
  uint32_t bytes = 0;
  bool operator==(const Location&) const = default;
};

struct Replayed {
  Group group;
  Location location;
  ByteView payload;  // Valid during the call.
};

// The largest payload: a PutRecordBatch of 4 MiB with what ingest puts around it.
inline constexpr uint64_t kPayloadBytesMax = 5 << 20;
// Payloads handed over and not yet written; beyond it append() answers full.
inline constexpr uint64_t kQueuedBytesMax = 128 << 20;

struct Options {
  std::string directory;              // Ours alone; created if absent.
  uint64_t segment_bytes = 64 << 20;  // The first files are smaller, so that an idle journal is.
  uint64_t bytes_max = uint64_t{8} << 30;  // Of all segment files. At least four segments.
  // No threads: work() does what they would do. For simulations that replay from a seed.
  bool manual = false;
  io::Random* random = nullptr;  // Stamps of segments; the machine's when null.
};

struct Segment;

// While it lives the segment's file stays as it is. May outlive the journal. Thread-safe to
// destroy.
class Pin {
 public:
  Pin() = default;
  explicit Pin(std::shared_ptr<Segment> segment);
  Pin(Pin&& other) noexcept = default;
  Pin& operator=(Pin&& other) noexcept;
  ~Pin();

  // Read-only, buffered, the segment's whole file; offsets are the locations'. -1 on a simulated
  // disk and for an empty pin.
  int descriptor() const;

 private:
  std::shared_ptr<Segment> segment_;
};

using Done = std::move_only_function<void(Result<Location>)>;

// Thread-safety: every method, from any thread. Ownership: borrows `files`.
class Journal {
 public:
  // Cuts off a torn tail. Calls `seen` for each payload whose group was not released, in the order
  // of acceptance, before it returns. If it fails, what was seen counts for nothing.
  // Errors: corrupt - damage before the tail. Nothing on disk is changed: a person must decide.
  //         invalid - the options.
  static Result<std::unique_ptr<Journal>> open(Options options, io::Files& files,
                                               const std::function<void(const Replayed&)>& seen);
  // Finishes what was appended and seals the segment.
  virtual ~Journal() = default;

  // Stores the pieces, joined to one payload, and calls `done` once they are on the disk, or once
  // it is sure that they are not accepted. Pieces, and the array of them, are borrowed until then.
  // `done` runs on the journal's thread, or on the caller's when refused at once: be short, do not
  // call back into append() without posting first.
  // Errors: full - the limit or the disk; waits for releases. too_large - kPayloadBytesMax.
  //         unavailable - a write or sync failed. Final: a sync that failed once may claim to
  //                       succeed the next time with the data gone, so we do not ask again.
  //         cancelled - the journal is closing.
  virtual void append(Group group, std::span<const ByteView> pieces, Done done) = 0;

  // Lets go of what of the group is acknowledged. Written with the next commit, not waited for:
  // after a crash the group may be replayed once more, so releasing again, or what is unknown, is
  // fine. Errors: unavailable - as append.
  virtual Result<> release(Group group) = 0;

  // The payload's bytes, checked. Errors: corrupt; not_found - the segment was recycled;
  // invalid - `target` is not location.bytes long.
  virtual Result<> read(Location location, std::span<uint8_t> target) const = 0;

  // Any bytes of the segment's file, unchecked: for a part of a payload.
  // Errors: not_found; invalid - past the end of the file.
  virtual Result<> read_part(uint64_t segment, uint64_t offset,
                             std::span<uint8_t> target) const = 0;

  // Errors: not_found - recycled already. Pin before you release.
  virtual Result<Pin> pin(Location location) const = 0;

  virtual uint64_t used_bytes() const = 0;      // Of segments that hold something.
  virtual uint64_t synced_commits() const = 0;  // Since open().
  // Whether a restart would replay it: it has payloads, and its release is not on the disk.
  virtual bool holds(Group group) const = 0;

  // With Options::manual: one commit of what waits, and the upkeep. Does nothing otherwise.
  virtual void work() = 0;
};

}  // namespace laketap::journal
