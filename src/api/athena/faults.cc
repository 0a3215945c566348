#include "api/athena/doors.h"

namespace laketap::api::athena {

// Both members, with the same value: measured on the service.
std::unexpected<wire::Fault> refused(const query::Refusal& refusal) {
  wire::Fault fault{refusal.exception, refusal.exception == "InternalServerException" ? 500 : 400, refusal.message, {}};
  if (!refusal.code.empty()) fault.fields = {{"AthenaErrorCode", refusal.code}, {"ErrorCode", refusal.code}};
  if (refusal.exception == "TooManyRequestsException") fault.fields = {{"Reason", "CONCURRENT_QUERY_LIMIT_EXCEEDED"}};
  return std::unexpected(std::move(fault));
}

std::unexpected<wire::Fault> invalid(std::string message, std::string code) { return refused({"InvalidRequestException", std::move(code), std::move(message)}); }
std::unexpected<wire::Fault> not_found_metadata(std::string message) { return refused({"MetadataException", "", std::move(message)}); }
std::unexpected<wire::Fault> broken() { return refused({"InternalServerException", "", "internal error"}); }

model::EngineVersion engine_version() {
  model::EngineVersion version;
  version.selected_engine_version = "AUTO";
  version.effective_engine_version = kEngine;
  return version;
}

}  // namespace laketap::api::athena
