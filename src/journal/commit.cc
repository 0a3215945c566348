// The writer's side: from what was appended to bytes that are synced.
#include <fmt/core.h>

#include "base/assert.h"
#include "journal/local_journal.h"

namespace laketap::journal {

void LocalJournal::commit_once() {
  std::unique_lock lock(mutex_);
  Staging& taken = stagings_[filling_];
  filling_ ^= 1;
  Staging& fresh = stagings_[filling_];
  fresh.reset(next_tag_++);
  std::vector<Group> releases = take_releases_locked();
  fill_from_overflow(fresh, lock);
  taken.wait_until_filled();

  const Result<> committed = taken.entries().empty() ? commit_releases_alone(std::move(releases))
                                                     : commit(taken, std::move(releases));
  if (committed) return;
  if (committed.error().kind != ErrorKind::full) fail_for_ever(committed.error());
  for (Entry& entry : taken.entries()) entry.done(fail(committed.error()));
  taken.entries().clear();
}

// Unlocks. Those that wait longest come first; later appends queue behind while any are left.
void LocalJournal::fill_from_overflow(Staging& staging, std::unique_lock<std::mutex>& lock) {
  std::vector<std::pair<uint8_t*, Waiting>> moved;
  while (!overflow_.empty() && staging.fits(overflow_.front().bytes)) {
    Waiting waiting = std::move(overflow_.front());
    overflow_.pop_front();
    overflow_bytes_ -= waiting.bytes;
    uint8_t* const frame = staging.reserve(waiting.group, waiting.bytes, std::move(waiting.done));
    moved.emplace_back(frame, std::move(waiting));
  }
  lock.unlock();
  for (const auto& [frame, waiting] : moved)
    staging.fill(frame, waiting.group, waiting.pieces, waiting.bytes);
}

std::vector<Group> LocalJournal::take_releases_locked() {
  std::vector<Group> taken;
  if (are_releases_blocked_) return taken;
  while (!releases_.empty() && taken.size() < Staging::kReleaseCountMax) {
    taken.push_back(releases_.front());
    releases_.pop_front();
  }
  return taken;
}

Result<> LocalJournal::commit(Staging& staging, std::vector<Group> releases) {
  const uint64_t release_bytes = kFrameHeaderBytes + 8 * releases.size();
  if (!fits_current(staging.bytes() + release_bytes)) {
    // Releases first, by themselves: they may free the segment that the payloads need.
    for (;;) {
      if (const Result<> done = commit_releases_alone(std::move(releases)); !done) return done;
      releases.clear();
      const Result<> room = make_room(staging.bytes(), Need::payloads);
      if (room) break;
      if (room.error().kind != ErrorKind::conflict) return room;
      const std::scoped_lock lock(mutex_);
      releases = take_releases_locked();
    }
  }
  staging.add_releases(releases);
  const uint64_t offset = current_->end;
  if (Result<> written = write(staging); !written) {
    put_back(releases);
    return written;
  }
  account(staging, releases, offset);

  const uint64_t segment = current_->header.segment;
  for (Entry& entry : staging.entries())
    entry.done(Location{.segment = segment, .offset = offset + entry.offset, .bytes = entry.bytes});
  staging.entries().clear();
  return {};
}

// Where there is no room they stay in memory, which costs no more than a second replay after a
// crash.
Result<> LocalJournal::commit_releases_alone(std::vector<Group> releases) {
  if (releases.empty()) return {};
  const uint64_t bytes = kCommitHeaderBytes + kFrameHeaderBytes + 8 * releases.size();
  Need need = Need::releases;
  {
    const std::scoped_lock lock(mutex_);
    std::vector<uint64_t> ids;
    for (const auto& [id, segment] : segments_) ids.push_back(id);
    if (ledger_.would_free_one(releases, ids)) need = Need::releases_that_free;
    release_staging_.reset(next_tag_++);
  }
  if (Result<> room = make_room(bytes, need); !room) {
    put_back(releases);
    return room.error().kind == ErrorKind::full ? Result<>() : room;
  }

  release_staging_.add_releases(releases);
  const uint64_t offset = current_->end;
  if (Result<> written = write(release_staging_); !written) {
    put_back(releases);
    return written.error().kind == ErrorKind::full ? Result<>() : written;
  }
  account(release_staging_, releases, offset);
  return {};
}

void LocalJournal::put_back(const std::vector<Group>& releases) {
  const std::scoped_lock lock(mutex_);
  releases_.insert(releases_.begin(), releases.begin(), releases.end());
  are_releases_blocked_ = true;
}

bool LocalJournal::fits_current(uint64_t bytes) const {
  // A block stays free for the seal.
  return current_ && current_->end + padded(bytes) + kBlockBytes <= current_->header.bytes;
}

// Errors: full; conflict - releases are waiting that should be written first.
Result<> LocalJournal::make_room(uint64_t bytes, Need need) {
  if (fits_current(bytes)) return {};
  Result<SegmentPointer> spare = take_spare(need);
  if (!spare) return fail(spare.error());
  // The seal is synced before the next segment's first commit is written: recovery relies on it.
  Result<> sealed;
  if (current_) sealed = seal();

  const std::scoped_lock lock(mutex_);
  current_ = std::move(*spare);
  segments_[current_->header.segment] = current_;
  signal_->raise();
  if (!sealed) return fail(ErrorKind::unavailable, sealed.error().what);
  return {};
}

Result<LocalJournal::SegmentPointer> LocalJournal::take_spare(Need need) {
  const size_t kept_count = need == Need::releases_that_free ? 0 : 1;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (spares_.size() > kept_count) {
      SegmentPointer spare = std::move(spares_.front());
      spares_.pop_front();
      is_upkeep_stuck_ = false;
      return spare;
    }
    if (failure_) return fail(*failure_);
    if (need == Need::payloads && !releases_.empty() && !are_releases_blocked_)
      return fail(ErrorKind::conflict, "releases wait");
    if (is_upkeep_stuck_ && !signal_->is_raised())
      return fail(ErrorKind::full,
                  is_disk_full_ ? "the disk is full" : "the journal has reached its limit");
    if (!upkeep_.joinable()) {
      lock.unlock();
      signal_->lower();
      const bool has_progressed = upkeep_once();
      lock.lock();
      is_upkeep_stuck_ = !has_progressed;
      continue;
    }
    signal_->raise();
    spare_wake_.wait_for(lock, std::chrono::milliseconds(100));
  }
}

// Errors: full - the file system took no more; nothing is accepted and the next commit goes to the
// same place. Any other is final.
Result<> LocalJournal::write(Staging& staging) {
  const ByteView bytes = staging.finish(current_->header.stamp, next_number_);
  if (Result<> written = current_->direct->write(current_->end, bytes); !written) {
    if (written.error().kind == ErrorKind::full) return written;
    return fail(ErrorKind::unavailable, written.error().what);
  }
  if (const Result<> synced = current_->direct->sync(); !synced)
    return fail(ErrorKind::unavailable, synced.error().what);
  ++next_number_;
  return {};
}

void LocalJournal::account(Staging& staging, std::span<const Group> releases, uint64_t offset) {
  const std::scoped_lock lock(mutex_);
  const uint64_t id = current_->header.segment;
  current_->end = offset + padded(staging.bytes());
  ++synced_commits_;
  for (const Entry& entry : staging.entries()) ledger_.add_payload(id, entry.group);
  if (releases.empty()) return;
  for (const Group group : releases) ledger_.add_release(id, group);
  is_upkeep_stuck_ = false;
  signal_->raise();
}

Result<> LocalJournal::seal() {
  const SegmentHeader& header = current_->header;
  Seal seal{.end = current_->end,
            .number = next_number_,
            .has_lists = true,
            .releases = {},
            .groups = {}};
  {
    const std::scoped_lock lock(mutex_);
    seal.releases = ledger_.known_releases(header.segment);
    seal.groups = ledger_.groups(header.segment);
  }
  const AlignedBuffer block(kBlockBytes);
  encode(seal, header.stamp, block.span());
  const uint64_t offset = header.bytes - kBlockBytes;
  if (Result<> written = current_->direct->write(offset, block.span()); !written) return written;
  if (Result<> synced = current_->direct->sync(); !synced) return synced;
  ++next_number_;
  return {};
}

void LocalJournal::fail_for_ever(const Error& error) {
  std::unique_lock lock(mutex_);
  failure_ = Error{ErrorKind::unavailable, "the journal stopped: " + error.what};
  std::vector<Entry> entries;
  std::swap(entries, stagings_[filling_].entries());
  std::deque<Waiting> waiting;
  std::swap(waiting, overflow_);
  overflow_bytes_ = 0;
  releases_.clear();
  const Staging& staging = stagings_[filling_];
  const Error failure = *failure_;
  lock.unlock();

  staging.wait_until_filled();  // What they fill from is given back by `done`.
  for (Entry& entry : entries) entry.done(fail(failure));
  for (Waiting& one : waiting) one.done(fail(failure));
}

}  // namespace laketap::journal
