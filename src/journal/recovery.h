// What is on the disk when a journal is opened.
#pragma once

#include "journal/scan.h"

namespace laketap::journal {

struct RecoveredSegment {
  std::string path;
  uint64_t file_number = 0;
  std::unique_ptr<io::File> reader;
  Scan scan;
};

// All segments, ordered by use; those without commits are last. Removes unfinished files.
// Several threads scan, unless `thread_count` is 1.
// Errors: corrupt - see scan_segment(); or a segment that others follow has no end.
Result<std::vector<RecoveredSegment>> recover_segments(io::Files& files,
                                                       const std::string& directory,
                                                       unsigned thread_count);

}  // namespace laketap::journal
