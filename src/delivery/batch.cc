#include "delivery/batch.h"

#include "base/assert.h"
#include "delivery/prefix.h"

namespace laketap::delivery {

FrameRef frame_ref(const journal::Location& location, uint32_t lead_bytes) {
  ASSERT(location.segment <= UINT32_MAX && location.offset <= UINT32_MAX);
  return {static_cast<uint32_t>(location.segment), static_cast<uint32_t>(location.offset),
          location.bytes, lead_bytes};
}

std::shared_ptr<Batch> make_batch(const BatchId& id, journal::Group group,
                                  std::shared_ptr<const Configuration> configuration) {
  auto batch = std::make_shared<Batch>();
  batch->id = id;
  batch->group = group;
  batch->plan_id = to_text(id.uuid);
  batch->key = object_key(*configuration, id);
  batch->configuration = std::move(configuration);
  return batch;
}

bool is_full(const Batch& batch) {
  return batch.admitted_bytes >= batch.configuration->size_bytes;
}

bool is_old(const Batch& batch, std::chrono::microseconds monotonic_now,
            std::chrono::microseconds zero_interval) {
  const std::chrono::microseconds interval = batch.configuration->interval;
  return monotonic_now - batch.opened >= (interval.count() == 0 ? zero_interval : interval);
}

}  // namespace laketap::delivery
