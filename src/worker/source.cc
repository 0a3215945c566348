#include "worker/source.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace laketap::worker {
namespace {

constexpr size_t kBlockBytes = 256 * 1024;
constexpr std::string_view kGzipMagic = "\x1f\x8b";

std::unexpected<Error> cannot_read(const engine::ScanFile& file, const char* reason) {
  return fail(ErrorKind::unavailable,
              "HIVE_CANNOT_OPEN_SPLIT: Error opening " + file.name + ": " + reason);
}

class WholeFile : public Source {
 public:
  WholeFile(const engine::ScanFile& file, int descriptor) : file_(file), descriptor_(descriptor) {}
  ~WholeFile() override { close(descriptor_); }

  Result<size_t> read(std::span<char> target) override {
    for (;;) {
      const ssize_t got = ::read(descriptor_, target.data(), target.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return cannot_read(file_, std::strerror(errno));
      stored_ += static_cast<uint64_t>(got);
      return static_cast<size_t>(got);
    }
  }
  uint64_t stored_bytes() const override { return stored_; }

 private:
  const engine::ScanFile& file_;
  int descriptor_;
  uint64_t stored_ = 0;
};

// Many small parts that lie close together: one read fetches a block, parts are copied out of it.
class Parts : public Source {
 public:
  explicit Parts(const engine::ScanFile& file) : file_(file) {}

  Result<size_t> read(std::span<char> target) override {
    size_t filled = 0;
    while (filled < target.size() && part_ < file_.parts.size()) {
      const auto& part = file_.parts[part_];
      const uint64_t left = part.range.bytes - taken_;
      if (left == 0) {
        ++part_;
        taken_ = 0;
        continue;
      }
      const uint64_t offset = part.range.offset + taken_;
      if (part.descriptor != block_descriptor_ || offset < block_offset_ ||
          offset >= block_offset_ + block_bytes_) {
        const Result<> fetched = fetch(part.descriptor, offset);
        if (!fetched) return fail(fetched.error());
        if (block_bytes_ == 0) {  // The end of the file: the part is over.
          ++part_;
          taken_ = 0;
          continue;
        }
      }
      const uint64_t ready = block_offset_ + block_bytes_ - offset;
      const size_t bytes =
          static_cast<size_t>(std::min({ready, left, uint64_t{target.size() - filled}}));
      std::memcpy(target.data() + filled, block_.data() + (offset - block_offset_), bytes);
      filled += bytes;
      taken_ += bytes;
    }
    stored_ += filled;
    return filled;
  }
  uint64_t stored_bytes() const override { return stored_; }

 private:
  Result<> fetch(int descriptor, uint64_t offset) {
    block_.resize(kBlockBytes);
    ssize_t got;
    do got = pread(descriptor, block_.data(), block_.size(), static_cast<off_t>(offset));
    while (got < 0 && errno == EINTR);
    if (got < 0) return cannot_read(file_, std::strerror(errno));
    block_descriptor_ = descriptor;
    block_offset_ = offset;
    block_bytes_ = static_cast<uint64_t>(got);
    return {};
  }

  const engine::ScanFile& file_;
  size_t part_ = 0;
  uint64_t taken_ = 0, stored_ = 0;
  std::vector<char> block_;
  int block_descriptor_ = -1;
  uint64_t block_offset_ = 0, block_bytes_ = 0;
};

// A source whose first bytes were looked at.
class Begun : public Source {
 public:
  explicit Begun(std::unique_ptr<Source> rest) : rest_(std::move(rest)) {}

  Result<bool> starts_with(std::string_view magic) {
    std::vector<char> bytes(magic.size());
    while (front_.size() < magic.size()) {
      const auto got = rest_->read(std::span(bytes).first(magic.size() - front_.size()));
      if (!got) return fail(got.error());
      if (*got == 0) break;
      front_.append(bytes.data(), *got);
    }
    return front_ == magic;
  }
  Result<size_t> read(std::span<char> target) override {
    if (front_.empty()) return rest_->read(target);
    const size_t bytes = front_.copy(target.data(), target.size());
    front_.erase(0, bytes);
    const auto more = rest_->read(target.subspan(bytes));
    if (!more) return fail(more.error());
    return bytes + *more;
  }
  uint64_t stored_bytes() const override { return rest_->stored_bytes(); }

 private:
  std::unique_ptr<Source> rest_;
  std::string front_;
};

class Inflated : public Source {
 public:
  Inflated(const engine::ScanFile& file, std::unique_ptr<Source> stored)
      : file_(file), stored_(std::move(stored)), input_(kBlockBytes) {}
  ~Inflated() override {
    if (open_) inflateEnd(&stream_);
  }

  Result<> open() {
    constexpr int kAnyHeader = 32;  // zlib: gzip or zlib, by the header.
    if (inflateInit2(&stream_, MAX_WBITS + kAnyHeader) != Z_OK)
      return cannot_read(file_, "no memory");
    open_ = true;
    return {};
  }

  Result<size_t> read(std::span<char> target) override {
    stream_.next_out = reinterpret_cast<Bytef*>(target.data());
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(target.size(), 1U << 30));
    const uInt room = stream_.avail_out;
    while (stream_.avail_out == room && !ended_) {
      if (stream_.avail_in == 0) {
        const auto got = stored_->read(input_);
        if (!got) return fail(got.error());
        if (*got == 0) {
          if (!member_over_) return cannot_read(file_, "the compressed data ends early");
          ended_ = true;
          break;
        }
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(*got);
      }
      if (member_over_) {  // Another member, or something that is none.
        if (inflateReset(&stream_) != Z_OK) return cannot_read(file_, "no memory");
      }
      const int code = inflate(&stream_, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        member_over_ = some_member_ = true;
      } else if (code == Z_OK || code == Z_BUF_ERROR) {
        member_over_ = false;
      } else if (member_over_ && some_member_) {
        ended_ = true;  // Bytes after the last member, such as zeros of a tape block.
      } else {
        return cannot_read(file_, "the compressed data is damaged");
      }
    }
    return room - stream_.avail_out;
  }
  uint64_t stored_bytes() const override { return stored_->stored_bytes(); }

 private:
  const engine::ScanFile& file_;
  std::unique_ptr<Source> stored_;
  std::vector<char> input_;
  z_stream stream_{};
  bool open_ = false, member_over_ = true, some_member_ = false, ended_ = false;
};

}  // namespace

Result<std::unique_ptr<Source>> open_source(const engine::ScanFile& file) {
  std::unique_ptr<Source> stored;
  if (!file.parts.empty()) {
    stored = std::make_unique<Parts>(file);
  } else {
    const int descriptor = open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return cannot_read(file, std::strerror(errno));
    stored = std::make_unique<WholeFile>(file, descriptor);
  }
  if (file.compression == engine::Compression::none) {
    auto begun = std::make_unique<Begun>(std::move(stored));
    const Result<bool> gzip = begun->starts_with(kGzipMagic);
    if (!gzip) return fail(gzip.error());
    stored = std::move(begun);
    if (!*gzip) return stored;
  }
  auto inflated = std::make_unique<Inflated>(file, std::move(stored));
  const Result<> opened = inflated->open();
  if (!opened) return fail(opened.error());
  return std::unique_ptr<Source>(std::move(inflated));
}

}  // namespace laketap::worker
