// The doors by their wire: JSON in, status and JSON out.
#include "api/glue/glue.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <thread>

#include "http/message.h"
#include "state/state.h"
#include "store/store.h"

namespace laketap::api::glue {
namespace {

namespace json = boost::json;

struct Reply {
  int status = 0;
  std::string body;
  json::value parsed() const { return json::parse(body); }
  std::string error() const {
    const json::value value = parsed();
    const json::object& object = value.as_object();
    return std::string(object.at("__type").as_string()) + ": " +
           std::string(object.at("Message").as_string());
  }
};

class GlueTest : public testing::Test {
 protected:
  GlueTest() : operations_({.threads = 0, .queued_max = 16}) {
    directory_ =
        std::filesystem::temp_directory_path() / ("glue_test_" + io::uuid_v4(io::real_random()));
    std::filesystem::create_directories(directory_);
    store_ = std::move(*store::Store::open(directory_.string(), *database_, io::real_files(),
                                           io::real_clock(), io::real_random()));
    (void)store_->create_bucket("lake", "us-east-1");
    catalog_ = std::move(*catalog::Catalog::open(*database_, io::real_clock()));
    crawlers_ = std::move(*crawler::Crawlers::open(
        {*database_, *store_, *catalog_, io::real_clock(), io::real_random()}));
    crawlers_->start_threads();
    register_glue(operations_, *catalog_, *crawlers_);
  }
  ~GlueTest() override {
    crawlers_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  Reply post(const std::string& operation, const std::string& body) {
    const wire::Service& service = *wire::find_service("glue");
    http::RequestHead head;
    head.method = "POST";
    head.target = head.path = "/";
    head.headers = {{"X-Amz-Target", "AWSGlue." + operation},
                    {"Content-Type", "application/x-amz-json-1.1"}};
    const auto route = operations_.match(service, head, "");
    EXPECT_TRUE(route.has_value()) << operation;
    wire::Call call;
    call.request_id = "r";
    call.region = "us-east-1";
    call.account = "000000000000";
    call.caller_arn = "arn:aws:iam::000000000000:root";
    call.head = &head;
    Reply reply;
    wire::RequestBody request;
    request.bytes = body;
    boost::asio::co_spawn(context_, operations_.run(*route, call, request),
                          [&](std::exception_ptr, http::Response response) {
                            reply = {response.status, std::move(response.body)};
                          });
    context_.restart();
    context_.run_for(std::chrono::seconds(10));
    return reply;
  }
  // Must succeed.
  json::object ask(const std::string& operation, const std::string& body) {
    const Reply reply = post(operation, body);
    EXPECT_EQ(reply.status, 200) << operation << ": " << reply.body;
    return reply.status == 200 ? reply.parsed().as_object() : json::object();
  }
  void make_table() {
    ask("CreateDatabase", R"({"DatabaseInput":{"Name":"Shop"}})");
    ask("CreateTable",
        R"({"DatabaseName":"shop","TableInput":{"Name":"Sales","PartitionKeys":[{"Name":"n","Type":"int"}],
            "StorageDescriptor":{"Columns":[{"Name":"id","Type":"int","Comment":"c","Parameters":{"k":"v"}}],
            "Location":"s3://lake/d/","SkewedInfo":{"SkewedColumnNames":["id"]},
            "SerdeInfo":{"SerializationLibrary":"x"}},"Parameters":{"a":"b"}}})");
  }

  std::filesystem::path directory_;
  std::unique_ptr<state::Database> database_ = state::in_memory();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<crawler::Crawlers> crawlers_;
  wire::Operations operations_;
  boost::asio::io_context context_;
};

TEST_F(GlueTest, GetTable_bringsBackWhatWasWritten) {
  make_table();
  const json::object table =
      ask("GetTable", R"({"DatabaseName":"SHOP","Name":"SALES"})").at("Table").as_object();
  EXPECT_EQ(table.at("Name"), "sales");
  EXPECT_EQ(table.at("DatabaseName"), "shop");
  EXPECT_EQ(table.at("VersionId"), "0");
  EXPECT_EQ(table.at("CatalogId"), "000000000000");
  EXPECT_EQ(table.at("Retention"), 0);
  EXPECT_EQ(table.at("IsRegisteredWithLakeFormation"), false);
  EXPECT_TRUE(table.at("CreateTime").is_number());
  const json::object& storage = table.at("StorageDescriptor").as_object();
  EXPECT_EQ(json::serialize(storage.at("Columns")),
            R"([{"Name":"id","Type":"int","Comment":"c","Parameters":{"k":"v"}}])");
  EXPECT_EQ(json::serialize(storage.at("SkewedInfo")), R"({"SkewedColumnNames":["id"]})");
  ask("CreateTable", R"({"DatabaseName":"shop","TableInput":{"Name":"bare"}})");
  const json::object bare =
      ask("GetTable", R"({"DatabaseName":"shop","Name":"bare"})").at("Table").as_object();
  EXPECT_TRUE(bare.at("PartitionKeys").as_array().empty()) << "there, though empty";
}

TEST_F(GlueTest, Errors_haveGluesNamesAndTexts) {
  make_table();
  EXPECT_EQ(post("CreateDatabase", R"({"DatabaseInput":{"Name":"SHOP"}})").error(),
            "AlreadyExistsException: Database already exists.");
  EXPECT_EQ(post("CreateTable", R"({"DatabaseName":"shop","TableInput":{"Name":"sales"}})").error(),
            "AlreadyExistsException: Table already exists.");
  EXPECT_EQ(post("GetTable", R"({"DatabaseName":"shop","Name":"nosuch"})").error(),
            "EntityNotFoundException: Table nosuch not found.");
  EXPECT_EQ(post("GetTables", R"({"DatabaseName":"nosuch"})").error(),
            "EntityNotFoundException: Database nosuch not found.");
  EXPECT_EQ(
      post("GetPartition", R"({"DatabaseName":"shop","TableName":"sales","PartitionValues":["1"]})")
          .error(),
      "EntityNotFoundException: Cannot find partition.");
  EXPECT_EQ(
      post("GetTableVersion", R"({"DatabaseName":"shop","TableName":"sales","VersionId":"7"})")
          .error(),
      "EntityNotFoundException: Version not found.");
  EXPECT_EQ(post("UpdateTable",
                 R"({"DatabaseName":"shop","VersionId":"3","TableInput":{"Name":"sales"}})")
                .error()
                .substr(0, 31),
            "ConcurrentModificationException");
  EXPECT_EQ(
      post("GetDatabase", R"({"CatalogId":"999999999999","Name":"shop"})").error().substr(0, 23),
      "EntityNotFoundException");
  EXPECT_EQ(post("GetCrawler", R"({"Name":"c"})").error(),
            "EntityNotFoundException: Crawler entry with name c does not exist");
}

TEST_F(GlueTest, GetTables_takesPatternsAndGlobs) {
  make_table();
  for (const char* name : {"pre_a", "pre_b", "other"})
    ask("CreateTable",
        fmt::format(R"({{"DatabaseName":"shop","TableInput":{{"Name":"{}"}}}})", name));
  const auto count = [&](const std::string& expression) {
    return ask("GetTables",
               fmt::format(R"({{"DatabaseName":"shop","Expression":"{}"}})", expression))
        .at("TableList")
        .as_array()
        .size();
  };
  EXPECT_EQ(count("pre*"), 2u);
  EXPECT_EQ(count("*_b"), 1u);
  EXPECT_EQ(count("PRE_.*"), 2u);
  EXPECT_EQ(count("pre_"), 0u) << "the whole name must match";
  EXPECT_EQ(count("(a*)*(a*)*(a*)*(.*)*x"), 0u) << "and ends soon";
  EXPECT_EQ(post("GetTables", R"({"DatabaseName":"shop","Expression":"(("})").status, 400);
}

TEST_F(GlueTest, Lists_pageWithoutLossOrRepetition) {
  make_table();
  std::string list;
  for (int n = 0; n < 57; ++n)
    list += fmt::format("{}{{\"Values\":[\"{}\"]}}", n > 0 ? "," : "", n);
  ask("BatchCreatePartition",
      R"({"DatabaseName":"shop","TableName":"sales","PartitionInputList":[)" + list + "]}");
  std::vector<std::string> seen;
  std::string token;
  do {
    json::object page =
        ask("GetPartitions",
            fmt::format(R"({{"DatabaseName":"shop","TableName":"sales","MaxResults":10{}}})",
                        token.empty() ? "" : ",\"NextToken\":\"" + token + "\""));
    for (const json::value& one : page.at("Partitions").as_array())
      seen.emplace_back(one.at("Values").at(0).as_string());
    token = page.contains("NextToken") ? std::string(page.at("NextToken").as_string()) : "";
  } while (!token.empty() && seen.size() < 100);
  EXPECT_EQ(seen.size(), 57u);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 57u);
  EXPECT_EQ(ask("GetPartitions",
                R"({"DatabaseName":"shop","TableName":"sales","Expression":"n > 9 and n < 12"})")
                .at("Partitions")
                .as_array()
                .size(),
            2u);
  EXPECT_FALSE(ask("GetTables", R"({"DatabaseName":"shop"})").contains("NextToken"))
      << "an empty token loops clients for ever";
  EXPECT_EQ(
      post("GetPartitions", R"({"DatabaseName":"shop","TableName":"sales","Expression":"x = 1"})")
          .error()
          .substr(0, 21),
      "InvalidInputException");
}

TEST_F(GlueTest, BatchCreatePartition_answersEachItem) {
  make_table();
  ask("CreatePartition",
      R"({"DatabaseName":"shop","TableName":"sales","PartitionInput":{"Values":["1"]}})");
  const json::object answer = ask(
      "BatchCreatePartition",
      R"({"DatabaseName":"shop","TableName":"sales","PartitionInputList":[{"Values":["1"]},{"Values":["2"]}]})");
  EXPECT_EQ(
      json::serialize(answer.at("Errors")),
      R"([{"PartitionValues":["1"],"ErrorDetail":{"ErrorCode":"AlreadyExistsException","ErrorMessage":"Partition already exists."}}])");
  std::string list;
  for (int n = 0; n < 101; ++n)
    list += fmt::format("{}{{\"Values\":[\"{}\"]}}", n > 0 ? "," : "", n + 10);
  EXPECT_EQ(
      post("BatchCreatePartition",
           R"({"DatabaseName":"shop","TableName":"sales","PartitionInputList":[)" + list + "]}")
          .status,
      400);
  EXPECT_EQ(ask("GetPartitions", R"({"DatabaseName":"shop","TableName":"sales"})")
                .at("Partitions")
                .as_array()
                .size(),
            2u)
      << "nothing of a list that is too long";
}

TEST_F(GlueTest, CreateCrawler_echoesGluesDefaults) {
  ask("CreateCrawler",
      R"x({"Name":"c","Role":"service-role/r","DatabaseName":"db",
           "Targets":{"S3Targets":[{"Path":"lake/raw/firehose"}]},
           "Schedule":"cron(0/10 * ? * MON-FRI *)"})x");
  const json::object crawler = ask("GetCrawler", R"({"Name":"c"})").at("Crawler").as_object();
  EXPECT_EQ(crawler.at("Role"), "service-role/r");
  EXPECT_EQ(crawler.at("State"), "READY");
  EXPECT_EQ(json::serialize(crawler.at("SchemaChangePolicy")),
            R"({"UpdateBehavior":"UPDATE_IN_DATABASE","DeleteBehavior":"DEPRECATE_IN_DATABASE"})");
  EXPECT_EQ(json::serialize(crawler.at("RecrawlPolicy")),
            R"({"RecrawlBehavior":"CRAWL_EVERYTHING"})");
  EXPECT_EQ(json::serialize(crawler.at("Schedule")),
            R"x({"ScheduleExpression":"cron(0/10 * ? * MON-FRI *)","State":"SCHEDULED"})x");
  EXPECT_EQ(json::serialize(crawler.at("LineageConfiguration")),
            R"({"CrawlerLineageSettings":"DISABLE"})");
  EXPECT_TRUE(crawler.at("Classifiers").as_array().empty());
  EXPECT_TRUE(crawler.at("Targets").at("JdbcTargets").as_array().empty());
  EXPECT_FALSE(crawler.contains("LastCrawl"));
  EXPECT_EQ(crawler.at("Version"), 1);
  EXPECT_EQ(post("CreateCrawler",
                 R"({"Name":"c","Role":"r","Targets":{"S3Targets":[{"Path":"lake/x"}]}})")
                .error(),
            "AlreadyExistsException: Crawler already exists");
  ask("UpdateCrawler", R"({"Name":"c","Schedule":""})");
  EXPECT_FALSE(ask("GetCrawler", R"({"Name":"c"})").at("Crawler").as_object().contains("Schedule"));
  EXPECT_EQ(post("StartCrawlerSchedule", R"({"CrawlerName":"c"})").error().substr(0, 19),
            "NoScheduleException");
}

TEST_F(GlueTest, StartCrawler_runsAndIsTold) {
  auto upload = *store_->begin_upload("lake", "raw/a.json");
  (void)upload->write(view(R"({"Id":1})"));
  (void)upload->commit({});
  ask("CreateCrawler",
      R"({"Name":"c","Role":"r","DatabaseName":"db","Targets":{"S3Targets":[{"Path":"lake/raw"}]}})");
  EXPECT_EQ(post("StopCrawler", R"({"Name":"c"})").error(),
            "CrawlerNotRunningException: Crawler with name c isn't running");
  ask("StartCrawler", R"({"Name":"c"})");
  json::object crawler;
  for (int i = 0; i < 1000; ++i) {
    crawler = ask("GetCrawler", R"({"Name":"c"})").at("Crawler").as_object();
    if (crawler.at("State") == "READY") break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(crawler.at("LastCrawl").at("Status"), "SUCCEEDED");
  EXPECT_EQ(crawler.at("LastCrawl").at("LogGroup"), "/aws-glue/crawlers");
  EXPECT_EQ(ask("GetTable", R"({"DatabaseName":"db","Name":"raw"})")
                .at("Table")
                .at("StorageDescriptor")
                .at("Columns")
                .at(0)
                .at("Name"),
            "id");
  const json::object crawls = ask(
      "ListCrawls",
      R"({"CrawlerName":"c","Filters":[{"FieldName":"STATE","FilterOperator":"EQ","FieldValue":"COMPLETED"}]})");
  ASSERT_EQ(crawls.at("Crawls").as_array().size(), 1u);
  const json::value summary = json::parse(crawls.at("Crawls").at(0).at("Summary").as_string());
  EXPECT_EQ(json::parse(summary.at("TABLE").at("ADD").as_string()).at("Details").at("names").at(0),
            "raw");
  EXPECT_EQ(
      ask("ListCrawls",
          R"({"CrawlerName":"c","Filters":[{"FieldName":"START_TIME","FilterOperator":"LT","FieldValue":"1000"}]})")
          .at("Crawls")
          .as_array()
          .size(),
      0u);
  EXPECT_EQ(
      post(
          "ListCrawls",
          R"({"CrawlerName":"c","Filters":[{"FieldName":"STATE","FilterOperator":"GT","FieldValue":"x"}]})")
          .error(),
      "InvalidInputException: Only EQ or NE operator is allowed for field : STATE");
  EXPECT_EQ(ask("GetCrawlerMetrics", "{}").at("CrawlerMetricsList").at(0).at("TablesCreated"), 1);
}

}  // namespace
}  // namespace laketap::api::glue
