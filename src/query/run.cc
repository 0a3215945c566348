// What a thread does with one execution.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <chrono>

#include "query/catalog_view.h"
#include "query/core.h"
#include "query/metadata.h"
#include "query/record.h"
#include "query/result.h"

namespace laketap::query {
namespace {

using std::chrono::steady_clock;

int64_t millis_since(steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - start).count();
}

struct Classified {
  int category, type;
};
// AthenaError's numbers by the error's name. Contract: athena.md A6.
Classified classify(std::string_view reason) {
  static constexpr std::array<std::pair<std::string_view, int>, 24> kTypes{
      {{"COLUMN_NOT_FOUND", 1006},
       {"AMBIGUOUS_NAME", 1006},
       {"SYNTAX_ERROR", 1006},
       {"EXPRESSION_NOT_AGGREGATE", 1006},
       {"TABLE_NOT_FOUND", 1301},
       {"SCHEMA_NOT_FOUND", 1301},
       {"CATALOG_NOT_FOUND", 1301},
       {"FUNCTION_NOT_FOUND", 1303},
       {"TYPE_MISMATCH", 1002},
       {"DIVISION_BY_ZERO", 1001},
       {"INVALID_CAST_ARGUMENT", 1100},
       {"NUMERIC_VALUE_OUT_OF_RANGE", 1100},
       {"INVALID_PARAMETER_USAGE", 1100},
       {"MISSING_COLUMN_NAME", 1100},
       {"INVALID_FUNCTION_ARGUMENT", 1106},
       {"TABLE_ALREADY_EXISTS", 1110},
       {"NOT_SUPPORTED", 1200},
       {"HIVE_BAD_DATA", 1500},
       {"HIVE_CURSOR_ERROR", 1500},
       {"HIVE_CANNOT_OPEN_SPLIT", 1500},
       {"EXCEEDED_TIME_LIMIT", 206},
       {"FAILED", 1000},
       {"EXCEEDED_LOCAL_MEMORY_LIMIT", 1402},
       {"EXCEEDED_SPILL_LIMIT", 1402}}};
  const std::string_view name = reason.substr(0, reason.find(':'));
  for (const auto& [known, type] : kTypes)
    if (name == known) return {2, type};
  return name == "GENERIC_INTERNAL_ERROR" ? Classified{1, 9999} : Classified{2, 9999};
}

}  // namespace

Result<> Queries::Core::save(const Execution& execution, bool over) {
  return state::transact(parts.history, [&](state::Transaction& transaction) -> Result<> {
    transaction.put(execution_key(execution.id), encode(execution));
    if (over) transaction.erase(running_key(execution.id));
    return {};
  });
}

void Queries::Core::finish(Live& live_one, State state, const Error* error) {
  Execution over = live_one.copy();
  over.state = state;
  over.completed = parts.clock.now();
  over.statistics.total_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(*over.completed - over.submitted)
          .count();
  const Error closed{ErrorKind::cancelled, kStopped};
  if (state == State::cancelled && closing) {
    over.state = State::failed;
    error = &closed;
  }
  if (over.state == State::cancelled) {
    over.reason = "Query cancelled by user";
  } else if (error) {
    over.reason = error->what;
    const Classified classified = classify(error->what);
    over.error_category = classified.category;
    over.error_type = classified.type;
  }
  // Kept before it is shown: what a client saw as over is over after a restart too.
  (void)save(over, true);
  const std::lock_guard lock(live_one.mutex);
  live_one.execution = std::move(over);
}

void Queries::Core::run(Live& live_one) {
  {
    const std::lock_guard lock(live_one.mutex);
    Execution& execution = live_one.execution;
    execution.state = State::running;
    execution.statistics.queued_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                         parts.clock.now() - execution.submitted)
                                         .count();
  }
  Result<> done;
  switch (live_one.statement.kind) {
    case sql::StatementKind::select: done = run_select(live_one); break;
    case sql::StatementKind::unsupported:
      done = fail(ErrorKind::invalid, fmt::format("NOT_SUPPORTED: {} statements are not built in "
                                                  "this version of Laketap (docs/gaps.md)",
                                                  live_one.statement.substatement_type));
      break;
    default: done = run_metadata(live_one);
  }
  if (done) return finish(live_one, State::succeeded, nullptr);
  if (live_one.stop.stop_requested()) return finish(live_one, State::cancelled, nullptr);
  Error error = done.error();
  if (error.kind != ErrorKind::invalid && error.what.find(": ") == std::string::npos)
    error.what = "GENERIC_INTERNAL_ERROR: " + error.what;
  finish(live_one, State::failed, &error);
}

Result<> Queries::Core::run_metadata(Live& live_one) {
  const Execution execution = live_one.copy();
  const auto answer = answer_metadata(parts.catalog, live_one.statement, database_of(execution));
  const auto place = parse_location(execution.output_location);
  auto file = ResultFile::open(parts.store, *place);
  if (!file) return fail(file.error());
  if (!answer) {  // Measured: the text of the failure is the result's.
    (void)file->write(answer.error().what);
    (void)file->commit("text/plain");
    return fail(answer.error());
  }
  const std::string body = fmt::format("{}", fmt::join(answer->lines, "\n"));
  Result<> stored = file->write(body);
  if (stored) stored = file->commit("application/octet-stream");
  if (!stored) return stored;
  auto metadata = ResultFile::open(parts.store, {place->bucket, place->key + ".metadata"});
  if (!metadata) return fail(metadata.error());
  stored = metadata->write(metadata_bytes(execution.id, answer->columns));
  if (stored) stored = metadata->commit("application/octet-stream");
  if (!stored) return stored;
  const std::lock_guard lock(live_one.mutex);
  live_one.execution.columns = answer->columns;
  live_one.execution.statistics.output_rows = answer->lines.size();
  live_one.execution.statistics.output_bytes = body.size();
  return {};
}

Result<> Queries::Core::run_select(Live& live_one) {
  const auto started = steady_clock::now();
  const Execution execution = live_one.copy();
  sql::Session session;
  session.catalog = execution.catalog.value_or(kCatalogName);
  session.schema = database_of(execution);
  session.now = parts.clock.now();
  session.parameters = execution.parameters;
  const auto checked = sql::check(live_one.statement, CatalogNames(parts.catalog), session);
  if (!checked) return fail(ErrorKind::invalid, checked.error().text());

  // Tables that stand twice in a statement are one picture, so that a self-join sees one moment.
  const Snapshots snapshots(parts.store, parts.catalog, parts.streams);
  engine::Statement statement;
  std::map<std::pair<std::string, std::string>, size_t> uses;
  for (const sql::UsedTable& table : checked->tables) ++uses[{table.schema, table.table}];
  std::map<std::pair<std::string, std::string>, Snapshot> taken;
  uint64_t undelivered = 0;
  for (const sql::UsedTable& table : checked->tables) {
    const std::pair name(table.schema, table.table);
    auto found = taken.find(name);
    if (found == taken.end()) {
      SnapshotRequest request{table.schema, table.table, {}, {}};
      for (const sql::UsedTable& other : checked->tables)
        if (other.schema == table.schema && other.table == table.table)
          request.columns.insert(other.columns.begin(), other.columns.end());
      if (uses[name] == 1) request.partition_equals = table.partition_equals;
      auto snapshot = snapshots.take(request);
      if (!snapshot) return fail(snapshot.error());
      undelivered += snapshot->undelivered_bytes;
      found = taken.emplace(name, std::move(*snapshot)).first;
    }
    engine::Scan scan = found->second.scan;
    scan.name = table.scan;
    statement.scans.push_back(std::move(scan));
  }
  statement.sql =
      sql::print_duckdb(*checked, [](const sql::UsedTable& table) { return table.scan; });

  std::vector<Column> columns;
  std::vector<engine::Value> header;
  for (const sql::OutputColumn& column : checked->columns) {
    columns.push_back({column.name, sql::to_string(column.type)});
    statement.columns.push_back({column.name, sql::to_string(column.type)});
    header.emplace_back(column.name);
  }
  const auto place = parse_location(execution.output_location);
  auto file = ResultFile::open(parts.store, *place);
  if (!file) return fail(file.error());
  std::string lines;
  append_csv(lines, header);
  Result<> stored = file->write(lines);
  const int64_t planning_ms = millis_since(started);
  const auto engine_started = steady_clock::now();
  const auto outcome = parts.engine.run(
      statement,
      [&](engine::RowBatch batch) {
        lines.clear();
        for (size_t row = 0; row < batch.rows(); ++row)
          append_csv(lines, std::span(batch.values).subspan(row * batch.columns, batch.columns));
        stored = stored ? file->write(lines) : stored;
        return stored.has_value();
      },
      live_one.stop.get_token());
  const int64_t engine_ms = millis_since(engine_started);
  {
    const std::lock_guard lock(live_one.mutex);
    Statistics& statistics = live_one.execution.statistics;
    statistics.planning_ms = planning_ms;
    statistics.engine_ms = engine_ms;
    statistics.undelivered_bytes = undelivered;
    if (outcome) {
      statistics.scanned_bytes = outcome->scanned_bytes;
      statistics.scanned_rows = outcome->scanned_rows;
      statistics.malformed_records = outcome->malformed_records;
      statistics.output_rows = outcome->rows;
      statistics.output_bytes = file->bytes();
    }
    live_one.execution.columns = columns;
  }
  if (!stored) return fail(stored.error(), "writing the result");
  if (!outcome) return fail(outcome.error());

  const auto service_started = steady_clock::now();
  auto metadata = ResultFile::open(parts.store, {place->bucket, place->key + ".metadata"});
  if (!metadata) return fail(metadata.error());
  stored = metadata->write(metadata_bytes(execution.id, columns));
  if (stored) stored = metadata->commit("application/octet-stream");
  if (stored)
    stored = file->commit("application/octet-stream");  // Last: who sees it may read both.
  if (!stored) return fail(stored.error(), "writing the result");
  const std::lock_guard lock(live_one.mutex);
  live_one.execution.statistics.service_ms = millis_since(service_started);
  return {};
}

}  // namespace laketap::query
