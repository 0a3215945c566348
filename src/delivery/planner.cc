// delivery/planner.cc - decides what is due, writes plans before anything is put, and tidies up
// after.
#include <spdlog/spdlog.h>

#include "delivery/core.h"

namespace laketap::delivery {

bool Delivery::Core::seal_due() {
  std::vector<BufferPtr> all;
  {
    const std::lock_guard lock(mutex);
    for (const auto& [stream, buffer] : buffers) all.push_back(buffer);
    is_active = false;  // Set again below while something is open.
  }
  const auto now = monotonic();
  bool did_any = false, waits = false;
  for (const BufferPtr& buffer : all) {
    const std::lock_guard lock(buffer->mutex);
    if (buffer->open && is_old(*buffer->open, now, options.zero_interval)) {
      seal(*buffer);
      did_any = true;
    }
    waits |= buffer->open || buffer->notice;
  }
  if (waits || did_any) wake_planner();
  return did_any;
}

// Writes one transaction for all batches that became complete meanwhile. Before it is durable
// nothing of them is put: a crash in between finds them unplanned and seals them again.
Result<bool> Delivery::Core::plan_complete() {
  std::vector<Job> jobs;
  {
    const std::lock_guard lock(mutex);
    jobs.swap(complete);
  }
  if (jobs.empty()) return false;

  std::vector<Plan> plans_made;
  std::vector<Job> to_put;
  for (Job& job : jobs) {
    std::unique_lock lock(job.buffer->mutex);
    if (job.batch->record_bytes == 0 || job.batch->discarded) {  // No empty objects.
      lock.unlock();
      settle(job, false);
      continue;
    }
    plans_made.push_back(plan_of(*job.batch));
    to_put.push_back(std::move(job));
  }
  if (to_put.empty()) return true;

  const auto written =
      state::transact(parts.database, [&](state::Transaction& transaction) -> Result<> {
        for (const Plan& plan : plans_made) put_plan(transaction, plan);
        return {};
      });
  const auto now = monotonic();
  const std::lock_guard lock(mutex);
  if (!written) {
    spdlog::error("writing {} plans: {}; trying again", plans_made.size(), written.error().what);
    complete.insert(complete.end(), to_put.begin(), to_put.end());
    is_active = true;
    return fail(written.error());
  }
  for (Job& job : to_put) {
    job.batch->planned = true;
    ready.emplace(now, std::move(job));
  }
  uploader_wake.notify_all();
  return true;
}

// A release reaches the disk with the journal's next commit. Until then the plan must stay: it is
// what says, after a crash, that the frames it replays are not an open batch.
bool Delivery::Core::forget_settled() {
  std::vector<std::string> over;
  {
    const std::lock_guard lock(mutex);
    std::erase_if(settled, [&](const SettledPlan& plan) {
      if (journal->holds(plan.group)) return false;
      over.push_back(plan.id);
      return true;
    });
  }
  if (over.empty()) return false;

  const auto erased =
      state::transact(parts.database, [&](state::Transaction& transaction) -> Result<> {
        for (const std::string& id : over) erase_plan(transaction, id);
        return {};
      });
  if (!erased) {
    const std::lock_guard lock(mutex);
    for (std::string& id : over) settled.push_back({std::move(id), 0});
    return false;
  }
  // Last: what a crash leaves here is a name nobody asks for again.
  for (const std::string& id : over)
    if (const auto forgotten = parts.store.forget_plan(id); !forgotten)
      spdlog::warn("forgetting plan {}: {}", id, forgotten.error().what);
  return true;
}

bool Delivery::Core::queue_notices() {
  std::vector<BufferPtr> all;
  {
    const std::lock_guard lock(mutex);
    for (const auto& [stream, buffer] : buffers) all.push_back(buffer);
  }
  const auto now = monotonic();
  bool did_any = false;
  for (const BufferPtr& buffer : all) {
    const std::lock_guard lock(buffer->mutex);
    if (!buffer->notice ||
        (buffer->notice->due > now && buffer->notice->notice.sample.size() < kSampleBytesMax))
      continue;
    const std::lock_guard queue_lock(mutex);
    if (notices.size() >= kNoticesMax) continue;  // Stays, and is tried again.
    notices.push_back(std::move(buffer->notice->notice));
    buffer->notice.reset();
    notice_wake.notify_one();
    did_any = true;
  }
  return did_any;
}

void Delivery::notice_again(std::string_view bucket, std::string_view prefix) {
  Core& core = *core_;
  if (!core.listener || !core.journal) return;
  std::vector<BufferPtr> all;
  {
    const std::lock_guard lock(core.mutex);
    for (const auto& [stream, buffer] : core.buffers) all.push_back(buffer);
  }
  for (const BufferPtr& buffer : all) {
    const std::lock_guard lock(buffer->mutex);
    if (buffer->notice) continue;  // On its way.
    const auto newest =
        std::find_if(buffer->batches.rbegin(), buffer->batches.rend(), [&](const BatchPtr& batch) {
          return !batch->discarded && !batch->frames.empty() &&
                 batch->configuration->bucket == bucket && batch->folder().starts_with(prefix);
        });
    if (newest == buffer->batches.rend()) continue;
    const Batch& batch = **newest;
    buffer->notice = PendingNotice{
        {batch.configuration->bucket, std::string(batch.folder()), core.sample_of(batch)},
        core.monotonic()};
  }
  core.wake_planner();
}

bool Delivery::Core::tell_one_notice() {
  NewPrefix notice;
  {
    const std::lock_guard lock(mutex);
    if (notices.empty()) return false;
    notice = std::move(notices.front());
    notices.pop_front();
  }
  listener(notice);
  return true;
}

void Delivery::Core::run_notices() {
  while (true) {
    {
      std::unique_lock lock(mutex);
      notice_wake.wait(lock, [&] { return stopping || !notices.empty(); });
      if (stopping) return;
    }
    tell_one_notice();
  }
}

void Delivery::Core::run_planner() {
  auto pause = kPlannerTick;  // After a failure: a full disk is not asked again at once.
  while (true) {
    {
      std::unique_lock lock(mutex);
      // Something complete is planned at once; the rest is looked at every tick, and not at all
      // when idle.
      planner_wake.wait(lock, [&] { return stopping || is_active || !settled.empty(); });
      planner_wake.wait_for(lock, kPlannerTick, [&] { return stopping || !complete.empty(); });
      if (stopping) return;
    }
    seal_due();
    const bool failed = !plan_complete();
    forget_settled();
    queue_notices();
    if (!failed) {
      pause = kPlannerTick;
      continue;
    }
    std::unique_lock lock(mutex);
    planner_wake.wait_for(lock, pause, [&] { return stopping.load(); });
    pause = std::min(2 * pause, kPlannerPauseMax);
  }
}

}  // namespace laketap::delivery
