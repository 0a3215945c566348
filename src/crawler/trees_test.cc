// Goal: the tables that a crawl makes of a tree are those written down beside it.
// Method: tests/crawler/trees.yaml, each tree in a bucket of its own, through the real crawler.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "crawler/crawler_fixture.h"

namespace laketap::crawler {
namespace {

std::vector<YAML::Node> trees() {
  std::vector<YAML::Node> out;
  for (const YAML::Node& one :
       YAML::LoadFile(std::string(LAKETAP_SOURCE_DIR) + "/tests/crawler/trees.yaml"))
    out.push_back(one);
  return out;
}

template <class T>
void check(const YAML::Node& want, const T& got) {
  if (!want) return;
  EXPECT_EQ(got, want.as<T>());
}

class TreeTest : public CrawlerFixture, public testing::WithParamInterface<size_t> {};

TEST_P(TreeTest, GivesItsTables) {
  const YAML::Node tree = trees().at(GetParam());
  SCOPED_TRACE(tree["name"].as<std::string>());
  for (const auto& object : tree["objects"]) {
    const auto body = object.second.as<std::string>();
    put(object.first.as<std::string>(), body.starts_with("gzip:") ? gzipped(body.substr(5)) : body);
  }
  Definition definition{.name = "c", .role = "r", .database = "db"};
  S3Target target{.path = "s3://" + bucket_ + "/" +
                          (tree["path"] ? tree["path"].as<std::string>() : std::string("data/"))};
  if (tree["exclusions"]) target.exclusions = tree["exclusions"].as<std::vector<std::string>>();
  if (tree["configuration"]) definition.configuration = tree["configuration"].as<std::string>();
  definition.targets = {target};
  ASSERT_TRUE(crawlers_->create(definition));
  ASSERT_EQ(crawl("c").state, "COMPLETED");

  std::vector<std::string> names;
  for (const auto& table : tree["tables"]) names.push_back(table.first.as<std::string>());
  EXPECT_THAT(table_names(), testing::UnorderedElementsAreArray(names));
  for (const auto& entry : tree["tables"]) {
    const auto name = entry.first.as<std::string>();
    const YAML::Node want = entry.second;
    auto table = catalog_->find_table("db", name);
    ASSERT_TRUE(table) << name;
    EXPECT_EQ(columns_of(*table), want["columns"].as<std::string>()) << name;
    check(want["location"], table->storage->location.substr(("s3://" + bucket_ + "/").size()));
    std::vector<std::string> keys;
    for (const catalog::Column& key : table->partition_keys) keys.push_back(key.name);
    check(want["keys"], keys);
    check(want["partitions"], partitions_of(name));
    check(want["serde"], table->storage->serde_library);
    check(want["paths"], table->storage->serde_parameters["paths"]);
    for (const auto& parameter : want["parameters"]) {
      const auto key = parameter.first.as<std::string>();
      EXPECT_EQ(table->parameters[key], parameter.second.as<std::string>()) << key;
      EXPECT_EQ(table->storage->parameters[key], parameter.second.as<std::string>()) << key;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Tree, TreeTest, testing::Range<size_t>(0, trees().size()),
                         [](const auto& info) {
                           auto name = trees()[info.param]["name"].template as<std::string>();
                           for (char& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name;
                         });

}  // namespace
}  // namespace laketap::crawler
