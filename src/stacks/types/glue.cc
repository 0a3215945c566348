// AWS::Glue::Database, AWS::Glue::Table, AWS::Glue::Crawler.
#include <array>
#include <boost/json.hpp>

#include "stacks/types/types.h"

namespace laketap::stacks {
namespace {

namespace json = boost::json;

constexpr std::array kText{Property{""}};
constexpr std::array kDatabaseInput{
    Property{"Name"},
    Property{"Description"},
    Property{"LocationUri"},
    Property{"Parameters", Kind::map},
    Property{"CreateTableDefaultPermissions", Kind::json},
};
constexpr std::array kDatabaseProperties{
    Property{"CatalogId", Kind::text, true},
    Property{"DatabaseInput", Kind::object, true, kDatabaseInput},
    Property{"DatabaseName"},
};
constexpr std::array kColumn{Property{"Name", Kind::text, true}, Property{"Type"},
                             Property{"Comment"}};
constexpr std::array kSerde{Property{"Name"}, Property{"SerializationLibrary"},
                            Property{"Parameters", Kind::map}};
constexpr std::array kSort{Property{"Column", Kind::text, true},
                           Property{"SortOrder", Kind::integer, true}};
constexpr std::array kStorage{
    Property{"Columns", Kind::list, false, kColumn},
    Property{"Location"},
    Property{"InputFormat"},
    Property{"OutputFormat"},
    Property{"Compressed", Kind::boolean},
    Property{"NumberOfBuckets", Kind::integer},
    Property{"SerdeInfo", Kind::object, false, kSerde},
    Property{"BucketColumns", Kind::list, false, kText},
    Property{"SortColumns", Kind::list, false, kSort},
    Property{"Parameters", Kind::map},
    Property{"StoredAsSubDirectories", Kind::boolean},
};
constexpr std::array kTableInput{
    Property{"Name"},
    Property{"Description"},
    Property{"Owner"},
    Property{"Retention", Kind::integer},
    Property{"StorageDescriptor", Kind::object, false, kStorage},
    Property{"PartitionKeys", Kind::list, false, kColumn},
    Property{"ViewOriginalText"},
    Property{"ViewExpandedText"},
    Property{"TableType"},
    Property{"Parameters", Kind::map},
};
constexpr std::array kTableProperties{
    Property{"CatalogId", Kind::text, true},
    Property{"DatabaseName", Kind::text, true},
    Property{"TableInput", Kind::object, true, kTableInput},
};
constexpr std::array kS3Target{
    Property{"Path"},           Property{"Exclusions", Kind::list, false, kText},
    Property{"ConnectionName"}, Property{"SampleSize", Kind::integer},
    Property{"EventQueueArn"},  Property{"DlqEventQueueArn"},
};
constexpr std::array kTargets{
    Property{"S3Targets", Kind::list, false, kS3Target},
    Property{"CatalogTargets", Kind::json},
    Property{"JdbcTargets", Kind::json},
    Property{"DynamoDBTargets", Kind::json},
};
constexpr std::array kPolicy{Property{"UpdateBehavior"}, Property{"DeleteBehavior"}};
constexpr std::array kSchedule{Property{"ScheduleExpression"}};
constexpr std::array kRecrawl{Property{"RecrawlBehavior"}};
constexpr std::array kCrawlerProperties{
    Property{"Name"},
    Property{"Role", Kind::text, true},
    Property{"DatabaseName"},
    Property{"Description"},
    Property{"Targets", Kind::object, true, kTargets},
    Property{"Classifiers", Kind::list, false, kText},
    Property{"Configuration"},
    Property{"SchemaChangePolicy", Kind::object, false, kPolicy},
    Property{"RecrawlPolicy", Kind::object, false, kRecrawl},
    Property{"Schedule", Kind::object, false, kSchedule},
    Property{"TablePrefix"},
    Property{"CrawlerSecurityConfiguration"},
    Property{"Tags", Kind::map},
};

Outcome<bool> found(const Outcome<json::object>& answer) {
  if (answer) return true;
  if (says_missing(answer.error())) return false;
  return std::unexpected(answer.error());
}
Outcome<bool> done(const Outcome<json::object>& answer, bool missing_is_fine = false) {
  if (answer || (missing_is_fine && says_missing(answer.error()))) return true;
  return std::unexpected(answer.error());
}

class Database : public Type {
 public:
  std::string_view name() const override { return "AWS::Glue::Database"; }
  std::span<const Property> properties() const override { return kDatabaseProperties; }
  NameRule name_rule() const override {
    return {.property = "DatabaseInput.Name", .length_max = 255, .lower_case = true};
  }
  Outcome<bool> exists(const Context& context, const std::string& id,
                       const json::object&) const override {
    return found(context.call("glue", "GetDatabase", {{"Name", id}}));
  }
  Outcome<bool> create(const Context& context, const std::string& id,
                       const json::object& properties) const override {
    json::object input = properties.at("DatabaseInput").as_object();
    input["Name"] = id;
    return done(
        context.call("glue", "CreateDatabase",
                     {{"CatalogId", properties.at("CatalogId")}, {"DatabaseInput", input}}));
  }
  Outcome<bool> remove(const Context& context, const std::string& id,
                       const json::object&) const override {
    return done(context.call("glue", "DeleteDatabase", {{"Name", id}}), true);
  }
  std::optional<std::string> attribute(const Context&, const std::string&,
                                       std::string_view) const override {
    return std::nullopt;
  }
};

class Table : public Type {
 public:
  std::string_view name() const override { return "AWS::Glue::Table"; }
  std::span<const Property> properties() const override { return kTableProperties; }
  NameRule name_rule() const override {
    return {.property = "TableInput.Name", .length_max = 255, .lower_case = true};
  }
  Outcome<bool> exists(const Context& context, const std::string& id,
                       const json::object& properties) const override {
    return found(context.call("glue", "GetTable",
                              {{"DatabaseName", properties.at("DatabaseName")}, {"Name", id}}));
  }
  Outcome<bool> create(const Context& context, const std::string& id,
                       const json::object& properties) const override {
    json::object input = properties.at("TableInput").as_object();
    input["Name"] = id;
    return done(context.call("glue", "CreateTable",
                             {{"CatalogId", properties.at("CatalogId")},
                              {"DatabaseName", properties.at("DatabaseName")},
                              {"TableInput", input}}));
  }
  Outcome<bool> remove(const Context& context, const std::string& id,
                       const json::object& properties) const override {
    return done(context.call("glue", "DeleteTable",
                             {{"DatabaseName", properties.at("DatabaseName")}, {"Name", id}}),
                true);
  }
  std::optional<std::string> attribute(const Context&, const std::string&,
                                       std::string_view) const override {
    return std::nullopt;
  }
};

class Crawler : public Type {
 public:
  std::string_view name() const override { return "AWS::Glue::Crawler"; }
  std::span<const Property> properties() const override { return kCrawlerProperties; }
  NameRule name_rule() const override { return {.property = "Name", .length_max = 255}; }
  Outcome<bool> exists(const Context& context, const std::string& id,
                       const json::object&) const override {
    return found(context.call("glue", "GetCrawler", {{"Name", id}}));
  }
  Outcome<bool> create(const Context& context, const std::string& id,
                       const json::object& properties) const override {
    json::object input = properties;
    input["Name"] = id;
    // An object in the template, plain text in Glue's API.
    if (const json::value* schedule = properties.if_contains("Schedule")) {
      const json::value* expression = schedule->as_object().if_contains("ScheduleExpression");
      if (expression)
        input["Schedule"] = *expression;
      else
        input.erase("Schedule");
    }
    return done(context.call("glue", "CreateCrawler", input));
  }
  Outcome<bool> remove(const Context& context, const std::string& id,
                       const json::object&) const override {
    auto gone = context.call("glue", "DeleteCrawler", {{"Name", id}});
    if (!gone && gone.error().code == "CrawlerRunningException") {
      (void)context.call("glue", "StopCrawler", {{"Name", id}});
      gone = context.call("glue", "DeleteCrawler", {{"Name", id}});
    }
    return done(gone, true);
  }
  std::optional<std::string> attribute(const Context&, const std::string&,
                                       std::string_view) const override {
    return std::nullopt;
  }
};

}  // namespace

const Type& database_type() {
  static const Database kType;
  return kType;
}
const Type& table_type() {
  static const Table kType;
  return kType;
}
const Type& crawler_type() {
  static const Crawler kType;
  return kType;
}

}  // namespace laketap::stacks
