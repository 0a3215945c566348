#include "crawler/rows.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace laketap::crawler {
namespace {

namespace json = boost::json;

json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& one : list) out.emplace_back(one);
  return out;
}
std::vector<std::string> texts_of(const json::value& value) {
  std::vector<std::string> out;
  for (const json::value& one : value.as_array()) out.emplace_back(one.as_string());
  return out;
}
std::string text(const json::object& object, const char* name) {
  return std::string(object.at(name).as_string());
}

}  // namespace

std::string write_definition(const Definition& d) {
  json::array targets;
  for (const S3Target& target : d.targets)
    targets.push_back(json::object{
        {"path", target.path},
        {"exclusions", texts(target.exclusions)},
        {"connection", target.connection},
        {"queue", target.event_queue},
        {"dead_letters", target.dead_letter_queue},
        {"sample", target.sample_size ? json::value(*target.sample_size) : json::value(nullptr)}});
  json::object tags;
  for (const auto& [key, value] : d.tags) tags[key] = value;
  return json::serialize(json::object{{"name", d.name},
                                      {"role", d.role},
                                      {"database", d.database},
                                      {"description", d.description},
                                      {"prefix", d.table_prefix},
                                      {"configuration", d.configuration},
                                      {"security", d.security_configuration},
                                      {"targets", std::move(targets)},
                                      {"classifiers", texts(d.classifiers)},
                                      {"schedule", d.schedule},
                                      {"schedule_active", d.schedule_active},
                                      {"update", d.update_behavior},
                                      {"delete", d.delete_behavior},
                                      {"recrawl", d.recrawl_behavior},
                                      {"lineage", d.lineage},
                                      {"tags", std::move(tags)},
                                      {"account", d.account},
                                      {"region", d.region},
                                      {"created", d.created.time_since_epoch().count()},
                                      {"updated", d.updated.time_since_epoch().count()},
                                      {"version", d.version}});
}

Result<Definition> read_definition(std::string_view stored) {
  try {
    const json::object object = json::parse(stored).as_object();
    Definition d;
    d.name = text(object, "name");
    d.role = text(object, "role");
    d.database = text(object, "database");
    d.description = text(object, "description");
    d.table_prefix = text(object, "prefix");
    d.configuration = text(object, "configuration");
    d.security_configuration = text(object, "security");
    for (const json::value& one : object.at("targets").as_array()) {
      S3Target target{.path = text(one.as_object(), "path"),
                      .exclusions = texts_of(one.at("exclusions"))};
      target.connection = text(one.as_object(), "connection");
      target.event_queue = text(one.as_object(), "queue");
      target.dead_letter_queue = text(one.as_object(), "dead_letters");
      if (const json::value& sample = one.at("sample"); !sample.is_null())
        target.sample_size = sample.to_number<int64_t>();
      d.targets.push_back(std::move(target));
    }
    d.classifiers = texts_of(object.at("classifiers"));
    d.schedule = text(object, "schedule");
    d.schedule_active = object.at("schedule_active").as_bool();
    d.update_behavior = text(object, "update");
    d.delete_behavior = text(object, "delete");
    d.recrawl_behavior = text(object, "recrawl");
    d.lineage = text(object, "lineage");
    for (const auto& tag : object.at("tags").as_object())
      d.tags[std::string(tag.key())] = std::string(tag.value().as_string());
    d.account = text(object, "account");
    d.region = text(object, "region");
    d.created = from_epoch_micros(object.at("created").to_number<int64_t>());
    d.updated = from_epoch_micros(object.at("updated").to_number<int64_t>());
    d.version = object.at("version").to_number<int64_t>();
    return d;
  } catch (const std::exception& exception) {
    return fail(ErrorKind::corrupt, std::string("reading a crawler: ") + exception.what());
  }
}

std::string write_crawl(const Crawl& crawl) {
  return json::serialize(
      json::object{{"id", crawl.id},
                   {"state", crawl.state},
                   {"started", crawl.started.time_since_epoch().count()},
                   {"ended", crawl.ended ? json::value(crawl.ended->time_since_epoch().count())
                                         : json::value(nullptr)},
                   {"error", crawl.error},
                   {"created", texts(crawl.tables_created)},
                   {"updated", texts(crawl.tables_updated)},
                   {"partitions", crawl.partitions_added},
                   {"partitions_deleted", crawl.partitions_deleted},
                   {"opened", crawl.objects_opened},
                   {"deleted", crawl.tables_deleted}});
}

Result<Crawl> read_crawl(std::string_view stored) {
  try {
    const json::object object = json::parse(stored).as_object();
    Crawl crawl{.id = text(object, "id"),
                .state = text(object, "state"),
                .started = from_epoch_micros(object.at("started").to_number<int64_t>())};
    if (const json::value& ended = object.at("ended"); !ended.is_null())
      crawl.ended = from_epoch_micros(ended.to_number<int64_t>());
    crawl.error = text(object, "error");
    crawl.tables_created = texts_of(object.at("created"));
    crawl.tables_updated = texts_of(object.at("updated"));
    crawl.partitions_added = object.at("partitions").to_number<int64_t>();
    crawl.partitions_deleted = object.at("partitions_deleted").to_number<int64_t>();
    crawl.objects_opened = object.at("opened").to_number<int64_t>();
    crawl.tables_deleted = object.at("deleted").to_number<int64_t>();
    return crawl;
  } catch (const std::exception& exception) {
    return fail(ErrorKind::corrupt, std::string("reading a crawl: ") + exception.what());
  }
}

std::string crawler_key(const std::string& name) {
  return state::key("crawler", name);
}
std::string crawls_prefix(const std::string& name) {
  return state::key("crawl", name);
}
std::string memos_prefix(const std::string& name) {
  return state::key("crawler-table", name);
}
std::string crawl_key(const std::string& name, Timestamp started, const std::string& id) {
  return state::key(
      "crawl", name,
      fmt::format("{:020}", UINT64_MAX - static_cast<uint64_t>(started.time_since_epoch().count())),
      id);
}

}  // namespace laketap::crawler
