// Segments ahead of need, and back from those that nobody needs any more.
#include <algorithm>

#include "journal/local_journal.h"

namespace laketap::journal {
namespace {

constexpr size_t kSparesWanted = 2;  // One to go on with, one that only releases may open.
// Recycled files that are kept, zeroed as they are; more are removed. A backlog that comes and goes
// with every delivery should not be made anew each time.
constexpr uint64_t kSpareBytesMax = 1 << 30;
// Left to others on a disk that is nearly full, besides the file itself.
constexpr uint64_t kFreeBytesMin = 32 << 20;
constexpr std::chrono::milliseconds kRetryAfter{1000};

}  // namespace

void LocalJournal::run_upkeep() {
  while (!is_upkeep_stopping_) {
    signal_->lower();
    if (is_upkeep_stopping_) return;  // Asked again: the signal for it may be the one just lowered.
    while (!is_upkeep_stopping_ && upkeep_once()) spare_wake_.notify_all();
    bool must_retry = false;
    {
      const std::scoped_lock lock(mutex_);
      must_retry = spares_.size() < kSparesWanted && !failure_;
      is_upkeep_stuck_ = spares_.size() < kSparesWanted;
    }
    spare_wake_.notify_all();
    signal_->wait(must_retry ? kRetryAfter : std::chrono::hours(1));
  }
}

bool LocalJournal::upkeep_once() {
  std::unique_lock lock(mutex_);
  if (failure_) return false;
  if (const SegmentPointer segment = find_recyclable_locked()) {
    const std::vector<Group> needed = ledger_.needed_releases(segment->header.segment);
    if (needed.empty()) {
      segments_.erase(segment->header.segment);  // From here on nobody finds it to read or pin.
      lock.unlock();
      recycle(segment);
      return true;
    }
    segment->is_carrying = true;
    releases_.insert(releases_.end(), needed.begin(), needed.end());
    are_releases_blocked_ = false;
    wake_writer_locked();
    return true;
  }
  if (spares_.size() >= kSparesWanted) return false;
  lock.unlock();
  return grow();
}

// Sealed, read by nobody, holding nothing that is needed but, perhaps, releases to carry on.
LocalJournal::SegmentPointer LocalJournal::find_recyclable_locked() {
  for (const auto& [id, segment] : segments_) {
    if (segment == current_ || ledger_.living_count(id) != 0) continue;
    if (segment->is_carrying && !ledger_.needed_releases(id).empty()) continue;
    segment->is_awaited = true;  // Before the look: the last pin that goes must see it.
    if (segment->pin_count != 0) continue;
    return segment;
  }
  return nullptr;
}

// A new life or the end. Only when that is durable are the old life's facts forgotten: until then a
// crash may bring its frames back, and their releases must still be there.
void LocalJournal::recycle(const SegmentPointer& segment) {
  std::unique_lock lock(mutex_);
  uint64_t spare_bytes = 0;
  for (const SegmentPointer& spare : spares_) spare_bytes += spare->header.bytes;
  const uint64_t bytes = segment->header.bytes;
  const bool is_kept = bytes >= first_segment_bytes(options_) &&
                       (spares_.size() < kSparesWanted || spare_bytes + bytes <= kSpareBytesMax);
  const SegmentHeader header = next_header_locked(bytes);
  lock.unlock();

  Result<SegmentPointer> fresh = SegmentPointer();
  Result<> done;
  if (is_kept) {
    fresh = open_segment(header, segment->path);
    done = fresh ? write_segment_header(*(*fresh)->direct, header) : fail(fresh.error());
  } else {
    done = files_.remove(segment->path);
    if (done) done = files_.sync_directory(options_.directory);
  }
  if (!done) return fail_for_ever(done.error());

  lock.lock();
  ledger_.drop(segment->header.segment);
  if (is_kept) {
    spares_.push_back(std::move(*fresh));
  } else {
    total_bytes_ -= bytes;
  }
  are_releases_blocked_ = false;
  wake_writer_locked();
}

bool LocalJournal::grow() {
  std::unique_lock lock(mutex_);
  const uint64_t bytes = growth_bytes_locked();
  is_disk_full_ = false;
  if (total_bytes_ + bytes > options_.bytes_max) return false;
  const SegmentHeader header = next_header_locked(bytes);
  const std::string name = segment_file_name(next_file_++);
  lock.unlock();

  const Result<uint64_t> free = files_.free_bytes(options_.directory);
  const bool has_space = free && *free >= bytes + std::min(bytes, kFreeBytesMin);
  Result<> made = has_space ? Result<>() : fail(ErrorKind::full, "the disk is full");
  if (made) made = create_segment_file(files_, options_.directory, name, header);
  if (!made && made.error().kind == ErrorKind::full) {
    lock.lock();
    is_disk_full_ = true;
    return false;
  }
  Result<SegmentPointer> segment = SegmentPointer();
  if (made) segment = open_segment(header, options_.directory + "/" + name);
  if (!made || !segment) {
    fail_for_ever(made ? segment.error() : made.error());
    return false;
  }

  lock.lock();
  total_bytes_ += bytes;
  spares_.push_back(std::move(*segment));
  return true;
}

Result<LocalJournal::SegmentPointer> LocalJournal::open_segment(const SegmentHeader& header,
                                                                const std::string& path) {
  auto segment = std::make_shared<Segment>();
  segment->header = header;
  segment->path = path;
  segment->signal = signal_;
  auto reader = files_.open(path, {});
  if (!reader) return fail(reader.error());
  segment->reader = std::move(*reader);
  auto direct = files_.open(
      path,
      {.write = true, .create = false, .exclusive = false, .truncate = false, .direct = true});
  if (!direct) return fail(direct.error());
  segment->direct = std::move(*direct);
  return segment;
}

SegmentHeader LocalJournal::next_header_locked(uint64_t bytes) {
  return {.segment = next_segment_++, .stamp = random_.next(), .bytes = bytes};
}

// Small at first, so that an idle journal is small and starts at once; about a third of what is
// there, in powers of two, up to the full size.
uint64_t LocalJournal::growth_bytes_locked() const {
  uint64_t bytes = first_segment_bytes(options_);
  while (bytes * 2 <= options_.segment_bytes && bytes * 6 <= total_bytes_) bytes *= 2;
  return bytes;
}

}  // namespace laketap::journal
