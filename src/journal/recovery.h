// What is on the disk when a journal is opened.
#pragma once

#include "journal/scan.h"

namespace laketap::journal {

struct RecoveredSegment {
  std::string path;
  uint64_t file_number = 0;
  std::unique_ptr<io::File> file;  // Direct, read-only.
  Summary summary;                 // With lists.
};

// All segments, ordered by use; spare ones are last. Removes unfinished files. What sealed segments
// hold is not read: visit_frames() checks it.
// Errors: corrupt - see find_end(); or a segment that others follow has no seal.
Result<std::vector<RecoveredSegment>> recover_segments(io::Files& files,
                                                       const std::string& directory,
                                                       bool read_ahead);

}  // namespace laketap::journal
