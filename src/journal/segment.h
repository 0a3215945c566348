// One segment: a file in one of its lives, and what makes and recycles such files.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "journal/layout.h"

namespace laketap::journal {

// Wakes the upkeep. Outlives the journal with the last pin.
class Signal {
 public:
  void raise();
  bool is_raised() const;
  void lower();
  void wait(std::chrono::milliseconds wait_max);  // Until raised.

 private:
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool is_raised_ = false;
};

struct Segment {
  SegmentHeader header;
  std::string path;
  std::unique_ptr<io::File> reader;  // Buffered, read-only.
  std::unique_ptr<io::File> direct;  // For writing, and for reading what is large.
  uint64_t end = kDataOffset;        // Where the next commit goes, or the seal stands.
  bool is_carrying = false;          // Its needed releases wait to be written elsewhere.
  std::atomic<uint32_t> pin_count = 0;
  std::atomic<bool> is_awaited = false;  // Its last pin must raise the signal.
  std::shared_ptr<Signal> signal;
};

// segment-000001 and so on. The name stays with the file through all its lives.
std::string segment_file_name(uint64_t file_number);
// Absent for names that are not of a segment's file.
std::optional<uint64_t> parse_segment_file_name(std::string_view name);

// Makes a file of zeroes with a segment's header, durable, name and all. `directory`/`name`.new is
// used meanwhile. Errors: as io::Files; nothing is left behind on failure.
Result<> create_segment_file(io::Files& files, const std::string& directory,
                             const std::string& name, const SegmentHeader& header);

// Writes both copies of the header, each with a sync of its own, so that one is whole at any time.
// What the file held before is gone by this.
Result<> write_segment_header(io::File& direct, const SegmentHeader& header);

}  // namespace laketap::journal
