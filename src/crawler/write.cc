#include "crawler/write.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "crawler/rows.h"

namespace laketap::crawler {
namespace {

namespace json = boost::json;

constexpr std::string_view kJsonSerde = "org.openx.data.jsonserde.JsonSerDe";
constexpr std::string_view kLazySerde = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
constexpr std::string_view kQuotedSerde = "org.apache.hadoop.hive.serde2.OpenCSVSerde";
constexpr size_t kNameBytesOfTable = 128;
constexpr size_t kPartitionsPerBatch = 500;
constexpr int kAttemptsMax = 5;
// A partition that no object was found for yet: its records are on their way.
constexpr const char* kCount = "objectCount";

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

std::string with_slash(std::string location) {
  if (!location.ends_with('/')) location += '/';
  return location;
}

const std::string* find(const catalog::Parameters& parameters, const std::string& key) {
  const auto found = parameters.find(key);
  return found == parameters.end() ? nullptr : &found->second;
}

// `any_compression`: records that are still to be delivered do not tell how their object will be
// compressed, and a table made of them does not know.
bool is_of_format(const catalog::Table& table, const Format& format, bool any_compression) {
  const std::string* classification = find(table.parameters, "classification");
  const std::string* compression = find(table.parameters, "compressionType");
  if (!classification || *classification != format.classification) return false;
  if (!any_compression && compression && *compression != format.compression) return false;
  return std::ranges::all_of(format.traits, [&](const auto& trait) {
    const std::string* own = find(table.parameters, trait.first);
    return own && *own == trait.second;
  });
}

// Two columns of one name make a table that nobody can ask: a key of the data that is named like a
// folder is read from the folder.
void drop_keys(std::vector<catalog::Column>& columns, const std::vector<catalog::Column>& keys) {
  std::erase_if(columns, [&](const catalog::Column& column) {
    return std::ranges::find(keys, column.name, &catalog::Column::name) != keys.end();
  });
}

std::vector<catalog::Column> keys_of(const FoundTable& found) {
  std::vector<catalog::Column> keys;
  for (const std::string& key : found.partition_keys)
    keys.push_back({.name = key, .type = "string"});
  return keys;
}

std::string joined_paths(std::string_view old, const std::vector<std::string>& more) {
  std::set<std::string> paths(more.begin(), more.end());
  while (!old.empty()) {
    const size_t comma = std::min(old.find(','), old.size());
    paths.emplace(old.substr(0, comma));
    old.remove_prefix(std::min(comma + 1, old.size()));
  }
  return fmt::format("{}", fmt::join(paths, ","));
}

bool is_struct(std::string_view type) {
  return type.starts_with("struct<") || type.starts_with("array<struct<");
}

}  // namespace

bool widen(std::vector<catalog::Column>& columns, const Shape& seen, std::set<std::string>& nulls,
           bool only_add) {
  bool changed = false;
  for (const auto& [name, shape] : seen.fields) {
    if (name.empty() || name.size() > kNameBytesMax) continue;
    const std::string folded = catalog::folded(name);
    const auto found = std::ranges::find(columns, folded, &catalog::Column::name);
    if (found == columns.end()) {
      if (columns.size() >= kColumnsMax) continue;
      columns.push_back({.name = folded, .type = shape.hive_type()});
      if (shape.only_null()) nulls.insert(folded);
      changed = true;
      continue;
    }
    if (shape.only_null()) continue;
    std::optional<Shape> both = shape_of_hive(found->type);
    const bool was_null = nulls.erase(folded) > 0 && found->type == "string";
    if (!both) continue;
    if (was_null) both = Shape();
    both->merge(shape);
    std::string type = both->hive_type();
    if (type == found->type) continue;
    if (only_add && !was_null && !(is_struct(type) && is_struct(found->type))) continue;
    found->type = std::move(type);
    changed = true;
  }
  return changed;
}

std::string Writer::memo_key(const std::string& table) const {
  return memos_prefix(definition_.name) + state::key(database(), table);
}

Writer::Memo Writer::load_memo(const std::string& table) const {
  Memo memo;
  const auto transaction = parts_.database.begin();
  if (!transaction) return memo;
  const auto entry = (*transaction)->get(memo_key(table));
  if (!entry || !*entry) return memo;
  boost::system::error_code error;
  const json::value value = json::parse((*entry)->value, error);
  if (error || !value.is_array()) return memo;
  memo.is_early = value.get_array().size() > 0 && value.get_array()[0] == json::value(true);
  for (const json::value& one : value.get_array())
    if (one.is_string()) memo.nulls.emplace(one.get_string());
  return memo;
}

Result<> Writer::save_memo(const std::string& table, const Memo& memo) {
  json::array value;
  value.emplace_back(memo.is_early);
  for (const std::string& name : memo.nulls) value.emplace_back(name);
  return state::transact(parts_.database, [&](state::Transaction& transaction) -> Result<> {
    if (memo == Memo())
      transaction.erase(memo_key(table));
    else
      transaction.put(memo_key(table), json::serialize(value));
    return {};
  });
}

Result<> Writer::drop(const std::string& table) {
  const Result<> done = parts_.catalog.remove_table(database(), table);
  if (!done && done.error().kind != ErrorKind::not_found) return done;
  return save_memo(table, Memo());
}

Result<> Writer::ensure_database() {
  if (parts_.catalog.find_database(database())) return {};
  const Result<> made = parts_.catalog.create_database({.name = database()});
  if (!made && made.error().kind != ErrorKind::exists) return made;
  return {};
}

Result<const std::map<std::string, catalog::Table>*> Writer::tables() {
  if (tables_) return &*tables_;
  const Result<std::vector<catalog::Table>> all = parts_.catalog.list_tables(database());
  if (!all && all.error().kind != ErrorKind::not_found) return fail(all.error());
  tables_.emplace();
  if (all)
    for (const catalog::Table& table : *all)
      if (table.storage && table.name.starts_with(catalog::folded(definition_.table_prefix)))
        tables_->emplace(with_slash(table.storage->location), table);
  return &*tables_;
}

Result<std::string> Writer::free_name(const FoundTable& found) const {
  const std::string name =
      catalog::folded(definition_.table_prefix + found.name).substr(0, kNameBytesOfTable);
  const auto taken = parts_.catalog.find_table(database(), name);
  if (!taken && taken.error().kind == ErrorKind::not_found) return name;
  if (!taken) return fail(taken.error());
  return name.substr(0, kNameBytesOfTable - 33) + "_" + hash_text(location_of(found.location));
}

catalog::Parameters Writer::statistics(const FoundTable& found) const {
  const Schema& schema = found.schema;
  const uint64_t average =
      schema.records > 0 ? std::max<uint64_t>(1, schema.bytes / schema.records) : 0;
  const uint64_t records = average > 0 ? std::max(schema.records, found.bytes / average) : 0;
  return {{kCount, fmt::format("{}", found.objects)},
          {"recordCount", fmt::format("{}", records)},
          {"averageRecordSize", fmt::format("{}", average)},
          {"sizeKey", fmt::format("{}", found.bytes)},
          {"CRAWL_RUN_ID", crawl_.id}};
}

catalog::StorageDescriptor Writer::make_storage(const FoundTable& found) const {
  catalog::StorageDescriptor storage;
  storage.columns = found.schema.columns();
  storage.location = location_of(found.location);
  storage.input_format = "org.apache.hadoop.mapred.TextInputFormat";
  storage.output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";
  storage.compressed = found.format.compression != "none";
  storage.bucket_count = -1;
  if (found.format.classification == "csv") {
    const std::string delimiter = found.format.traits.at("delimiter");
    const bool quoted = found.format.traits.at("areColumnsQuoted") == "true";
    storage.serde_library = quoted ? kQuotedSerde : kLazySerde;
    if (quoted)
      storage.serde_parameters = {
          {"separatorChar", delimiter}, {"quoteChar", "\""}, {"escapeChar", "\\"}};
    else
      storage.serde_parameters = {{"field.delim", delimiter}};
  } else {
    storage.serde_library = kJsonSerde;
    storage.serde_parameters = {{"paths", joined_paths("", found.schema.paths)}};
  }
  storage.parameters = statistics(found);
  if (storage.parameters["CRAWL_RUN_ID"].empty()) storage.parameters.erase("CRAWL_RUN_ID");
  storage.parameters.insert(found.format.traits.begin(), found.format.traits.end());
  storage.parameters["classification"] = found.format.classification;
  storage.parameters["compressionType"] = found.format.compression;
  storage.parameters["typeOfData"] = "file";
  storage.parameters["CrawlerSchemaSerializerVersion"] = "1.0";
  storage.parameters["CrawlerSchemaDeserializerVersion"] = "1.0";
  storage.parameters["UPDATED_BY_CRAWLER"] = definition_.name;
  return storage;
}

catalog::Table Writer::make_table(const FoundTable& found, const std::string& name) const {
  catalog::Table table{
      .database = database(), .name = name, .owner = "owner", .table_type = "EXTERNAL_TABLE"};
  table.storage = make_storage(found);
  table.parameters = table.storage->parameters;
  table.partition_keys = keys_of(found);
  drop_keys(table.storage->columns, table.partition_keys);
  const std::string& role = definition_.role;
  const size_t slash = role.rfind('/');
  table.created_by = fmt::format("arn:aws:sts::{}:assumed-role/{}/AWS-Crawler", definition_.account,
                                 slash == std::string::npos ? role : role.substr(slash + 1));
  return table;
}

Result<> Writer::write(const FoundTable& found, Source source) {
  if (const Result<> ready = ensure_database(); !ready) return ready;
  Result<> done;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const auto all = tables();
    if (!all) return fail(all.error());
    const auto existing = (*all)->find(with_slash(location_of(found.location)));
    done =
        existing == (*all)->end() ? create(found, source) : update(found, source, existing->second);
    if (done ||
        (done.error().kind != ErrorKind::conflict && done.error().kind != ErrorKind::exists))
      return done;
    tables_.reset();  // Somebody else was faster.
  }
  return done;
}

Result<> Writer::create(const FoundTable& found, Source source) {
  const Result<std::string> name = free_name(found);
  if (!name) return fail(name.error());
  catalog::Table table = make_table(found, *name);
  Memo memo{.is_early = source == Source::arrival, .nulls = {}};
  for (const auto& [field, shape] : found.schema.root.fields)
    if (shape.only_null()) memo.nulls.insert(catalog::folded(field));
  // Before the table: a table without its memo would not be known as early.
  if (const Result<> done = save_memo(table.name, memo); !done) return done;
  const Result<> made = parts_.catalog.create_table(table);
  if (!made) return made;
  crawl_.tables_created.push_back(table.name);
  tables_->emplace(with_slash(table.storage->location), table);
  return add_partitions(found, table, source);
}

Result<> Writer::update(const FoundTable& found, Source source, catalog::Table table) {
  const bool overwrites = definition_.update_behavior == "UPDATE_IN_DATABASE";
  const bool only_add = configuration_.merge_new_columns;
  const catalog::Table before = table;
  const Memo memo_before = load_memo(table.name);
  Memo memo = memo_before;
  memo.is_early = memo.is_early && source == Source::arrival;
  const bool fits = is_of_format(table, found.format, found.objects == 0 || memo_before.is_early);
  // Made by hand: only partitions come.
  if (!fits && !find(table.parameters, "UPDATED_BY_CRAWLER"))
    return add_partitions(found, table, source);
  if (!fits) {
    if (source == Source::arrival || !overwrites || only_add) return {};
    table.storage = make_storage(found);
    for (const auto& [key, value] : table.storage->parameters) table.parameters[key] = value;
  }
  if (fits && memo_before.is_early && found.objects > 0) {
    table.storage->compressed = found.format.compression != "none";
    table.parameters["compressionType"] = found.format.compression;
    table.storage->parameters["compressionType"] = found.format.compression;
  }
  if (table.partition_keys.size() != found.partition_keys.size()) {
    if (source == Source::arrival || !overwrites || only_add) return {};  // A crawl must decide.
    table.partition_keys = keys_of(found);
    const auto gone = parts_.catalog.partitions(table.database, table.name);
    if (!gone) return fail(gone.error());
    std::vector<std::vector<std::string>> values;
    for (const catalog::Partition& one : gone->partitions) values.push_back(one.values);
    if (const auto done = parts_.catalog.remove_partitions(table.database, table.name, values);
        !done)
      return fail(done.error());
  }
  if (overwrites || only_add) {
    widen(table.storage->columns, found.schema.root, memo.nulls, only_add);
    drop_keys(table.storage->columns, table.partition_keys);
  }
  if (memo != memo_before)
    if (const Result<> done = save_memo(table.name, memo); !done) return done;
  const bool changed = table.storage->columns != before.storage->columns ||
                       table.partition_keys != before.partition_keys ||
                       table.storage->serde_library != before.storage->serde_library ||
                       table.storage->compressed != before.storage->compressed;
  if (changed) {
    if (std::string* paths = table.storage->serde_parameters.contains("paths")
                                 ? &table.storage->serde_parameters["paths"]
                                 : nullptr)
      *paths = joined_paths(*paths, found.schema.paths);
    table.parameters["UPDATED_BY_CRAWLER"] = definition_.name;
    if (const Result<> done = parts_.catalog.update_table(table, false, table.version); !done)
      return done;
    ++table.version;
    crawl_.tables_updated.push_back(table.name);
    (*tables_)[with_slash(table.storage->location)] = table;
  }
  // What only moves makes no new version.
  if (source == Source::crawl && find(table.parameters, "UPDATED_BY_CRAWLER"))
    if (const Result<> done =
            parts_.catalog.refresh_parameters(table.database, table.name, statistics(found));
        !done)
      return done;
  if (changed || (configuration_.inherit_from_table && source == Source::crawl))
    if (const Result<> done = rewrite_partitions(table); !done) return done;
  if (source == Source::crawl && definition_.delete_behavior == "DELETE_FROM_DATABASE")
    if (const Result<> done = remove_partitions(found, table); !done) return done;
  return add_partitions(found, table, source);
}

Result<> Writer::add_partitions(const FoundTable& found, const catalog::Table& table,
                                Source source) {
  std::vector<catalog::Partition> batch;
  const auto flush = [&]() -> Result<> {
    const auto answers =
        parts_.catalog.create_partitions(table.database, table.name, std::exchange(batch, {}));
    if (!answers) return fail(answers.error());
    for (const Result<>& one : *answers) {
      if (one)
        ++crawl_.partitions_added;
      else if (one.error().kind != ErrorKind::exists)
        return one;
    }
    return {};
  };
  for (const FoundPartition& one : found.partitions) {
    if (one.values.size() != table.partition_keys.size()) continue;
    catalog::Partition partition{.values = one.values, .storage = table.storage};
    for (const char* key : {kCount, "recordCount", "averageRecordSize", "sizeKey", "CRAWL_RUN_ID"})
      partition.storage->parameters.erase(key);
    if (source == Source::arrival && found.objects == 0)
      partition.storage->parameters[kCount] = "0";
    partition.storage->location = location_of(one.folder);
    partition.parameters = partition.storage->parameters;
    batch.push_back(std::move(partition));
    if (batch.size() < kPartitionsPerBatch) continue;
    if (const Result<> done = flush(); !done) return done;
  }
  return batch.empty() ? Result<>() : flush();
}

// Partitions keep a copy of the table's columns: readers that go by it must see the wider types.
Result<> Writer::rewrite_partitions(const catalog::Table& table) {
  return parts_.catalog.rewrite_partitions(
      table.database, table.name, [&](catalog::Partition& partition) {
        if (!partition.storage) return false;
        const catalog::StorageDescriptor before = *partition.storage;
        partition.storage->columns = table.storage->columns;
        if (configuration_.inherit_from_table) {
          partition.storage->serde_library = table.storage->serde_library;
          partition.storage->serde_parameters = table.storage->serde_parameters;
          partition.storage->input_format = table.storage->input_format;
          partition.storage->output_format = table.storage->output_format;
        }
        return before != *partition.storage;
      });
}

Result<> Writer::remove_partitions(const FoundTable& found, const catalog::Table& table) {
  std::set<std::vector<std::string>> kept;
  for (const FoundPartition& one : found.partitions) kept.insert(one.values);
  std::vector<std::vector<std::string>> gone;
  const Result<> marked = parts_.catalog.rewrite_partitions(
      table.database, table.name, [&](catalog::Partition& partition) {
        const std::string* count = find(partition.parameters, kCount);
        const bool is_early = count && *count == "0";
        if (!kept.contains(partition.values)) {
          if (!is_early) gone.push_back(partition.values);
          return false;
        }
        partition.parameters.erase(kCount);
        return is_early;
      });
  if (!marked) return marked;
  const auto done = parts_.catalog.remove_partitions(table.database, table.name, gone);
  if (!done) return fail(done.error());
  crawl_.partitions_deleted += static_cast<int64_t>(gone.size());
  return {};
}

Result<> Writer::retire(const std::set<std::string>& locations, const std::string& include) {
  const auto all = tables();
  if (!all) return fail(all.error());
  for (const auto& [location, table] : **all) {
    const std::string* owner = find(table.parameters, "UPDATED_BY_CRAWLER");
    if (!owner || *owner != definition_.name || locations.contains(location)) continue;
    if (!location.starts_with(location_of(include))) continue;
    const bool contradicted = std::ranges::any_of(locations, [&](const std::string& found) {
      return found.starts_with(location) || location.starts_with(found);
    });
    if (load_memo(table.name).is_early) {
      if (contradicted)
        if (const Result<> done = drop(table.name); !done) return done;
      continue;  // Its objects are still to come.
    }
    if (definition_.delete_behavior == "DELETE_FROM_DATABASE") {
      if (const Result<> done = drop(table.name); !done) return done;
      ++crawl_.tables_deleted;
    } else if (definition_.delete_behavior == "DEPRECATE_IN_DATABASE" &&
               !table.parameters.contains("DEPRECATED_BY_CRAWLER")) {
      const auto at =
          std::chrono::duration_cast<std::chrono::milliseconds>(parts_.now.time_since_epoch());
      if (const Result<> done = parts_.catalog.refresh_parameters(
              table.database, table.name,
              {{"DEPRECATED_BY_CRAWLER", fmt::format("{}", at.count())}});
          !done)
        return done;
      crawl_.tables_updated.push_back(table.name);
    }
  }
  return {};
}

}  // namespace laketap::crawler
