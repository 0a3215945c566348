// Opening: what was there is replayed, its end is sealed, and the journal goes on in a new segment.
#include "journal/journal.h"

#include <algorithm>

#include "journal/local_journal.h"

namespace laketap::journal {
namespace {

constexpr uint64_t kSegmentBytesMin = 64 << 10;

Result<> check(const Options& options) {
  if (options.segment_bytes < kSegmentBytesMin || options.segment_bytes % kBlockBytes != 0)
    return fail(ErrorKind::invalid, "segments of at least 64 KiB and of whole blocks");
  if (options.bytes_max < 4 * options.segment_bytes)
    return fail(ErrorKind::invalid, "a limit of less than four segments");
  return {};
}

}  // namespace

Pin::Pin(std::shared_ptr<Segment> segment) : segment_(std::move(segment)) {
  if (segment_) ++segment_->pin_count;
}

Pin& Pin::operator=(Pin&& other) noexcept {
  std::swap(segment_, other.segment_);
  return *this;
}

Pin::~Pin() {
  if (segment_ && --segment_->pin_count == 0 && segment_->is_awaited) segment_->signal->raise();
}

int Pin::descriptor() const {
  return segment_ ? segment_->reader->descriptor() : -1;
}

Result<std::unique_ptr<Journal>> Journal::open(Options options, io::Files& files,
                                               const std::function<void(const Replayed&)>& seen) {
  if (const Result<> right = check(options); !right) return fail(right.error());
  if (const Result<> made = io::make_durable_directories(files, options.directory); !made)
    return fail(made.error());
  auto journal = std::make_unique<LocalJournal>(std::move(options), files);
  if (const Result<> recovered = journal->recover(seen); !recovered)
    return fail(recovered.error(), "opening the journal");
  journal->start();
  return journal;
}

Result<> LocalJournal::recover(const std::function<void(const Replayed&)>& seen) {
  const bool read_ahead = !options_.manual;
  auto recovered = recover_segments(files_, options_.directory, read_ahead);
  if (!recovered) return fail(recovered.error());

  for (const RecoveredSegment& segment : *recovered) {
    const uint64_t id = segment.summary.header.segment;
    for (const Group group : segment.summary.groups) ledger_.add_payload(id, group);
    for (const Group group : segment.summary.releases) ledger_.add_release(id, group);
  }
  for (const RecoveredSegment& segment : *recovered) {
    const uint64_t id = segment.summary.header.segment;
    if (ledger_.living_count(id) == 0) continue;
    const auto visit = [&](const Frame& frame, uint64_t offset) {
      if (frame.kind != FrameKind::payload || ledger_.is_released(frame.group)) return;
      const Location location{
          .segment = id, .offset = offset, .bytes = static_cast<uint32_t>(frame.payload.size())};
      seen({.group = frame.group, .location = location, .payload = frame.payload});
    };
    const Result<> visited = visit_frames(*segment.file, segment.summary, read_ahead, visit);
    if (!visited) return fail(visited.error(), segment.path);
  }
  return adopt(std::move(*recovered));
}

Result<> LocalJournal::adopt(std::vector<RecoveredSegment> recovered) {
  for (const RecoveredSegment& segment : recovered) {
    next_segment_ = std::max(next_segment_, segment.summary.header.segment + 1);
    next_file_ = std::max(next_file_, segment.file_number + 1);
    next_number_ = std::max(next_number_, segment.summary.last_number + 1);
    total_bytes_ += segment.summary.header.bytes;
  }
  // A process killed between making a file and syncing its name left the name to the page cache.
  if (const Result<> synced = files_.sync_directory(options_.directory); !synced) return synced;
  for (RecoveredSegment& found : recovered) {
    Result<SegmentPointer> segment = open_segment(found.summary.header, found.path);
    if (!segment) return fail(segment.error());
    (*segment)->end = found.summary.end;
    if (!found.summary.has_both_headers) {
      const Result<> repaired = write_segment_header(*(*segment)->direct, found.summary.header);
      if (!repaired) return repaired;
    }
    if (!found.summary.has_commits() &&
        found.summary.header.bytes < first_segment_bytes(options_)) {
      // Made with another segment_bytes: too small for a commit of today.
      if (const Result<> removed = files_.remove(found.path); !removed) return removed;
      total_bytes_ -= found.summary.header.bytes;
      continue;
    }
    if (!found.summary.has_commits()) {
      spares_.push_back(std::move(*segment));
      continue;
    }
    segments_[found.summary.header.segment] = *segment;
    if (found.summary.is_sealed) {
      // A process killed between a seal's write and its sync left it to the page cache.
      if (const Result<> synced = (*segment)->direct->sync(); !synced) return synced;
      continue;
    }
    current_ = std::move(*segment);  // The newest: cut off the torn tail.
    if (const Result<> sealed = seal(); !sealed) return sealed;
    current_.reset();
  }
  return {};
}

}  // namespace laketap::journal
