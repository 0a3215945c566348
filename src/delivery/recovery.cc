// delivery/recovery.cc - what a crash left: frames in the journal, plans in `state`.
//
//     plan, object in the index        -> release (uploader finds the row)
//     plan, no object                  -> put it again, under the plan's key
//     no plan, newest of its stream    -> goes on filling, with its age
//     no plan, another                 -> it was sealed or its configuration is old: due at once
#include <spdlog/spdlog.h>

#include <algorithm>

#include "delivery/core.h"

namespace laketap::delivery {

Result<> Delivery::load() {
  auto transaction = core_->parts.database.begin();
  if (!transaction) return fail(transaction.error(), "reading delivery's state");
  auto configurations = read_configurations(**transaction);
  if (!configurations) return fail(configurations.error());
  auto plans = read_plans(**transaction);
  if (!plans) return fail(plans.error());
  core_->configurations = std::move(*configurations);
  core_->plans = std::move(*plans);
  return {};
}

void Delivery::replay(const journal::Replayed& frame) {
  const auto header = parse_frame(frame.payload);
  if (!header) {
    if (!core_->replay_error) core_->replay_error = header.error();
    return;
  }
  BatchPtr& batch = core_->recovered[frame.group];
  if (!batch) {
    batch = std::make_shared<Batch>();
    batch->id = header->batch;
    batch->group = frame.group;
    batch->plan_id = to_text(header->batch.uuid);
    batch->recovered = true;
    core_->recovered_of_stream[header->batch.stream].push_back(batch);
  }
  batch->frames.push_back(frame_ref(frame.location, header->lead_bytes));
  batch->record_bytes += frame.payload.size() - header->lead_bytes;
  batch->record_count += header->record_count;
  batch->admitted_bytes = batch->record_bytes;
}

// Gives the stream's batches to its buffer.
void Delivery::Core::adopt(Buffer& buffer, uint64_t stream) {
  auto found = recovered_of_stream.extract(stream);
  if (found.empty()) return;
  std::vector<BatchPtr>& batches = found.mapped();
  std::ranges::stable_sort(batches, {}, [](const BatchPtr& batch) { return batch->id.begin; });

  const Timestamp now = parts.clock.now();
  for (const BatchPtr& batch : batches) {
    batch->configuration = buffer.configuration;
    const auto version = configurations.find({stream, batch->id.version});
    if (version != configurations.end())
      batch->configuration = std::make_shared<const Configuration>(version->second);
    batch->key = make_batch(batch->id, batch->group, batch->configuration)->key;
    const std::chrono::microseconds interval = batch->configuration->interval;
    batch->opened =
        monotonic() - std::clamp<std::chrono::microseconds>(now - batch->id.begin,
                                                            std::chrono::microseconds(0), interval);

    if (const auto plan = plans.find(batch->plan_id); plan != plans.end()) {
      batch->planned = true;
      batch->key = plan->second.key;
      if (plan->second.frames != batch->frames.size() || plan->second.bytes != batch->record_bytes)
        spdlog::error(
            "plan {} names {} frames, {} bytes; the journal has {} frames, {} bytes: delivering "
            "what it has",
            batch->plan_id, plan->second.frames, plan->second.bytes, batch->frames.size(),
            batch->record_bytes);
    }
    buffer.batches.push_back(batch);
  }

  const BatchPtr& newest = batches.back();
  if (!newest->planned && newest->id.version == buffer.configuration->version && !is_full(*newest))
    buffer.open = newest;
  const BufferPtr self = buffer.shared_from_this();
  for (const BatchPtr& batch : batches) {
    if (batch == buffer.open) continue;
    batch->sealed = true;
    if (batch->planned)
      ready.emplace(monotonic(), Job{self, batch});
    else
      complete.push_back({self, batch});
  }
  is_active = true;
}

// Frames, plans and configurations of streams that are no more: thrown away with their stream.
Result<> Delivery::Core::sweep_unknown() {
  for (const auto& [stream, batches] : recovered_of_stream)
    for (const BatchPtr& batch : batches)
      if (const auto released = journal->release(batch->group); !released)
        return fail(released.error());

  std::vector<std::string> plans_over;
  std::unordered_map<std::string, bool> live;
  for (const auto& [stream, buffer] : buffers)
    for (const BatchPtr& batch : buffer->batches) live[batch->plan_id] = true;
  for (const auto& [id, plan] : plans)
    if (!live.contains(id)) plans_over.push_back(id);
  for (const std::string& id : plans_over)
    if (const auto forgotten = parts.store.forget_plan(id); !forgotten)
      return fail(forgotten.error());

  return state::transact(parts.database, [&](state::Transaction& transaction) -> Result<> {
    for (const std::string& id : plans_over) erase_plan(transaction, id);
    std::map<uint64_t, uint64_t> streams;  // Stream -> the oldest version that is needed.
    for (const auto& [key, configuration] : configurations) streams[key.first] = UINT64_MAX;
    for (const auto& [stream, buffer] : buffers) {
      uint64_t oldest = buffer->configuration->version;
      for (const BatchPtr& batch : buffer->batches) oldest = std::min(oldest, batch->id.version);
      streams[stream] = oldest;
    }
    for (const auto& [stream, oldest] : streams)
      if (auto erased = erase_configurations(transaction, stream, oldest); !erased) return erased;
    return {};
  });
}

Result<> Delivery::start(journal::Journal& journal) {
  Core& core = *core_;
  if (core.replay_error) return fail(*core.replay_error, "reading the journal");
  core.journal = &journal;
  if (const auto swept = core.sweep_unknown(); !swept)
    return fail(swept.error(), "sweeping what streams left");
  core.recovered.clear();
  core.recovered_of_stream.clear();
  core.plans.clear();
  core.configurations.clear();

  // Whoever listens may have missed the notice before the crash.
  if (core.listener)
    for (const auto& [stream, buffer] : core.buffers)
      if (!buffer->batches.empty()) {
        const Batch& batch = *buffer->batches.back();
        buffer->noticed_folder = batch.folder();
        buffer->notice = PendingNotice{
            {batch.configuration->bucket, buffer->noticed_folder, core.sample_of(batch)},
            core.monotonic()};
      }
  if (core.options.manual) return {};
  core.threads.emplace_back([&core] { core.run_planner(); });
  core.threads.emplace_back([&core] { core.run_notices(); });
  for (size_t i = 0; i < core.options.uploads_max; ++i)
    core.threads.emplace_back([&core] { core.run_uploader(); });
  return {};
}

Bytes Delivery::Core::sample_of(const Batch& batch) const {
  Bytes sample, frame;
  for (const FrameRef& ref : batch.frames) {
    if (sample.size() >= kSampleBytesMax) break;
    frame.resize(ref.bytes);
    if (!journal->read(ref.frame(), frame)) break;  // A smaller sample; delivery will report it.
    const size_t taken =
        std::min<size_t>(ref.bytes - ref.lead_bytes, kSampleBytesMax - sample.size());
    const auto records = ByteView(frame).subspan(ref.lead_bytes, taken);
    sample.insert(sample.end(), records.begin(), records.end());
  }
  return sample;
}

void Delivery::stop() {
  Core& core = *core_;
  {
    const std::lock_guard lock(core.mutex);
    core.stopping = true;
    core.planner_wake.notify_all();
    core.uploader_wake.notify_all();
    core.notice_wake.notify_all();
  }
  for (std::thread& thread : core.threads) thread.join();
  core.threads.clear();
}

}  // namespace laketap::delivery
