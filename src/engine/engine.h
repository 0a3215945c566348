// engine runs checked SQL somewhere and hands back its rows as text. It knows statements and
// manifests: which bytes of which files make up a table. Tables, buckets and rights are not its
// concern: who may see what was decided before a statement comes here.
//
//     query ── Statement ──▶ Engine ── socket ──▶ worker (sandboxed child) ── rows ──▶ query
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace laketap::engine {

// A part of a file. `bytes` may pass the end: the file's end counts.
struct Range {
  uint64_t offset = 0;
  uint64_t bytes = UINT64_MAX;
};

enum class Compression { none, gzip, deflate };

// One logical file of a table: an object, or the undelivered part of a batch (the ranges of a
// journal's segments, read one after another as if they stood together).
struct ScanFile {
  std::string path;    // Absolute; used when there are no parts.
  std::string name;    // For messages and "$path": s3://bucket/key.
  uint64_t bytes = 0;  // About; large files are begun first. 0: unknown.
  struct Part {
    int descriptor;  // Open for reading and ours until run() returns; it is passed to the worker.
    Range range;
  };
  std::vector<Part> parts;
  // In the order of Scan::partition_columns, as the catalog keeps them. Absent: NULL.
  std::vector<std::optional<std::string>> partition_values;
  Compression compression = Compression::none;
};

struct ColumnSpec {
  std::string name;  // Lower case.
  std::string type;  // Hive's spelling: struct<a:int,b:array<string>>.
};

enum class Format { json };

// A table as bytes. What printed SQL reads with laketap_scan('NAME').
struct Scan {
  std::string name;
  std::vector<ColumnSpec> columns;            // In the files.
  std::vector<ColumnSpec> partition_columns;  // After those; constant within a file.
  Format format = Format::json;
  // ignore.malformed.json, use.null.for.invalid.data, mapping.X, ...; keys in lower case. Where the
  // table's own parameters count too (use.null.for.invalid.data), they are in here.
  std::map<std::string, std::string> serde_parameters;
  std::vector<ScanFile> files;
};

struct ResultColumn {
  std::string name;
  std::string type;  // Trino's spelling: varchar(3), row(a integer).
};

// How values are written as text.
enum class Style {
  athena,  // As GetQueryResults shows them: [a, null], {a=1}. Contract athena.md A5.
  trino,   // As the recorded cases of tests/sql write them: ["a", null], (a=1).
};

struct Statement {
  std::string sql;  // In the engine's own language, one statement, from our printer.
  std::vector<Scan> scans;
  std::vector<ResultColumn> columns;
  Style style = Style::athena;
  std::chrono::milliseconds time_max{30 * 60'000};  // Athena: DML queries end after 30 minutes.
};

using Value = std::optional<std::string>;  // Absent: NULL.

// Rows as they come, in order: `values` holds rows * columns of them, row by row.
struct RowBatch {
  size_t columns = 0;
  std::vector<Value> values;
  size_t rows() const { return columns == 0 ? 0 : values.size() / columns; }
};

struct Outcome {
  uint64_t rows = 0;               // Handed over.
  uint64_t scanned_bytes = 0;      // Read from files, as they are stored.
  uint64_t scanned_rows = 0;       // Records read.
  uint64_t malformed_records = 0;  // Read as rows of NULLs.
};

// Thread-safety: run() from any thread, several at a time; each blocks until its query is over.
class Engine {
 public:
  virtual ~Engine() = default;

  // Calls `rows` on the calling thread; returning false ends the query as if cancelled.
  // Errors: invalid     - the query failed; `what` is "ERROR_NAME: message" as Trino words it.
  //         cancelled   - by `stop` (within a second) or by `rows`.
  //         full        - a limit: `what` is "EXCEEDED_TIME_LIMIT: ..." or
  //         "EXCEEDED_LOCAL_MEMORY_LIMIT: ...". unavailable - the worker died or cannot be started;
  //         `what` is "GENERIC_INTERNAL_ERROR: ...".
  virtual Result<Outcome> run(const Statement& statement, const std::function<bool(RowBatch)>& rows,
                              std::stop_token stop) = 0;
};

// The worker processes on this machine.
struct WorkerOptions {
  std::string executable;  // Ours; started as `EXECUTABLE worker`. Empty: the program that runs.
  std::string library;     // libduckdb.so. Empty: found beside the executable or in .deps/lib.
  std::vector<std::string> readable_folders;  // Where object files lie; the worker may read there.
  std::string spill_folder;                   // Ours alone; created, and emptied at start.
  size_t workers_max = 2;                     // Queries at a time; others wait in run().
  size_t threads = 2;                         // Of each worker.
  uint64_t memory_bytes = uint64_t{1} << 30;  // DuckDB's memory_limit in each worker.
  uint64_t spill_bytes = uint64_t{16} << 30;  // On disk, of each worker.
  bool allow_unsandboxed = false;  // Run even where the kernel has no landlock or seccomp.
};

// What the self test of a worker found: name of the attempt -> whether it was refused.
using Refusals = std::map<std::string, bool>;

// One query at a time in each worker process, so that a worker that dies takes one query along. A
// worker is started when first needed and kept; dead ones are replaced by the next query.
class WorkerEngine : public Engine {
 public:
  explicit WorkerEngine(WorkerOptions options);
  ~WorkerEngine() override;  // No run() may be left. Ends the workers.

  Result<Outcome> run(const Statement& statement, const std::function<bool(RowBatch)>& rows,
                      std::stop_token stop) override;

  // Lets a worker try what it must not be able to do, from its main thread and from DuckDB's:
  // reading `secrets` (paths), writing into `readable_folders`, sockets, exec, ... For tests.
  Result<Refusals> self_test(const std::vector<std::string>& secrets);

  std::vector<int> worker_ids() const;  // Process ids of the live workers. For tests.

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace laketap::engine
