// Memory for direct I/O: aligned, zeroed, untouched pages cost nothing.
#pragma once

#include <span>
#include <utility>

#include "base/bytes.h"

namespace laketap::journal {

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes);  // Rounded up to pages.
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;
  ~AlignedBuffer();

  uint8_t* data() const { return data_; }
  size_t size() const { return bytes_; }
  std::span<uint8_t> span() const { return {data_, bytes_}; }
  void forget();  // Gives the pages back to the system; the bytes are zero again.

 private:
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace laketap::journal
