#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include <set>

namespace laketap::catalog {
namespace {

class CatalogTest : public testing::Test {
 protected:
  CatalogTest()
      : database_(state::in_memory()),
        catalog_(std::move(*Catalog::open(*database_, io::real_clock()))) {
    EXPECT_TRUE(catalog_->create_database({.name = "Shop"}));
    EXPECT_TRUE(catalog_->create_table({.database = "SHOP",
                                        .name = "Sales",
                                        .partition_keys = {{"year", "int"}, {"city", "string"}}}));
  }
  std::vector<std::string> matching(const std::string& expression) {
    const auto page = catalog_->partitions("shop", "sales", expression);
    if (!page) return {"error: " + page.error().what};
    std::vector<std::string> out;
    for (const Partition& one : page->partitions)
      out.push_back(one.values[0] + "/" + one.values[1]);
    return out;
  }
  void add(const std::string& year, const std::string& city) {
    ASSERT_TRUE(catalog_->create_partition("shop", "sales", {.values = {year, city}}));
  }

  std::unique_ptr<state::Database> database_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(CatalogTest, NamesAreFoldedAndTheDefaultDatabaseIsThere) {
  EXPECT_EQ(catalog_->find_table("shop", "SALES")->name, "sales");
  EXPECT_TRUE(catalog_->find_database("DEFAULT"));
  EXPECT_EQ(catalog_->create_database({.name = "shop"}).error().what, "Database already exists.");
  EXPECT_EQ(catalog_->create_table({.database = "shop", .name = "sales"}).error().what,
            "Table already exists.");
  EXPECT_EQ(catalog_->find_table("shop", "nosuch").error().what, "Table nosuch not found.");
  EXPECT_EQ(catalog_->find_table("nosuch", "t").error().what, "Database nosuch not found.");
}

TEST_F(CatalogTest, VersionsCountFromZeroAndOldOnesAreArchived) {
  EXPECT_EQ(catalog_->find_table("shop", "sales")->version, 0u);
  Table next = *catalog_->find_table("shop", "sales");
  next.description = "new";
  ASSERT_TRUE(catalog_->update_table(next));
  ASSERT_TRUE(catalog_->update_table(next, true));
  const auto versions = catalog_->versions("shop", "sales");
  ASSERT_EQ(versions->size(), 2u) << "the second update skipped the archive";
  EXPECT_EQ((*versions)[0].version, 2u);
  EXPECT_EQ((*versions)[1].version, 0u);
  EXPECT_EQ(catalog_->update_table(next, false, 1).error().kind, ErrorKind::conflict);
}

TEST_F(CatalogTest, RemovingADatabaseRemovesWhatIsInIt) {
  add("2020", "basel");
  ASSERT_TRUE(catalog_->remove_database("shop"));
  ASSERT_TRUE(catalog_->create_database({.name = "shop"}));
  ASSERT_TRUE(catalog_->create_table({.database = "shop",
                                      .name = "sales",
                                      .partition_keys = {{"year", "int"}, {"city", "string"}}}));
  EXPECT_TRUE(matching("").empty());
}

TEST_F(CatalogTest, PartitionsAreComparedByTheTypeOfTheirKey) {
  for (const char* year : {"9", "10", "2020"})
    for (const char* city : {"basel", "Bern", "o'neill"}) add(year, city);
  EXPECT_EQ(matching("year > '9'").size(), 6u) << "numeric";
  EXPECT_EQ(matching("year = 10 AND city = 'basel'"), (std::vector<std::string>{"10/basel"}));
  EXPECT_EQ(matching("city in ('basel','Bern') and (year)not in (9, '10')"),
            (std::vector<std::string>{"2020/Bern", "2020/basel"}));
  EXPECT_EQ(matching("((YEAR >= '10' AND year < '2020')) AND (city LIKE 'b%l')"),
            (std::vector<std::string>{"10/basel"}));
  EXPECT_EQ(matching("NOT (year BETWEEN 9 AND 10) AND city <> 'o''neill' AND city != 'Bern'"),
            (std::vector<std::string>{"2020/basel"}));
  EXPECT_EQ(matching("city = 'o\\'neill' OR city IS NULL").size(), 3u);
}

TEST_F(CatalogTest, ABadExpressionSaysWhatIsWrong) {
  add("2020", "basel");
  for (const char* bad : {"nosuch = 1", "year =", "year = 1 and", "(year = 1", "year = 1)",
                          "year like", "= 1", "year in ()", "city = 'open"})
    EXPECT_TRUE(matching(bad).front().starts_with("error: ")) << bad;
  EXPECT_NE(matching("nosuch = 1").front().find("Invalid partition expression!"),
            std::string::npos);
  EXPECT_EQ(matching("year = 'test'").front(), "error: \"test\" is not an integer.");
  EXPECT_EQ(matching("year like '1%'").front(),
            "error: Integral data type doesn't support operation 'LIKE'");
  EXPECT_TRUE(matching(std::string(5000, '(')).front().starts_with("error: "))
      << "deep nesting ends";
}

TEST_F(CatalogTest, ABatchAnswersEachItemAndKeepsTheGoodOnes) {
  add("2020", "basel");
  const auto made = catalog_->create_partitions("shop", "sales",
                                                {{.values = {"2020", "basel"}},
                                                 {.values = {"2021"}},
                                                 {.values = {"2021", "bern"}},
                                                 {.values = {"2021", "bern"}}});
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)[0].error().what, "Partition already exists.");
  EXPECT_EQ((*made)[1].error().kind, ErrorKind::invalid);
  EXPECT_TRUE((*made)[2]);
  EXPECT_EQ((*made)[3].error().kind, ErrorKind::exists) << "the same batch made it";
  EXPECT_EQ(matching("").size(), 2u);
  const auto removed =
      catalog_->remove_partitions("shop", "sales", {{"2020", "basel"}, {"1", "x"}});
  EXPECT_TRUE((*removed)[0]);
  EXPECT_EQ((*removed)[1].error().what, "Cannot find partition.");
  EXPECT_EQ(catalog_->create_partitions("shop", "nosuch", {{.values = {"1"}}}).error().kind,
            ErrorKind::not_found);
}

TEST_F(CatalogTest, AMovedPartitionKeepsItsBirthAndDoesNotOverwrite) {
  add("2020", "basel");
  add("2021", "bern");
  const Timestamp born = catalog_->find_partition("shop", "sales", {"2020", "basel"})->created;
  EXPECT_EQ(
      catalog_->update_partition("shop", "sales", {"2020", "basel"}, {.values = {"2021", "bern"}})
          .error()
          .kind,
      ErrorKind::exists);
  ASSERT_TRUE(
      catalog_->update_partition("shop", "sales", {"2020", "basel"}, {.values = {"2022", "chur"}}));
  EXPECT_EQ(matching(""), (std::vector<std::string>{"2021/bern", "2022/chur"}));
  EXPECT_EQ(catalog_->find_partition("shop", "sales", {"2022", "chur"})->created, born);
}

TEST_F(CatalogTest, ParametersAreRefreshedWithoutANewVersion) {
  const uint64_t before = catalog_->revision();
  ASSERT_TRUE(catalog_->refresh_parameters("shop", "sales", {{"objectCount", "7"}}));
  EXPECT_EQ(catalog_->find_table("shop", "sales")->version, 0u);
  EXPECT_EQ(catalog_->find_table("shop", "sales")->parameters.at("objectCount"), "7");
  EXPECT_NE(catalog_->revision(), before) << "a reader that keeps tables must see it";
}

TEST_F(CatalogTest, EveryPartitionIsRewrittenOverManyChunks) {
  std::vector<Partition> many;
  for (int i = 0; i < 2345; ++i) many.push_back({.values = {std::to_string(i), "x"}});
  ASSERT_TRUE(catalog_->create_partitions("shop", "sales", std::move(many)));
  ASSERT_TRUE(catalog_->rewrite_partitions("shop", "sales", [](Partition& one) {
    if (one.values[0] == "5") return false;
    one.parameters["seen"] = "1";
    return true;
  }));
  size_t changed = 0;
  const auto page = catalog_->partitions("shop", "sales");
  for (const Partition& one : page->partitions) changed += one.parameters.count("seen");
  EXPECT_EQ(changed, 2344u);
}

TEST_F(CatalogTest, PagesAndSegmentsAreDisjointAndComplete) {
  for (int year = 1000; year < 1057; ++year) add(std::to_string(year), "x");
  std::set<std::string> seen;
  std::string after;
  do {
    const auto page = catalog_->partitions("shop", "sales", "", after, 10);
    for (const Partition& one : page->partitions) EXPECT_TRUE(seen.insert(one.values[0]).second);
    after = page->next;
  } while (!after.empty());
  EXPECT_EQ(seen.size(), 57u);
  size_t all = 0;
  for (uint64_t number = 0; number < 5; ++number)
    all += catalog_->partitions("shop", "sales", "", "", 1000, {number, 5})->partitions.size();
  EXPECT_EQ(all, 57u);
}

TEST_F(CatalogTest, APartitionHasOneValueForEachKey) {
  EXPECT_EQ(catalog_->create_partition("shop", "sales", {.values = {"1"}}).error().kind,
            ErrorKind::invalid);
  add("1", "a");
  EXPECT_EQ(catalog_->create_partition("shop", "sales", {.values = {"1", "a"}}).error().what,
            "Partition already exists.");
  ASSERT_TRUE(catalog_->update_partition("shop", "sales", {"1", "a"}, {.values = {"2", "b"}}));
  EXPECT_EQ(catalog_->find_partition("shop", "sales", {"1", "a"}).error().what,
            "Cannot find partition.");
  EXPECT_TRUE(catalog_->find_partition("shop", "sales", {"2", "b"}));
}

TEST_F(CatalogTest, EverythingOfATableComesBack) {
  Table table{.database = "shop",
              .name = "whole",
              .description = "d",
              .owner = "o",
              .table_type = "EXTERNAL_TABLE"};
  table.storage = StorageDescriptor{.columns = {{"a", "struct<b:int>", "note", {{"k", "v"}}}},
                                    .location = "s3://b/x/",
                                    .serde_library = "lib",
                                    .serde_parameters = {{"paths", "a"}},
                                    .sort_columns = {{"a", 0}}};
  table.parameters = {{"classification", "json"}};
  table.last_access = from_epoch_micros(5);
  ASSERT_TRUE(catalog_->create_table(table));
  const auto found = catalog_->find_table("shop", "whole");
  EXPECT_EQ(found->storage, table.storage);
  EXPECT_EQ(found->parameters, table.parameters);
  EXPECT_EQ(found->last_access, table.last_access);
}

}  // namespace
}  // namespace laketap::catalog
