// Tries what the sandbox must refuse. For tests: the answers come from the closed process itself.
#pragma once

#include <string>
#include <vector>

#include "engine/protocol.h"
#include "worker/session.h"

namespace laketap::worker {

// Attempts of the calling thread and, through SQL, of DuckDB's. True: refused.
engine::Refusals try_what_is_closed(Session& session, const engine::WorkerSetup& setup,
                                    const std::vector<std::string>& secrets);

}  // namespace laketap::worker
