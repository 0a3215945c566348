#include "worker/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "io/process.h"
#include "worker/duck.h"
#include "worker/problems.h"
#include "worker/render.h"
#include "worker/scan.h"

namespace laketap::worker {

struct Session::Core {
  const Duck* duck = nullptr;
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  Tables tables;
  ScanCounters counters;
};

namespace {

std::unexpected<Error> cannot_start(std::string why) {
  return fail(ErrorKind::unavailable, "starting DuckDB: " + why);
}

// One query's result, freed at the end of the scope.
struct Running {
  explicit Running(const Duck& of) : duck(of) {}
  Running(const Running&) = delete;
  ~Running() {
    if (pending) duck.destroy_pending(&pending);
    if (has_result) duck.destroy_result(&result);
    if (prepared) duck.destroy_prepare(&prepared);
  }
  const Duck& duck;
  duckdb_prepared_statement prepared = nullptr;
  duckdb_pending_result pending = nullptr;
  duckdb_result result{};
  bool has_result = false;
};

// The type stands in front of DuckDB's texts; the preparing calls tell it in no other way.
duckdb_error_type type_of(std::string_view message) {
  for (const auto& [word, type] :
       {std::pair<std::string_view, duckdb_error_type>{"Binder", DUCKDB_ERROR_BINDER},
        {"Parser", DUCKDB_ERROR_PARSER},
        {"Catalog", DUCKDB_ERROR_CATALOG},
        {"Conversion", DUCKDB_ERROR_CONVERSION},
        {"Out of Range", DUCKDB_ERROR_OUT_OF_RANGE},
        {"Invalid Input", DUCKDB_ERROR_INVALID_INPUT},
        {"Out of Memory", DUCKDB_ERROR_OUT_OF_MEMORY},
        {"INTERRUPT", DUCKDB_ERROR_INTERRUPT},
        {"Not implemented", DUCKDB_ERROR_NOT_IMPLEMENTED},
        {"IO", DUCKDB_ERROR_IO}})
    if (message.starts_with(word)) return type;
  return DUCKDB_ERROR_INVALID;
}
std::unexpected<Error> failed(const char* message) {
  const std::string_view text = message ? message : "no reason given";
  return fail(to_error(type_of(text), text));
}

}  // namespace

std::string find_library(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  std::string folder = io::own_executable();
  for (int up = 0; up < 4; ++up) {
    const size_t slash = folder.rfind('/');
    if (slash == std::string::npos) break;
    folder.resize(slash);
    for (const char* place : {"/libduckdb.so", "/lib/libduckdb.so", "/.deps/lib/libduckdb.so"}) {
      std::string path = folder + place;
      if (access(path.c_str(), R_OK) == 0) return path;
    }
  }
  return LAKETAP_DEPS "/lib/libduckdb.so";
}

Session::Session(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Session::~Session() {
  if (core_->connection) core_->duck->disconnect(&core_->connection);
  if (core_->database) core_->duck->close(&core_->database);
}

Result<std::unique_ptr<Session>> Session::open(const SessionOptions& options) {
  const auto duck = load_duck(options.library);
  if (!duck) return fail(duck.error());
  auto session = std::make_unique<Session>(std::make_unique<Core>());
  Core& core = *session->core_;
  core.duck = *duck;

  duckdb_config config;
  core.duck->create_config(&config);
  const std::string memory = fmt::format("{}MiB", options.memory_bytes >> 20),
                    spill = fmt::format("{}MiB", options.spill_bytes >> 20);
  bool set = true;
  for (const auto& [key, value] :
       {std::pair<const char*, std::string>{"threads", std::to_string(options.threads)},
        {"memory_limit", memory},
        {"temp_directory", options.spill_folder},
        {"max_temp_directory_size", spill},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"allow_community_extensions", "false"}})
    set = core.duck->set_config(config, key, value.c_str()) == DuckDBSuccess && set;
  char* reason = nullptr;
  const bool opened =
      core.duck->open_ext(nullptr, &core.database, config, &reason) == DuckDBSuccess;
  core.duck->destroy_config(&config);
  if (!set) return cannot_start("a setting is unknown");
  if (!opened) return cannot_start(reason ? reason : "no reason given");
  if (core.duck->connect(core.database, &core.connection) != DuckDBSuccess)
    return cannot_start("no connection");

  const Result<> registered = register_scan(*core.duck, core.connection, core.tables);
  if (!registered) return fail(registered.error());
  // Sessions are Trino's: UTC, NULLs last. The last three close every way to the outside.
  for (const char* sql : {"SET TimeZone = 'UTC'", "SET default_null_order = 'nulls_last'",
                          "SET enable_external_access = false", "SET enable_progress_bar = false",
                          "SET lock_configuration = true"}) {
    if (!options.hardened) break;
    const std::string answer = session->ask(sql);
    if (answer.starts_with("ERROR ")) return cannot_start(fmt::format("{}: {}", sql, answer));
  }
  return session;
}

void Session::interrupt() {
  core_->duck->interrupt(core_->connection);
}

std::string Session::ask(const std::string& sql) {
  const Duck& duck = *core_->duck;
  duckdb_result result;
  if (duck.query(core_->connection, sql.c_str(), &result) == DuckDBError) {
    const char* why = duck.result_error(&result);
    std::string text = std::string("ERROR ") + (why ? why : "");
    duck.destroy_result(&result);
    return text;
  }
  duck.destroy_result(&result);
  return "ok";
}

Result<engine::Outcome> Session::run(engine::Statement statement,
                                     const std::function<bool(engine::RowBatch)>& rows) {
  const Duck& duck = *core_->duck;
  core_->tables.by_name.clear();
  core_->counters.bytes = core_->counters.rows = core_->counters.malformed = 0;
  for (engine::Scan& scan : statement.scans) {
    const std::string name = scan.name;
    auto table = prepare_table(std::move(scan), core_->counters);
    if (!table) return fail(ErrorKind::invalid, table.error().what);
    core_->tables.by_name[name] = std::move(*table);
  }

  Running running(duck);
  if (duck.prepare(core_->connection, statement.sql.c_str(), &running.prepared) == DuckDBError)
    return failed(duck.prepare_error(running.prepared));
  if (duck.pending_prepared_streaming(running.prepared, &running.pending) == DuckDBError)
    return failed(duck.pending_error(running.pending));
  running.has_result = true;
  if (duck.execute_pending(running.pending, &running.result) == DuckDBError)
    return fail(
        to_error(duck.result_error_type(&running.result),
                 duck.result_error(&running.result) ? duck.result_error(&running.result) : ""));

  const size_t columns = duck.column_count(&running.result);
  if (columns != statement.columns.size())
    return fail(ErrorKind::invalid,
                "GENERIC_INTERNAL_ERROR: the engine returned another number of columns");
  std::vector<Renderer> renderers;
  for (size_t i = 0; i < columns; ++i) {
    duckdb_logical_type stored = duck.column_logical_type(&running.result, i);
    renderers.emplace_back(duck, sql::from_trino(statement.columns[i].type).value_or(sql::Type()),
                           stored, statement.style);
    duck.destroy_logical_type(&stored);
  }

  engine::Outcome outcome;
  while (duckdb_data_chunk chunk = duck.fetch_chunk(running.result)) {
    const size_t count = duck.data_chunk_get_size(chunk);
    for (size_t i = 0; i < columns; ++i) renderers[i].bind(duck.data_chunk_get_vector(chunk, i));
    engine::RowBatch batch{columns, {}};
    batch.values.reserve(count * columns);
    for (size_t row = 0; row < count; ++row) {
      for (const Renderer& renderer : renderers) {
        engine::Value& value = batch.values.emplace_back();
        if (!renderer.is_null(row)) renderer.append(value.emplace(), row);
      }
    }
    duck.destroy_data_chunk(&chunk);
    outcome.rows += count;
    if (count > 0 && !rows(std::move(batch)))
      return fail(ErrorKind::cancelled, "the rows are not wanted any more");
    if (count == 0) break;
  }
  if (const char* why = duck.result_error(&running.result))
    return fail(to_error(duck.result_error_type(&running.result), why));
  outcome.scanned_bytes = core_->counters.bytes;
  outcome.scanned_rows = core_->counters.rows;
  outcome.malformed_records = core_->counters.malformed;
  return outcome;
}

}  // namespace laketap::worker
