// The journal on this machine's disk.
//
// Two threads: the writer takes what was appended, a commit at a time (commit.cc); the upkeep makes
// segments ahead of need and recycles those that nobody needs (upkeep.cc). With Options::manual
// there is no thread and work() does both.
//
// The mutex guards everything but the bytes of a staging and the file of the current segment, which
// is the writer's. Lock order: the mutex, then a segment's signal.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <thread>

#include "journal/ledger.h"
#include "journal/recovery.h"
#include "journal/segment.h"
#include "journal/staging.h"

namespace laketap::journal {

// The length of the smallest segments: an idle journal has three of them.
inline uint64_t first_segment_bytes(const Options& options) {
  return std::min<uint64_t>(options.segment_bytes, 8 << 20);
}

class LocalJournal : public Journal {
 public:
  LocalJournal(Options options, io::Files& files);
  ~LocalJournal() override;
  Result<> recover(const std::function<void(const Replayed&)>& seen);
  void start();

  void append(Group group, std::span<const ByteView> pieces, Done done) override;
  Result<> release(Group group) override;
  Result<> read(Location location, std::span<uint8_t> target) const override;
  Result<> read_part(uint64_t segment, uint64_t offset, std::span<uint8_t> target) const override;
  Result<Pin> pin(Location location) const override;
  uint64_t used_bytes() const override;
  uint64_t synced_commits() const override;
  bool holds(Group group) const override;
  void work() override;

 private:
  using SegmentPointer = std::shared_ptr<Segment>;

  // What wants room. The last spare segment is only for releases that free another segment.
  enum class Need { payloads, releases, releases_that_free };

  struct Waiting {  // Did not fit into the staging; its pieces are borrowed.
    Group group;
    std::span<const ByteView> pieces;
    uint32_t bytes;
    Done done;
  };

  struct Held {
    SegmentPointer segment;
    Pin pin;
  };

  // journal.cc and local_journal.cc
  Result<Held> hold(uint64_t segment) const;
  void run_writer();
  bool has_work() const;  // Under the mutex, as all that ends in _locked.
  void wake_writer_locked();
  Result<> adopt(std::vector<RecoveredSegment> recovered);

  // commit.cc: by the writer.
  void commit_once();
  void fill_from_overflow(Staging& staging, std::unique_lock<std::mutex>& lock);
  std::vector<Group> take_releases_locked();
  Result<> commit(Staging& staging, std::vector<Group> releases);
  Result<> commit_releases_alone(std::vector<Group> releases);
  Result<> make_room(uint64_t bytes, Need need);
  Result<SegmentPointer> take_spare(Need need);
  Result<> write(Staging& staging);
  void account(Staging& staging, std::span<const Group> releases, uint64_t offset);
  Result<> seal();
  void put_back(const std::vector<Group>& releases);
  bool fits_current(uint64_t bytes) const;
  void fail_for_ever(const Error& error);

  // upkeep.cc
  void run_upkeep();
  bool upkeep_once();  // Whether anything was done.
  SegmentPointer find_recyclable_locked();
  void recycle(const SegmentPointer& segment);
  bool grow();
  Result<SegmentPointer> open_segment(const SegmentHeader& header, const std::string& path);
  SegmentHeader next_header_locked(uint64_t bytes);
  uint64_t growth_bytes_locked() const;

  const Options options_;
  io::Files& files_;
  io::Random& random_;
  const uint64_t commit_bytes_max_;
  const uint64_t payload_bytes_max_;
  const std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();

  mutable std::mutex mutex_;
  std::condition_variable writer_wake_;
  std::condition_variable spare_wake_;
  bool is_writer_waiting_ = false;
  bool is_closing_ = false;
  bool is_upkeep_stuck_ = false;  // It can give no segment until something changes.
  bool is_disk_full_ = false;     // As of the last try to make a segment.
  std::optional<Error> failure_;

  std::array<Staging, 2> stagings_;
  size_t filling_ = 0;
  Staging release_staging_;
  uint32_t next_tag_ = 0;
  std::deque<Waiting> overflow_;
  uint64_t overflow_bytes_ = 0;
  std::deque<Group> releases_;         // Not written yet.
  bool are_releases_blocked_ = false;  // No room, and writing them would free nothing.

  Ledger ledger_;
  std::map<uint64_t, SegmentPointer> segments_;  // In use, the current one included.
  std::deque<SegmentPointer> spares_;
  SegmentPointer current_;  // Changed by the writer only.
  uint64_t total_bytes_ = 0;
  uint64_t next_segment_ = 1;
  uint64_t next_file_ = 1;
  uint64_t next_number_ = 1;  // The writer's.
  uint64_t synced_commits_ = 0;

  std::atomic<bool> is_upkeep_stopping_ = false;
  std::jthread writer_;
  std::jthread upkeep_;
};

}  // namespace laketap::journal
