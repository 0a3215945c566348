#include "query/snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "query/result.h"
#include "sql/types.h"

namespace laketap::query {
namespace {

constexpr int kAttemptsMax = 5;  // When objects go between the listing and the pin.

constexpr std::string_view kJsonSerdes[] = {"org.openx.data.jsonserde.JsonSerDe",
                                            "org.apache.hive.hcatalog.data.JsonSerDe",
                                            "org.apache.hadoop.hive.serde2.JsonSerDe"};

using Values = std::vector<std::optional<std::string>>;

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

// By lower-case ending only, as Hadoop does. Absent: compressed in a way that is not built.
std::optional<engine::Compression> compression_of(std::string_view key) {
  if (key.ends_with(".gz")) return engine::Compression::gzip;
  if (key.ends_with(".deflate")) return engine::Compression::deflate;
  for (const std::string_view ending : {".bz2", ".lz4", ".lzo", ".snappy", ".zst"})
    if (key.ends_with(ending)) return std::nullopt;
  return engine::Compression::none;
}

// Where a table's files lie, and which partition each folder is.
class Folders {
 public:
  Folders(const catalog::Table& table, const SnapshotRequest& request)
      : table_(table), request_(request) {
    // A crawler names the levels of folders; ones that it has not met yet are read like the others.
    crawled_ = table.parameters.contains("UPDATED_BY_CRAWLER") ||
               table.parameters.contains("CrawlerSchemaSerializerVersion");
  }

  Result<> read(const catalog::Catalog& catalog) {
    if (!table_.storage)
      return fail(ErrorKind::invalid,
                  fmt::format("HIVE_INVALID_METADATA: Table {}.{} has no storage", table_.database,
                              table_.name));
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
      return {};
    }
    const auto page = catalog.partitions(table_.database, table_.name);
    if (!page) return fail(page.error());
    for (const catalog::Partition& partition : page->partitions) add(partition);
    const auto inside = [&](const Place& place) {
      return place.bucket == root_.bucket && place.key.starts_with(root_.key);
    };
    bool any_inside = crawled_;
    for (const auto& [place, values] : known_) {
      if (inside({place.first, place.second}))
        any_inside = true;
      else
        roots_.push_back({place.first, place.second});
    }
    if (any_inside) roots_.push_back(root_);
    return {};
  }

  // Each is listed once; they do not overlap.
  const std::vector<Place>& roots() const { return roots_; }

  // The partition of an object; absent: of none that is asked for.
  std::optional<Values> values_of(const std::string& bucket, const std::string& key) const {
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

 private:
  void add(const catalog::Partition& partition) {
    Values values(partition.values.begin(), partition.values.end());
    for (auto& value : values)
      if (value == "__HIVE_DEFAULT_PARTITION__") value.reset();
    std::optional<Place> place;
    if (partition.storage) place = parse_location(partition.storage->location);
    if (!place) {
      place = root_;
      for (size_t i = 0; i < partition.values.size() && i < table_.partition_keys.size(); ++i)
        place->key += table_.partition_keys[i].name + "=" + partition.values[i] + "/";
    }
    known_[{place->bucket, folder_of(place->key)}] = std::move(values);
  }

  std::optional<Values> from_path(std::string_view below) const {
    std::vector<std::string_view> parts = split(below);
    parts.pop_back();  // The file.
    if (parts.size() < table_.partition_keys.size() || is_hidden(below)) return std::nullopt;
    Values values;
    for (size_t i = 0; i < table_.partition_keys.size(); ++i) {
      std::string_view part = parts[i];
      const std::string named = table_.partition_keys[i].name + "=";
      if (part.starts_with(named)) part.remove_prefix(named.size());
      values.emplace_back(part);
    }
    return wanted(values) ? std::optional(values) : std::nullopt;
  }

  bool wanted(const Values& values) const {
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

  const catalog::Table& table_;
  const SnapshotRequest& request_;
  Place root_;
  std::vector<Place> roots_;
  std::map<std::pair<std::string, std::string>, Values> known_;
  bool crawled_ = false;
};

void fill_schema(engine::Scan& scan, const catalog::Table& table,
                 const std::set<std::string>& used) {
  const auto spec = [&](const catalog::Column& column) {
    const bool needed = used.contains(catalog::folded(column.name));
    // What the query does not read only holds its place.
    return engine::ColumnSpec{catalog::folded(column.name), needed ? column.type : "string"};
  };
  for (const catalog::Column& column : table.storage->columns) scan.columns.push_back(spec(column));
  for (const catalog::Column& column : table.partition_keys)
    scan.partition_columns.push_back(spec(column));
  for (const auto& [key, value] : table.storage->serde_parameters)
    scan.serde_parameters[catalog::folded(key)] = value;
  for (const auto& [key, value] : table.parameters)
    if (catalog::folded(key) == "use.null.for.invalid.data")
      scan.serde_parameters[catalog::folded(key)] = value;
}

Result<> check_format(const catalog::Table& table) {
  const std::string& serde = table.storage->serde_library;
  if (std::ranges::find(kJsonSerdes, serde) != std::end(kJsonSerdes)) return {};
  if (serde.empty())
    return fail(ErrorKind::invalid,
                fmt::format("HIVE_UNSUPPORTED_FORMAT: Table {}.{} names no SerDe", table.database,
                            table.name));
  return fail(ErrorKind::invalid, fmt::format("NOT_SUPPORTED: Tables of SerDe {} are not read by "
                                              "this version of Laketap (docs/gaps.md)",
                                              serde));
}

}  // namespace

Result<Snapshot> Snapshots::take(const SnapshotRequest& request) const {
  const auto table = catalog_.find_table(request.database, request.table);
  if (!table) return fail(table.error());
  Folders folders(*table, request);
  const Result<> read = folders.read(catalog_);
  if (!read) return fail(read.error());
  const Result<> readable = check_format(*table);
  if (!readable) return fail(readable.error());

  for (int attempt = 1;; ++attempt) {
    Snapshot made;
    fill_schema(made.scan, *table, request.columns);
    bool lost = false;
    for (const Place& root : folders.roots()) {
      // In this order: a batch leaves the first list only after its object is in the second.
      std::vector<ingest::UndeliveredBatch> batches = streams_.undelivered(root.bucket, root.key);
      const auto objects = store_.snapshot(root.bucket, root.key);
      if (!objects && objects.error().kind != ErrorKind::not_found) return fail(objects.error());
      std::set<std::string_view> delivered;
      if (objects) {
        for (const store::ObjectInfo& object : *objects) {
          if (!object.plan_id.empty()) delivered.insert(object.plan_id);
          if (object.size == 0 || object.key.ends_with('/')) continue;
          auto values = folders.values_of(object.bucket, object.key);
          if (!values) continue;
          const auto compression = compression_of(object.key);
          if (!compression)
            return fail(ErrorKind::invalid,
                        fmt::format("NOT_SUPPORTED: The compression of s3://{}/{} is not read by "
                                    "this version of Laketap (docs/gaps.md)",
                                    object.bucket, object.key));
          auto pin = store_.pin(object);
          lost = !pin;
          if (lost) break;
          engine::ScanFile file;
          file.path = pin->path();
          file.name = fmt::format("s3://{}/{}", object.bucket, object.key);
          file.bytes = object.size;
          file.compression = *compression;
          file.partition_values = std::move(*values);
          made.scan.files.push_back(std::move(file));
          made.objects.push_back(std::move(*pin));
        }
      }
      if (lost) break;
      for (ingest::UndeliveredBatch& batch : batches) {
        if (delivered.contains(batch.plan_id) || batch.bytes == 0) continue;
        auto values = folders.values_of(batch.bucket, batch.key);
        if (!values) continue;
        engine::ScanFile file;
        file.name = fmt::format("s3://{}/{} (not delivered yet)", batch.bucket, batch.key);
        file.bytes = batch.bytes;
        file.partition_values = std::move(*values);
        for (const delivery::Piece& piece : batch.pieces) {
          file.parts.push_back(
              {piece.pin->descriptor(), {piece.location.offset, piece.location.bytes}});
          if (made.segments.empty() || made.segments.back() != piece.pin)
            made.segments.push_back(piece.pin);
        }
        made.undelivered_bytes += batch.bytes;
        if (!file.parts.empty()) made.scan.files.push_back(std::move(file));
      }
    }
    if (!lost) return made;
    if (attempt == kAttemptsMax)
      return fail(ErrorKind::unavailable,
                  "GENERIC_INTERNAL_ERROR: the objects of the table are changing too fast");
  }
}

}  // namespace laketap::query
