#include "journal/window.h"

#include <algorithm>
#include <utility>

namespace laketap::journal {

ReadAhead::ReadAhead(const io::File& file, uint64_t first, uint64_t end)
    : file_(file), first_(first), end_(end) {
  for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { run(); });
}

ReadAhead::~ReadAhead() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
}

void ReadAhead::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock,
                  [this] { return is_stopping_ || asked_count_ < taken_count_ + kChunksAhead; });
    const uint64_t index = asked_count_;
    const uint64_t offset = first_ + index * kChunkBytes;
    if (is_stopping_ || offset >= end_) return;
    ++asked_count_;
    Chunk& chunk = chunks_[index % kChunksAhead];
    lock.unlock();
    const auto target = chunk.memory.span().first(std::min(kChunkBytes, end_ - offset));
    Result<size_t> read = file_.read(offset, target);
    lock.lock();
    chunk.read = std::move(read);
    changed_.notify_all();
  }
}

Result<size_t> ReadAhead::next(uint8_t* target) {
  std::unique_lock lock(mutex_);
  if (first_ + taken_count_ * kChunkBytes >= end_) return 0;
  Chunk& chunk = chunks_[taken_count_ % kChunksAhead];
  changed_.wait(lock, [&chunk] { return chunk.read.has_value(); });
  const Result<size_t> read = *std::exchange(chunk.read, std::nullopt);
  lock.unlock();
  if (!read) return read;
  std::copy_n(chunk.memory.data(), *read, target);
  lock.lock();
  ++taken_count_;
  changed_.notify_all();
  return read;
}

Window::Window(const io::File& file, uint64_t first, uint64_t end, bool read_ahead)
    : file_(file), end_(end), start_(first) {
  if (read_ahead) {
    ahead_.emplace(file, first, end);
  } else {
    chunk_ = AlignedBuffer(kChunkBytes);
  }
}

Result<size_t> Window::next_chunk(uint8_t* target) {
  if (ahead_) return ahead_->next(target);
  const uint64_t offset = start_ + count_;
  if (offset >= end_) return 0;
  // Not into the target itself, which is not aligned.
  const auto place = chunk_.span().first(std::min(kChunkBytes, end_ - offset));
  const Result<size_t> read = file_.read(offset, place);
  if (read) std::copy_n(place.data(), *read, target);
  return read;
}

Result<ByteView> Window::at(uint64_t offset, uint64_t bytes) {
  while (offset + bytes > start_ + count_) {
    // Make room by dropping what lies before `offset`.
    const uint64_t dropped = std::min(offset - start_, count_);
    if (dropped > 0) std::memmove(memory_.data(), memory_.data() + dropped, count_ - dropped);
    start_ += dropped;
    count_ -= dropped;
    const Result<size_t> read = next_chunk(memory_.data() + count_);
    if (!read) return fail(read.error());
    if (*read == 0) break;
    count_ += *read;
  }
  const uint64_t from = std::min(offset - start_, count_);
  return ByteView(memory_.data() + from, std::min(bytes, count_ - from));
}

}  // namespace laketap::journal
