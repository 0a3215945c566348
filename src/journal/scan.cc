#include "journal/scan.h"

#include <fmt/core.h>

#include <algorithm>

#include "journal/aligned.h"

namespace laketap::journal {
namespace {

// Read at a time: large enough for the disk's full speed, small enough to stay in a core's cache
// until the checksum has passed over it.
constexpr uint64_t kReadBytes = 1 << 20;

// A window that moves forward over the file.
class Window {
 public:
  explicit Window(const io::File& file)
      : file_(file), memory_(kCommitBytesMax + kReadBytes + kBlockBytes) {}

  // `bytes` from `offset` on; fewer at the end of the file. Valid until the next call.
  Result<ByteView> at(uint64_t offset, uint64_t bytes) {
    if (offset < start_ || offset > start_ + count_) {
      start_ = offset / kBlockBytes * kBlockBytes;
      count_ = 0;
      is_at_end_ = false;
    }
    if (offset + bytes > start_ + count_ && !is_at_end_) {
      if (const Result<> filled = fill(offset, bytes); !filled) return fail(filled.error());
    }
    const ByteView held(memory_.data(), count_);
    const uint64_t from = std::min(offset - start_, count_);
    return held.subspan(from, std::min(bytes, count_ - from));
  }

 private:
  Result<> fill(uint64_t offset, uint64_t bytes) {
    const uint64_t first = offset / kBlockBytes * kBlockBytes;
    const uint64_t kept = start_ + count_ - std::min(first, start_ + count_);
    std::memmove(memory_.data(), memory_.data() + (first - start_), kept);
    start_ = first;
    count_ = kept;
    const uint64_t wanted = std::max(padded(offset + bytes - start_), count_ + kReadBytes);
    const auto target = memory_.span().subspan(count_, std::min(wanted, memory_.size()) - count_);
    const Result<size_t> read = file_.read(start_ + count_, target);
    if (!read) return fail(read.error());
    count_ += *read;
    is_at_end_ = *read < target.size();
    return {};
  }

  const io::File& file_;
  AlignedBuffer memory_;
  uint64_t start_ = 0;  // Of the file, at a block.
  uint64_t count_ = 0;  // Bytes held.
  bool is_at_end_ = false;
};

std::unexpected<Error> corrupt(const Scan& scan, uint64_t offset, std::string_view what) {
  return fail(ErrorKind::corrupt,
              fmt::format("segment {}, offset {}: {}", scan.header.segment, offset, what));
}

Result<> read_header(Window& window, Scan& scan) {
  const Result<ByteView> blocks = window.at(0, kDataOffset);
  if (!blocks) return fail(blocks.error());
  const bool is_long_enough = blocks->size() == kDataOffset;
  const auto first = is_long_enough ? decode_segment_header(*blocks) : std::nullopt;
  const auto second =
      is_long_enough ? decode_segment_header(blocks->subspan(kBlockBytes)) : std::nullopt;
  if (!first && !second) return fail(ErrorKind::corrupt, "both headers are damaged");
  // Two lives: a crash came between the two copies. The later one counts.
  scan.header = !second || (first && first->segment > second->segment) ? *first : *second;
  scan.has_both_headers = first && second && first->segment == second->segment;
  return {};
}

// After a commit that is not whole: is there a later one? A commit is written only when the one
// before is synced, so then this is damage and no torn tail.
Result<bool> has_successor(Window& window, const Scan& scan) {
  const uint64_t end = std::min(scan.header.bytes, scan.end + 2 * kCommitBytesMax);
  for (uint64_t at = scan.end + kBlockBytes; at < end; at += kBlockBytes) {
    const Result<ByteView> bytes = window.at(at, kCommitHeaderBytes);
    if (!bytes) return fail(bytes.error());
    const auto header = decode_commit_header(*bytes, scan.header.stamp);
    if (header && header->number > scan.last_number) return true;
  }
  return false;
}

// Notes the frames of a commit. False when one is damaged; then nothing is noted.
bool note_frames(ByteView commit, const CommitHeader& header, Scan& scan) {
  const size_t release_count = scan.releases.size();
  const size_t group_count = scan.groups.size();
  ByteView rest = commit.subspan(kCommitHeaderBytes);
  for (uint32_t i = 0; i < header.frame_count; ++i) {
    const auto frame = decode_frame(rest, header.tag, true);
    if (!frame) {
      scan.releases.resize(release_count);
      scan.groups.resize(group_count);
      return false;
    }
    rest = rest.subspan(kFrameHeaderBytes + frame->payload.size());
    if (frame->kind == FrameKind::releases) {
      for (ByteView left = frame->payload; left.size() >= 8; left = left.subspan(8))
        scan.releases.push_back(load_le<uint64_t>(left));
    } else if (scan.groups.empty() || scan.groups.back() != frame->group) {
      scan.groups.push_back(frame->group);
    }
  }
  return true;
}

// Takes in the commit at scan.end. False when there is none that is whole.
Result<bool> scan_commit(Window& window, Scan& scan) {
  const Result<ByteView> head = window.at(scan.end, kCommitHeaderBytes);
  if (!head) return fail(head.error());
  const auto header = decode_commit_header(*head, scan.header.stamp);
  if (!header || header->number <= scan.last_number) return false;
  if (header->is_seal) {
    scan.is_sealed = true;
    scan.last_number = header->number;
    return true;
  }
  const Result<ByteView> commit = window.at(scan.end, header->bytes);
  if (!commit) return fail(commit.error());
  if (commit->size() < header->bytes || !note_frames(*commit, *header, scan)) return false;
  scan.has_commits = true;
  scan.last_number = header->number;
  scan.end += padded(header->bytes);
  return true;
}

}  // namespace

Result<Scan> scan_segment(const io::File& file) {
  Scan scan;
  Window window(file);
  if (const Result<> read = read_header(window, scan); !read) return fail(read.error());
  while (!scan.is_sealed && scan.end < scan.header.bytes) {
    const Result<bool> is_whole = scan_commit(window, scan);
    if (!is_whole) return fail(is_whole.error());
    if (*is_whole) continue;

    const Result<bool> is_damage = has_successor(window, scan);
    if (!is_damage) return fail(is_damage.error());
    if (*is_damage) return corrupt(scan, scan.end, "a damaged commit before a whole one");
    break;
  }
  return scan;
}

Result<> visit_frames(const io::File& file, const Scan& scan, const Visit& visit) {
  Window window(file);
  for (uint64_t at = kDataOffset; at < scan.end;) {
    const Result<ByteView> head = window.at(at, kCommitHeaderBytes);
    if (!head) return fail(head.error());
    const auto header = decode_commit_header(*head, scan.header.stamp);
    if (!header) return corrupt(scan, at, "the commit changed between two looks");
    const Result<ByteView> commit = window.at(at, header->bytes);
    if (!commit) return fail(commit.error());

    uint64_t offset = kCommitHeaderBytes;
    for (uint32_t i = 0; i < header->frame_count; ++i) {
      const auto frame =
          decode_frame(commit->subspan(std::min(offset, commit->size())), header->tag, false);
      if (!frame) return corrupt(scan, at + offset, "the frame changed between two looks");
      offset += kFrameHeaderBytes;
      visit(*frame, at + offset);
      offset += frame->payload.size();
    }
    at += padded(header->bytes);
  }
  return {};
}

}  // namespace laketap::journal
