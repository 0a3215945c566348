#include "journal/scan.h"

#include <fmt/core.h>

#include <algorithm>

#include "journal/window.h"

namespace laketap::journal {
namespace {

std::unexpected<Error> damaged(const Summary& summary, uint64_t offset, std::string_view what) {
  return fail(ErrorKind::corrupt,
              fmt::format("segment {}, offset {}: {}", summary.header.segment, offset, what));
}

// The commit at `offset`, whole by its length; absent where there is none.
struct Commit {
  CommitHeader header;
  ByteView bytes;
};
Result<std::optional<Commit>> commit_at(Window& window, const Summary& summary, uint64_t offset) {
  const Result<ByteView> head = window.at(offset, kCommitHeaderBytes);
  if (!head) return fail(head.error());
  const auto header = decode_commit_header(*head, summary.header.stamp);
  if (!header || header->number <= summary.last_number || (header->flags & kSealFlag))
    return std::nullopt;
  const Result<ByteView> bytes = window.at(offset, header->bytes);
  if (!bytes) return fail(bytes.error());
  if (bytes->size() < header->bytes) return std::nullopt;
  return Commit{*header, *bytes};
}

// All frames, each checked; absent when one is damaged.
std::optional<std::vector<Frame>> frames_of(const Commit& commit) {
  std::vector<Frame> frames;
  ByteView rest = commit.bytes.subspan(kCommitHeaderBytes);
  for (uint32_t i = 0; i < commit.header.frame_count; ++i) {
    const auto frame = decode_frame(rest, commit.header.tag, true);
    if (!frame) return std::nullopt;
    rest = rest.subspan(kFrameHeaderBytes + frame->payload.size());
    frames.push_back(*frame);
  }
  return frames;
}

void note(const std::vector<Frame>& frames, Summary& summary) {
  for (const Frame& frame : frames) {
    if (frame.kind == FrameKind::releases) {
      const std::vector<Group> groups = decode_groups(frame.payload);
      summary.releases.insert(summary.releases.end(), groups.begin(), groups.end());
    } else if (summary.groups.empty() || summary.groups.back() != frame.group) {
      summary.groups.push_back(frame.group);
    }
  }
}

// After a commit that is not whole: is there a later one? A commit is written only when the one
// before is synced, so then this is damage and no torn tail.
Result<bool> has_successor(Window& window, const Summary& summary) {
  const uint64_t end = std::min(summary.header.bytes, summary.end + 2 * kCommitBytesMax);
  for (uint64_t at = summary.end + kBlockBytes; at < end; at += kBlockBytes) {
    const Result<ByteView> bytes = window.at(at, kCommitHeaderBytes);
    if (!bytes) return fail(bytes.error());
    const auto header = decode_commit_header(*bytes, summary.header.stamp);
    if (header && header->number > summary.last_number) return true;
  }
  return false;
}

}  // namespace

Result<Summary> summarize(const io::File& file) {
  const AlignedBuffer blocks(kDataOffset);
  const Result<size_t> read = file.read(0, blocks.span());
  if (!read) return fail(read.error());
  const ByteView bytes = ByteView(blocks.span()).first(*read);
  const auto first = decode_segment_header(bytes);
  const auto second =
      bytes.size() < kDataOffset ? std::nullopt : decode_segment_header(bytes.subspan(kBlockBytes));
  if (!first && !second) return fail(ErrorKind::corrupt, "both headers are damaged");

  Summary summary;
  // Two lives: a crash came between the two copies. The later one counts.
  summary.header = !second || (first && first->segment > second->segment) ? *first : *second;
  summary.has_both_headers = first && second && first->segment == second->segment;
  const Result<uint64_t> size = file.size();
  if (!size) return fail(size.error());
  if (*size < summary.header.bytes) return damaged(summary, *size, "the file was cut short");

  const Result<size_t> last =
      file.read(summary.header.bytes - kBlockBytes, blocks.span().first(kBlockBytes));
  if (!last) return fail(last.error());
  auto seal = decode_seal(ByteView(blocks.span()).first(*last), summary.header.stamp);
  if (!seal) return summary;
  summary.is_sealed = true;
  summary.has_lists = seal->has_lists;
  summary.end = seal->end;
  summary.releases = std::move(seal->releases);
  summary.groups = std::move(seal->groups);
  // Numbers are compared while the commits are read; the seal's own comes after them all.
  summary.last_number = seal->number;
  return summary;
}

Result<bool> begins_with_commit(const io::File& file, const Summary& summary) {
  const AlignedBuffer block(kBlockBytes);
  const Result<size_t> read = file.read(kDataOffset, block.span());
  if (!read) return fail(read.error());
  return decode_commit_header(ByteView(block.span()).first(*read), summary.header.stamp)
      .has_value();
}

Result<> find_end(const io::File& file, Summary& summary) {
  const uint64_t last_block = summary.header.bytes - kBlockBytes;
  Window window(file, kDataOffset, last_block, false);
  while (summary.end < last_block) {
    const auto commit = commit_at(window, summary, summary.end);
    if (!commit) return fail(commit.error());
    const auto frames = *commit ? frames_of(**commit) : std::nullopt;
    if (frames) {
      note(*frames, summary);
      summary.last_number = (*commit)->header.number;
      summary.end += padded((*commit)->header.bytes);
      continue;
    }
    const Result<bool> is_damage = has_successor(window, summary);
    if (!is_damage) return fail(is_damage.error());
    if (*is_damage) return damaged(summary, summary.end, "a damaged commit before a whole one");
    break;
  }
  summary.has_lists = true;
  return {};
}

Result<> visit_frames(const io::File& file, const Summary& summary, bool read_ahead,
                      const Visit& visit) {
  Window window(file, kDataOffset, summary.end, read_ahead);
  Summary so_far{.header = summary.header, .releases = {}, .groups = {}};
  for (uint64_t at = kDataOffset; at < summary.end;) {
    const auto commit = commit_at(window, so_far, at);
    if (!commit) return fail(commit.error());
    const auto frames = *commit ? frames_of(**commit) : std::nullopt;
    if (!frames) return damaged(summary, at, "a damaged commit");

    const uint8_t* const begin = (*commit)->bytes.data();
    for (const Frame& frame : *frames)
      visit(frame, at + static_cast<uint64_t>(frame.payload.data() - begin));
    so_far.last_number = (*commit)->header.number;
    at += padded((*commit)->header.bytes);
  }
  return {};
}

}  // namespace laketap::journal
