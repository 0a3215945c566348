// Executions over a real store and catalog, with an engine that answers what the test tells it.
#include "query/query.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <sstream>
#include <thread>

#include "query/result.h"

namespace laketap::query {
namespace {

using namespace std::chrono_literals;
using engine::Value;

class FakeEngine : public engine::Engine {
 public:
  std::vector<std::vector<Value>> rows;
  Error error{ErrorKind::exists, ""};  // Not `exists`: what run() gives.
  bool hangs = false;
  engine::Statement asked;

  Result<engine::Outcome> run(const engine::Statement& statement,
                              const std::function<bool(engine::RowBatch)>& take,
                              std::stop_token stop) override {
    asked = statement;
    if (hangs) {
      std::mutex mutex;
      std::condition_variable_any never;
      std::unique_lock lock(mutex);
      never.wait(lock, stop, [] { return false; });
      return fail(ErrorKind::cancelled, "stopped");
    }
    if (error.kind != ErrorKind::exists) return fail(error);
    engine::RowBatch batch{statement.columns.size(), {}};
    for (const auto& row : rows) batch.values.insert(batch.values.end(), row.begin(), row.end());
    if (!rows.empty()) take(std::move(batch));
    return engine::Outcome{.rows = rows.size(), .scanned_bytes = 7};
  }
};

class QueriesTest : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/laketap-query-XXXXXX";
    folder_ = mkdtemp(path);
    io::Files& files = io::real_files();
    store_ = std::move(*store::Store::open(folder_ + "/objects", *database_, files,
                                           io::real_clock(), io::real_random()));
    catalog_ = std::move(*catalog::Catalog::open(*database_, io::real_clock()));
    delivery::Options options;
    options.manual = true;
    delivery_ = std::make_unique<delivery::Delivery>(
        options,
        delivery::Delivery::Parts{*database_, *store_, io::real_clock(), io::real_random()});
    streams_ = std::move(*ingest::Streams::open({.database = *database_,
                                                 .delivery = *delivery_,
                                                 .clock = io::real_clock(),
                                                 .random = io::real_random()}));
    start();
  }
  void TearDown() override {
    queries_.reset();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    auto queries = Queries::open({}, {*history_, engine_, *store_, *catalog_, *streams_,
                                      io::real_clock(), io::real_random()});
    ASSERT_TRUE(queries) << queries.error().what;
    queries_ = std::move(*queries);
  }

  Answer<std::string> ask(const std::string& sql, const std::string& token = "") {
    StartRequest request;
    request.sql = sql;
    request.token =
        token.empty() ? "token-of-at-least-32-characters-" + std::to_string(++tokens_) : token;
    request.database = "db";
    return queries_->start({}, request);
  }
  Execution over(const std::string& id) {
    for (int i = 0; i < 2000; ++i) {
      auto execution = queries_->find(id);
      EXPECT_TRUE(execution);
      if (execution->state != State::queued && execution->state != State::running)
        return *execution;
      std::this_thread::sleep_for(2ms);
    }
    ADD_FAILURE() << "not over: " << id;
    return {};
  }
  Execution run(const std::string& sql) {
    const auto id = ask(sql);
    EXPECT_TRUE(id) << id.error().message;
    return id ? over(*id) : Execution();
  }
  std::string object(const std::string& location) {
    const auto place = parse_location(location);
    const auto found = store_->find(place->bucket, place->key);
    if (!found) return "absent";
    std::ifstream in(found->path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void make_table(const std::string& location, std::vector<catalog::Column> keys = {}) {
    catalog::Database database;
    database.name = "db";
    (void)catalog_->create_database(database);
    catalog::Table table;
    table.database = "db";
    table.name = "t";
    table.table_type = "EXTERNAL_TABLE";
    table.storage.emplace();
    table.storage->location = location;
    table.storage->serde_library = "org.openx.data.jsonserde.JsonSerDe";
    table.storage->columns = {{.name = "id", .type = "int"}};
    table.partition_keys = std::move(keys);
    ASSERT_TRUE(catalog_->create_table(table));
  }
  std::vector<std::string> files(const std::string& sql);
  void put(const std::string& key, const std::string& body) {
    auto upload = store_->begin_upload("lake", key);
    ASSERT_TRUE(upload);
    ASSERT_TRUE((*upload)->write(view(body)));
    ASSERT_TRUE((*upload)->commit({}));
  }

  std::string folder_;
  std::unique_ptr<state::Database> database_ = state::in_memory(), history_ = state::in_memory();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<delivery::Delivery> delivery_;
  std::unique_ptr<ingest::Streams> streams_;
  FakeEngine engine_;
  std::unique_ptr<Queries> queries_;
  int tokens_ = 0;
};

TEST_F(QueriesTest, ResultFileTellsNullFromEmptyText) {
  engine_.rows = {{"", "a"}, {"say \"hi\"\nthere", std::nullopt}, {std::nullopt, std::nullopt}};
  const Execution done = run("select * from (values ('', 'a')) as u(x, y);");
  ASSERT_EQ(done.state, State::succeeded) << done.reason;
  EXPECT_EQ(done.sql, "select * from (values ('', 'a')) as u(x, y)");
  EXPECT_EQ(done.output_location, queries_->default_output() + done.id + ".csv");
  EXPECT_EQ(object(done.output_location),
            "\"x\",\"y\"\n\"\",\"a\"\n\"say \"\"hi\"\"\nthere\",\n,\n");
  const auto page = queries_->results(done.id, "", 1000);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->rows, (std::vector<std::vector<Value>>{{"x", "y"},
                                                         {"", "a"},
                                                         {"say \"hi\"\nthere", std::nullopt},
                                                         {std::nullopt, std::nullopt}}));
  EXPECT_EQ(page->next_token, "");
}

TEST_F(QueriesTest, MetadataIsTheProtobufThatDriversRead) {
  const std::string bytes = metadata_bytes("q", {{"a", "bigint"}, {"b", "row(x integer)"}});
  const std::string expected = std::string("\x0A\x01q", 3) +
                               std::string(
                                   "\x22\x1C\x0A\x04hive\x22\x01"
                                   "a\x2A\x01"
                                   "a\x32\x06"
                                   "bigint\x38\x13\x40\x00\x48\x03\x50\x00",
                                   30) +
                               std::string(
                                   "\x22\x13\x0A\x04hive\x22\x01"
                                   "b\x2A\x01"
                                   "b\x32\x03row\x48\x03",
                                   21);
  EXPECT_EQ(to_hex(view(bytes)), to_hex(view(expected)));
}

TEST_F(QueriesTest, PagesAreFullAndCarryATokenEvenWhenNothingFollows) {
  for (int i = 0; i < 5; ++i) engine_.rows.push_back({std::to_string(i)});
  const Execution done = run("select 1");
  const auto first = queries_->results(done.id, "", 3);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->rows.size(), 3U);  // The header counts.
  const auto second = queries_->results(done.id, first->next_token, 3);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->rows.front().front(), "2");
  ASSERT_NE(second->next_token, "");
  const auto third = queries_->results(done.id, second->next_token, 3);
  ASSERT_TRUE(third);
  EXPECT_TRUE(third->rows.empty());
  EXPECT_EQ(third->next_token, "");
  EXPECT_EQ(queries_->results(done.id, "nonsense", 3).error().message,
            "Malformed nextPageToken nonsense");
  EXPECT_EQ(queries_->results(done.id, done.id.substr(0, 8) + ".2", 3).error().message,
            "Malformed nextPageToken " + done.id.substr(0, 8) + ".2");
  EXPECT_EQ(queries_->results(done.id, "", 1001).error().message,
            "MaxResults is more than maximum allowed length 1000");
}

TEST_F(QueriesTest, TokenStartsOneExecution) {
  const std::string token(32, 't');
  const auto first = ask("select 1", token);
  ASSERT_TRUE(first);
  over(*first);
  EXPECT_EQ(ask("select 1", token).value_or("refused"), *first);
  const auto other = ask("select 1 ", token);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message, "Idempotent parameters do not match");
  EXPECT_EQ(other.error().code, "IDEMPOTENT_PARAMETER_MISMATCH");
}

TEST_F(QueriesTest, WhatCannotStartMakesNoExecution) {
  EXPECT_EQ(ask("select").error().code, "MALFORMED_QUERY");
  EXPECT_EQ(ask("select 1; select 2").error().message,
            "Only one sql statement is allowed. Got: select 1; select 2");
  StartRequest request;
  request.sql = "select 1";
  request.token = std::string(32, 'x');
  for (const char* location : {"s3:/b", "http://b/c", "s3://UPPER_/x", "s3://lake//x"}) {
    request.output_location = location;
    EXPECT_EQ(queries_->start({}, request).error().message,
              "outputLocation is not a valid S3 path.")
        << location;
  }
  request.output_location = queries_->default_output() + std::string(1000, 'k');
  EXPECT_EQ(queries_->start({}, request).error().message, "outputLocation is not a valid S3 path.");
  request.output_location.reset();
  request.work_group = "other";
  EXPECT_EQ(queries_->start({}, request).error().message, "WorkGroup is not found.");
  EXPECT_TRUE(queries_->list("primary", "", 50)->ids.empty());
}

TEST_F(QueriesTest, FailureKeepsItsReason) {
  engine_.error = {ErrorKind::invalid, "DIVISION_BY_ZERO: Division by zero"};
  const Execution failed = run("select 1 / 0");
  EXPECT_EQ(failed.state, State::failed);
  EXPECT_EQ(failed.reason, "DIVISION_BY_ZERO: Division by zero");
  EXPECT_EQ(failed.error_category, 2);
  EXPECT_EQ(failed.error_type, 1001);
  EXPECT_EQ(object(failed.output_location), "absent");
  EXPECT_EQ(queries_->results(failed.id, "", 1000).error().message,
            "Query did not finish successfully. Final query state: FAILED");
  EXPECT_EQ(run("select * from nowhere").reason,
            "SCHEMA_NOT_FOUND: line 1:15: Schema 'db' does not exist");
}

TEST_F(QueriesTest, StopCancelsWhatRunsAndWhatWaits) {
  engine_.hangs = true;
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(*ask("select 1"));  // Two run, two wait.
  for (const std::string& id : ids) EXPECT_TRUE(queries_->stop(id));
  for (const std::string& id : ids) {
    const Execution stopped = over(id);
    EXPECT_EQ(stopped.state, State::cancelled);
    EXPECT_EQ(stopped.reason, "Query cancelled by user");
    EXPECT_EQ(queries_->results(id, "", 10).error().code, "RESULT_NOT_FOUND");
    EXPECT_TRUE(queries_->stop(id));  // Changes nothing.
  }
  EXPECT_EQ(queries_->stop("unknown").error().message, "QueryExecution unknown was not found");
}

TEST_F(QueriesTest, RestartFailsWhatRan) {
  engine_.hangs = true;
  const std::string id = *ask("select 1");
  // As after kill -9: the record says queued or running, and no process runs it.
  const auto transaction = history_->begin();
  const auto entry = (*transaction)->get(state::key("execution", id));
  const std::string record = (*entry)->value;
  queries_.reset();
  ASSERT_TRUE(state::transact(*history_, [&](state::Transaction& again) -> Result<> {
    again.put(state::key("execution", id), record);
    again.put(state::key("running", id), "");
    return {};
  }));
  start();
  const Execution failed = over(id);
  EXPECT_EQ(failed.state, State::failed);
  EXPECT_EQ(failed.reason, "GENERIC_INTERNAL_ERROR: The server stopped while the query ran");
}

TEST_F(QueriesTest, ClosingFailsWhatRuns) {
  engine_.hangs = true;
  const std::string id = *ask("select 1");
  queries_.reset();
  start();
  const Execution failed = over(id);
  EXPECT_EQ(failed.state, State::failed);
  EXPECT_EQ(failed.reason, "GENERIC_INTERNAL_ERROR: The server stopped while the query ran");
}

TEST_F(QueriesTest, ListIsNewestFirstInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.insert(ids.begin(), run("select 1").id);
  const auto first = queries_->list("primary", "", 2);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->ids, (std::vector<std::string>{ids[0], ids[1]}));
  const auto second = queries_->list("primary", first->next_token, 2);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->ids, std::vector<std::string>{ids[2]});
  EXPECT_EQ(second->next_token, "");
}

TEST_F(QueriesTest, SnapshotLeavesOutHiddenFilesAndOtherFolders) {
  ASSERT_TRUE(store_->create_bucket("lake", "us-east-1"));
  make_table("s3://lake/d");
  for (const char* key : {"d/a.json", "d/x/y/b.json.gz", "d/_hidden", "d/.part", "d/_tmp/c.json",
                          "d2/other.json", "d/empty"})
    put(key, std::string_view(key).ends_with("empty") ? "" : "{\"id\":1}");
  ASSERT_EQ(run("select id from t").state, State::succeeded);
  ASSERT_EQ(engine_.asked.scans.size(), 1U);
  const engine::Scan& scan = engine_.asked.scans.front();
  std::vector<std::string> names;
  for (const auto& file : scan.files) names.push_back(file.name);
  EXPECT_EQ(names, (std::vector<std::string>{"s3://lake/d/a.json", "s3://lake/d/x/y/b.json.gz"}));
  EXPECT_EQ(scan.files[1].compression, engine::Compression::gzip);
}

// What a query of the table `t` would read, in order.
std::vector<std::string> QueriesTest::files(const std::string& sql) {
  const Execution done = run(sql);
  EXPECT_EQ(done.state, State::succeeded) << done.reason;
  std::vector<std::string> names;
  if (engine_.asked.scans.empty()) return names;
  for (const auto& file : engine_.asked.scans.front().files) names.push_back(file.name);
  return names;
}

TEST_F(QueriesTest, ALocationThatIsAnObjectIsRead) {
  ASSERT_TRUE(store_->create_bucket("lake", "us-east-1"));
  make_table("s3://lake/d/a.json");
  put("d/a.json", "{\"id\":1}");
  put("d/a.json2", "{\"id\":2}");
  EXPECT_EQ(files("select id from t"), std::vector<std::string>{"s3://lake/d/a.json"});
  ASSERT_TRUE(store_->remove("lake", "d/a.json"));
  EXPECT_TRUE(files("select id from t").empty());
}

TEST_F(QueriesTest, ResultsBelowTheTableAreNoneOfItsData) {
  ASSERT_TRUE(store_->create_bucket("lake", "us-east-1"));
  make_table("s3://lake/");
  put("d/a.json", "{\"id\":1}");
  StartRequest request;
  request.sql = "select id from t";
  request.database = "db";
  request.output_location = "s3://lake/d/results/";
  request.token = "another-token-of-at-least-32-characters";
  const auto id = queries_->start({}, request);
  ASSERT_TRUE(id);
  const std::string result = over(*id).output_location;
  EXPECT_NE(object(result), "absent");
  EXPECT_EQ(files("select id from t"), std::vector<std::string>{"s3://lake/d/a.json"});
  // But a table over results reads them, without their companions.
  ASSERT_TRUE(store_->remove("lake", "d/a.json"));
  EXPECT_EQ(files("select id from t"), std::vector<std::string>{result});
}

TEST_F(QueriesTest, HiddenColumnsAreNamedAndNoPartOfAStar) {
  ASSERT_TRUE(store_->create_bucket("lake", "us-east-1"));
  make_table("s3://lake/d");
  put("d/a.json", "{\"id\":1}");
  (void)files("select * from t");
  EXPECT_EQ(engine_.asked.columns.size(), 1U);
  (void)files("select \"$path\", id, \"$file_size\" + 1 from t where \"$path\" like '%a%'");
  EXPECT_EQ(engine_.asked.columns.size(), 3U);
  const auto& scan = engine_.asked.scans.front();
  ASSERT_EQ(scan.partition_columns.size(), 2U);
  EXPECT_EQ(scan.partition_columns[0].name, "$path");
  EXPECT_EQ(scan.files.at(0).partition_values.at(0), "s3://lake/d/a.json");
  EXPECT_EQ(scan.files.at(0).partition_values.at(1), "8");
}

TEST_F(QueriesTest, AColumnOfTheTableGoesBeforeAHiddenOne) {
  ASSERT_TRUE(store_->create_bucket("lake", "us-east-1"));
  make_table("s3://lake/d", {{.name = "$path", .type = "string"}});
  (void)files("select \"$path\" from t");
  EXPECT_EQ(engine_.asked.scans.front().partition_columns.size(), 2U);
}

TEST_F(QueriesTest, APartitionFromBeforeAKeyWasAddedKeepsItsPlace) {
  ASSERT_TRUE(store_->create_bucket("lake", "us-east-1"));
  make_table("s3://lake/p/", {{.name = "day", .type = "string"}});
  put("p/day=1/a.json", "{\"id\":1}");
  catalog::Partition partition;
  partition.values = {"1"};
  partition.storage.emplace();
  partition.storage->location = "s3://lake/p/day=1/";
  ASSERT_TRUE(catalog_->create_partition("db", "t", partition));
  catalog::Table wider = *catalog_->find_table("db", "t");
  wider.partition_keys.push_back({.name = "hour", .type = "string"});
  ASSERT_TRUE(catalog_->update_table(wider));
  (void)files("select \"$path\", hour from t");
  const auto& values = engine_.asked.scans.front().files.at(0).partition_values;
  ASSERT_EQ(values.size(), 4U);  // day, hour, $path, $file_size
  EXPECT_EQ(values[0], "1");
  EXPECT_FALSE(values[1]);
  EXPECT_EQ(values[2], "s3://lake/p/day=1/a.json");
}

TEST_F(QueriesTest, AFewWordsCannotAskForTooMuch) {
  std::string rows = "with c0 as (select row(1, 1) r)", columns = "with c0 as (select 1 x)";
  for (int i = 1; i < 40; ++i) {
    rows +=
        ", c" + std::to_string(i) + " as (select row(r, r) r from c" + std::to_string(i - 1) + ")";
    columns += ", c" + std::to_string(i) + " as (select * from c" + std::to_string(i - 1) +
               " a, c" + std::to_string(i - 1) + " b)";
  }
  EXPECT_EQ(run(rows + " select 1 from c39").reason.substr(0, 13), "NOT_SUPPORTED");
  EXPECT_EQ(run(columns + " select 1 from c39").reason.substr(0, 13), "NOT_SUPPORTED");
}

TEST_F(QueriesTest, PartitionsThatLieInEachOtherAreReadOnce) {
  ASSERT_TRUE(store_->create_bucket("lake", "us-east-1"));
  make_table("s3://lake/p/", {{.name = "day", .type = "string"}});
  put("e/a.json", "{\"id\":1}");
  put("e/f/b.json", "{\"id\":2}");
  for (const auto& [value, location] :
       {std::pair<std::string, std::string>{"1", "s3://lake/e/"}, {"2", "s3://lake/e/f/"}}) {
    catalog::Partition partition;
    partition.values = {value};
    partition.storage.emplace();
    partition.storage->location = location;
    ASSERT_TRUE(catalog_->create_partition("db", "t", partition));
  }
  EXPECT_EQ(files("select id from t"),
            (std::vector<std::string>{"s3://lake/e/a.json", "s3://lake/e/f/b.json"}));
  EXPECT_EQ(files("select id from t where day = '2'"),
            std::vector<std::string>{"s3://lake/e/f/b.json"});
}

TEST_F(QueriesTest, PartitionsGiveTheirFilesTheirValues) {
  ASSERT_TRUE(store_->create_bucket("lake", "us-east-1"));
  make_table("s3://lake/p/", {{.name = "day", .type = "string"}});
  for (const char* key : {"p/day=1/a.json", "p/day=2/b.json", "p/day=3/c.json", "elsewhere/d.json"})
    put(key, "{\"id\":1}");
  for (const auto& [value, location] :
       {std::pair<std::string, std::string>{"1", "s3://lake/p/day=1/"},
        {"2", "s3://lake/p/day=2"},
        {"9", "s3://lake/elsewhere/"}}) {
    catalog::Partition partition;
    partition.values = {value};
    partition.storage.emplace();
    partition.storage->location = location;
    ASSERT_TRUE(catalog_->create_partition("db", "t", partition));
  }
  const auto found_files = [&](const std::string& sql) {
    const Execution done = run(sql);
    EXPECT_EQ(done.state, State::succeeded) << done.reason;
    std::vector<std::string> found;
    for (const auto& file : engine_.asked.scans.front().files)
      found.push_back(file.partition_values.at(0).value_or("NULL") + " " + file.name);
    std::ranges::sort(found);
    return found;
  };
  EXPECT_EQ(found_files("select id, day from t"),
            (std::vector<std::string>{"1 s3://lake/p/day=1/a.json", "2 s3://lake/p/day=2/b.json",
                                      "9 s3://lake/elsewhere/d.json"}));
  EXPECT_EQ(found_files("select id from t where day = '2'"),
            (std::vector<std::string>{"2 s3://lake/p/day=2/b.json"}));
}

TEST_F(QueriesTest, StatementsAboutTheCatalogAnswerInHivesLayout) {
  make_table("s3://lake/p/", {{.name = "day", .type = "string"}});
  EXPECT_EQ(object(run("SHOW DATABASES").output_location), "db\ndefault");
  EXPECT_EQ(object(run("SHOW TABLES IN db 'x*|t'").output_location), "t");
  EXPECT_EQ(object(run("SHOW COLUMNS IN t").output_location),
            "id                  \nday                 ");
  const Execution described = run("DESCRIBE db.t");
  EXPECT_EQ(object(described.output_location),
            "id                  \tint                 \t                    \nday                 "
            "\tstring              \t                    \n\t \t \n# Partition Information\t \t \n"
            "# col_name          \tdata_type           \tcomment             \n\t \t \nday         "
            "        \tstring              \t                    ");
  const auto page = queries_->results(described.id, "", 1000);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->rows.size(), 7U);
  EXPECT_EQ(page->columns.size(), 3U);
  EXPECT_FALSE(page->has_update_count);
  EXPECT_NE(ask("DESCRIBE nothing").error().message.find("Entity Not Found"), std::string::npos);
  EXPECT_EQ(run("SHOW TABLES IN nowhere").reason,
            "FAILED: SemanticException [Error 10072]: Database does not exist: nowhere");
  EXPECT_TRUE(run("CREATE TABLE x AS SELECT 1 a").reason.starts_with("NOT_SUPPORTED: "));
}

}  // namespace
}  // namespace laketap::query
