// CreateDeliveryStream, DescribeDeliveryStream, ListDeliveryStreams, DeleteDeliveryStream,
// UpdateDestination.
#include "api/firehose/streams.h"

#include <fmt/core.h>

#include "api/firehose/destination.h"
#include "api/firehose/errors.h"

namespace laketap::api::firehose {
namespace {

constexpr int64_t kListDefault = 10;  // Contract firehose.md 2.
constexpr std::string_view kOneDestination =
    "Exactly one destination configuration is supported for a Firehose";

Answer<model::DestinationDescription> stored_destination(const ingest::Definition& definition) {
  return wire::decode_json<model::DestinationDescription>(*wire::find_service("firehose"),
                                                          definition.destination);
}

Answer<model::CreateDeliveryStreamOutput> refuse_source(
    const model::CreateDeliveryStreamInput& input) {
  const std::string type = input.delivery_stream_type.value_or("DirectPut");
  if (type == "KinesisStreamAsSource" && !input.kinesis_stream_source_configuration)
    return invalid_argument(
        "KinesisSourceStreamConfig is mandatory for KinesisStreamAsSource stream type.");
  return not_built("source " + type);
}

// Of create and update, whose members have the same names but for the last word.
template <class... Optionals>
size_t count_given(const Optionals&... destinations) {
  return (size_t{0} + ... + (destinations.has_value() ? 1 : 0));
}

Answer<model::DestinationDescription> wanted_destination(
    const model::CreateDeliveryStreamInput& input) {
  const size_t s3_count =
      count_given(input.extended_s3_destination_configuration, input.s3_destination_configuration);
  const size_t other_count = count_given(
      input.redshift_destination_configuration, input.elasticsearch_destination_configuration,
      input.amazonopensearchservice_destination_configuration,
      input.splunk_destination_configuration, input.http_endpoint_destination_configuration,
      input.amazon_open_search_serverless_destination_configuration,
      input.snowflake_destination_configuration, input.iceberg_destination_configuration);
  if (s3_count + other_count != 1) return invalid_argument(std::string(kOneDestination));
  if (s3_count == 0) return not_built("a destination other than S3");
  if (input.s3_destination_configuration) return describe(*input.s3_destination_configuration);
  return describe(*input.extended_s3_destination_configuration);
}

std::optional<wire::Fault> merge_update(model::DestinationDescription& current,
                                        const model::UpdateDestinationInput& input) {
  const size_t s3_count =
      count_given(input.extended_s3_destination_update, input.s3_destination_update);
  const size_t other_count =
      count_given(input.redshift_destination_update, input.elasticsearch_destination_update,
                  input.amazonopensearchservice_destination_update, input.splunk_destination_update,
                  input.http_endpoint_destination_update,
                  input.amazon_open_search_serverless_destination_update,
                  input.snowflake_destination_update, input.iceberg_destination_update);
  if (input.http_endpoint_destination_update && s3_count == 0)
    return wire::Fault{
        "InvalidArgumentException",
        400,
        "Changing the destination type to or from HttpEndpoint is not supported at this time.",
        {}};
  if (s3_count + other_count != 1)
    return wire::Fault{"InvalidArgumentException", 400, std::string(kOneDestination), {}};
  if (s3_count == 0) return not_built("a destination other than S3").error();
  if (input.s3_destination_update)
    merge(current, *input.s3_destination_update);
  else
    merge(current, *input.extended_s3_destination_update);
  return std::nullopt;
}

model::DeliveryStreamEncryptionConfiguration describe(const ingest::Encryption& encryption) {
  model::DeliveryStreamEncryptionConfiguration to;
  to.status = encryption.enabled ? "ENABLED" : "DISABLED";
  if (!encryption.enabled) return to;
  to.key_type = encryption.key_type;
  if (!encryption.key_arn.empty()) to.key_arn = encryption.key_arn;
  return to;
}

}  // namespace

Answer<model::CreateDeliveryStreamOutput> create_stream(Doors doors, const Call& call,
                                                        model::CreateDeliveryStreamInput input) {
  if (input.delivery_stream_type.value_or("DirectPut") != "DirectPut") return refuse_source(input);
  const auto destination = wanted_destination(input);
  if (!destination) return std::unexpected(destination.error());
  auto configuration = check(*destination, doors.clock.now());
  if (!configuration) return std::unexpected(configuration.error());

  ingest::NewStream wanted;
  wanted.name = input.delivery_stream_name;
  wanted.account = call.account;
  wanted.region = call.region;
  wanted.destination = wire::encode_json(*destination);
  wanted.delivery = std::move(*configuration);
  for (const model::Tag& tag : input.tags.value_or(std::vector<model::Tag>()))
    wanted.tags[tag.key] = tag.value.value_or("");
  if (const auto& encryption = input.delivery_stream_encryption_configuration_input)
    wanted.encryption = {true, encryption->key_type, encryption->key_arn.value_or("")};
  if (const auto& hint = input.direct_put_source_configuration)
    wanted.throughput_mib_hint = hint->throughput_hint_in_mbs;

  const auto created = doors.streams.create(std::move(wanted));
  if (!created) return std::unexpected(to_fault(created.error(), call, input.delivery_stream_name));
  model::CreateDeliveryStreamOutput output;
  output.delivery_stream_arn = created->arn;
  return output;
}

Answer<model::DescribeDeliveryStreamOutput> describe_stream(
    Doors doors, const Call& call, model::DescribeDeliveryStreamInput input) {
  const auto definition = doors.streams.describe(input.delivery_stream_name);
  if (!definition)
    return std::unexpected(to_fault(definition.error(), call, input.delivery_stream_name));
  auto destination = stored_destination(*definition);
  if (!destination) return std::unexpected(destination.error());

  model::DescribeDeliveryStreamOutput output;
  model::DeliveryStreamDescription& to = output.delivery_stream_description;
  to.delivery_stream_name = definition->name;
  to.delivery_stream_arn = definition->arn;
  to.delivery_stream_status = definition->status == ingest::Status::active ? "ACTIVE" : "DELETING";
  to.delivery_stream_encryption_configuration = describe(definition->encryption);
  to.delivery_stream_type = "DirectPut";
  to.version_id = std::to_string(definition->version);
  to.create_timestamp = definition->created;
  to.last_update_timestamp = definition->updated;
  if (definition->throughput_mib_hint)
    to.source.emplace().direct_put_source_description.emplace().throughput_hint_in_mbs =
        *definition->throughput_mib_hint;
  // Paging over the one destination there is.
  if (input.exclusive_start_destination_id.value_or("") < kDestinationId)
    to.destinations.push_back(std::move(*destination));
  return output;
}

Answer<model::ListDeliveryStreamsOutput> list_streams(Doors doors, const Call&,
                                                      model::ListDeliveryStreamsInput input) {
  model::ListDeliveryStreamsOutput output;
  if (input.delivery_stream_type.value_or("DirectPut") != "DirectPut") return output;
  ingest::Names page = doors.streams.list(input.exclusive_start_delivery_stream_name.value_or(""),
                                          static_cast<size_t>(input.limit.value_or(kListDefault)));
  output.delivery_stream_names = std::move(page.names);
  output.has_more_delivery_streams = page.more;
  return output;
}

Answer<model::DeleteDeliveryStreamOutput> delete_stream(Doors doors, const Call& call,
                                                        model::DeleteDeliveryStreamInput input) {
  const auto removed =
      doors.streams.remove(input.delivery_stream_name, input.allow_force_delete.value_or(false));
  if (!removed) return std::unexpected(to_fault(removed.error(), call, input.delivery_stream_name));
  return model::DeleteDeliveryStreamOutput();
}

Answer<model::UpdateDestinationOutput> update_destination(Doors doors, const Call& call,
                                                          model::UpdateDestinationInput input) {
  const std::string& name = input.delivery_stream_name;
  const auto definition = doors.streams.describe(name);
  if (!definition) return std::unexpected(to_fault(definition.error(), call, name));
  if (definition->status == ingest::Status::deleting)
    return wire::refuse("ResourceInUseException", 400,
                        fmt::format("Firehose {} is being deleted.", name));
  if (input.current_delivery_stream_version_id != std::to_string(definition->version))
    return wire::refuse(
        "ConcurrentModificationException", 400,
        fmt::format("Cannot update firehose: {} since the current version id: {} and specified "
                    "version id: {} do not match",
                    name, definition->version, input.current_delivery_stream_version_id));
  if (input.destination_id != kDestinationId)
    return invalid_argument(fmt::format("Destination Id {} not found", input.destination_id));

  auto destination = stored_destination(*definition);
  if (!destination) return std::unexpected(destination.error());
  if (auto refused = merge_update(*destination, input)) return std::unexpected(std::move(*refused));
  auto configuration = check(*destination, doors.clock.now());
  if (!configuration) return std::unexpected(configuration.error());

  const auto updated = doors.streams.update(
      name, definition->version, wire::encode_json(*destination), std::move(*configuration));
  if (!updated) return std::unexpected(to_fault(updated.error(), call, name));
  return model::UpdateDestinationOutput();
}

}  // namespace laketap::api::firehose
