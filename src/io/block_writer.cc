#include "io/block_writer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace laketap::io {

void BlockWriter::Free::operator()(uint8_t* block) const {
  std::free(block);
}

BlockWriter::BlockWriter(Files& files, std::string path, std::unique_ptr<File> file)
    : files_(files), path_(std::move(path)), file_(std::move(file)) {}

Result<std::unique_ptr<BlockWriter>> BlockWriter::create(Files& files, const std::string& path) {
  OpenOptions options;
  options.write = options.create = options.exclusive = true;
  auto file = files.open(path, options);
  if (!file) return fail(file.error());
  return std::make_unique<BlockWriter>(files, path, std::move(*file));
}

Result<> BlockWriter::write(ByteView bytes) {
  if (!block_) {
    void* const memory = std::aligned_alloc(kDirectAlignment, kBlockWriterBytes);
    ASSERT(memory != nullptr);
    block_.reset(static_cast<uint8_t*>(memory));
  }
  while (!bytes.empty()) {
    // Only when more comes: a file of exactly one block is small.
    if (used_ == kBlockWriterBytes) {
      if (auto flushed = flush(kBlockWriterBytes); !flushed) return flushed;
    }
    const size_t taken = std::min(bytes.size(), kBlockWriterBytes - used_);
    std::memcpy(block_.get() + used_, bytes.data(), taken);
    used_ += taken;
    bytes = bytes.subspan(taken);
  }
  return {};
}

Result<> BlockWriter::flush(size_t bytes) {
  if (!is_large_) {
    OpenOptions options;
    options.write = options.direct = true;
    auto file = files_.open(path_, options);
    if (!file) return fail(file.error());
    file_ = std::move(*file);
    is_large_ = true;
  }
  if (auto written = file_->write(written_, {block_.get(), bytes}); !written) return written;
  written_ += used_;
  used_ = 0;
  return {};
}

Result<> BlockWriter::finish() {
  if (is_large_) {
    const uint64_t size = this->size();
    const size_t padded = (used_ + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment;
    std::memset(block_.get() + used_, 0, padded - used_);
    if (auto flushed = flush(padded); !flushed) return flushed;
    if (auto cut = file_->truncate(size); !cut) return cut;
  } else if (used_ > 0) {
    if (auto written = file_->write(0, {block_.get(), used_}); !written) return written;
    written_ = std::exchange(used_, 0);
  }
  return file_->sync();
}

}  // namespace laketap::io
