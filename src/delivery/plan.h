// What delivery keeps in `state`: the versions of each stream's configuration, and plans.
//
//     delivery.configuration / STREAM / VERSION -> Configuration
//     delivery.plan / PLAN ID                   -> Plan
#pragma once

#include <map>

#include "base/result.h"
#include "delivery/batch.h"
#include "delivery/configuration.h"
#include "state/state.h"

namespace laketap::delivery {

// Written before the object is put: what the object will be, whatever happens to the stream.
struct Plan {
  std::string id;  // The batch's uuid.
  uint64_t stream = 0, version = 0;
  std::string bucket, key;
  uint64_t frames = 0, bytes = 0;  // All frames of the batch's group; counted to check a recovery.
};
Plan plan_of(const Batch& batch);

void put_plan(state::Transaction& transaction, const Plan& plan);
void erase_plan(state::Transaction& transaction, const std::string& plan_id);
// By id.
Result<std::map<std::string, Plan>> read_plans(state::Transaction& transaction);

using Configurations = std::map<std::pair<uint64_t, uint64_t>, Configuration>;  // {stream, version}
void write_configuration(state::Transaction& transaction, const Configuration& configuration);
Result<Configurations> read_configurations(state::Transaction& transaction);
// Those of `stream` with a version below `version_end`.
Result<> erase_configurations(state::Transaction& transaction, uint64_t stream,
                              uint64_t version_end);

}  // namespace laketap::delivery
