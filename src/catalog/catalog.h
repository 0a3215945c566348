// The catalog: databases, tables with their versions, partitions. What Glue's Data Catalog keeps.
// Source: AWS Glue API reference, "Catalog". Names are folded to lower case, look-ups too.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/clock.h"
#include "state/state.h"

namespace laketap::catalog {

using Parameters = std::map<std::string, std::string>;

struct Column {
  std::string name, type, comment;  // Hive's type text; not checked when it is stored.
  Parameters parameters;
  bool operator==(const Column&) const = default;
};

struct SortColumn {
  std::string column;
  int64_t order = 1;
  bool operator==(const SortColumn&) const = default;
};

struct StorageDescriptor {
  std::vector<Column> columns;
  std::string location, input_format, output_format;
  bool compressed = false;
  int64_t bucket_count = 0;
  std::string serde_name, serde_library;
  Parameters serde_parameters, parameters;
  std::vector<std::string> bucket_columns;
  std::vector<SortColumn> sort_columns;
  bool stored_as_sub_directories = false;
  // Members that we only keep, as the API's own JSON: SkewedInfo, SchemaReference,
  // AdditionalLocations.
  std::string further;
  bool operator==(const StorageDescriptor&) const = default;
};

struct Database {
  std::string name, description, location_uri;
  Parameters parameters;
  Timestamp created;
  std::string further;  // TargetDatabase, FederatedDatabase, CreateTableDefaultPermissions as the
                        // API's JSON.
};

struct Table {
  std::string database, name, description, owner, table_type, view_original_text,
      view_expanded_text;
  std::optional<Timestamp> last_access, last_analyzed;
  int64_t retention = 0;
  std::optional<StorageDescriptor> storage;
  std::vector<Column> partition_keys;
  Parameters parameters;
  Timestamp created, updated;
  std::string created_by;
  uint64_t version = 0;
  std::string further;  // TargetTable, ViewDefinition.
};

struct Partition {
  std::vector<std::string> values;  // One for each partition key of the table.
  std::optional<StorageDescriptor> storage;
  Parameters parameters;
  Timestamp created;
  std::optional<Timestamp> last_access, last_analyzed;
};

struct PartitionPage {
  std::vector<Partition> partitions;
  std::string next;  // Empty: no more.
};

// Errors of all calls: not_found, exists, conflict (a stale version), invalid; `what` is Glue's own
// text. Thread-safe.
class Catalog {
 public:
  // Makes the database `default` when there is none.
  static Result<std::unique_ptr<Catalog>> open(state::Database& database, io::Clock& clock);

  Result<> create_database(Database wanted);
  Result<Database> find_database(std::string_view name) const;
  Result<std::vector<Database>> list_databases() const;  // By name.
  Result<> update_database(std::string_view name,
                           Database wanted);        // Replaces all but the creation time.
  Result<> remove_database(std::string_view name);  // With its tables, versions and partitions.

  // Times and version are set here.
  Result<> create_table(Table wanted);
  Result<Table> find_table(std::string_view database, std::string_view name) const;
  Result<std::vector<Table>> list_tables(std::string_view database) const;  // By name.
  // Replaces the whole; the old one is archived unless `skip_archive`. `expected_version`: conflict
  // when it is not the current one.
  Result<> update_table(Table wanted, bool skip_archive = false,
                        std::optional<uint64_t> expected_version = std::nullopt);
  // Sets these parameters of the table and its storage; version and update time stay as they are.
  Result<> refresh_parameters(std::string_view database, std::string_view name,
                              const Parameters& parameters);
  Result<> remove_table(std::string_view database, std::string_view name);
  Result<std::vector<Table>> versions(std::string_view database, std::string_view name)
      const;  // Newest first, the current one too.
  Result<> remove_version(std::string_view database, std::string_view name, uint64_t version);

  Result<> create_partition(std::string_view database, std::string_view table, Partition wanted);
  Result<Partition> find_partition(std::string_view database, std::string_view table,
                                   const std::vector<std::string>& values) const;
  // `values` may differ from those of `wanted`: that renames.
  Result<> update_partition(std::string_view database, std::string_view table,
                            const std::vector<std::string>& values, Partition wanted);
  Result<> remove_partition(std::string_view database, std::string_view table,
                            const std::vector<std::string>& values);
  // Batches of one transaction each: an answer for each item, in their order; an item that is
  // refused does not refuse the others. Errors of the whole: not_found - the table.
  Result<std::vector<Result<>>> create_partitions(std::string_view database, std::string_view table,
                                                  std::vector<Partition> wanted);
  Result<std::vector<Result<>>> remove_partitions(
      std::string_view database, std::string_view table,
      const std::vector<std::vector<std::string>>& values);
  // Runs `change` on each partition and stores those for which it returns true. Not one
  // transaction: it may end half-way. `change` must not change the values.
  Result<> rewrite_partitions(std::string_view database, std::string_view table,
                              const std::function<bool(Partition&)>& change);
  // Those that `expression` (GetPartitions' language; empty: all) holds for, in the order of their
  // values, `after` the token, at most `limit`. Errors: invalid - the expression. With `segment`:
  // the part number of that many.
  struct Segment {
    uint64_t number = 0, total = 1;
  };
  Result<PartitionPage> partitions(std::string_view database, std::string_view table,
                                   std::string_view expression = "", std::string_view after = "",
                                   size_t limit = SIZE_MAX, Segment segment = {0, 1}) const;

  // Changes with each write, so that a reader may keep what it read.
  uint64_t revision() const { return revision_.load(); }

 private:
  Catalog(state::Database& database, io::Clock& clock) : database_(database), clock_(clock) {}

  state::Database& database_;
  io::Clock& clock_;
  std::atomic<uint64_t> revision_ = 1;
};

std::string folded(std::string_view name);  // Lower case, ASCII.
// A part of a Hive folder's name as the value it stands for: a%3Ab is a:b. Once, not again.
std::string unescaped(std::string_view text);

// `text` is a GetPartitions expression over these keys. Kept for callers that filter by themselves.
class PartitionFilter {
 public:
  virtual ~PartitionFilter() = default;
  // Errors: invalid - a stored value that is none of its key's type.
  virtual Result<bool> holds(const std::vector<std::string>& values) const = 0;
};
Result<std::unique_ptr<PartitionFilter>> parse_partition_filter(std::string_view text,
                                                                const std::vector<Column>& keys);

}  // namespace laketap::catalog
