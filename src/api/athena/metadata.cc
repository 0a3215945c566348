// GetDataCatalog, ListDataCatalogs, GetDatabase, ListDatabases, GetTableMetadata,
// ListTableMetadata: the catalog in Athena's words. Contract: athena.md A10.
#include <fmt/format.h>

#include <algorithm>

#include "api/athena/doors.h"

namespace laketap::api::athena {
namespace {

constexpr int64_t kListDefault = 50;

bool is_our_catalog(std::string_view name) { return catalog::folded(name) == catalog::folded(kCatalog); }
std::unexpected<wire::Fault> no_catalog(const std::string& name) { return invalid(fmt::format("Data Catalog {} was not found", name), "DATACATALOG_NOT_FOUND"); }

model::Database describe(const catalog::Database& from) {
  model::Database to;
  to.name = from.name;
  if (!from.description.empty()) to.description = from.description;
  if (!from.parameters.empty()) to.parameters = from.parameters;
  return to;
}

std::vector<model::Column> describe(const std::vector<catalog::Column>& from) {
  std::vector<model::Column> to;
  for (const catalog::Column& column : from) {
    model::Column& made = to.emplace_back();
    made.name = column.name;
    made.type = column.type;
    if (!column.comment.empty()) made.comment = column.comment;
  }
  return to;
}

// The table's parameters, and the descriptor flattened among them.
model::TableMetadata describe(const catalog::Table& from) {
  model::TableMetadata to;
  to.name = from.name;
  to.create_time = from.created;
  to.last_access_time = from.last_access.value_or(Timestamp());
  to.table_type = from.table_type;
  to.columns = from.storage ? describe(from.storage->columns) : std::vector<model::Column>();
  to.partition_keys = describe(from.partition_keys);
  std::map<std::string, std::string> parameters = from.parameters;
  if (from.storage) {
    std::string location = from.storage->location;
    while (location.ends_with('/')) location.pop_back();
    parameters["location"] = location;
    parameters["inputformat"] = from.storage->input_format;
    parameters["outputformat"] = from.storage->output_format;
    parameters["serde.serialization.lib"] = from.storage->serde_library;
    for (const auto& [key, value] : from.storage->serde_parameters) parameters["serde.param." + key] = value;
  }
  to.parameters = std::move(parameters);
  return to;
}

// Lists are short: the token is the last name shown.
template <class T>
std::optional<std::string> cut_page(std::vector<T>& items, const std::optional<std::string>& token, int64_t limit, std::string T::*name) {
  if (token) std::erase_if(items, [&](const T& item) { return item.*name <= *token; });
  if (items.size() <= static_cast<size_t>(limit)) return std::nullopt;
  items.resize(static_cast<size_t>(limit));
  return items.back().*name;
}

// The expression is a regular expression; these are what clients send: a name, with * and | in it.
bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.starts_with(".*")) pattern.remove_prefix(1);
  if (pattern.front() != '*') return !name.empty() && (pattern.front() == '.' || pattern.front() == name.front()) && matches(pattern.substr(1), name.substr(1));
  for (size_t taken = 0; taken <= name.size(); ++taken)
    if (matches(pattern.substr(1), name.substr(taken))) return true;
  return false;
}
bool matches_any(std::string_view expression, std::string_view name) {
  for (size_t at = 0; at <= expression.size();) {
    const size_t bar = std::min(expression.find('|', at), expression.size());
    std::string_view choice = expression.substr(at, bar - at);
    if (choice.starts_with('^')) choice.remove_prefix(1);
    if (choice.ends_with('$')) choice.remove_suffix(1);
    if (matches(choice, name)) return true;
    at = bar + 1;
  }
  return false;
}

}  // namespace

Answer<model::GetDataCatalogOutput> get_data_catalog(Doors, const Call& call, model::GetDataCatalogInput input) {
  if (!is_our_catalog(input.name)) return no_catalog(input.name);
  model::GetDataCatalogOutput output;
  model::DataCatalog& found = output.data_catalog.emplace();
  found.name = kCatalog;
  found.type = "GLUE";
  found.parameters = {{"catalog-id", call.account}};
  return output;
}

Answer<model::ListDataCatalogsOutput> list_data_catalogs(Doors, const Call&, model::ListDataCatalogsInput) {
  model::ListDataCatalogsOutput output;
  model::DataCatalogSummary& found = output.data_catalogs_summary.emplace().emplace_back();
  found.catalog_name = kCatalog;
  found.type = "GLUE";
  return output;
}

Answer<model::GetDatabaseOutput> get_database(Doors doors, const Call&, model::GetDatabaseInput input) {
  if (!is_our_catalog(input.catalog_name)) return no_catalog(input.catalog_name);
  const auto found = doors.catalog.find_database(input.database_name);
  if (!found && found.error().kind != ErrorKind::not_found) return broken();
  if (!found) return not_found_metadata(fmt::format("Database {} not found.", input.database_name));
  model::GetDatabaseOutput output;
  output.database = describe(*found);
  return output;
}

Answer<model::ListDatabasesOutput> list_databases(Doors doors, const Call&, model::ListDatabasesInput input) {
  if (!is_our_catalog(input.catalog_name)) return no_catalog(input.catalog_name);
  auto found = doors.catalog.list_databases();
  if (!found) return broken();
  model::ListDatabasesOutput output;
  output.next_token = cut_page(*found, input.next_token, input.max_results.value_or(kListDefault), &catalog::Database::name);
  auto& list = output.database_list.emplace();
  for (const catalog::Database& each : *found) list.push_back(describe(each));
  return output;
}

Answer<model::GetTableMetadataOutput> get_table(Doors doors, const Call&, model::GetTableMetadataInput input) {
  if (!is_our_catalog(input.catalog_name)) return no_catalog(input.catalog_name);
  const auto found = doors.catalog.find_table(input.database_name, input.table_name);
  if (!found && found.error().kind != ErrorKind::not_found) return broken();
  if (!found) return not_found_metadata(fmt::format("EntityNotFoundException: {}", found.error().what));
  model::GetTableMetadataOutput output;
  output.table_metadata = describe(*found);
  return output;
}

Answer<model::ListTableMetadataOutput> list_tables(Doors doors, const Call&, model::ListTableMetadataInput input) {
  if (!is_our_catalog(input.catalog_name)) return no_catalog(input.catalog_name);
  auto found = doors.catalog.list_tables(input.database_name);
  if (!found && found.error().kind != ErrorKind::not_found) return broken();
  if (!found) return not_found_metadata(fmt::format("Database {} not found.", input.database_name));
  if (input.expression && !input.expression->empty()) std::erase_if(*found, [&](const catalog::Table& table) { return !matches_any(*input.expression, table.name); });
  model::ListTableMetadataOutput output;
  output.next_token = cut_page(*found, input.next_token, input.max_results.value_or(kListDefault), &catalog::Table::name);
  auto& list = output.table_metadata_list.emplace();
  for (const catalog::Table& each : *found) list.push_back(describe(each));
  return output;
}

}  // namespace laketap::api::athena
