#include "journal/local_journal.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

namespace laketap::journal {
namespace {

constexpr std::chrono::seconds kIdleAfter{5};

// From here on a payload is read past the page cache: a page that the machine has not touched
// before costs far more than the read. Small ones lie side by side and profit from the kernel's
// reading ahead.
constexpr uint64_t kDirectReadBytesMin = 32 << 10;

struct FreeMemory {
  void operator()(uint8_t* memory) const { std::free(memory); }
};

// The payload of the frame that `bytes` begin with; absent when damaged.
std::optional<ByteView> decode_frame_at(ByteView bytes) {
  if (bytes.size() < kFrameHeaderBytes) return std::nullopt;
  const auto tag = load_le<uint32_t>(bytes.subspan(20));  // Of its commit, which is not looked at.
  const auto frame = decode_frame(bytes, tag, true);
  return frame ? std::optional(frame->payload) : std::nullopt;
}

// The smallest file holds a commit, between its headers and its seal.
uint64_t commit_bytes_max(const Options& options) {
  return std::min(kCommitBytesMax, first_segment_bytes(options) - kDataOffset - kBlockBytes);
}

}  // namespace

LocalJournal::LocalJournal(Options options, io::Files& files)
    : options_(std::move(options)),
      files_(files),
      random_(options_.random != nullptr ? *options_.random : io::real_random()),
      commit_bytes_max_(commit_bytes_max(options_)),
      payload_bytes_max_(std::min(
          kPayloadBytesMax,
          commit_bytes_max_ - kCommitHeaderBytes - kFrameHeaderBytes - Staging::kReleaseRoomBytes)),
      stagings_{Staging(commit_bytes_max_), Staging(commit_bytes_max_)},
      release_staging_(padded(kCommitHeaderBytes + Staging::kReleaseRoomBytes)),
      next_tag_(static_cast<uint32_t>(random_.next())) {
  stagings_[filling_].reset(next_tag_++);
}

LocalJournal::~LocalJournal() {
  {
    const std::scoped_lock lock(mutex_);
    is_closing_ = true;
  }
  writer_wake_.notify_all();
  if (writer_.joinable()) writer_.join();
  // The upkeep after the writer, whose last commits may need a segment.
  is_upkeep_stopping_ = true;
  signal_->raise();
  if (upkeep_.joinable()) upkeep_.join();

  work();
  const bool has_failed = failure_.has_value();
  const bool has_commits = current_ && current_->end > kDataOffset;
  if (!has_failed && has_commits) (void)seal();  // Unsealed is no loss: the next open() does it.
}

void LocalJournal::start() {
  if (options_.manual) return;
  writer_ = std::jthread([this] { run_writer(); });
  upkeep_ = std::jthread([this] { run_upkeep(); });
}

void LocalJournal::append(Group group, std::span<const ByteView> pieces, Done done) {
  uint64_t bytes = 0;
  for (const ByteView piece : pieces) bytes += piece.size();
  if (bytes > payload_bytes_max_)
    return done(fail(ErrorKind::too_large, "a payload larger than a commit"));

  std::unique_lock lock(mutex_);
  if (failure_ || is_closing_) {
    const Error error =
        failure_ ? *failure_ : Error{ErrorKind::cancelled, "the journal is closing"};
    lock.unlock();
    return done(fail(error));
  }

  Staging& staging = stagings_[filling_];
  if (overflow_.empty() && staging.fits(bytes)) {
    uint8_t* const frame = staging.reserve(group, static_cast<uint32_t>(bytes), std::move(done));
    const bool must_wake = std::exchange(is_writer_waiting_, false);
    lock.unlock();
    if (must_wake) writer_wake_.notify_one();
    staging.fill(frame, group, pieces, static_cast<uint32_t>(bytes));
    return;
  }

  if (overflow_bytes_ + bytes > kQueuedBytesMax) {
    lock.unlock();
    return done(fail(ErrorKind::full, "too much waits for the disk"));
  }
  overflow_bytes_ += bytes;
  overflow_.push_back({group, pieces, static_cast<uint32_t>(bytes), std::move(done)});
  wake_writer_locked();
}

Result<> LocalJournal::release(Group group) {
  const std::scoped_lock lock(mutex_);
  if (failure_) return fail(*failure_);
  if (!ledger_.ask_release(group)) return {};
  releases_.push_back(group);
  are_releases_blocked_ = false;
  wake_writer_locked();
  return {};
}

Result<Pin> LocalJournal::pin(Location location) const {
  const std::scoped_lock lock(mutex_);
  const auto at = segments_.find(location.segment);
  if (at == segments_.end())
    return fail(ErrorKind::not_found, fmt::format("segment {} is gone", location.segment));
  return Pin(at->second);
}

Result<> LocalJournal::read(Location location, std::span<uint8_t> target) const {
  if (target.size() != location.bytes || location.offset < kDataOffset + kFrameHeaderBytes)
    return fail(ErrorKind::invalid, "a target of another length than the payload");
  const Result<Held> held = hold(location.segment);
  if (!held) return fail(held.error());
  const uint64_t first = location.offset - kFrameHeaderBytes;
  const uint64_t end = location.offset + location.bytes;
  if (end > held->segment->header.bytes) return fail(ErrorKind::invalid, "past the end");

  // Frame and payload in one read; past the page cache in whole blocks.
  const bool is_direct = location.bytes >= kDirectReadBytesMin;
  const uint64_t start = is_direct ? first / kBlockBytes * kBlockBytes : first;
  const size_t bytes = is_direct ? padded(end - start) : end - start;
  const std::unique_ptr<uint8_t[], FreeMemory> memory(
      static_cast<uint8_t*>(std::aligned_alloc(kBlockBytes, padded(bytes))));
  if (!memory) return fail(ErrorKind::unavailable, "no memory to read the journal");
  const io::File& file = is_direct ? *held->segment->direct : *held->segment->reader;
  const Result<size_t> count = file.read(start, {memory.get(), bytes});
  if (!count) return fail(count.error());

  const auto frame = decode_frame_at(ByteView(memory.get(), *count).subspan(first - start));
  if (!frame || frame->size() != location.bytes)
    return fail(ErrorKind::corrupt, fmt::format("segment {}, offset {}: the payload is damaged",
                                                location.segment, location.offset));
  std::ranges::copy(*frame, target.begin());
  return {};
}

Result<> LocalJournal::read_part(uint64_t segment, uint64_t offset,
                                 std::span<uint8_t> target) const {
  const Result<Held> held = hold(segment);
  if (!held) return fail(held.error());
  const Result<size_t> count = held->segment->reader->read(offset, target);
  if (!count) return fail(count.error());
  if (*count < target.size()) return fail(ErrorKind::invalid, "past the end of the segment");
  return {};
}

// Pinned, so that the file is not recycled while it is read.
Result<LocalJournal::Held> LocalJournal::hold(uint64_t segment) const {
  const std::scoped_lock lock(mutex_);
  const auto at = segments_.find(segment);
  if (at == segments_.end())
    return fail(ErrorKind::not_found, fmt::format("segment {} is gone", segment));
  return Held{at->second, Pin(at->second)};
}

uint64_t LocalJournal::used_bytes() const {
  const std::scoped_lock lock(mutex_);
  uint64_t bytes = 0;
  for (const auto& [id, segment] : segments_) bytes += segment->end - kDataOffset;
  return bytes;
}

uint64_t LocalJournal::synced_commits() const {
  const std::scoped_lock lock(mutex_);
  return synced_commits_;
}

bool LocalJournal::holds(Group group) const {
  const std::scoped_lock lock(mutex_);
  return ledger_.is_living(group);
}

void LocalJournal::work() {
  if (writer_.joinable()) return;
  for (;;) {
    std::unique_lock lock(mutex_);
    if (!has_work()) break;
    lock.unlock();
    commit_once();
  }
  if (!is_closing_)
    while (upkeep_once()) {
    }
}

bool LocalJournal::has_work() const {
  return !stagings_[filling_].entries().empty() || (!releases_.empty() && !are_releases_blocked_);
}

void LocalJournal::wake_writer_locked() {
  if (!is_writer_waiting_) return;
  is_writer_waiting_ = false;
  writer_wake_.notify_one();
}

void LocalJournal::run_writer() {
  std::unique_lock lock(mutex_);
  for (;;) {
    bool has_forgotten = false;
    while (!has_work()) {
      if (is_closing_) return;
      is_writer_waiting_ = true;
      if (has_forgotten) {
        writer_wake_.wait(lock);
      } else if (writer_wake_.wait_for(lock, kIdleAfter) == std::cv_status::timeout &&
                 !has_work()) {
        for (Staging& staging : stagings_) staging.forget_pages();
        has_forgotten = true;
      }
    }
    is_writer_waiting_ = false;
    lock.unlock();
    commit_once();
    lock.lock();
  }
}

}  // namespace laketap::journal
