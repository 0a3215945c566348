// The engine with real child processes: the sandbox, deaths, stops.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/engine.h"
#include "worker/sandbox.h"
#include "worker/session.h"

namespace laketap::engine {
namespace {

using namespace std::chrono_literals;

class WorkerEngineTest : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/laketap-engine-XXXXXX";
    folder_ = mkdtemp(path);
    for (const char* name : {"objects", "journal", "state"})
      std::filesystem::create_directories(folder_ + "/" + name);
    for (const char* name : {"journal/segment", "state/control.db", "credentials.json"})
      std::ofstream(folder_ + "/" + name) << "secret";
    std::ofstream(folder_ + "/objects/a.json") << "{\"id\":1}\n{\"id\":2}\n";
    options_.executable = LAKETAP_WORKER_CHILD;
    options_.library = worker::find_library(LAKETAP_SOURCE_DIR "/.deps/lib/libduckdb.so");
    options_.readable_folders = {folder_ + "/objects"};
    options_.spill_folder = folder_ + "/spill";
    options_.memory_bytes = 256 << 20;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Statement statement(const std::string& sql, size_t columns = 1) {
    Statement made;
    made.sql = sql;
    for (size_t i = 0; i < columns; ++i) made.columns.push_back({"c", "bigint"});
    return made;
  }
  static Result<std::string> first_value(Engine& engine, const Statement& asked,
                                         std::stop_token stop = {}) {
    std::string value = "no row";
    const auto outcome = engine.run(
        asked,
        [&](RowBatch rows) {
          value = rows.values.front().value_or("NULL");
          return true;
        },
        stop);
    if (!outcome) return fail(outcome.error());
    return value;
  }

  std::string folder_;
  WorkerOptions options_;
};

// Sums 10^18 products: ends only when somebody ends it.
const char* const kEndless =
    "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE (a.range * b.range) % 7 = "
    "3";

TEST_F(WorkerEngineTest, ReadsObjectsAndTheJournalsDescriptors) {
  WorkerEngine engine(options_);
  std::ofstream(folder_ + "/journal/segment") << "header{\"id\":40}....{\"id\":2}";
  const int descriptor = open((folder_ + "/journal/segment").c_str(), O_RDONLY | O_CLOEXEC);
  Statement asked = statement("SELECT sum(id) FROM laketap_scan('t')");
  Scan scan;
  scan.name = "t";
  scan.columns = {{"id", "int"}};
  ScanFile object, batch;
  object.path = object.name = folder_ + "/objects/a.json";
  batch.parts = {{descriptor, {6, 9}}, {descriptor, {19, 8}}};
  scan.files = {object, batch};
  asked.scans = {scan};
  for (int round = 0; round < 3; ++round) {
    const auto sum = first_value(engine, asked);
    ASSERT_TRUE(sum) << sum.error().what;
    EXPECT_EQ(*sum, "45");
  }
  EXPECT_EQ(engine.worker_ids().size(), 1U);
  close(descriptor);
}

TEST_F(WorkerEngineTest, SandboxRefusesWhatIsNotTheWorkers) {
  if (worker::landlock_version() < 1) GTEST_SKIP() << "this kernel has no landlock";
  WorkerEngine engine(options_);
  const auto refusals =
      engine.self_test({"/etc/passwd", folder_ + "/journal/segment", folder_ + "/state/control.db",
                        folder_ + "/credentials.json"});
  ASSERT_TRUE(refusals) << refusals.error().what;
  EXPECT_GE(refusals->size(), 30U);
  for (const auto& [attempt, refused] : *refusals) EXPECT_TRUE(refused) << attempt;
}

TEST_F(WorkerEngineTest, KilledWorkerFailsItsQueryAndNoOther) {
  WorkerEngine engine(options_);
  ASSERT_EQ(*first_value(engine, statement("SELECT 1")), "1");
  const int first = engine.worker_ids().front();
  Result<std::string> killed = fail(ErrorKind::exists, "");
  std::jthread running([&] { killed = first_value(engine, statement(kEndless)); });
  std::this_thread::sleep_for(200ms);
  ASSERT_EQ(*first_value(engine, statement("SELECT 2")),
            "2");  // Beside it, in a worker of its own.
  kill(first, SIGKILL);
  running.join();
  ASSERT_FALSE(killed);
  EXPECT_EQ(killed.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(killed.error().what,
            "GENERIC_INTERNAL_ERROR: The worker process that ran the query was ended by signal 9");
  for (const int id : engine.worker_ids()) kill(id, SIGKILL);  // Idle ones: nobody notices.
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(first_value(engine, statement("SELECT 3")).value_or("failed"), "3");
}

TEST_F(WorkerEngineTest, StopEndsAQueryWithinASecond) {
  options_.workers_max = 1;
  WorkerEngine engine(options_);
  ASSERT_TRUE(first_value(engine, statement("SELECT 1")));
  std::stop_source stop;
  const auto started = std::chrono::steady_clock::now();
  std::jthread stopper([&] {
    std::this_thread::sleep_for(200ms);
    stop.request_stop();
  });
  const auto answer = first_value(engine, statement(kEndless), stop.get_token());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - started, 1200ms);
  EXPECT_EQ(first_value(engine, statement("SELECT 4")).value_or("failed"), "4");
}

TEST_F(WorkerEngineTest, LimitsEndAQueryWithTheirName) {
  WorkerEngine engine(options_);
  Statement slow = statement(kEndless);
  slow.time_max = 300ms;
  const auto late = first_value(engine, slow);
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().what.starts_with("EXCEEDED_TIME_LIMIT: ")) << late.error().what;
  const auto large =
      first_value(engine, statement("SELECT len(list(md5(i::VARCHAR))) FROM range(90000000) t(i)"));
  ASSERT_FALSE(large);
  EXPECT_TRUE(large.error().what.starts_with("EXCEEDED_LOCAL_MEMORY_LIMIT: "))
      << large.error().what;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // No limits there.
  // Memory that no limit of DuckDB's counts.
  const auto one_value = first_value(
      engine,
      statement("SELECT length(lpad('x', 2000000000, 'y')) + length(lpad('x', 2000000000, 'z'))"));
  ASSERT_FALSE(one_value);
  EXPECT_TRUE(one_value.error().what.starts_with("EXCEEDED_LOCAL_MEMORY_LIMIT: "))
      << one_value.error().what;
#endif
  EXPECT_EQ(first_value(engine, statement("SELECT 5")).value_or("failed"), "5");
}

TEST_F(WorkerEngineTest, RowsThatAreNotWantedEndTheQuery) {
  WorkerEngine engine(options_);
  size_t batches = 0;
  const auto outcome = engine.run(statement("SELECT range FROM range(100000000)"),
                                  [&](RowBatch) { return ++batches < 3; }, {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::cancelled);
  EXPECT_EQ(first_value(engine, statement("SELECT 6")).value_or("failed"), "6");
}

}  // namespace
}  // namespace laketap::engine
