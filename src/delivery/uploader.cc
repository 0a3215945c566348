// delivery/uploader.cc - put, release, and again when the store refuses.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "delivery/body.h"
#include "delivery/core.h"

namespace laketap::delivery {

std::optional<Job> Delivery::Core::take_ready(bool wait) {
  std::unique_lock lock(mutex);
  while (!stopping) {
    const auto now = monotonic();
    if (!ready.empty() && ready.begin()->first <= now)
      return std::optional<Job>(std::move(ready.extract(ready.begin()).mapped()));
    if (!wait) return std::nullopt;
    if (ready.empty())
      uploader_wake.wait(lock);
    else
      uploader_wake.wait_for(lock, ready.begin()->first - now);
  }
  return std::nullopt;
}

void Delivery::Core::run_uploader() {
  while (auto job = take_ready(true)) deliver(std::move(*job));
}

void Delivery::Core::deliver(Job job) {
  {
    std::unique_lock lock(job.buffer->mutex);
    if (job.batch->discarded) {
      lock.unlock();
      return settle(job, false);
    }
  }
  const Result<> done = put(job);
  if (done) return settle(job, true);

  // Nothing is lost: the journal has the batch. Its memory goes to those that are getting through.
  drop_held(job.buffer, *job.batch);
  const int shift = std::min(job.failures++, 20);
  const auto delay = std::min(options.retry_first * (int64_t{1} << shift), options.retry_max);
  if (job.failures == 1 || delay == options.retry_max)
    spdlog::warn("delivering {} to {}: {}; try {} failed, trying again", job.batch->key,
                 job.batch->configuration->bucket, done.error().what, job.failures);
  {
    const std::lock_guard lock(job.buffer->mutex);
    ++job.buffer->metrics.failed_puts;
  }
  const std::lock_guard lock(mutex);
  ready.emplace(monotonic() + delay, std::move(job));
  uploader_wake.notify_one();
}

// The batch is planned, so nobody changes its frames any more and they are read without the lock.
Result<> Delivery::Core::put(const Job& job) {
  const Batch& batch = *job.batch;
  if (batch.recovered || job.failures > 0) {
    const auto delivered = parts.store.delivered(batch.plan_id);
    if (!delivered) return fail(delivered.error(), "asking for the plan's object");
    if (*delivered) return {};
  }
  auto upload = parts.store.begin_upload(batch.configuration->bucket, batch.key);
  if (!upload) return fail(upload.error(), "beginning the object");

  const auto body = Body::make(batch.configuration->compression, **upload);
  Bytes frame;
  for (size_t i = 0; i < batch.frames.size(); ++i) {
    const FrameRef& ref = batch.frames[i];
    ByteView whole;
    if (i < batch.held.size()) {
      whole = {batch.held[i].get(), ref.bytes};
    } else {
      frame.resize(ref.bytes);
      if (const auto read = journal->read(ref.frame(), frame); !read)
        return fail(read.error(), "reading the journal");
      whole = frame;
    }
    if (const auto written = body->write(whole.subspan(ref.lead_bytes)); !written)
      return fail(written.error(), "writing the object");
  }
  if (const auto finished = body->finish(); !finished)
    return fail(finished.error(), "writing the object");

  store::CommitOptions options_of_commit;
  options_of_commit.metadata = object_metadata(batch.configuration->compression);
  options_of_commit.plan_id = batch.plan_id;
  const auto committed = (*upload)->commit(options_of_commit);
  // The plan has an object: an earlier try came through and we did not hear of it.
  if (!committed && committed.error().kind != ErrorKind::exists)
    return fail(committed.error(), "committing the object");
  return {};
}

// The object's row is committed, or the batch is not wanted: now, and not before, it leaves the
// list that queries read, and then the journal.
void Delivery::Core::settle(const Job& job, bool delivered) {
  Batch& batch = *job.batch;
  drop_held(job.buffer, batch);
  {
    const std::lock_guard lock(job.buffer->mutex);
    std::erase(job.buffer->batches, job.batch);
    if (delivered) {
      job.buffer->metrics.delivered_objects += 1;
      job.buffer->metrics.delivered_records += batch.record_count;
      job.buffer->metrics.delivered_bytes += batch.record_bytes;
    }
  }
  if (!batch.frames.empty()) {
    const auto released = journal->release(batch.group);
    // A dead journal: the plan's row stays, and the next start finds the object delivered.
    if (released && batch.planned) {
      const std::lock_guard lock(mutex);
      settled.push_back({batch.plan_id, batch.group});
      planner_wake.notify_one();
    }
  }
  finish_if_drained(job.buffer);
}

void Delivery::Core::hurry(const BufferPtr& buffer) {
  const std::lock_guard lock(mutex);
  std::vector<Job> jobs;
  std::erase_if(ready, [&](auto& entry) {
    if (entry.second.buffer != buffer) return false;
    jobs.push_back(std::move(entry.second));
    return true;
  });
  for (Job& job : jobs) ready.emplace(std::chrono::microseconds(0), std::move(job));
  uploader_wake.notify_all();
}

void Delivery::Core::drop_held(const BufferPtr& buffer, Batch& batch) {
  std::vector<std::unique_ptr<uint8_t[]>> held;
  const std::lock_guard lock(buffer->mutex);
  held.swap(batch.held);
  held_bytes.fetch_sub(std::exchange(batch.held_bytes, 0), std::memory_order_relaxed);
}

void Delivery::Core::finish_if_drained(const BufferPtr& buffer) {
  std::function<void()> drained;
  uint64_t stream = 0;
  {
    const std::lock_guard lock(buffer->mutex);
    if (!buffer->closed || !buffer->batches.empty() || !buffer->drained) return;
    drained = std::exchange(buffer->drained, nullptr);
    stream = buffer->configuration->stream;
  }
  {
    const std::lock_guard lock(mutex);
    buffers.erase(stream);
  }
  const auto erased = state::transact(parts.database, [&](state::Transaction& transaction) {
    return erase_configurations(transaction, stream, UINT64_MAX);
  });
  if (!erased) spdlog::warn("erasing configurations of a deleted stream: {}", erased.error().what);
  drained();
}

}  // namespace laketap::delivery
