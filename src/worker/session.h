// DuckDB with our scan and our rendering, in this process and without a sandbox. The worker runs
// its queries through it; so may tests that link it (the conformance runner).
//
//     Session session = *Session::open({.library = "libduckdb.so"});
//     session.run(statement, [](engine::RowBatch rows) { ...; return true; });
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/engine.h"

namespace laketap::worker {

struct SessionOptions {
  std::string library;       // libduckdb.so.
  std::string spill_folder;  // Empty: nothing is spilled.
  size_t threads = 2;
  uint64_t memory_bytes = uint64_t{1} << 30;
  uint64_t spill_bytes = uint64_t{16} << 30;
  bool hardened = true;  // False, for the self test alone: DuckDB may try to open files by itself.
};

// The first library that is there: `wanted` when given, beside the program, in .deps/lib above it.
std::string find_library(const std::string& wanted);

// Thread-safety: one run() at a time; interrupt() from any thread.
class Session {
 public:
  // Errors: unavailable - the library, or DuckDB does not start.
  static Result<std::unique_ptr<Session>> open(const SessionOptions& options);
  ~Session();

  // Errors as engine::Engine::run(); cancelled after interrupt() or when `rows` returned false.
  Result<engine::Outcome> run(engine::Statement statement,
                              const std::function<bool(engine::RowBatch)>& rows);

  // Ends the query that runs, within milliseconds.
  void interrupt();

  // A statement of ours, its first value as text or its error: for the self test.
  std::string ask(const std::string& sql);

  struct Core;
  explicit Session(std::unique_ptr<Core> core);  // Called by open().

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace laketap::worker
