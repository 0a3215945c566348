#include "query/folders.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/types.h"

namespace laketap::query {
namespace {

constexpr std::string_view kNullPartition = "__HIVE_DEFAULT_PARTITION__";

std::string folder_of(std::string key) {
  if (!key.empty() && key.back() != '/') key += '/';
  return key;
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= path.size();) {
    const size_t slash = std::min(path.find('/', at), path.size());
    parts.push_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  return parts;
}

// Hive leaves out files and folders whose name begins with _ or a dot.
bool is_hidden(std::string_view below) {
  return std::ranges::any_of(split(below), [](std::string_view part) {
    return part.starts_with('_') || part.starts_with('.');
  });
}

}  // namespace

Folders::Folders(const catalog::Table& table, const SnapshotRequest& request)
    : table_(table), request_(request) {
  // A crawler names the levels of folders; ones that it has not met yet are read like the others.
  crawled_ = table.parameters.contains("UPDATED_BY_CRAWLER") ||
             table.parameters.contains("CrawlerSchemaSerializerVersion");
}

Result<> Folders::read(const catalog::Catalog& catalog) {
  if (!table_.storage)
    return fail(ErrorKind::invalid, fmt::format("HIVE_INVALID_METADATA: Table {}.{} has no storage",
                                                table_.database, table_.name));
  const auto root = parse_location(table_.storage->location);
  if (!root)
    return fail(
        ErrorKind::invalid,
        fmt::format(
            "HIVE_METASTORE_ERROR: Table '{}.{}' has the location '{}', which is no S3 path",
            table_.database, table_.name, table_.storage->location));
  root_ = {root->bucket, folder_of(root->key)};
  if (table_.partition_keys.empty()) {
    roots_ = {root_};
    if (root_.key != root->key) file_ = *root;
    return {};
  }
  const auto page = catalog.partitions(table_.database, table_.name);
  if (!page) return fail(page.error());
  for (const catalog::Partition& partition : page->partitions) add(partition);
  std::set<std::pair<std::string, std::string>> folders;
  if (crawled_) folders.emplace(root_.bucket, root_.key);
  for (const auto& [place, values] : known_) folders.insert(place);
  // In order a folder comes right before what is in it.
  for (const auto& [bucket, key] : folders)
    if (roots_.empty() || roots_.back().bucket != bucket || !key.starts_with(roots_.back().key))
      roots_.push_back({bucket, key});
  return {};
}

std::optional<Folders::Values> Folders::values_of(const std::string& bucket,
                                                  const std::string& key) const {
  if (table_.partition_keys.empty()) {
    if (is_hidden(std::string_view(key).substr(root_.key.size()))) return std::nullopt;
    return Values();
  }
  std::string folder = key;
  for (size_t slash = folder.rfind('/'); slash != std::string::npos;
       slash = slash ? folder.rfind('/', slash - 1) : std::string::npos) {
    folder.resize(slash + 1);
    const auto found = known_.find({bucket, folder});
    if (found == known_.end()) continue;
    if (is_hidden(std::string_view(key).substr(folder.size()))) return std::nullopt;
    return wanted(found->second) ? std::optional(found->second) : std::nullopt;
  }
  return crawled_ && bucket == root_.bucket && key.starts_with(root_.key)
             ? from_path(std::string_view(key).substr(root_.key.size()))
             : std::nullopt;
}

void Folders::add(const catalog::Partition& partition) {
  Values values(partition.values.begin(), partition.values.end());
  for (auto& value : values)
    if (value == kNullPartition) value.reset();
  std::optional<Place> place;
  if (partition.storage) place = parse_location(partition.storage->location);
  if (!place) {
    place = root_;
    for (size_t i = 0; i < partition.values.size() && i < table_.partition_keys.size(); ++i)
      place->key += table_.partition_keys[i].name + "=" + partition.values[i] + "/";
  }
  known_[{place->bucket, folder_of(place->key)}] = std::move(values);
}

std::optional<Folders::Values> Folders::from_path(std::string_view below) const {
  std::vector<std::string_view> parts = split(below);
  parts.pop_back();  // The file.
  if (parts.size() < table_.partition_keys.size() || is_hidden(below)) return std::nullopt;
  Values values;
  for (size_t i = 0; i < table_.partition_keys.size(); ++i) {
    std::string_view part = parts[i];
    const std::string named = table_.partition_keys[i].name + "=";
    if (!part.starts_with(named)) {
      values.emplace_back(part);
      continue;
    }
    part.remove_prefix(named.size());
    if (part == kNullPartition)
      values.emplace_back();
    else
      values.emplace_back(catalog::unescaped(part));
  }
  return wanted(values) ? std::optional(values) : std::nullopt;
}

bool Folders::wanted(const Values& values) const {
  for (const auto& [column, texts] : request_.partition_equals) {
    const auto key = std::ranges::find(table_.partition_keys, column, &catalog::Column::name);
    if (key == table_.partition_keys.end()) continue;
    const auto number = static_cast<size_t>(key - table_.partition_keys.begin());
    // Texts are compared as texts only where the type is one: 07 is 7 in a column of numbers.
    const auto type = sql::from_hive(key->type);
    if (!type || !type->is_text()) continue;
    if (number >= values.size() || !values[number] || !texts.contains(*values[number]))
      return false;
  }
  return true;
}

}  // namespace laketap::query
