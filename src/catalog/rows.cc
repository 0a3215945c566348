#include "catalog/rows.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace laketap::catalog {
namespace {

namespace json = boost::json;

json::object write(const Parameters& parameters) {
  json::object out;
  for (const auto& [key, value] : parameters) out[key] = value;
  return out;
}
json::array write(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}
json::array write(const std::vector<Column>& columns) {
  json::array out;
  for (const Column& column : columns) {
    json::array one{column.name, column.type};
    if (!column.comment.empty() || !column.parameters.empty()) one.emplace_back(column.comment);
    if (!column.parameters.empty()) one.emplace_back(write(column.parameters));
    out.push_back(std::move(one));
  }
  return out;
}
json::value write(const std::optional<StorageDescriptor>& storage) {
  if (!storage) return nullptr;
  json::array sort;
  for (const SortColumn& one : storage->sort_columns)
    sort.push_back(json::array{one.column, one.order});
  return json::object{{"columns", write(storage->columns)},
                      {"location", storage->location},
                      {"input", storage->input_format},
                      {"output", storage->output_format},
                      {"compressed", storage->compressed},
                      {"buckets", storage->bucket_count},
                      {"serde_name", storage->serde_name},
                      {"serde", storage->serde_library},
                      {"serde_parameters", write(storage->serde_parameters)},
                      {"parameters", write(storage->parameters)},
                      {"bucket_columns", write(storage->bucket_columns)},
                      {"sort_columns", std::move(sort)},
                      {"sub_directories", storage->stored_as_sub_directories},
                      {"further", storage->further}};
}
json::value write(const std::optional<Timestamp>& at) {
  return at ? json::value(at->time_since_epoch().count()) : json::value(nullptr);
}
json::value write(Timestamp at) {
  return at.time_since_epoch().count();
}

std::string text(const json::object& object, const char* name) {
  return std::string(object.at(name).as_string());
}
Parameters read_parameters(const json::value& value) {
  Parameters out;
  for (const auto& member : value.as_object())
    out[std::string(member.key())] = std::string(member.value().as_string());
  return out;
}
std::vector<std::string> read_texts(const json::value& value) {
  std::vector<std::string> out;
  for (const json::value& one : value.as_array()) out.emplace_back(one.as_string());
  return out;
}
std::vector<Column> read_columns(const json::value& value) {
  std::vector<Column> out;
  for (const json::value& one : value.as_array()) {
    const json::array& parts = one.as_array();
    Column column{.name = std::string(parts.at(0).as_string()),
                  .type = std::string(parts.at(1).as_string())};
    if (parts.size() > 2) column.comment = std::string(parts[2].as_string());
    if (parts.size() > 3) column.parameters = read_parameters(parts[3]);
    out.push_back(std::move(column));
  }
  return out;
}
std::optional<Timestamp> read_moment(const json::value& value) {
  if (value.is_null()) return std::nullopt;
  return from_epoch_micros(value.to_number<int64_t>());
}
std::optional<StorageDescriptor> read_storage(const json::value& value) {
  if (value.is_null()) return std::nullopt;
  const json::object& object = value.as_object();
  StorageDescriptor storage;
  storage.columns = read_columns(object.at("columns"));
  storage.location = text(object, "location");
  storage.input_format = text(object, "input");
  storage.output_format = text(object, "output");
  storage.compressed = object.at("compressed").as_bool();
  storage.bucket_count = object.at("buckets").to_number<int64_t>();
  storage.serde_name = text(object, "serde_name");
  storage.serde_library = text(object, "serde");
  storage.serde_parameters = read_parameters(object.at("serde_parameters"));
  storage.parameters = read_parameters(object.at("parameters"));
  storage.bucket_columns = read_texts(object.at("bucket_columns"));
  for (const json::value& one : object.at("sort_columns").as_array())
    storage.sort_columns.push_back(
        {std::string(one.as_array().at(0).as_string()), one.as_array().at(1).to_number<int64_t>()});
  storage.stored_as_sub_directories = object.at("sub_directories").as_bool();
  storage.further = text(object, "further");
  return storage;
}

template <class T, class Read>
Result<T> read(std::string_view stored, Read reader) {
  try {
    return reader(json::parse(stored).as_object());
  } catch (const std::exception& exception) {
    return fail(ErrorKind::corrupt, std::string("reading the catalog: ") + exception.what());
  }
}

}  // namespace

std::string write_database(const Database& database) {
  return json::serialize(json::object{{"name", database.name},
                                      {"description", database.description},
                                      {"location", database.location_uri},
                                      {"parameters", write(database.parameters)},
                                      {"created", write(database.created)},
                                      {"further", database.further}});
}
Result<Database> read_database(std::string_view stored) {
  return read<Database>(stored, [](const json::object& object) {
    Database made{.name = text(object, "name"),
                  .description = text(object, "description"),
                  .location_uri = text(object, "location")};
    made.parameters = read_parameters(object.at("parameters"));
    made.created = *read_moment(object.at("created"));
    made.further = text(object, "further");
    return made;
  });
}

std::string write_table(const Table& table) {
  return json::serialize(json::object{{"database", table.database},
                                      {"name", table.name},
                                      {"description", table.description},
                                      {"owner", table.owner},
                                      {"type", table.table_type},
                                      {"view_original", table.view_original_text},
                                      {"view_expanded", table.view_expanded_text},
                                      {"last_access", write(table.last_access)},
                                      {"last_analyzed", write(table.last_analyzed)},
                                      {"retention", table.retention},
                                      {"storage", write(table.storage)},
                                      {"partition_keys", write(table.partition_keys)},
                                      {"parameters", write(table.parameters)},
                                      {"created", write(table.created)},
                                      {"updated", write(table.updated)},
                                      {"created_by", table.created_by},
                                      {"version", table.version},
                                      {"further", table.further}});
}
Result<Table> read_table(std::string_view stored) {
  return read<Table>(stored, [](const json::object& object) {
    Table made{.database = text(object, "database"),
               .name = text(object, "name"),
               .description = text(object, "description"),
               .owner = text(object, "owner"),
               .table_type = text(object, "type")};
    made.view_original_text = text(object, "view_original");
    made.view_expanded_text = text(object, "view_expanded");
    made.last_access = read_moment(object.at("last_access"));
    made.last_analyzed = read_moment(object.at("last_analyzed"));
    made.retention = object.at("retention").to_number<int64_t>();
    made.storage = read_storage(object.at("storage"));
    made.partition_keys = read_columns(object.at("partition_keys"));
    made.parameters = read_parameters(object.at("parameters"));
    made.created = *read_moment(object.at("created"));
    made.updated = *read_moment(object.at("updated"));
    made.created_by = text(object, "created_by");
    made.version = object.at("version").to_number<uint64_t>();
    made.further = text(object, "further");
    return made;
  });
}

std::string write_partition(const Partition& partition) {
  return json::serialize(json::object{{"values", write(partition.values)},
                                      {"storage", write(partition.storage)},
                                      {"parameters", write(partition.parameters)},
                                      {"created", write(partition.created)},
                                      {"last_access", write(partition.last_access)},
                                      {"last_analyzed", write(partition.last_analyzed)}});
}
Result<Partition> read_partition(std::string_view stored) {
  return read<Partition>(stored, [](const json::object& object) {
    Partition made{.values = read_texts(object.at("values")),
                   .storage = read_storage(object.at("storage"))};
    made.parameters = read_parameters(object.at("parameters"));
    made.created = *read_moment(object.at("created"));
    made.last_access = read_moment(object.at("last_access"));
    made.last_analyzed = read_moment(object.at("last_analyzed"));
    return made;
  });
}

std::string database_key(std::string_view name) {
  return state::key("database", name);
}
std::string table_key(std::string_view database, std::string_view table) {
  return state::key("table", database, table);
}
std::string version_key(std::string_view database, std::string_view table, uint64_t version) {
  return state::key("table-version", database, table, fmt::format("{:020}", UINT64_MAX - version));
}
std::string partition_key(std::string_view database, std::string_view table,
                          const std::vector<std::string>& values) {
  std::string key = partitions_prefix(database, table);
  for (const std::string& value : values) state::append_part(key, value);
  return key;
}
std::string databases_prefix() {
  return state::key("database");
}
std::string tables_prefix(std::string_view database) {
  return state::key("table", database);
}
std::string versions_prefix(std::string_view database, std::string_view table) {
  return state::key("table-version", database, table);
}
std::string partitions_prefix(std::string_view database, std::string_view table) {
  return state::key("partition", database, table);
}

}  // namespace laketap::catalog
