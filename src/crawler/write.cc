#include "crawler/write.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace laketap::crawler {
namespace {

namespace json = boost::json;

// Members that Glue knows; another one is refused by name.
const std::map<std::string, std::vector<std::string>>& known_members() {
  static const std::map<std::string, std::vector<std::string>> kKnown{
      {"", {"Version", "CrawlerOutput", "Grouping", "CreatePartitionIndex"}},
      {"CrawlerOutput", {"Partitions", "Tables"}},
      {"CrawlerOutput.Partitions", {"AddOrUpdateBehavior"}},
      {"CrawlerOutput.Tables", {"AddOrUpdateBehavior", "TableThreshold"}},
      {"Grouping", {"TableGroupingPolicy", "TableLevelConfiguration"}},
  };
  return kKnown;
}

Result<> check_members(const json::object& object, const std::string& path) {
  const auto known = known_members().find(path);
  if (known == known_members().end()) return {};
  std::vector<std::string> alien;
  for (const auto& member : object) {
    const std::string name(member.key());
    if (std::ranges::find(known->second, name) == known->second.end()) alien.push_back(name);
    if (member.value().is_object())
      if (const Result<> good =
              check_members(member.value().get_object(), path.empty() ? name : path + "." + name);
          !good)
        return good;
  }
  if (!alien.empty())
    return fail(ErrorKind::invalid,
                fmt::format("{} contains unsupported keys: {}.",
                            path.empty() ? "Configuration" : path, fmt::join(alien, ", ")));
  return {};
}

std::string text_at(const json::object& root, std::initializer_list<const char*> path) {
  const json::value* at = nullptr;
  const json::object* object = &root;
  for (const char* name : path) {
    at = object ? object->if_contains(name) : nullptr;
    object = at ? at->if_object() : nullptr;
  }
  return at && at->is_string() ? std::string(at->get_string()) : std::string();
}

// Stable and short, for names that clash.
std::string hash_text(std::string_view text) {
  uint64_t a = 14695981039346656037ULL;
  uint64_t b = 1099511628211ULL;
  for (const char c : text) {
    a = (a ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    b = (b + static_cast<unsigned char>(c)) * 0x9e3779b97f4a7c15ULL;
  }
  return fmt::format("{:016x}{:016x}", a, b);
}

}  // namespace

Result<Configuration> parse_configuration(const std::string& text) {
  Configuration made;
  if (text.empty()) return made;
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object())
    return fail(ErrorKind::invalid, "Crawler configuration is not valid JSON.");
  const json::object& root = value.get_object();
  const json::value* version = root.if_contains("Version");
  if (!version || !version->is_number())
    return fail(ErrorKind::invalid, "Crawler configuration must contain a Version.");
  if (const Result<> good = check_members(root, ""); !good) return fail(good.error());
  made.inherit_from_table =
      text_at(root, {"CrawlerOutput", "Partitions", "AddOrUpdateBehavior"}) == "InheritFromTable";
  made.merge_new_columns =
      text_at(root, {"CrawlerOutput", "Tables", "AddOrUpdateBehavior"}) == "MergeNewColumns";
  made.layout.combine_compatible =
      text_at(root, {"Grouping", "TableGroupingPolicy"}) == "CombineCompatibleSchemas";
  if (const json::value* grouping = root.if_contains("Grouping"); grouping && grouping->is_object())
    if (const json::value* level = grouping->get_object().if_contains("TableLevelConfiguration");
        level && level->is_int64())
      made.layout.level = level->get_int64();
  return made;
}

std::optional<std::vector<catalog::Column>> widened(const std::vector<catalog::Column>& have,
                                                    const Shape& seen) {
  std::vector<catalog::Column> out = have;
  bool changed = false;
  for (const auto& [name, shape] : seen.fields) {
    const std::string folded = catalog::folded(name);
    const auto found = std::ranges::find(out, folded, &catalog::Column::name);
    if (found == out.end()) {
      out.push_back({.name = folded, .type = shape.hive_type()});
      changed = true;
      continue;
    }
    const bool only_null = !shape.boolean && !shape.integer && !shape.wide && !shape.fraction &&
                           !shape.text && !shape.is_object && !shape.is_array;
    if (only_null) continue;
    Shape both = shape_of_hive(found->type);
    both.merge(shape);
    const std::string type = both.hive_type();
    if (type != found->type) {
      found->type = type;
      changed = true;
    }
  }
  if (!changed) return std::nullopt;
  return out;
}

Result<> Writer::ensure_database() {
  if (catalog_.find_database(database())) return {};
  const Result<> made = catalog_.create_database({.name = database()});
  if (!made && made.error().kind != ErrorKind::exists) return made;
  return {};
}

Result<std::optional<catalog::Table>> Writer::table_at(const std::string& location) const {
  const Result<std::vector<catalog::Table>> tables = catalog_.list_tables(database());
  if (!tables) {
    if (tables.error().kind == ErrorKind::not_found) return std::optional<catalog::Table>();
    return fail(tables.error());
  }
  for (const catalog::Table& table : *tables)
    if (table.storage && table.storage->location == location) return std::optional(table);
  return std::optional<catalog::Table>();
}

Result<std::string> Writer::free_name(const FoundTable& found) const {
  const std::string name = (definition_.table_prefix + found.name).substr(0, 128);
  const auto taken = catalog_.find_table(database(), name);
  if (!taken && taken.error().kind == ErrorKind::not_found) return name;
  if (!taken) return fail(taken.error());
  return name.substr(0, 95) + "_" + hash_text(location_of(found.location));
}

catalog::Table Writer::make_table(const FoundTable& found, const std::string& name) const {
  std::vector<std::string> paths = found.schema.paths;
  std::ranges::sort(paths);
  catalog::Table table{
      .database = database(), .name = name, .owner = "owner", .table_type = "EXTERNAL_TABLE"};
  catalog::StorageDescriptor storage;
  storage.columns = found.schema.columns();
  storage.location = location_of(found.location);
  storage.input_format = "org.apache.hadoop.mapred.TextInputFormat";
  storage.output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";
  storage.compressed = found.compression != "none";
  storage.bucket_count = -1;
  storage.serde_library = "org.openx.data.jsonserde.JsonSerDe";
  storage.serde_parameters = {{"paths", fmt::format("{}", fmt::join(paths, ","))}};
  const uint64_t average = found.schema.records > 0
                               ? std::max<uint64_t>(1, found.schema.bytes / found.schema.records)
                               : 0;
  storage.parameters = {
      {"classification", "json"},
      {"compressionType", found.compression},
      {"typeOfData", "file"},
      {"objectCount", fmt::format("{}", found.objects)},
      {"recordCount",
       fmt::format("{}", average > 0 ? std::max(found.schema.records, found.bytes / average) : 0)},
      {"averageRecordSize", fmt::format("{}", average)},
      {"sizeKey", fmt::format("{}", found.bytes)},
      {"CrawlerSchemaSerializerVersion", "1.0"},
      {"CrawlerSchemaDeserializerVersion", "1.0"},
      {"UPDATED_BY_CRAWLER", definition_.name}};
  table.parameters = storage.parameters;
  table.storage = std::move(storage);
  for (const std::string& key : found.partition_keys)
    table.partition_keys.push_back({.name = key, .type = "string"});
  // A key of the data named like a folder is read from the folder: two columns of one name make a
  // table that nobody can ask.
  std::erase_if(table.storage->columns, [&](const catalog::Column& column) {
    return std::ranges::find(found.partition_keys, column.name) != found.partition_keys.end();
  });
  table.created_by = fmt::format(
      "arn:aws:sts::{}:assumed-role/{}/AWS-Crawler", definition_.account,
      definition_.role.substr(
          definition_.role.rfind('/') == std::string::npos ? 0 : definition_.role.rfind('/') + 1));
  return table;
}

Result<> Writer::add_partitions(const FoundTable& found, const catalog::Table& table,
                                Crawl& crawl) {
  for (const FoundPartition& one : found.partitions) {
    if (one.values.size() != table.partition_keys.size()) continue;
    catalog::Partition partition{
        .values = one.values, .storage = table.storage, .parameters = table.parameters};
    partition.storage->location = location_of(one.folder);
    const Result<> made =
        catalog_.create_partition(table.database, table.name, std::move(partition));
    if (made)
      ++crawl.partitions_added;
    else if (made.error().kind != ErrorKind::exists)
      return made;
  }
  return {};
}

Result<> Writer::write(const FoundTable& found, Crawl& crawl) {
  if (const Result<> ready = ensure_database(); !ready) return ready;
  Result<std::optional<catalog::Table>> existing = table_at(location_of(found.location));
  if (!existing) return fail(existing.error());
  if (!*existing) {
    const Result<std::string> name = free_name(found);
    if (!name) return fail(name.error());
    catalog::Table table = make_table(found, *name);
    const Result<> made = catalog_.create_table(table);
    if (!made && made.error().kind != ErrorKind::exists) return made;
    if (made) crawl.tables_created.push_back(table.name);
    return add_partitions(found, table, crawl);
  }
  catalog::Table table = **existing;
  const bool may_update =
      definition_.update_behavior == "UPDATE_IN_DATABASE" || configuration_.merge_new_columns;
  std::optional<std::vector<catalog::Column>> columns =
      may_update ? widened(table.storage->columns, found.schema.root) : std::nullopt;
  if (columns)
    std::erase_if(*columns, [&](const catalog::Column& column) {
      return std::ranges::find(table.partition_keys, column.name, &catalog::Column::name) !=
             table.partition_keys.end();
    });
  if (columns && *columns != table.storage->columns) {
    table.storage->columns = std::move(*columns);
    std::set<std::string> paths;
    const auto own = table.storage->serde_parameters.find("paths");
    std::string old = own == table.storage->serde_parameters.end() ? "" : own->second;
    for (size_t from = 0; from < old.size();) {
      const size_t comma = std::min(old.find(',', from), old.size());
      paths.insert(old.substr(from, comma - from));
      from = comma + 1;
    }
    paths.insert(found.schema.paths.begin(), found.schema.paths.end());
    if (own != table.storage->serde_parameters.end())
      own->second = fmt::format("{}", fmt::join(paths, ","));
    table.parameters["UPDATED_BY_CRAWLER"] = definition_.name;
    if (const Result<> done = catalog_.update_table(table); !done) return done;
    crawl.tables_updated.push_back(table.name);
  }
  return add_partitions(found, table, crawl);
}

}  // namespace laketap::crawler
