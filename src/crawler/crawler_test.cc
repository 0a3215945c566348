#include "crawler/crawler.h"

#include "crawler/crawler_fixture.h"
#include "io/sim.h"

namespace laketap::crawler {
namespace {

Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

class CrawlerTest : public CrawlerFixture {
 protected:
  std::string path(const std::string& prefix) const { return bucket_ + "/" + prefix; }
  void arrive(const std::string& key, const std::string& body) {
    put(key, body);
    crawlers_->on_object({.bucket = bucket_, .key = key, .created = true, .size = body.size()});
  }
};

TEST_F(CrawlerTest, ASecondRunOpensOnlyWhatIsNew) {
  for (int i = 0; i < 20; ++i) put(fmt::format("data/h={}/a.json", i), "{\"id\":1}");
  ASSERT_TRUE(crawlers_->create(make("c", path("data"))));
  EXPECT_EQ(crawl("c").objects_opened, 20);
  put("data/h=3/b.json", "{\"id\":1,\"more\":\"x\"}");
  put("data/h=4/a.json", "{\"id\":2.5}");
  EXPECT_EQ(crawl("c").objects_opened, 2) << "a new one and an overwritten one";
  EXPECT_EQ(columns_of("data"), "id double, more string");
  open();
  EXPECT_EQ(crawl("c").objects_opened, 0) << "it is remembered over a restart";
}

TEST_F(CrawlerTest, AnUnchangedRunMakesNoNewVersion) {
  put("data/a.json", "{\"id\":1}");
  ASSERT_TRUE(crawlers_->create(make("c", path("data"))));
  crawl("c");
  put("data/b.json", "{\"id\":1}");
  const Crawl second = crawl("c");
  EXPECT_TRUE(second.tables_updated.empty());
  EXPECT_EQ(catalog_->find_table("db", "data")->version, 0u);
  EXPECT_EQ(catalog_->find_table("db", "data")->parameters.at("objectCount"), "2");
}

TEST_F(CrawlerTest, AWiderTypeReachesThePartitionsToo) {
  put("data/dt=1/a.json", "{\"id\":1,\"v\":1}");
  ASSERT_TRUE(crawlers_->create(make("c", path("data"))));
  crawl("c");
  put("data/dt=2/a.json", "{\"id\":2,\"v\":2.5}");
  EXPECT_EQ(crawl("c").tables_updated, (std::vector<std::string>{"data"}));
  EXPECT_EQ(columns_of("data"), "id int, v double");
  const auto partitions = catalog_->partitions("db", "data");
  ASSERT_EQ(partitions->partitions.size(), 2u);
  for (const catalog::Partition& one : partitions->partitions)
    EXPECT_EQ(one.storage->columns[1].type, "double") << one.values[0];
}

TEST_F(CrawlerTest, ATypeThatSomebodyChoseStays) {
  put("data/a.json", "{\"id\":1,\"at\":\"2026-01-01 00:00:00\"}");
  ASSERT_TRUE(crawlers_->create(make("c", path("data"))));
  crawl("c");
  catalog::Table table = *catalog_->find_table("db", "data");
  table.storage->columns[1].type = "timestamp";
  ASSERT_TRUE(catalog_->update_table(table));
  put("data/b.json", "{\"id\":1,\"at\":\"2026-01-02 00:00:00\",\"n\":1}");
  crawl("c");
  EXPECT_EQ(columns_of("data"), "id int, at timestamp, n int");
}

TEST_F(CrawlerTest, ATableMadeByHandGetsPartitionsAndKeepsItsColumns) {
  ASSERT_TRUE(catalog_->create_database({.name = "db"}));
  catalog::Table table{.database = "db", .name = "mine", .partition_keys = {{"dt", "string"}}};
  table.storage.emplace();
  table.storage->columns = {{"only", "string"}};
  table.storage->location = "s3://" + bucket_ + "/data";
  ASSERT_TRUE(catalog_->create_table(table));
  put("data/dt=1/a.json", "{\"id\":1}");
  ASSERT_TRUE(crawlers_->create(make("c", path("data"))));
  crawl("c");
  EXPECT_EQ(table_names(), (std::vector<std::string>{"mine"}));
  EXPECT_EQ(columns_of("mine"), "only string");
  EXPECT_EQ(partitions_of("mine"), (std::vector<std::string>{"1"}));
}

TEST_F(CrawlerTest, AColumnOfNullsTakesTheFirstTypeThatComes) {
  put("data/a.json", "{\"id\":1,\"v\":null}");
  ASSERT_TRUE(crawlers_->create(make("c", path("data"))));
  crawl("c");
  EXPECT_EQ(columns_of("data"), "id int, v string");
  put("data/b.json", "{\"id\":2,\"v\":5}");
  crawl("c");
  EXPECT_EQ(columns_of("data"), "id int, v int");
}

TEST_F(CrawlerTest, LogLeavesColumnsAloneAndAddsPartitions) {
  put("data/dt=1/a.json", "{\"id\":1}");
  Definition definition = make("c", path("data"));
  definition.update_behavior = definition.delete_behavior = "LOG";
  ASSERT_TRUE(crawlers_->create(definition));
  crawl("c");
  put("data/dt=2/a.json", "{\"id\":2,\"extra\":\"e\"}");
  crawl("c");
  EXPECT_EQ(columns_of("data"), "id int");
  EXPECT_EQ(partitions_of("data"), (std::vector<std::string>{"1", "2"}));
}

TEST_F(CrawlerTest, MergeNewColumnsAddsAndDoesNotRetype) {
  put("data/a.json", "{\"id\":1,\"s\":{\"x\":1}}");
  Definition definition = make("c", path("data"));
  definition.update_behavior = "LOG";
  definition.configuration =
      R"({"Version":1.0,"CrawlerOutput":{"Tables":{"AddOrUpdateBehavior":"MergeNewColumns"}}})";
  ASSERT_TRUE(crawlers_->create(definition));
  crawl("c");
  put("data/b.json", "{\"id\":1.5,\"s\":{\"y\":2},\"n\":1}");
  crawl("c");
  EXPECT_EQ(columns_of("data"), "id int, s struct<x:int,y:int>, n int");
}

TEST_F(CrawlerTest, WhatIsGoneIsDealtWithAsThePolicySays) {
  for (const char* policy : {"DEPRECATE_IN_DATABASE", "DELETE_FROM_DATABASE", "LOG"}) {
    const std::string folder = fmt::format("{}/d/", policy[2]);
    put(folder + "a.json", "{\"id\":1}");
    Definition definition = make(policy, path(folder));
    definition.database = policy;
    definition.delete_behavior = policy;
    ASSERT_TRUE(crawlers_->create(definition));
    crawl(policy);
    ASSERT_TRUE(store_->remove(bucket_, folder + "a.json"));
    EXPECT_EQ(crawl(policy).state, "COMPLETED");
  }
  const auto deprecated = catalog_->find_table("DEPRECATE_IN_DATABASE", "d");
  ASSERT_TRUE(deprecated);
  EXPECT_TRUE(deprecated->parameters.contains("DEPRECATED_BY_CRAWLER"));
  EXPECT_FALSE(catalog_->find_table("DELETE_FROM_DATABASE", "d"));
  const auto logged = catalog_->find_table("LOG", "d");
  ASSERT_TRUE(logged);
  EXPECT_FALSE(logged->parameters.contains("DEPRECATED_BY_CRAWLER"));
}

TEST_F(CrawlerTest, DeletingPartitionsFollowsTheFolders) {
  put("data/dt=1/a.json", "{\"id\":1}");
  put("data/dt=2/a.json", "{\"id\":1}");
  Definition definition = make("c", path("data"));
  definition.delete_behavior = "DELETE_FROM_DATABASE";
  ASSERT_TRUE(crawlers_->create(definition));
  crawl("c");
  crawlers_->on_new_prefix(bucket_, "data/dt=3/", bytes_of("{\"id\":1}\n"));
  ASSERT_TRUE(eventually([&] { return partitions_of("data").size() == 3; }));
  ASSERT_TRUE(store_->remove(bucket_, "data/dt=1/a.json"));
  EXPECT_EQ(crawl("c").partitions_deleted, 1);
  EXPECT_EQ(partitions_of("data"), (std::vector<std::string>{"2", "3"})) << "3 is on its way";
}

TEST_F(CrawlerTest, TheFirstRecordsMakeTheTableBeforeAnyObject) {
  ASSERT_TRUE(crawlers_->create(make("c", path("raw/firehose"))));
  crawlers_->on_new_prefix(bucket_, "raw/firehose/2026/11/28/09/",
                           bytes_of("{\"id\":1,\"Name\":\"x\"}{\"id\":2"));
  ASSERT_TRUE(eventually([&] { return partitions_of("firehose").size() == 1; }));
  EXPECT_EQ(columns_of("firehose"), "id int, name string");
  EXPECT_EQ(partitions_of("firehose"), (std::vector<std::string>{"2026/11/28/09"}));
  EXPECT_EQ(catalog_->find_table("db", "firehose")->storage->location,
            "s3://" + bucket_ + "/raw/firehose/");
  EXPECT_EQ(crawl("c").state, "COMPLETED");
  const auto table = catalog_->find_table("db", "firehose");
  ASSERT_TRUE(table) << "a crawl before the first object must not take it away";
  EXPECT_FALSE(table->parameters.contains("DEPRECATED_BY_CRAWLER"));
}

TEST_F(CrawlerTest, RecordsDoNotSayHowTheirObjectIsCompressed) {
  ASSERT_TRUE(crawlers_->create(make("c", path("data"))));
  crawlers_->on_new_prefix(bucket_, "data/01/", bytes_of("{\"id\":1}\n"));
  ASSERT_TRUE(eventually([&] { return partitions_of("data").size() == 1; }));
  arrive("data/01/a.gz", gzipped("{\"id\":1,\"n\":1}\n"));
  ASSERT_TRUE(eventually([&] { return columns_of("data") == "id int, n int"; }));
  EXPECT_EQ(catalog_->find_table("db", "data")->parameters.at("compressionType"), "gzip");
  crawl("c");
  crawlers_->on_new_prefix(bucket_, "data/02/", bytes_of("{\"id\":1,\"m\":1}\n"));
  ASSERT_TRUE(eventually([&] { return columns_of("data") == "id int, n int, m int"; }));
  EXPECT_EQ(partitions_of("data"), (std::vector<std::string>{"01", "02"}));
  EXPECT_EQ(catalog_->find_table("db", "data")->parameters.at("compressionType"), "gzip");
}

TEST_F(CrawlerTest, AnArrivalWidensTheTableAndAddsItsPartition) {
  ASSERT_TRUE(crawlers_->create(make("c", path("data"))));
  arrive("data/dt=1/a.json", "{\"id\":1}");
  ASSERT_TRUE(eventually([&] { return columns_of("data") == "id int"; }));
  arrive("data/dt=1/b.json", "{\"id\":2.5,\"n\":null}");
  arrive("data/dt=2/c.json", "{\"id\":1,\"n\":7}");
  ASSERT_TRUE(eventually([&] { return columns_of("data") == "id double, n int"; }))
      << columns_of("data");
  ASSERT_TRUE(eventually([&] { return partitions_of("data").size() == 2; }));
  arrive("other/a.json", "{\"id\":1}");
  arrive("data/_hidden/a.json", "{\"secret\":1}");
  crawl("c");
  EXPECT_EQ(table_names(), (std::vector<std::string>{"data"}));
  EXPECT_EQ(columns_of("data"), "id double, n int");
}

TEST_F(CrawlerTest, ACrawlReplacesATableThatWasMadeTooEarly) {
  ASSERT_TRUE(crawlers_->create(make("c", path("data"))));
  arrive("data/orders/a.json", "{\"order\":1,\"total\":2,\"sku\":3}");
  ASSERT_TRUE(eventually([&] { return partitions_of("data").size() == 1; }));
  arrive("data/people/a.json", "{\"name\":\"x\",\"age\":1,\"city\":\"y\"}");
  ASSERT_TRUE(eventually([&] { return partitions_of("data").size() == 2; }));
  crawl("c");
  EXPECT_EQ(table_names(), (std::vector<std::string>{"orders", "people"}));
  crawlers_->on_new_prefix(bucket_, "data/visits/2026/", bytes_of("{\"page\":\"/\"}\n"));
  ASSERT_TRUE(eventually([&] { return columns_of("visits") == "page string"; }))
      << "a new data set stands beside the others";
  EXPECT_EQ(partitions_of("visits"), (std::vector<std::string>{"2026"}));
}

TEST_F(CrawlerTest, TwoPlacesOfOneNameGetTwoNames) {
  put("a/pos/x.json", "{\"id\":1}");
  put("b/pos/x.json", "{\"other\":\"x\"}");
  Definition definition = make("c", path("a/pos"));
  definition.targets.push_back({.path = path("b/pos/")});
  definition.table_prefix = "p_";
  ASSERT_TRUE(crawlers_->create(definition));
  crawl("c");
  EXPECT_THAT(table_names(),
              testing::ElementsAre("p_pos", testing::MatchesRegex("p_pos_[0-9a-f]{32}")));
  crawl("c");
  EXPECT_EQ(table_names().size(), 2u) << "the next run finds its tables again";
}

TEST_F(CrawlerTest, StatesAndHistoryAreToldInOrder) {
  put("data/a.json", "{\"id\":1}");
  ASSERT_TRUE(crawlers_->create(make("c", path("data"))));
  EXPECT_EQ(crawlers_->create(make("c", path("data"))).error().what, "Crawler already exists");
  EXPECT_FALSE(crawlers_->status("c").last) << "absent until the first run has ended";
  EXPECT_EQ(crawlers_->stop("c").error().what, "Crawler with name c isn't running");
  crawl("c");
  crawl("c");
  const auto history = crawlers_->history("c");
  ASSERT_EQ(history->size(), 2u);
  EXPECT_GE((*history)[0].started, (*history)[1].started);
  EXPECT_EQ((*history)[1].tables_created, (std::vector<std::string>{"data"}));
  ASSERT_TRUE(crawlers_->remove("c"));
  EXPECT_EQ(crawlers_->find("c").error().kind, ErrorKind::not_found);
  EXPECT_EQ(table_names().size(), 1u) << "tables stay";
}

TEST_F(CrawlerTest, AFailedRunSaysWhyAndWritesNothing) {
  ASSERT_TRUE(crawlers_->create(make("c", "no-such-bucket/data")));
  const Crawl failed = crawl("c");
  EXPECT_EQ(failed.state, "FAILED");
  EXPECT_FALSE(failed.error.empty());
  put("data/a/x.json", "{\"a\":1,\"b\":1}");
  put("data/b/x.json", "{\"c\":1,\"d\":1}");
  Definition definition = make("d", path("data"));
  definition.configuration = R"({"Version":1.0,"CrawlerOutput":{"Tables":{"TableThreshold":1}}})";
  ASSERT_TRUE(crawlers_->create(definition));
  EXPECT_EQ(crawl("d").state, "FAILED");
  EXPECT_TRUE(table_names().empty());
}

TEST_F(CrawlerTest, ABadDefinitionIsRefusedWithGluesWords) {
  Definition definition = make("c", path("data"));
  definition.configuration =
      R"({"Version":1.0,"CrawlerOutput":{"Partitions":{"UpdateBehavior":"LOG"}}})";
  EXPECT_EQ(crawlers_->create(definition).error().what,
            "CrawlerOutput.Partitions contains unsupported keys: UpdateBehavior.");
  definition = make("c", path("data"));
  definition.recrawl_behavior = "CRAWL_NEW_FOLDERS_ONLY";
  EXPECT_NE(crawlers_->create(definition).error().what.find("LOG"), std::string::npos);
  definition = make("c", path("data"));
  definition.schedule = "cron(0/10 * * * * *)";
  EXPECT_EQ(crawlers_->create(definition).error().kind, ErrorKind::invalid);
  EXPECT_EQ(crawlers_->create(make("c", "s3://UPPER/x")).error().kind, ErrorKind::invalid);
}

TEST_F(CrawlerTest, TheScheduleRunsByItselfAndSurvivesClockJumps) {
  put("data/a.json", "{\"id\":1}");
  io::sim::Clock clock(from_civil(2026, 11, 28, 9, 9) + std::chrono::seconds(58));
  crawlers_.reset();
  crawlers_ = std::move(*Crawlers::open({*control_, *store_, *catalog_, clock, io::real_random()}));
  Definition definition = make("c", path("data"));
  definition.schedule = "cron(0/10 * ? * * *)";
  ASSERT_TRUE(crawlers_->create(definition));
  crawlers_->start_threads();
  const auto runs = [&] { return crawlers_->history("c")->size(); };
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  EXPECT_EQ(runs(), 0u) << "not yet due";
  clock.jump(std::chrono::seconds(3));
  ASSERT_TRUE(eventually([&] { return runs() == 1; }));
  ASSERT_TRUE(eventually([&] { return crawlers_->status("c").state == "READY"; }));
  clock.jump(-std::chrono::hours(6));  // 03:10:01: due again at 03:20.
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  EXPECT_EQ(runs(), 1u);
  clock.jump(std::chrono::minutes(10));
  ASSERT_TRUE(eventually([&] { return runs() == 2; })) << "set back by hours, due by the new time";
  crawlers_.reset();
}

TEST(PathTest, IsTakenWithAndWithoutAScheme) {
  for (const char* path : {"s3://lake/raw/x", "lake/raw/x", "s3://lake/raw/x/"}) {
    ASSERT_TRUE(parse_path(path));
    EXPECT_EQ(parse_path(path)->bucket, "lake");
    EXPECT_EQ(parse_path(path)->prefix, "raw/x/");
  }
  EXPECT_EQ(parse_path("lake")->prefix, "");
  EXPECT_EQ(parse_path("s3://lake/")->prefix, "");
  EXPECT_FALSE(parse_path("s3://"));
  EXPECT_FALSE(parse_path(""));
}

TEST(GlobTest, FollowsTheDevelopersGuide) {
  EXPECT_TRUE(glob_matches("*.csv", "a.csv"));
  EXPECT_FALSE(glob_matches("*.csv", "b/a.csv"));
  EXPECT_TRUE(glob_matches("**.csv", "b/a.csv"));
  EXPECT_TRUE(glob_matches("foo.?", "foo.c"));
  EXPECT_FALSE(glob_matches("a?b", "a/b"));
  EXPECT_TRUE(glob_matches("year/[0-9]*/x", "year/2026/x"));
  EXPECT_FALSE(glob_matches("[!a]*", "abc"));
  EXPECT_TRUE(glob_matches("{a,b}/**", "b/c/d"));
  EXPECT_TRUE(glob_matches("\\*", "*"));
  EXPECT_FALSE(glob_matches("\\*", "x"));
  EXPECT_TRUE(glob_matches("*", ".hidden"));
  std::string stars;
  for (int i = 0; i < 60; ++i) stars += "*a";
  EXPECT_FALSE(glob_matches(stars + "b", std::string(200, 'a'))) << "and ends soon";
  EXPECT_TRUE(glob_matches("**/*.json", "a/b/c.json"));
  EXPECT_FALSE(glob_matches("**/x*/*.json", "a/xb/c/d.json"));
  EXPECT_TRUE(glob_matches("**/x*/*.json", "a/xb/xc/d.json"));
  EXPECT_TRUE(glob_matches("*/{b,c}?/**", "a/cd/e/f"));
  EXPECT_FALSE(glob_matches("*b/*", "ab/c/d"));
  std::string deep, braces;
  for (int i = 0; i < 60'000; ++i) deep += "**", braces += "{,}";
  EXPECT_TRUE(glob_matches(deep, "a/b"));
  EXPECT_FALSE(glob_matches(deep + "x", "a/b"));
  EXPECT_FALSE(glob_matches(braces, "a/b"));
}

}  // namespace
}  // namespace laketap::crawler
