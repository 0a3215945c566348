// Workgroups, catalogs, databases and tables, as JDBC, PyAthena and Grafana ask for them.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <functional>

#include "api/athena/doors.h"

namespace laketap::api::athena {
namespace {

constexpr int64_t kPageMax = 50;

model::EngineVersion engine_version() {
  return {.selected_engine_version = "AUTO", .effective_engine_version = "Athena engine version 3"};
}

bool is_our_catalog(const std::string& name) {
  return catalog::folded(name) == catalog::folded(kCatalog);
}

std::unexpected<wire::Fault> unknown_catalog(const std::string& name) {
  return invalid("Catalog '" + name + "' does not exist", "DATACATALOG_NOT_FOUND");
}

std::unexpected<wire::Fault> metadata_fault(const Error& error) {
  if (error.kind == ErrorKind::not_found)
    return wire::refuse(
        "MetadataException", 400,
        error.what +
            " (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException)");
  return wire::refuse("InternalServerException", 500, error.what);
}

model::Database to_model(const catalog::Database& database) {
  model::Database out;
  out.name = database.name;
  if (!database.description.empty()) out.description = database.description;
  if (!database.parameters.empty()) out.parameters = database.parameters;
  return out;
}

std::vector<model::Column> to_model(const std::vector<catalog::Column>& columns) {
  std::vector<model::Column> out;
  for (const catalog::Column& column : columns) {
    model::Column& made = out.emplace_back();
    made.name = column.name;
    made.type = column.type;
    if (!column.comment.empty()) made.comment = column.comment;
  }
  return out;
}

model::TableMetadata to_model(const catalog::Table& table) {
  model::TableMetadata out;
  out.name = table.name;
  out.create_time = table.created;
  out.last_access_time = table.last_access;
  out.table_type = table.table_type.empty() ? "EXTERNAL_TABLE" : table.table_type;
  out.partition_keys = to_model(table.partition_keys);
  std::map<std::string, std::string> parameters = table.parameters;
  if (!table.description.empty()) parameters["comment"] = table.description;
  if (table.storage) {
    const catalog::StorageDescriptor& storage = *table.storage;
    out.columns = to_model(storage.columns);
    parameters["location"] = storage.location.ends_with('/')
                                 ? storage.location.substr(0, storage.location.size() - 1)
                                 : storage.location;
    parameters["inputformat"] = storage.input_format;
    parameters["outputformat"] = storage.output_format;
    parameters["serde.serialization.lib"] = storage.serde_library;
    for (const auto& [name, value] : storage.serde_parameters)
      parameters["serde.param." + name] = value;
  }
  out.parameters = std::move(parameters);
  return out;
}

// A page of what is sorted by name; the token is the last name given.
template <class T>
std::optional<std::string> cut_page(std::vector<T>& all,
                                    const std::function<std::string(const T&)>& name,
                                    const std::optional<std::string>& token,
                                    std::optional<int64_t> wanted) {
  if (token) std::erase_if(all, [&](const T& one) { return name(one) <= *token; });
  const auto limit =
      static_cast<size_t>(std::clamp<int64_t>(wanted.value_or(kPageMax), 1, kPageMax));
  if (all.size() <= limit) return std::nullopt;
  all.resize(limit);
  return name(all.back());
}

// The expression of ListTableMetadata: a regular expression that must match the whole name.
class NamePattern {
 public:
  explicit NamePattern(const std::string& text) {
    int error = 0;
    PCRE2_SIZE at = 0;
    code_ =
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_CASELESS, &error, &at, nullptr);
    limits_ = pcre2_match_context_create(nullptr);
    pcre2_set_match_limit(limits_, 100'000);  // A hostile expression ends, too.
  }
  ~NamePattern() {
    pcre2_code_free(code_);
    pcre2_match_context_free(limits_);
  }
  NamePattern(const NamePattern&) = delete;
  bool is_valid() const { return code_ != nullptr; }
  bool matches(const std::string& name) const {
    pcre2_match_data* data = pcre2_match_data_create_from_pattern(code_, nullptr);
    const int result = pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(name.data()), name.size(), 0,
                                   0, data, limits_);
    pcre2_match_data_free(data);
    return result > 0;
  }

 private:
  pcre2_code* code_ = nullptr;
  pcre2_match_context* limits_ = nullptr;
};

model::WorkGroup primary() {
  model::WorkGroup group;
  group.name = kWorkGroup;
  group.state = "ENABLED";
  group.configuration.emplace();
  group.configuration->enforce_work_group_configuration = false;
  group.configuration->publish_cloud_watch_metrics_enabled = false;
  group.configuration->requester_pays_enabled = false;
  group.configuration->engine_version = engine_version();
  group.configuration->enable_minimum_encryption_configuration = false;
  return group;
}

}  // namespace

Answer<model::GetWorkGroupOutput> get_work_group(Doors doors, const Call&,
                                                 model::GetWorkGroupInput input) {
  if (input.work_group != kWorkGroup) return invalid("WorkGroup is not found.");
  model::WorkGroup group = primary();
  group.creation_time = doors.queries.opened();
  group.configuration->result_configuration =
      model::ResultConfiguration{.output_location = doors.queries.default_output()};
  return model::GetWorkGroupOutput{.work_group = std::move(group)};
}

Answer<model::ListWorkGroupsOutput> list_work_groups(Doors doors, const Call&,
                                                     model::ListWorkGroupsInput input) {
  if (input.next_token) return invalid("The nextPageToken is malformed: " + *input.next_token);
  model::ListWorkGroupsOutput out;
  out.work_groups.emplace();
  model::WorkGroupSummary& group = out.work_groups->emplace_back();
  group.name = kWorkGroup;
  group.state = "ENABLED";
  group.description = "";
  group.creation_time = doors.queries.opened();
  group.engine_version = engine_version();
  return out;
}

Answer<model::ListEngineVersionsOutput> list_engine_versions(Doors, const Call&,
                                                             model::ListEngineVersionsInput input) {
  if (input.next_token) return invalid("The nextPageToken is malformed: " + *input.next_token);
  model::ListEngineVersionsOutput out;
  out.engine_versions.emplace();
  out.engine_versions->push_back(engine_version());
  out.engine_versions->push_back({.selected_engine_version = "Athena engine version 3",
                                  .effective_engine_version = "Athena engine version 3"});
  return out;
}

Answer<model::ListTagsForResourceOutput> list_tags(Doors, const Call& call,
                                                   model::ListTagsForResourceInput input) {
  const std::string group = "arn:aws:athena:" + call.region + ":" + call.account + ":workgroup/" +
                            std::string(kWorkGroup);
  const std::string data = "arn:aws:athena:" + call.region + ":" + call.account + ":datacatalog/" +
                           std::string(kCatalog);
  if (input.resource_arn != group && input.resource_arn != data)
    return wire::refuse("ResourceNotFoundException", 400,
                        "Resource " + input.resource_arn + " is not found.",
                        {{"ResourceName", input.resource_arn}});
  model::ListTagsForResourceOutput out;  // Neither of them can be tagged yet.
  out.tags.emplace();
  return out;
}

Answer<model::ListDataCatalogsOutput> list_catalogs(Doors, const Call&,
                                                    model::ListDataCatalogsInput input) {
  if (input.next_token) return invalid("The nextPageToken is malformed: " + *input.next_token);
  model::ListDataCatalogsOutput out;
  out.data_catalogs_summary.emplace();
  out.data_catalogs_summary->push_back({.catalog_name = std::string(kCatalog), .type = "GLUE"});
  return out;
}

Answer<model::GetDataCatalogOutput> get_catalog(Doors, const Call& call,
                                                model::GetDataCatalogInput input) {
  if (!is_our_catalog(input.name))
    return invalid("DataCatalog " + input.name + " was not found", "DATACATALOG_NOT_FOUND");
  model::DataCatalog found;
  found.name = kCatalog;
  found.type = "GLUE";
  found.parameters = std::map<std::string, std::string>{{"catalog-id", call.account}};
  return model::GetDataCatalogOutput{.data_catalog = std::move(found)};
}

Answer<model::ListDatabasesOutput> list_databases(Doors doors, const Call&,
                                                  model::ListDatabasesInput input) {
  if (!is_our_catalog(input.catalog_name)) return unknown_catalog(input.catalog_name);
  auto all = doors.catalog.list_databases();
  if (!all) return metadata_fault(all.error());
  model::ListDatabasesOutput out;
  out.next_token = cut_page<catalog::Database>(
      *all, [](const catalog::Database& one) { return one.name; }, input.next_token,
      input.max_results);
  out.database_list.emplace();
  for (const catalog::Database& database : *all) out.database_list->push_back(to_model(database));
  return out;
}

Answer<model::GetDatabaseOutput> get_database(Doors doors, const Call&,
                                              model::GetDatabaseInput input) {
  if (!is_our_catalog(input.catalog_name)) return unknown_catalog(input.catalog_name);
  const auto found = doors.catalog.find_database(input.database_name);
  if (!found) return metadata_fault(found.error());
  return model::GetDatabaseOutput{.database = to_model(*found)};
}

Answer<model::ListTableMetadataOutput> list_tables(Doors doors, const Call&,
                                                   model::ListTableMetadataInput input) {
  if (!is_our_catalog(input.catalog_name)) return unknown_catalog(input.catalog_name);
  auto all = doors.catalog.list_tables(input.database_name);
  if (!all) return metadata_fault(all.error());
  if (input.expression && !input.expression->empty()) {
    const NamePattern pattern(*input.expression);
    if (!pattern.is_valid())
      return invalid("Expression is not a valid regular expression: " + *input.expression);
    std::erase_if(*all, [&](const catalog::Table& one) { return !pattern.matches(one.name); });
  }
  model::ListTableMetadataOutput out;
  out.next_token = cut_page<catalog::Table>(
      *all, [](const catalog::Table& one) { return one.name; }, input.next_token,
      input.max_results);
  out.table_metadata_list.emplace();
  for (const catalog::Table& table : *all) out.table_metadata_list->push_back(to_model(table));
  return out;
}

Answer<model::GetTableMetadataOutput> get_table(Doors doors, const Call&,
                                                model::GetTableMetadataInput input) {
  if (!is_our_catalog(input.catalog_name)) return unknown_catalog(input.catalog_name);
  const auto found = doors.catalog.find_table(input.database_name, input.table_name);
  if (!found) return metadata_fault(found.error());
  return model::GetTableMetadataOutput{.table_metadata = to_model(*found)};
}

}  // namespace laketap::api::athena
