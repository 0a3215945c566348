// Reading a segment's file back: what is whole, where it ends, and whether the end is an honest
// one.
#pragma once

#include <functional>

#include "journal/layout.h"

namespace laketap::journal {

struct Summary {
  SegmentHeader header{};
  bool has_both_headers = false;  // Whole and equal; otherwise they are to be written again.
  bool is_sealed = false;
  bool has_lists = false;      // Releases and groups are known without reading the commits.
  uint64_t end = kDataOffset;  // Of the last commit; kDataOffset: none. Sealed or scanned.
  uint64_t last_number = 0;
  std::vector<Group> releases;
  std::vector<Group> groups;

  bool has_commits() const { return end > kDataOffset; }
};

// Headers and seal. Errors: corrupt - both headers are damaged, or the file is cut short.
Result<Summary> summarize(const io::File& file);

// Whether an unsealed segment begins with a commit.
Result<bool> begins_with_commit(const io::File& file, const Summary& summary);

// Finds the end of an unsealed segment, and its lists.
// Errors: corrupt - a commit is damaged that had been synced: only then can a later one be there.
Result<> find_end(const io::File& file, Summary& summary);

// Calls `visit` for each frame up to the end, after its commit was found whole. The offset is that
// of the payload. With `read_ahead`, threads read ahead.
// Errors: corrupt - a commit is damaged.
using Visit = std::function<void(const Frame& frame, uint64_t offset)>;
Result<> visit_frames(const io::File& file, const Summary& summary, bool read_ahead,
                      const Visit& visit);

}  // namespace laketap::journal
