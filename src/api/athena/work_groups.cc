// GetWorkGroup, ListWorkGroups, ListEngineVersions, ListTagsForResource. There is one workgroup.
#include "api/athena/doors.h"

namespace laketap::api::athena {

Answer<model::GetWorkGroupOutput> get_work_group(Doors doors, const Call&, model::GetWorkGroupInput input) {
  if (input.work_group != kWorkGroup) return invalid("WorkGroup is not found.");
  model::GetWorkGroupOutput output;
  model::WorkGroup& group = output.work_group.emplace();
  group.name = kWorkGroup;
  group.state = "ENABLED";
  group.creation_time = doors.queries.opened();
  model::WorkGroupConfiguration& configuration = group.configuration.emplace();
  configuration.result_configuration.emplace().output_location = doors.queries.default_output();
  configuration.enforce_work_group_configuration = false;
  configuration.publish_cloud_watch_metrics_enabled = false;
  configuration.requester_pays_enabled = false;
  configuration.engine_version = engine_version();
  configuration.enable_minimum_encryption_configuration = false;
  return output;
}

Answer<model::ListWorkGroupsOutput> list_work_groups(Doors doors, const Call&, model::ListWorkGroupsInput input) {
  if (input.next_token) return invalid("The nextPageToken is malformed: " + *input.next_token);
  model::ListWorkGroupsOutput output;
  model::WorkGroupSummary& group = output.work_groups.emplace().emplace_back();
  group.name = kWorkGroup;
  group.state = "ENABLED";
  group.description = "";
  group.creation_time = doors.queries.opened();
  group.engine_version = engine_version();
  return output;
}

Answer<model::ListEngineVersionsOutput> list_engine_versions(Doors, const Call&, model::ListEngineVersionsInput) {
  model::ListEngineVersionsOutput output;
  auto& versions = output.engine_versions.emplace();
  versions.push_back(engine_version());
  versions.emplace_back().selected_engine_version = kEngine;
  versions.back().effective_engine_version = kEngine;
  return output;
}

Answer<model::ListTagsForResourceOutput> list_tags(Doors, const Call&, model::ListTagsForResourceInput input) {
  if (!input.resource_arn.ends_with(std::string("workgroup/") + kWorkGroup) && !input.resource_arn.ends_with(std::string("datacatalog/") + kCatalog)) {
    wire::Fault fault{"ResourceNotFoundException", 400, "Resource " + input.resource_arn + " was not found", {{"ResourceName", input.resource_arn}}};
    return std::unexpected(std::move(fault));
  }
  model::ListTagsForResourceOutput output;
  output.tags.emplace();
  return output;
}

}  // namespace laketap::api::athena
