// A window that moves forward over a file, so that a commit is seen in one piece.
#pragma once

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "journal/aligned.h"
#include "journal/layout.h"

namespace laketap::journal {

// Read at a time: large enough for the disk's full speed, small enough to stay in a core's cache
// until the checksum has passed over it.
inline constexpr uint64_t kChunkBytes = 1 << 20;

// Chunks of a file in order, read by two threads, so that the disk always has the next one to do
// while this one is looked at.
class ReadAhead {
 public:
  ReadAhead(const io::File& file, uint64_t first, uint64_t end);
  ~ReadAhead();
  // Copies the next chunk; 0 bytes at the end.
  Result<size_t> next(uint8_t* target);

 private:
  static constexpr size_t kChunksAhead = 4;

  struct Chunk {
    AlignedBuffer memory{kChunkBytes};
    std::optional<Result<size_t>> read;  // Absent while it is being read, or free.
  };

  void run();

  const io::File& file_;
  const uint64_t first_;
  const uint64_t end_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Chunk, kChunksAhead> chunks_;  // Chunk i of the file is in place i modulo.
  uint64_t asked_count_ = 0;
  uint64_t taken_count_ = 0;
  bool is_stopping_ = false;
  std::vector<std::jthread> threads_;
};

class Window {
 public:
  // From `first`, a block's begin, up to `end`, another's.
  Window(const io::File& file, uint64_t first, uint64_t end, bool read_ahead);

  // `bytes` from `offset` on; fewer at the end. `offset` never goes back. Valid until the next
  // call.
  Result<ByteView> at(uint64_t offset, uint64_t bytes);

 private:
  Result<size_t> next_chunk(uint8_t* target);

  const io::File& file_;
  const uint64_t end_;
  std::optional<ReadAhead> ahead_;
  AlignedBuffer chunk_;
  AlignedBuffer memory_{kCommitBytesMax + 2 * kChunkBytes};
  uint64_t start_;      // Of the file, what the memory begins with.
  uint64_t count_ = 0;  // Bytes held.
};

}  // namespace laketap::journal
