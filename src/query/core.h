// The insides of Queries. queries.cc: the face; run.cc: what a thread does with one execution.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "query/query.h"
#include "query/snapshot.h"
#include "sql/sql.h"

namespace laketap::query {

// An execution that is not over. Its record is read by others while a thread changes it.
struct Live {
  sql::ParsedStatement statement;
  std::stop_source stop;
  std::mutex mutex;
  Execution execution;

  Execution copy() {
    const std::lock_guard lock(mutex);
    return execution;
  }
};

inline constexpr const char* kStopped =
    "GENERIC_INTERNAL_ERROR: The server stopped while the query ran";

struct Queries::Core {
  Options options;
  Parts parts;
  Timestamp opened;
  mutable std::mutex mutex;
  std::condition_variable_any wake;
  std::deque<std::shared_ptr<Live>> waiting;
  std::map<std::string, std::shared_ptr<Live>, std::less<>> live;  // Those waiting too.
  std::vector<std::jthread> threads;
  std::atomic<bool> closing = false;

  Core(Options given_options, Parts given_parts)
      : options(std::move(given_options)), parts(given_parts) {}

  Answer<std::string> output_of(const StartRequest& request) const;
  Answer<std::string> admit(StartRequest request, sql::ParsedStatement statement,
                            std::string output);
  Result<> recover();
  void work(std::stop_token stop);

  // run.cc
  void run(Live& live);
  Result<> run_select(Live& live);
  Result<> run_metadata(Live& live);
  void finish(Live& live, State state, const Error* error);
  Result<> save(const Execution& execution, bool over);
  std::string database_of(const Execution& execution) const {
    return execution.database.value_or("default");
  }
};

}  // namespace laketap::query
