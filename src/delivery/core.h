// The parts that delivery's source files share; nothing outside the room includes this.
//
// Locks: a buffer's mutex guards the buffer and its batches; Core::mutex guards the queues. A
// buffer's may be held when Core's is taken, never the other way round. No lock is held over a call
// to the disk, the store or `state`.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "delivery/batch.h"
#include "delivery/delivery.h"
#include "delivery/plan.h"
#include "store/store.h"

namespace laketap::delivery {

using BatchPtr = std::shared_ptr<Batch>;
using BufferPtr = std::shared_ptr<Buffer>;

// A folder that had no records before: waits a moment for more of them, as a sample.
struct PendingNotice {
  NewPrefix notice;
  std::chrono::microseconds due{};  // Monotonic.
};

class Buffer : public std::enable_shared_from_this<Buffer> {
 public:
  mutable std::mutex mutex;
  std::shared_ptr<const Configuration> configuration;  // Of the next batch.
  BatchPtr open;
  std::vector<BatchPtr> batches;  // All that are not in the store's index, `open` among them.
  bool closed = false;
  std::function<void()> drained;
  std::string noticed_folder;
  std::optional<PendingNotice> notice;
  StreamMetrics metrics;  // Counters; undelivered bytes and freshness are computed when asked for.
};

// A batch that waits for its put.
struct Job {
  BufferPtr buffer;
  BatchPtr batch;
  int failures = 0;
};

// A plan whose object is in the index: its row goes once the journal's release is surely on the
// disk.
struct SettledPlan {
  std::string id;
  journal::Group group = 0;
};

// Frames handed to the journal, until it answers.
struct Pending {
  BufferPtr buffer;
  BatchPtr batch;
  Draft draft;
  ByteView piece;
  Appended done;
};

struct Delivery::Core {
  Core(Options given_options, Parts given_parts) : options(given_options), parts(given_parts) {}

  const Options options;
  const Parts parts;
  journal::Journal* journal = nullptr;  // Set by start().
  std::function<void(const NewPrefix&)> listener;
  std::atomic<uint64_t> held_bytes = 0;
  std::atomic<bool> stopping = false;
  std::atomic<bool> journal_failed =
      false;  // For good; what is on the disk is found at the next start.

  mutable std::mutex mutex;
  std::condition_variable planner_wake, uploader_wake, notice_wake;
  std::unordered_map<uint64_t, BufferPtr> buffers;      // By stream number.
  std::vector<Job> complete;                            // Sealed, to be planned.
  std::multimap<std::chrono::microseconds, Job> ready;  // Planned, by the moment of the next try.
  std::vector<SettledPlan> settled;
  std::deque<NewPrefix> notices;
  bool is_active = false;  // Something may become due by time alone.

  // Until start(): what load() and replay() found.
  std::map<std::string, Plan> plans;
  Configurations configurations;
  std::unordered_map<journal::Group, BatchPtr> recovered;
  std::unordered_map<uint64_t, std::vector<BatchPtr>> recovered_of_stream;
  std::optional<Error> replay_error;

  std::vector<std::thread> threads;

  std::chrono::microseconds monotonic() const { return parts.clock.monotonic(); }

  // delivery.cc
  BatchPtr begin_batch(Buffer& buffer);  // With the buffer's lock.
  void answered(const std::unique_ptr<Pending>& pending, Result<journal::Location> result);
  void keep(Pending& pending, const journal::Location& location);
  void seal(Buffer& buffer);  // With the buffer's lock; `open` is empty after it.
  void enqueue_complete(Job job);
  void wake_planner();

  // recovery.cc
  void adopt(Buffer& buffer, uint64_t stream);
  Result<> sweep_unknown();
  Bytes sample_of(const Batch& batch) const;

  // planner.cc: one round each; true when something was done.
  bool seal_due();
  Result<bool> plan_complete();  // Whether there was any. Errors: of the state; tried again.
  bool forget_settled();
  bool queue_notices();
  bool tell_one_notice();
  void run_planner();
  void run_notices();

  // uploader.cc
  std::optional<Job> take_ready(bool wait);
  void deliver(Job job);
  void run_uploader();
  Result<> put(const Job& job);
  void settle(const Job& job, bool delivered);
  void hurry(const BufferPtr& buffer);  // No more waiting between tries.
  void drop_held(const BufferPtr& buffer, Batch& batch);
  // Erases the stream when its last batch is gone.
  void finish_if_drained(const BufferPtr& buffer);
};

inline constexpr std::chrono::milliseconds kPlannerPauseMax{2000};
inline constexpr std::chrono::milliseconds kPlannerTick{50};   // How exactly ages are kept.
inline constexpr std::chrono::milliseconds kNoticeDelay{150};  // A sample of more than one record.
inline constexpr size_t kNoticesMax = 1024;

}  // namespace laketap::delivery
