#include "api/glue/convert.h"

#include <fmt/format.h>

namespace laketap::api::glue {
namespace {

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::vector<catalog::Column> columns_from(
    const std::optional<std::vector<model::Column>>& columns) {
  std::vector<catalog::Column> out;
  if (columns)
    for (const model::Column& column : *columns)
      out.push_back({.name = column.name,
                     .type = column.type.value_or(""),
                     .comment = column.comment.value_or(""),
                     .parameters = column.parameters.value_or(catalog::Parameters())});
  return out;
}

std::vector<model::Column> columns_to(const std::vector<catalog::Column>& columns) {
  std::vector<model::Column> out;
  for (const catalog::Column& column : columns) {
    model::Column one;
    one.name = column.name;
    one.type = given(column.type);
    one.comment = given(column.comment);
    if (!column.parameters.empty()) one.parameters = column.parameters;
    out.push_back(std::move(one));
  }
  return out;
}

catalog::StorageDescriptor storage_from(const model::StorageDescriptor& input) {
  catalog::StorageDescriptor out;
  out.columns = columns_from(input.columns);
  out.location = input.location.value_or("");
  out.input_format = input.input_format.value_or("");
  out.output_format = input.output_format.value_or("");
  out.compressed = input.compressed.value_or(false);
  out.bucket_count = input.number_of_buckets.value_or(0);
  if (input.serde_info) {
    out.serde_name = input.serde_info->name.value_or("");
    out.serde_library = input.serde_info->serialization_library.value_or("");
    out.serde_parameters = input.serde_info->parameters.value_or(catalog::Parameters());
  }
  out.bucket_columns = input.bucket_columns.value_or(std::vector<std::string>());
  if (input.sort_columns)
    for (const model::Order& one : *input.sort_columns)
      out.sort_columns.push_back({one.column, one.sort_order});
  out.parameters = input.parameters.value_or(catalog::Parameters());
  out.stored_as_sub_directories = input.stored_as_sub_directories.value_or(false);
  // What we only keep, in the API's own JSON.
  model::StorageDescriptor further;
  further.additional_locations = input.additional_locations;
  further.skewed_info = input.skewed_info;
  further.schema_reference = input.schema_reference;
  if (further.additional_locations || further.skewed_info || further.schema_reference)
    out.further = wire::encode_json(further);
  return out;
}

model::StorageDescriptor storage_to(const catalog::StorageDescriptor& storage) {
  model::StorageDescriptor out;
  if (!storage.further.empty())
    if (auto further = wire::decode_json<model::StorageDescriptor>(*wire::find_service("glue"),
                                                                   storage.further))
      out = std::move(*further);
  out.columns = columns_to(storage.columns);
  out.location = given(storage.location);
  out.input_format = given(storage.input_format);
  out.output_format = given(storage.output_format);
  out.compressed = storage.compressed;
  out.number_of_buckets = storage.bucket_count;
  model::SerDeInfo serde;
  serde.name = given(storage.serde_name);
  serde.serialization_library = given(storage.serde_library);
  if (!storage.serde_parameters.empty()) serde.parameters = storage.serde_parameters;
  out.serde_info = std::move(serde);
  out.bucket_columns = storage.bucket_columns;
  out.sort_columns.emplace();
  for (const catalog::SortColumn& one : storage.sort_columns)
    out.sort_columns->push_back({.column = one.column, .sort_order = one.order});
  if (!storage.parameters.empty()) out.parameters = storage.parameters;
  out.stored_as_sub_directories = storage.stored_as_sub_directories;
  return out;
}

}  // namespace

std::string error_code(const Error& error) {
  switch (error.kind) {
    case ErrorKind::not_found: return "EntityNotFoundException";
    case ErrorKind::exists: return "AlreadyExistsException";
    case ErrorKind::invalid:
    case ErrorKind::too_large: return "InvalidInputException";
    case ErrorKind::conflict: return "ConcurrentModificationException";
    case ErrorKind::corrupt: return "InvalidStateException";
    case ErrorKind::denied: return "AccessDeniedException";
    case ErrorKind::unsupported: return "NotImplemented";
    case ErrorKind::full:
    case ErrorKind::unavailable:
    case ErrorKind::cancelled: return "InternalServiceException";
  }
  std::unreachable();
}

std::unexpected<wire::Fault> to_fault(const Error& error) {
  const std::string code = error_code(error);
  const bool internal = code == "InternalServiceException";
  return wire::refuse(code,
                      internal                   ? 500
                      : code == "NotImplemented" ? 501
                                                 : 400,
                      internal ? "internal error" : error.what);
}

std::optional<wire::Fault> check_catalog(const std::optional<std::string>& wanted,
                                         const std::string& account) {
  if (!wanted || *wanted == account) return std::nullopt;
  return wire::Fault{
      "EntityNotFoundException", 400, fmt::format("Catalog {} not found.", *wanted), {}};
}

catalog::Database from_model(const model::DatabaseInput& input) {
  catalog::Database out{.name = input.name,
                        .description = input.description.value_or(""),
                        .location_uri = input.location_uri.value_or("")};
  out.parameters = input.parameters.value_or(catalog::Parameters());
  model::DatabaseInput further;
  further.name = input.name;
  further.create_table_default_permissions = input.create_table_default_permissions;
  further.target_database = input.target_database;
  further.federated_database = input.federated_database;
  if (further.create_table_default_permissions || further.target_database ||
      further.federated_database)
    out.further = wire::encode_json(further);
  return out;
}

model::Database to_model(const catalog::Database& database, const std::string& account) {
  model::Database out;
  out.name = database.name;
  out.description = given(database.description);
  out.location_uri = given(database.location_uri);
  if (!database.parameters.empty()) out.parameters = database.parameters;
  out.create_time = database.created;
  out.catalog_id = account;
  model::PrincipalPermissions everybody;
  everybody.principal =
      model::DataLakePrincipal{.data_lake_principal_identifier = "IAM_ALLOWED_PRINCIPALS"};
  everybody.permissions = std::vector<std::string>{"ALL"};
  out.create_table_default_permissions = std::vector<model::PrincipalPermissions>{everybody};
  if (!database.further.empty())
    if (auto further = wire::decode_json<model::DatabaseInput>(*wire::find_service("glue"),
                                                               database.further)) {
      if (further->create_table_default_permissions)
        out.create_table_default_permissions = further->create_table_default_permissions;
      out.target_database = further->target_database;
      out.federated_database = further->federated_database;
    }
  return out;
}

catalog::Table from_model(const model::TableInput& input, const std::string& database) {
  catalog::Table out{.database = database,
                     .name = input.name,
                     .description = input.description.value_or(""),
                     .owner = input.owner.value_or(""),
                     .table_type = input.table_type.value_or("")};
  out.view_original_text = input.view_original_text.value_or("");
  out.view_expanded_text = input.view_expanded_text.value_or("");
  out.last_access = input.last_access_time;
  out.last_analyzed = input.last_analyzed_time;
  out.retention = input.retention.value_or(0);
  if (input.storage_descriptor) out.storage = storage_from(*input.storage_descriptor);
  out.partition_keys = columns_from(input.partition_keys);
  out.parameters = input.parameters.value_or(catalog::Parameters());
  model::TableInput further;
  further.name = input.name;
  further.target_table = input.target_table;
  if (further.target_table) out.further = wire::encode_json(further);
  return out;
}

model::Table to_model(const catalog::Table& table, const std::string& account) {
  model::Table out;
  out.name = table.name;
  out.database_name = table.database;
  out.description = given(table.description);
  out.owner = given(table.owner);
  out.create_time = table.created;
  out.update_time = table.updated;
  out.last_access_time = table.last_access;
  out.last_analyzed_time = table.last_analyzed;
  out.retention = table.retention;
  if (table.storage) out.storage_descriptor = storage_to(*table.storage);
  out.partition_keys = columns_to(table.partition_keys);
  out.view_original_text = given(table.view_original_text);
  out.view_expanded_text = given(table.view_expanded_text);
  out.table_type = given(table.table_type);
  if (!table.parameters.empty()) out.parameters = table.parameters;
  out.created_by = given(table.created_by);
  out.is_registered_with_lake_formation = false;
  out.catalog_id = account;
  out.version_id = fmt::format("{}", table.version);
  out.is_multi_dialect_view = false;
  if (!table.further.empty())
    if (auto further =
            wire::decode_json<model::TableInput>(*wire::find_service("glue"), table.further))
      out.target_table = further->target_table;
  return out;
}

catalog::Partition from_model(const model::PartitionInput& input) {
  catalog::Partition out{.values = input.values.value_or(std::vector<std::string>())};
  if (input.storage_descriptor) out.storage = storage_from(*input.storage_descriptor);
  out.parameters = input.parameters.value_or(catalog::Parameters());
  out.last_access = input.last_access_time;
  out.last_analyzed = input.last_analyzed_time;
  return out;
}

model::Partition to_model(const catalog::Partition& partition, const std::string& database,
                          const std::string& table, const std::string& account) {
  model::Partition out;
  out.values = partition.values;
  out.database_name = catalog::folded(database);
  out.table_name = catalog::folded(table);
  out.creation_time = partition.created;
  out.last_access_time = partition.last_access;
  out.last_analyzed_time = partition.last_analyzed;
  if (partition.storage) out.storage_descriptor = storage_to(*partition.storage);
  if (!partition.parameters.empty()) out.parameters = partition.parameters;
  out.catalog_id = account;
  return out;
}

model::Crawler to_model(const crawler::Definition& definition, const crawler::Status& status,
                        Timestamp now) {
  model::Crawler out;
  out.name = definition.name;
  out.role = definition.role;
  model::CrawlerTargets targets;
  targets.s3_targets.emplace();
  for (const crawler::S3Target& target : definition.targets) {
    model::S3Target one;
    one.path = target.path;
    one.exclusions = target.exclusions;
    one.sample_size = target.sample_size;
    one.connection_name = given(target.connection);
    one.event_queue_arn = given(target.event_queue);
    one.dlq_event_queue_arn = given(target.dead_letter_queue);
    targets.s3_targets->push_back(std::move(one));
  }
  targets.jdbc_targets.emplace();
  targets.mongo_db_targets.emplace();
  targets.dynamo_db_targets.emplace();
  targets.catalog_targets.emplace();
  targets.delta_targets.emplace();
  targets.iceberg_targets.emplace();
  targets.hudi_targets.emplace();
  out.targets = std::move(targets);
  out.database_name = given(definition.database);
  out.description = given(definition.description);
  out.classifiers = definition.classifiers;
  out.recrawl_policy = model::RecrawlPolicy{.recrawl_behavior = definition.recrawl_behavior};
  out.schema_change_policy = model::SchemaChangePolicy{
      .update_behavior = definition.update_behavior, .delete_behavior = definition.delete_behavior};
  out.lineage_configuration =
      model::LineageConfiguration{.crawler_lineage_settings = definition.lineage};
  out.state = status.state;
  out.table_prefix = given(definition.table_prefix);
  if (!definition.schedule.empty())
    out.schedule =
        model::Schedule{.schedule_expression = definition.schedule,
                        .state = definition.schedule_active ? "SCHEDULED" : "NOT_SCHEDULED"};
  out.crawl_elapsed_time =
      status.running_since
          ? std::chrono::duration_cast<std::chrono::milliseconds>(now - *status.running_since)
                .count()
          : 0;
  out.creation_time = definition.created;
  out.last_updated = definition.updated;
  if (status.last) {
    model::LastCrawlInfo last;
    last.status = status.last->state == "COMPLETED" ? "SUCCEEDED"
                  : status.last->state == "FAILED"  ? "FAILED"
                                                    : "CANCELLED";
    last.error_message = given(status.last->error);
    last.log_group = "/aws-glue/crawlers";
    last.log_stream = definition.name;
    last.message_prefix = status.last->id;
    last.start_time = status.last->started;
    out.last_crawl = std::move(last);
  }
  out.version = definition.version;
  out.configuration = given(definition.configuration);
  out.crawler_security_configuration = given(definition.security_configuration);
  return out;
}

}  // namespace laketap::api::glue
