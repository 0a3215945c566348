#include "journal/aligned.h"

#include <sys/mman.h>

#include "base/assert.h"
#include "journal/layout.h"

namespace laketap::journal {

AlignedBuffer::AlignedBuffer(size_t bytes) : bytes_(padded(bytes)) {
  void* const memory =
      ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT(memory != MAP_FAILED);  // Out of address space: nothing sensible is left to do.
  data_ = static_cast<uint8_t*>(memory);
}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

AlignedBuffer::~AlignedBuffer() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

void AlignedBuffer::forget() {
  ::madvise(data_, bytes_, MADV_DONTNEED);
}

}  // namespace laketap::journal
