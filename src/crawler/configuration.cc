#include "crawler/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <vector>

namespace laketap::crawler {
namespace {

namespace json = boost::json;

// Members that Glue knows; another one is refused by name.
const std::map<std::string, std::vector<std::string>>& known_members() {
  static const std::map<std::string, std::vector<std::string>> kKnown{
      {"", {"Version", "CrawlerOutput", "Grouping", "CreatePartitionIndex"}},
      {"CrawlerOutput", {"Partitions", "Tables"}},
      {"CrawlerOutput.Partitions", {"AddOrUpdateBehavior"}},
      {"CrawlerOutput.Tables", {"AddOrUpdateBehavior", "TableThreshold"}},
      {"Grouping", {"TableGroupingPolicy", "TableLevelConfiguration"}},
  };
  return kKnown;
}

Result<> check_members(const json::object& object, const std::string& path) {
  const auto known = known_members().find(path);
  if (known == known_members().end()) return {};
  std::vector<std::string> alien;
  for (const auto& member : object) {
    const std::string name(member.key());
    if (std::ranges::find(known->second, name) == known->second.end()) alien.push_back(name);
    if (member.value().is_object())
      if (const Result<> good =
              check_members(member.value().get_object(), path.empty() ? name : path + "." + name);
          !good)
        return good;
  }
  if (!alien.empty())
    return fail(ErrorKind::invalid,
                fmt::format("{} contains unsupported keys: {}.",
                            path.empty() ? "Configuration" : path, fmt::join(alien, ", ")));
  return {};
}

std::string text_at(const json::object& root, std::initializer_list<const char*> path) {
  const json::value* at = nullptr;
  const json::object* object = &root;
  for (const char* name : path) {
    at = object ? object->if_contains(name) : nullptr;
    object = at ? at->if_object() : nullptr;
  }
  return at && at->is_string() ? std::string(at->get_string()) : std::string();
}

}  // namespace

Result<Configuration> parse_configuration(const std::string& text) {
  Configuration made;
  if (text.empty()) return made;
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object())
    return fail(ErrorKind::invalid, "Crawler configuration is not valid JSON.");
  const json::object& root = value.get_object();
  const json::value* version = root.if_contains("Version");
  if (!version || !version->is_number())
    return fail(ErrorKind::invalid, "Crawler configuration must contain a Version.");
  if (const Result<> good = check_members(root, ""); !good) return fail(good.error());
  made.inherit_from_table =
      text_at(root, {"CrawlerOutput", "Partitions", "AddOrUpdateBehavior"}) == "InheritFromTable";
  made.merge_new_columns =
      text_at(root, {"CrawlerOutput", "Tables", "AddOrUpdateBehavior"}) == "MergeNewColumns";
  made.layout.combine_compatible =
      text_at(root, {"Grouping", "TableGroupingPolicy"}) == "CombineCompatibleSchemas";
  if (const json::value* grouping = root.if_contains("Grouping"); grouping && grouping->is_object())
    if (const json::value* level = grouping->get_object().if_contains("TableLevelConfiguration");
        level && level->is_int64())
      made.layout.level = level->get_int64();
  if (const json::value* output = root.if_contains("CrawlerOutput"); output && output->is_object())
    if (const json::value* tables = output->get_object().if_contains("Tables");
        tables && tables->is_object())
      if (const json::value* most = tables->get_object().if_contains("TableThreshold");
          most && most->is_int64())
        made.table_threshold = most->get_int64();
  return made;
}

}  // namespace laketap::crawler
