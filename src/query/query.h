// query runs Athena's executions: it takes SQL, makes a consistent picture of the tables in it, has
// the engine run it, and leaves the result in the store, where GetQueryResults reads it again.
//
//     start ──▶ QUEUED ──▶ RUNNING ──▶ SUCCEEDED | FAILED | CANCELLED
//                             └─ check (sql) ─ snapshot (catalog, journal, store) ─ run (engine) ─
//                             result (store)
//
// Executions live in the history database: they survive a restart; those that ran then are FAILED.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "engine/engine.h"
#include "identity/identity.h"
#include "ingest/ingest.h"
#include "io/clock.h"
#include "io/random.h"
#include "state/state.h"
#include "store/store.h"

namespace laketap::query {

enum class State { queued, running, succeeded, failed, cancelled };
std::string_view to_string(State state);  // "QUEUED" ...

// Why something is refused, in Athena's words.
struct Refusal {
  std::string exception = "InvalidRequestException";
  std::string code = "INVALID_INPUT";  // AthenaErrorCode; empty: none.
  std::string message;
};
template <class T = void>
using Answer = std::expected<T, Refusal>;

struct StartRequest {
  std::string sql;
  std::string token;                    // ClientRequestToken.
  std::optional<std::string> database;  // Of the context.
  std::optional<std::string> catalog;
  std::optional<std::string> output_location;
  std::string work_group = "primary";
  std::vector<std::string> parameters;  // For `?`.
};

struct Statistics {
  int64_t queued_ms = 0, planning_ms = 0, engine_ms = 0, service_ms = 0, total_ms = 0;
  uint64_t scanned_bytes = 0, scanned_rows = 0, output_rows = 0, output_bytes = 0;
  uint64_t malformed_records = 0;
  // Of what was scanned, records that no object held yet.
  uint64_t undelivered_bytes = 0;
};

struct Column {
  std::string name;
  std::string type;  // Trino's spelling; "string" for statements about metadata.
};

// What GetQueryResults says of a column. Source: contract athena.md A5.
struct ColumnFacts {
  std::string type;  // "float" for real, "array" without its element.
  int precision = 0, scale = 0;
  bool case_sensitive = false;
};
ColumnFacts facts_of(const Column& column);

struct Execution {
  std::string id;                                 // UUID v4.
  std::string sql;                                // Without outer blanks and the last semicolon.
  std::string statement_type, substatement_type;  // "DML", "SELECT".
  std::string work_group;
  std::optional<std::string> database, catalog;
  std::vector<std::string> parameters;
  std::string output_location;  // s3://BUCKET/.../ID.csv
  State state = State::queued;
  std::string reason;                      // Why it failed or was cancelled.
  int error_category = 0, error_type = 0;  // AthenaError's; 0: none.
  Timestamp submitted;
  std::optional<Timestamp> completed;
  Statistics statistics;
  std::vector<Column> columns;  // Of the result.
};

struct ResultPage {
  std::vector<Column> columns;
  std::vector<std::vector<engine::Value>>
      rows;                       // With the header on the first page, if there is one.
  std::string next_token;         // Empty: no more.
  bool has_update_count = false;  // Of zero.
  bool no_metadata = false;       // A failed statement of the metadata kind.
};

struct ExecutionPage {
  std::vector<std::string> ids;  // Newest first.
  std::string next_token;
};

struct Options {
  std::string account = "000000000000";
  std::string region = "us-east-1";
  size_t running_max = 2;    // At a time.
  size_t queued_max = 1000;  // Waiting; one more is TooManyRequestsException.
};

inline constexpr size_t kSqlBytesMax = 262'144;  // Athena model, shape QueryString.
inline constexpr size_t kPageRowsMax = 1000;     // GetQueryResults, with the header.

// Thread-safety: every method, from any thread. Ownership: borrows all parts.
class Queries {
 public:
  struct Parts {
    state::Database& history;
    engine::Engine& engine;
    store::Store& store;
    catalog::Catalog& catalog;
    const ingest::Streams& streams;
    io::Clock& clock;
    io::Random& random;
  };
  // Marks what ran when the last process ended as FAILED, and makes the results bucket.
  static Result<std::unique_ptr<Queries>> open(Options options, Parts parts);
  ~Queries();  // Cancels what runs and waits for it.

  // Returns the id of a new execution, or of the one that the same token started.
  Answer<std::string> start(const identity::Caller& caller, StartRequest request);
  // Nothing happens to one that is over.
  Answer<> stop(std::string_view id);
  Answer<Execution> find(std::string_view id) const;
  Answer<ResultPage> results(std::string_view id, std::string_view token, size_t rows_max) const;
  Answer<ExecutionPage> list(std::string_view work_group, std::string_view token,
                             size_t limit) const;

  // s3://aws-athena-query-results-ACCOUNT-REGION/
  std::string default_output() const;
  Timestamp opened() const;  // What the workgroup shows as its creation.

  struct Core;
  explicit Queries(std::unique_ptr<Core> core);  // Called by open().

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace laketap::query
