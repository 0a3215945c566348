// The bytes of one file of a manifest, from front to back, decompressed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "engine/engine.h"

namespace laketap::worker {

class Source {
 public:
  virtual ~Source() = default;
  // Fills the front of `target`; 0 only at the end.
  // Errors: unavailable - the file cannot be read; `what` begins with a Trino error name.
  virtual Result<size_t> read(std::span<char> target) = 0;
  // Bytes taken from files so far, as stored.
  virtual uint64_t stored_bytes() const = 0;
};

// Borrows `file`. A gzip body may have several members; what follows the last is ignored.
Result<std::unique_ptr<Source>> open_source(const engine::ScanFile& file);

}  // namespace laketap::worker
