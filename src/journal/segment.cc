#include "journal/segment.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "journal/aligned.h"

namespace laketap::journal {
namespace {

constexpr std::string_view kPrefix = "segment-";
constexpr size_t kZeroBytes = 1 << 20;  // At a time: a larger write would hold up commits longer.

Result<> write_zeroes(io::File& file, const SegmentHeader& header) {
  const AlignedBuffer zeroes(kZeroBytes);
  for (uint64_t at = kDataOffset; at < header.bytes;) {
    const uint64_t count = std::min<uint64_t>(kZeroBytes, header.bytes - at);
    if (const Result<> written = file.write(at, zeroes.span().first(count)); !written)
      return written;
    at += count;
  }
  return {};
}

}  // namespace

void Signal::raise() {
  {
    const std::scoped_lock lock(mutex_);
    is_raised_ = true;
  }
  wake_.notify_one();
}

bool Signal::is_raised() const {
  const std::scoped_lock lock(mutex_);
  return is_raised_;
}

void Signal::lower() {
  const std::scoped_lock lock(mutex_);
  is_raised_ = false;
}

void Signal::wait(std::chrono::milliseconds wait_max) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, wait_max, [this] { return is_raised_; });
}

std::string segment_file_name(uint64_t file_number) {
  return fmt::format("{}{:06}", kPrefix, file_number);
}

std::optional<uint64_t> parse_segment_file_name(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string_view digits = name.substr(kPrefix.size());
  uint64_t number = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (code != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return name == segment_file_name(number) ? std::optional(number) : std::nullopt;
}

Result<> write_segment_header(io::File& direct, const SegmentHeader& header) {
  const AlignedBuffer block(kBlockBytes);
  encode(header, block.span());
  for (const uint64_t offset : {uint64_t{0}, kBlockBytes}) {
    if (const Result<> written = direct.write(offset, block.span()); !written) return written;
    if (const Result<> synced = direct.sync(); !synced) return synced;
  }
  return {};
}

Result<> create_segment_file(io::Files& files, const std::string& directory,
                             const std::string& name, const SegmentHeader& header) {
  const std::string path = directory + "/" + name;
  const std::string fresh = path + ".new";
  const auto make = [&]() -> Result<> {
    const auto file = files.open(
        fresh,
        {.write = true, .create = true, .exclusive = false, .truncate = true, .direct = true});
    if (!file) return fail(file.error());
    if (const Result<> zeroed = write_zeroes(**file, header); !zeroed) return zeroed;
    if (const Result<> headed = write_segment_header(**file, header); !headed) return headed;
    if (const Result<> renamed = files.rename(fresh, path); !renamed) return renamed;
    return files.sync_directory(directory);
  };
  Result<> made = make();
  if (!made) (void)files.remove(fresh);
  return made;
}

}  // namespace laketap::journal
