// delivery/delivery.cc - the way in: records get their batch, and are kept when the journal has
// them.
#include "delivery/delivery.h"

#include <algorithm>

#include "base/assert.h"
#include "delivery/core.h"

namespace laketap::delivery {
namespace {

Uuid random_uuid(io::Random& random) {
  Uuid uuid;
  random.fill(uuid);
  uuid[6] = static_cast<uint8_t>((uuid[6] & 0x0f) | 0x40);  // RFC 4122: version 4,
  uuid[8] = static_cast<uint8_t>((uuid[8] & 0x3f) | 0x80);  // variant 1.
  return uuid;
}

}  // namespace

Delivery::Delivery(Options options, Parts parts) : core_(std::make_unique<Core>(options, parts)) {}
Delivery::~Delivery() {
  stop();
}

void Delivery::put_configuration(state::Transaction& transaction,
                                 const Configuration& configuration) {
  write_configuration(transaction, configuration);
}

std::shared_ptr<Buffer> Delivery::open_buffer(Configuration configuration) {
  auto buffer = std::make_shared<Buffer>();
  const uint64_t stream = configuration.stream;
  buffer->metrics.stream = configuration.stream_name;
  buffer->configuration = std::make_shared<const Configuration>(std::move(configuration));
  core_->adopt(*buffer, stream);
  const std::lock_guard lock(core_->mutex);
  core_->buffers[stream] = buffer;
  return buffer;
}

void Delivery::reconfigure(Buffer& buffer, Configuration configuration) {
  const std::lock_guard lock(buffer.mutex);
  if (buffer.open) core_->seal(buffer);
  buffer.configuration = std::make_shared<const Configuration>(std::move(configuration));
}

void Delivery::close_buffer(const std::shared_ptr<Buffer>& buffer, bool discard,
                            std::function<void()> drained) {
  {
    const std::lock_guard lock(buffer->mutex);
    buffer->closed = true;
    buffer->drained = std::move(drained);
    if (buffer->open) core_->seal(*buffer);
    if (discard)
      for (const BatchPtr& batch : buffer->batches) batch->discarded = true;
  }
  if (discard) core_->hurry(buffer);  // Discarded batches go the way of the others, without a put.
  core_->finish_if_drained(buffer);
}

void Delivery::append(Buffer& buffer, Draft draft, Appended done) {
  if (core_->journal_failed)
    return done(fail(ErrorKind::unavailable, "the journal failed; restart"));
  auto pending = std::make_unique<Pending>();
  {
    const std::lock_guard lock(buffer.mutex);
    if (!buffer.closed && !core_->stopping) {
      if (!buffer.open) buffer.open = core_->begin_batch(buffer);
      pending->batch = buffer.open;
      draft.set_batch(buffer.open->id, core_->parts.clock.now());
      ++buffer.open->in_flight;
      buffer.open->admitted_bytes += draft.record_bytes();
      if (is_full(*buffer.open)) core_->seal(buffer);
    }
  }
  if (!pending->batch) return done(fail(ErrorKind::cancelled, "the stream takes no more records"));

  pending->buffer = buffer.shared_from_this();
  pending->draft = std::move(draft);
  pending->piece = pending->draft.frame();
  pending->done = std::move(done);
  const std::span<const ByteView> pieces(&pending->piece, 1);
  const journal::Group group = pending->batch->group;
  core_->journal->append(
      group, pieces,
      [core = core_.get(), pending = std::move(pending)](Result<journal::Location> result) {
        core->answered(pending, std::move(result));
      });
}

BatchPtr Delivery::Core::begin_batch(Buffer& buffer) {
  const BatchId id{.stream = buffer.configuration->stream,
                   .version = buffer.configuration->version,
                   .uuid = random_uuid(parts.random),
                   .begin = parts.clock.now()};
  BatchPtr batch = make_batch(id, parts.random.next(), buffer.configuration);
  batch->opened = monotonic();
  buffer.batches.push_back(batch);
  wake_planner();
  return batch;
}

void Delivery::Core::seal(Buffer& buffer) {
  const BatchPtr batch = std::exchange(buffer.open, nullptr);
  batch->sealed = true;
  if (batch->is_complete()) enqueue_complete({buffer.shared_from_this(), batch});
}

void Delivery::Core::enqueue_complete(Job job) {
  const std::lock_guard lock(mutex);
  complete.push_back(std::move(job));
  is_active = true;
  planner_wake.notify_one();
}

void Delivery::Core::wake_planner() {
  const std::lock_guard lock(mutex);
  is_active = true;
  planner_wake.notify_one();
}

// On the journal's thread. Nothing of the batch is planned while a frame is in flight, so a plan's
// frames are all that the journal has of its group.
void Delivery::Core::answered(const std::unique_ptr<Pending>& pending,
                              Result<journal::Location> result) {
  Buffer& buffer = *pending->buffer;
  Batch& batch = *pending->batch;
  {
    const std::lock_guard lock(buffer.mutex);
    --batch.in_flight;
    if (result) {
      keep(*pending, *result);
    } else {
      ++buffer.metrics.refused_requests;
      batch.admitted_bytes -= pending->draft.record_bytes();
      if (result.error().kind == ErrorKind::unavailable) batch.stuck = journal_failed = true;
      // Its key came from records that were not accepted: the next ones begin a batch of their own.
      if (buffer.open == pending->batch && batch.frames.empty() && batch.in_flight == 0) {
        buffer.open.reset();
        batch.sealed = true;
      }
    }
    if (batch.is_complete()) enqueue_complete({pending->buffer, pending->batch});
  }
  if (!result) return pending->done(fail(result.error()));
  pending->done({});
}

// With the buffer's lock.
void Delivery::Core::keep(Pending& pending, const journal::Location& location) {
  Buffer& buffer = *pending.buffer;
  Batch& batch = *pending.batch;
  Draft& draft = pending.draft;
  const size_t record_bytes = draft.record_bytes();
  const bool is_first = batch.frames.empty();
  batch.frames.push_back(frame_ref(location, draft.lead_bytes()));
  batch.record_bytes += record_bytes;
  batch.record_count += draft.record_count();

  buffer.metrics.incoming_requests += 1;
  buffer.metrics.incoming_records += draft.record_count();
  buffer.metrics.incoming_bytes += record_bytes;

  if (is_first && listener && batch.folder() != buffer.noticed_folder && !buffer.notice) {
    buffer.noticed_folder = batch.folder();
    buffer.notice = PendingNotice{{batch.configuration->bucket, buffer.noticed_folder, {}},
                                  monotonic() + kNoticeDelay};
  }
  if (buffer.notice && batch.folder() == buffer.notice->notice.prefix) {
    Bytes& sample = buffer.notice->notice.sample;
    const size_t taken = std::min(record_bytes, kSampleBytesMax - sample.size());
    const auto records = draft.records().first(taken);
    sample.insert(sample.end(), records.begin(), records.end());
  }

  // Held are the first frames of a batch without a gap, so that their places in both lists agree.
  const size_t frame_bytes = draft.frame().size();
  const bool no_gap = batch.held.size() + 1 == batch.frames.size();
  if (!no_gap || held_bytes.load(std::memory_order_relaxed) + frame_bytes > options.held_bytes_max)
    return;
  held_bytes.fetch_add(frame_bytes, std::memory_order_relaxed);
  batch.held_bytes += frame_bytes;
  batch.held.push_back(draft.take());
}

std::vector<UndeliveredBatch> Delivery::undelivered(std::string_view bucket,
                                                    std::string_view prefix) const {
  std::vector<BufferPtr> buffers;
  {
    const std::lock_guard lock(core_->mutex);
    for (const auto& [stream, buffer] : core_->buffers) buffers.push_back(buffer);
  }
  std::vector<UndeliveredBatch> found;
  std::unordered_map<uint64_t, std::shared_ptr<const journal::Pin>> pins;  // By segment.
  for (const BufferPtr& buffer : buffers) {
    const std::lock_guard lock(buffer->mutex);
    for (const BatchPtr& batch : buffer->batches) {
      if (batch->discarded || batch->record_bytes == 0) continue;
      if (batch->configuration->bucket != bucket || !batch->key.starts_with(prefix)) continue;
      UndeliveredBatch& view = found.emplace_back();
      view.bucket = batch->configuration->bucket;
      view.key = batch->key;
      view.plan_id = batch->plan_id;
      view.bytes = batch->record_bytes;
      view.pieces.reserve(batch->frames.size());
      for (const FrameRef& frame : batch->frames) {
        auto& pin = pins[frame.segment];
        if (!pin) {
          auto pinned = core_->journal->pin(frame.frame());
          ASSERT(pinned.has_value());  // Not released before it left `batches`, so not recycled.
          pin = std::make_shared<const journal::Pin>(std::move(*pinned));
        }
        if (frame.bytes > frame.lead_bytes) view.pieces.push_back({frame.records(), pin});
      }
    }
  }
  return found;
}

void Delivery::on_new_prefix(std::function<void(const NewPrefix&)> listener) {
  core_->listener = std::move(listener);
}

StreamMetrics Delivery::metrics(const Buffer& buffer) const {
  const auto now = core_->monotonic();
  const std::lock_guard lock(buffer.mutex);
  StreamMetrics metrics = buffer.metrics;
  for (const BatchPtr& batch : buffer.batches) {
    if (batch->frames.empty() || batch->discarded) continue;
    metrics.undelivered_bytes += batch->record_bytes;
    const double age = static_cast<double>((now - batch->opened).count()) / 1e6;
    metrics.freshness_seconds = std::max(metrics.freshness_seconds, age);
  }
  return metrics;
}

std::vector<StreamMetrics> Delivery::metrics() const {
  std::vector<BufferPtr> buffers;
  {
    const std::lock_guard lock(core_->mutex);
    for (const auto& [stream, buffer] : core_->buffers) buffers.push_back(buffer);
  }
  std::vector<StreamMetrics> all;
  for (const BufferPtr& buffer : buffers) all.push_back(metrics(*buffer));
  std::ranges::sort(all, {}, &StreamMetrics::stream);
  return all;
}

bool Delivery::work() {
  ASSERT(core_->options.manual);
  bool did_any = core_->seal_due();
  did_any |= core_->plan_complete().value_or(false);
  while (auto job = core_->take_ready(false)) {
    core_->deliver(std::move(*job));
    did_any = true;
  }
  did_any |= core_->forget_settled();
  core_->queue_notices();
  while (core_->tell_one_notice()) did_any = true;
  return did_any;
}

}  // namespace laketap::delivery
