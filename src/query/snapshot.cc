#include "query/snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "query/folders.h"
#include "query/hidden_columns.h"
#include "sql/types.h"

namespace laketap::query {
namespace {

constexpr int kAttemptsMax = 5;  // When objects go between the listing and the pin.

constexpr std::string_view kJsonSerdes[] = {"org.openx.data.jsonserde.JsonSerDe",
                                            "org.apache.hive.hcatalog.data.JsonSerDe",
                                            "org.apache.hadoop.hive.serde2.JsonSerDe"};

// By the ending, as Hadoop does; the worker looks for gzip's first bytes as well, because not
// everybody names such a file so. Absent: compressed in a way that is not built.
std::optional<engine::Compression> compression_of(std::string_view key) {
  if (key.ends_with(".gz")) return engine::Compression::gzip;
  if (key.ends_with(".deflate")) return engine::Compression::deflate;
  for (const std::string_view ending : {".bz2", ".lz4", ".lzo", ".snappy", ".zst"})
    if (key.ends_with(ending)) return std::nullopt;
  return engine::Compression::none;
}

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
  for (const HiddenColumn& column : hidden_columns_of(table))
    scan.partition_columns.push_back({column.name, column.type});
  for (const auto& [key, value] : table.storage->serde_parameters)
    scan.serde_parameters[catalog::folded(key)] = value;
  for (const auto& [key, value] : table.parameters)
    if (catalog::folded(key) == "use.null.for.invalid.data")
      scan.serde_parameters[catalog::folded(key)] = value;
}

Result<> check_format(const catalog::Table& table) {
  std::set<std::string> names;
  for (const auto* columns : {&table.storage->columns, &table.partition_keys})
    for (const catalog::Column& column : *columns)
      if (!names.insert(catalog::folded(column.name)).second)
        return fail(
            ErrorKind::invalid,
            fmt::format("HIVE_INVALID_METADATA: Hive metadata for table {} is invalid: Table "
                        "descriptor contains duplicate columns",
                        table.name));
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

// One look at the table's folders. When an object goes between the listing and its pin, it is
// looked at once more.
class Look {
 public:
  Look(store::Store& store, const ingest::Streams& streams, const catalog::Table& table,
       const Folders& folders, const SnapshotRequest& request)
      : store_(store),
        streams_(streams),
        folders_(folders),
        request_(request),
        keys_(table.partition_keys.size()),
        hidden_(hidden_columns_of(table)) {}

  // Errors: conflict - an object went meanwhile; others as Snapshots::take().
  Result<> all() {
    for (const Place& root : folders_.roots())
      if (const Result<> seen = folder(root); !seen) return seen;
    if (folders_.file()) {
      auto object = store_.find(folders_.file()->bucket, folders_.file()->key);
      if (!object && object.error().kind != ErrorKind::not_found) return fail(object.error());
      if (object && !object->delete_marker) add(*std::move(object), Folders::Values());
    }
    return pin();
  }

  Snapshot made;

 private:
  struct Found {
    store::ObjectInfo object;
    Folders::Values values;
  };

  Result<> folder(const Place& root) {
    // In this order: a batch leaves the first list only after its object is in the second.
    std::vector<ingest::UndeliveredBatch> batches = streams_.undelivered(root.bucket, root.key);
    auto objects = store_.snapshot(root.bucket, root.key);
    if (!objects && objects.error().kind != ErrorKind::not_found) return fail(objects.error());
    std::set<std::string> undelivered;
    for (const ingest::UndeliveredBatch& batch : batches) undelivered.insert(batch.plan_id);
    if (objects) {
      for (store::ObjectInfo& object : *objects) {
        if (!object.plan_id.empty()) undelivered.erase(object.plan_id);
        auto values = folders_.values_of(object.bucket, object.key);
        if (values) add(std::move(object), *std::move(values));
      }
    }
    for (const ingest::UndeliveredBatch& batch : batches)
      if (undelivered.contains(batch.plan_id)) add(batch);
    return {};
  }

  void add(store::ObjectInfo object, Folders::Values values) {
    if (object.size == 0 || object.key.ends_with('/')) return;
    const bool is_result = object.metadata.contains(store::kQueryResult);
    (is_result ? results_ : objects_).push_back({std::move(object), std::move(values)});
  }

  void add(const ingest::UndeliveredBatch& batch) {
    if (batch.bytes == 0) return;
    auto values = folders_.values_of(batch.bucket, batch.key);
    if (!values) return;
    engine::ScanFile file;
    file.name = fmt::format("s3://{}/{}", batch.bucket, batch.key);
    file.bytes = batch.bytes;
    file.partition_values = *std::move(values);
    add_hidden(file);
    for (const delivery::Piece& piece : batch.pieces) {
      file.parts.push_back(
          {piece.pin->descriptor(), {piece.location.offset, piece.location.bytes}});
      if (made.segments.empty() || made.segments.back() != piece.pin)
        made.segments.push_back(piece.pin);
    }
    made.undelivered_bytes += batch.bytes;
    if (!file.parts.empty()) made.scan.files.push_back(std::move(file));
  }

  // Results of queries that were written below the table they read are none of its data. A table
  // that was made over results reads them.
  Result<> pin() {
    if (objects_.empty() && made.scan.files.empty())
      for (Found& result : results_)
        if (!result.object.key.ends_with(".metadata")) objects_.push_back(std::move(result));
    for (Found& found : objects_)
      if (const Result<> pinned = pin(found); !pinned) return pinned;
    return {};
  }

  Result<> pin(Found& found) {
    engine::ScanFile file;
    file.name = fmt::format("s3://{}/{}", found.object.bucket, found.object.key);
    const auto compression = compression_of(found.object.key);
    if (!compression)
      return fail(ErrorKind::invalid,
                  fmt::format("NOT_SUPPORTED: The compression of {} is not read by this version of "
                              "Laketap (docs/gaps.md)",
                              file.name));
    auto held = store_.pin(found.object);
    if (!held && held.error().kind == ErrorKind::not_found)
      return fail(ErrorKind::conflict, held.error().what);
    if (!held) return fail(held.error());
    file.path = held->path();
    file.bytes = found.object.size;
    file.compression = *compression;
    file.partition_values = std::move(found.values);
    add_hidden(file);
    made.scan.files.push_back(std::move(file));
    made.objects.push_back(*std::move(held));
    return {};
  }

  // Behind the partition's values, of which there may be too few since a key was added.
  void add_hidden(engine::ScanFile& file) const {
    file.partition_values.resize(keys_);
    for (const HiddenColumn& column : hidden_) {
      const bool used = request_.columns.contains(column.name);
      file.partition_values.push_back(used ? std::optional(column.value(file)) : std::nullopt);
    }
  }

  store::Store& store_;
  const ingest::Streams& streams_;
  const Folders& folders_;
  const SnapshotRequest& request_;
  const size_t keys_;
  std::vector<HiddenColumn> hidden_;
  std::vector<Found> objects_, results_;
};

}  // namespace

Result<Snapshot> Snapshots::take(const SnapshotRequest& request) const {
  const auto table = catalog_.find_table(request.database, request.table);
  if (!table) return fail(table.error());
  Folders folders(*table, request);
  if (const Result<> read = folders.read(catalog_); !read) return fail(read.error());
  if (const Result<> readable = check_format(*table); !readable) return fail(readable.error());

  for (int attempt = 1; attempt <= kAttemptsMax; ++attempt) {
    Look look(store_, streams_, *table, folders, request);
    fill_schema(look.made.scan, *table, request.columns);
    const Result<> seen = look.all();
    if (seen) return std::move(look.made);
    if (seen.error().kind != ErrorKind::conflict) return fail(seen.error());
  }
  return fail(ErrorKind::unavailable,
              "GENERIC_INTERNAL_ERROR: the objects of the table are changing too fast");
}

}  // namespace laketap::query
