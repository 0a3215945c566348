// Reading a segment's file back: what is whole, where it ends, and whether the end is an honest
// one.
#pragma once

#include <functional>

#include "journal/layout.h"

namespace laketap::journal {

struct Scan {
  SegmentHeader header{};
  bool has_both_headers = false;  // Whole and equal; otherwise they are to be written again.
  bool has_commits = false;       // Never used in this life without.
  bool is_sealed = false;
  uint64_t end = kDataOffset;  // Where the seal stands, or is to be written.
  uint64_t last_number = 0;
  std::vector<Group> releases;  // In order.
  std::vector<Group> groups;    // Of payloads, in order, neighbours folded.
};

// Checks every byte up to the end.
// Errors: corrupt - both headers are damaged, or a commit is that had been synced: only then can a
//                   later one be there.
Result<Scan> scan_segment(const io::File& file);

// Calls `visit` for each frame up to scan.end, unchecked: scan_segment() has done that. The offset
// is that of the payload.
using Visit = std::function<void(const Frame& frame, uint64_t offset)>;
Result<> visit_frames(const io::File& file, const Scan& scan, const Visit& visit);

}  // namespace laketap::journal
