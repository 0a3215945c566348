// Crawlers, their schedules and runs; tags.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <compare>

#include "api/glue/doors.h"

namespace laketap::api::glue {
namespace {

constexpr size_t kPageMax = 100;

// Errors of crawlers have names of their own for what runs and what does not.
std::unexpected<wire::Fault> crawler_fault(const Error& error) {
  if (error.kind == ErrorKind::too_large)
    return wire::refuse("ResourceNumberLimitExceededException", 400, error.what);
  if (error.kind != ErrorKind::conflict) return to_fault(error);
  if (error.what.find("isn't running") != std::string::npos)
    return wire::refuse("CrawlerNotRunningException", 400, error.what);
  if (error.what.find("stopping") != std::string::npos)
    return wire::refuse("CrawlerStoppingException", 400, error.what);
  return wire::refuse("CrawlerRunningException", 400, error.what);
}

std::optional<wire::Fault> read_targets(const model::CrawlerTargets& input,
                                        std::vector<crawler::S3Target>& out) {
  const auto asked = [](const auto& list) { return list && !list->empty(); };
  if (asked(input.jdbc_targets) || asked(input.mongo_db_targets) ||
      asked(input.dynamo_db_targets) || asked(input.catalog_targets) ||
      asked(input.delta_targets) || asked(input.iceberg_targets) || asked(input.hudi_targets))
    return wire::Fault{"NotImplemented", 501, "only S3 targets are served by crawlers", {}};
  out.clear();
  if (input.s3_targets)
    for (const model::S3Target& target : *input.s3_targets)
      out.push_back({.path = target.path.value_or(""),
                     .exclusions = target.exclusions.value_or(std::vector<std::string>()),
                     .sample_size = target.sample_size,
                     .connection = target.connection_name.value_or(""),
                     .event_queue = target.event_queue_arn.value_or(""),
                     .dead_letter_queue = target.dlq_event_queue_arn.value_or("")});
  return std::nullopt;
}

template <class Request>
void read_policies(const Request& input, crawler::Definition& definition) {
  if (input.description) definition.description = *input.description;
  if (input.database_name) definition.database = *input.database_name;
  if (input.schedule) {
    definition.schedule = *input.schedule;
    definition.schedule_active = true;
  }
  if (input.classifiers) definition.classifiers = *input.classifiers;
  if (input.table_prefix) definition.table_prefix = *input.table_prefix;
  if (input.configuration) definition.configuration = *input.configuration;
  if (input.crawler_security_configuration)
    definition.security_configuration = *input.crawler_security_configuration;
  if (input.schema_change_policy) {
    definition.update_behavior =
        input.schema_change_policy->update_behavior.value_or("UPDATE_IN_DATABASE");
    definition.delete_behavior =
        input.schema_change_policy->delete_behavior.value_or("DEPRECATE_IN_DATABASE");
  }
  if (input.recrawl_policy)
    definition.recrawl_behavior =
        input.recrawl_policy->recrawl_behavior.value_or("CRAWL_EVERYTHING");
  if (input.lineage_configuration)
    definition.lineage = input.lineage_configuration->crawler_lineage_settings.value_or("DISABLE");
}

class Doors {
 public:
  explicit Doors(crawler::Crawlers& crawlers) : crawlers_(crawlers) {}

  Answer<model::CreateCrawlerResponse> create(const Call& call,
                                              model::CreateCrawlerRequest input) const {
    crawler::Definition definition{.name = input.name, .role = input.role};
    definition.account = call.account;
    definition.region = call.region;
    definition.tags = input.tags.value_or(std::map<std::string, std::string>());
    if (auto fault = read_targets(input.targets, definition.targets))
      return std::unexpected(*fault);
    read_policies(input, definition);
    if (!definition.classifiers.empty())
      return wire::refuse("EntityNotFoundException", 400,
                          fmt::format("Classifier {} not found.", definition.classifiers.front()));
    const Result<> done = crawlers_.create(std::move(definition));
    if (!done) return crawler_fault(done.error());
    return model::CreateCrawlerResponse{};
  }
  Answer<model::UpdateCrawlerResponse> update(const Call&,
                                              model::UpdateCrawlerRequest input) const {
    std::optional<wire::Fault> fault;
    const Result<> done =
        crawlers_.update(input.name, [&](crawler::Definition& definition) -> Result<> {
          if (input.role) definition.role = *input.role;
          if (input.targets) fault = read_targets(*input.targets, definition.targets);
          if (fault) return fail(ErrorKind::unsupported, fault->message);
          read_policies(input, definition);
          return {};
        });
    if (fault) return std::unexpected(*fault);
    if (!done) return crawler_fault(done.error());
    return model::UpdateCrawlerResponse{};
  }
  Answer<model::GetCrawlerResponse> get(const Call&, model::GetCrawlerRequest input) const {
    const Result<crawler::Definition> found = crawlers_.find(input.name);
    if (!found) return not_found(input.name, found.error());
    return model::GetCrawlerResponse{.crawler =
                                         to_model(*found, crawlers_.status(found->name), now())};
  }
  Answer<model::GetCrawlersResponse> get_all(const Call&, model::GetCrawlersRequest input) const {
    const auto all = crawlers_.list();
    if (!all) return to_fault(all.error());
    const Answer<Slice> page = slice(all->size(), input.next_token, input.max_results, kPageMax);
    if (!page) return std::unexpected(page.error());
    model::GetCrawlersResponse output;
    output.crawlers.emplace();
    for (size_t i = page->begin; i < page->end; ++i)
      output.crawlers->push_back(to_model((*all)[i], crawlers_.status((*all)[i].name), now()));
    output.next_token = page->next;
    return output;
  }
  Answer<model::BatchGetCrawlersResponse> get_some(const Call&,
                                                   model::BatchGetCrawlersRequest input) const {
    model::BatchGetCrawlersResponse output;
    output.crawlers.emplace();
    output.crawlers_not_found.emplace();
    for (const std::string& name : input.crawler_names) {
      const Result<crawler::Definition> found = crawlers_.find(name);
      if (found)
        output.crawlers->push_back(to_model(*found, crawlers_.status(name), now()));
      else
        output.crawlers_not_found->push_back(name);
    }
    return output;
  }
  Answer<model::ListCrawlersResponse> list(const Call&, model::ListCrawlersRequest input) const {
    auto all = crawlers_.list();
    if (!all) return to_fault(all.error());
    if (input.tags)
      std::erase_if(*all, [&](const crawler::Definition& one) {
        return std::ranges::any_of(*input.tags, [&](const auto& tag) {
          const auto found = one.tags.find(tag.first);
          return found == one.tags.end() || found->second != tag.second;
        });
      });
    const Answer<Slice> page = slice(all->size(), input.next_token, input.max_results, kPageMax);
    if (!page) return std::unexpected(page.error());
    model::ListCrawlersResponse output;
    output.crawler_names.emplace();
    for (size_t i = page->begin; i < page->end; ++i)
      output.crawler_names->push_back((*all)[i].name);
    output.next_token = page->next;
    return output;
  }
  Answer<model::DeleteCrawlerResponse> remove(const Call&,
                                              model::DeleteCrawlerRequest input) const {
    const Result<> done = crawlers_.remove(input.name);
    if (!done) return crawler_fault(done.error());
    return model::DeleteCrawlerResponse{};
  }
  Answer<model::StartCrawlerResponse> start(const Call&, model::StartCrawlerRequest input) const {
    const Result<> done = crawlers_.start(input.name);
    if (!done) return crawler_fault(done.error());
    return model::StartCrawlerResponse{};
  }
  Answer<model::StopCrawlerResponse> stop(const Call&, model::StopCrawlerRequest input) const {
    const Result<> done = crawlers_.stop(input.name);
    if (!done) return crawler_fault(done.error());
    return model::StopCrawlerResponse{};
  }
  Answer<model::StartCrawlerScheduleResponse> start_schedule(
      const Call&, model::StartCrawlerScheduleRequest input) const {
    if (auto fault = set_schedule(input.crawler_name, true)) return std::unexpected(*fault);
    return model::StartCrawlerScheduleResponse{};
  }
  Answer<model::StopCrawlerScheduleResponse> stop_schedule(
      const Call&, model::StopCrawlerScheduleRequest input) const {
    if (auto fault = set_schedule(input.crawler_name, false)) return std::unexpected(*fault);
    return model::StopCrawlerScheduleResponse{};
  }
  Answer<model::UpdateCrawlerScheduleResponse> update_schedule(
      const Call&, model::UpdateCrawlerScheduleRequest input) const {
    const Result<> done =
        crawlers_.update(input.crawler_name, [&](crawler::Definition& definition) -> Result<> {
          definition.schedule = input.schedule.value_or("");
          return {};
        });
    if (!done) return crawler_fault(done.error());
    return model::UpdateCrawlerScheduleResponse{};
  }

  Answer<model::GetCrawlerMetricsResponse> metrics(const Call&,
                                                   model::GetCrawlerMetricsRequest input) const {
    const auto all = crawlers_.list();
    if (!all) return to_fault(all.error());
    model::GetCrawlerMetricsResponse output;
    output.crawler_metrics_list.emplace();
    for (const crawler::Definition& definition : *all) {
      if (input.crawler_name_list && !input.crawler_name_list->empty() &&
          std::ranges::find(*input.crawler_name_list, definition.name) ==
              input.crawler_name_list->end())
        continue;
      const auto crawls = crawlers_.history(definition.name);
      if (!crawls) return to_fault(crawls.error());
      std::vector<double> seconds;
      model::CrawlerMetrics one;
      one.crawler_name = definition.name;
      one.still_estimating = false;
      one.time_left_seconds = 0;
      int64_t created = 0, updated = 0, deleted = 0;
      for (const crawler::Crawl& crawl : *crawls) {
        if (crawl.ended)
          seconds.push_back(std::chrono::duration<double>(*crawl.ended - crawl.started).count());
        created += static_cast<int64_t>(crawl.tables_created.size());
        updated += static_cast<int64_t>(crawl.tables_updated.size());
        deleted += crawl.tables_deleted;
      }
      one.last_runtime_seconds = seconds.empty() ? 0 : seconds.front();
      std::ranges::sort(seconds);
      one.median_runtime_seconds = seconds.empty() ? 0 : seconds[seconds.size() / 2];
      one.tables_created = created;
      one.tables_updated = updated;
      one.tables_deleted = deleted;
      output.crawler_metrics_list->push_back(std::move(one));
    }
    return output;
  }
  Answer<model::ListCrawlsResponse> list_crawls(const Call&, model::ListCrawlsRequest input) const {
    if (const auto found = crawlers_.find(input.crawler_name); !found)
      return wire::refuse(
          "EntityNotFoundException", 400,
          fmt::format("Crawler entry with name {} does not exist", input.crawler_name));
    auto crawls = crawlers_.history(input.crawler_name);
    if (!crawls) return to_fault(crawls.error());
    if (input.filters)
      for (const model::CrawlsFilter& filter : *input.filters)
        if (auto fault = apply(filter, *crawls)) return std::unexpected(*fault);
    const Answer<Slice> page = slice(crawls->size(), input.next_token, input.max_results, kPageMax);
    if (!page) return std::unexpected(page.error());
    model::ListCrawlsResponse output;
    output.crawls.emplace();
    for (size_t i = page->begin; i < page->end; ++i)
      output.crawls->push_back(describe((*crawls)[i], input.crawler_name));
    output.next_token = page->next;
    return output;
  }

  Answer<model::TagResourceResponse> tag(const Call&, model::TagResourceRequest input) const {
    if (auto fault = only_crawlers(input.resource_arn)) return std::unexpected(*fault);
    const Result<> done = crawlers_.update(name_of(input.resource_arn),
                                           [&](crawler::Definition& definition) -> Result<> {
                                             for (const auto& [key, value] : input.tags_to_add)
                                               definition.tags[key] = value;
                                             return {};
                                           });
    if (!done) return crawler_fault(done.error());
    return model::TagResourceResponse{};
  }
  Answer<model::UntagResourceResponse> untag(const Call&, model::UntagResourceRequest input) const {
    if (auto fault = only_crawlers(input.resource_arn)) return std::unexpected(*fault);
    const Result<> done = crawlers_.update(name_of(input.resource_arn),
                                           [&](crawler::Definition& definition) -> Result<> {
                                             for (const std::string& key : input.tags_to_remove)
                                               definition.tags.erase(key);
                                             return {};
                                           });
    if (!done) return crawler_fault(done.error());
    return model::UntagResourceResponse{};
  }
  Answer<model::GetTagsResponse> get_tags(const Call&, model::GetTagsRequest input) const {
    if (input.resource_arn.find(":crawler/") == std::string::npos)
      return model::GetTagsResponse{.tags = std::map<std::string, std::string>()};
    const auto found = crawlers_.find(name_of(input.resource_arn));
    if (!found) return to_fault(found.error());
    return model::GetTagsResponse{.tags = found->tags};
  }

 private:
  Timestamp now() const { return crawlers_.now(); }
  static std::optional<wire::Fault> only_crawlers(const std::string& arn) {
    if (arn.find(":crawler/") != std::string::npos) return std::nullopt;
    return wire::Fault{"NotImplemented", 501, "tags of crawlers only are served", {}};
  }
  static std::string name_of(const std::string& arn) {
    return arn.substr(arn.rfind('/') == std::string::npos ? 0 : arn.rfind('/') + 1);
  }
  static std::unexpected<wire::Fault> not_found(const std::string& name, const Error& error) {
    if (error.kind == ErrorKind::not_found)
      return wire::refuse("EntityNotFoundException", 400,
                          fmt::format("Crawler entry with name {} does not exist", name));
    return to_fault(error);
  }

  std::optional<wire::Fault> set_schedule(const std::string& name, bool active) const {
    std::optional<wire::Fault> fault;
    const Result<> done = crawlers_.update(name, [&](crawler::Definition& definition) -> Result<> {
      if (definition.schedule.empty())
        fault = wire::Fault{"NoScheduleException",
                            400,
                            fmt::format("Crawler with name {} has no schedule", name),
                            {}};
      else if (active && definition.schedule_active)
        fault = wire::Fault{"SchedulerRunningException",
                            400,
                            fmt::format("The schedule of crawler {} is already running", name),
                            {}};
      else if (!active && !definition.schedule_active)
        fault = wire::Fault{"SchedulerNotRunningException",
                            400,
                            fmt::format("The schedule of crawler {} is not running", name),
                            {}};
      if (fault) return fail(ErrorKind::invalid, fault->message);
      definition.schedule_active = active;
      return {};
    });
    if (fault) return fault;
    if (!done) return crawler_fault(done.error()).error();
    return std::nullopt;
  }

  // Keeps the runs that a filter of ListCrawls lets through.
  static std::optional<wire::Fault> apply(const model::CrawlsFilter& filter,
                                          std::vector<crawler::Crawl>& crawls) {
    const std::string field = filter.field_name.value_or("");
    const std::string op = filter.filter_operator.value_or("");
    const std::string value = filter.field_value.value_or("");
    const bool is_text = field == "CRAWL_ID" || field == "STATE";
    if (is_text && op != "EQ" && op != "NE")
      return wire::Fault{"InvalidInputException",
                         400,
                         "Only EQ or NE operator is allowed for field : " + field,
                         {}};
    double number = 0;
    if (!is_text) {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error != std::errc() || end != value.data() + value.size())
        return wire::Fault{"InvalidInputException",
                           400,
                           fmt::format("Invalid value for field {} : {}", field, value),
                           {}};
    }
    const auto order = [&](const crawler::Crawl& crawl) -> std::partial_ordering {
      if (field == "CRAWL_ID") return crawl.id <=> value;
      if (field == "STATE") return crawl.state <=> value;
      if (field == "DPU_HOUR") return 0.0 <=> number;
      if (field == "END_TIME" && !crawl.ended) return std::partial_ordering::unordered;
      const Timestamp at = field == "END_TIME" ? *crawl.ended : crawl.started;
      return static_cast<double>(at.time_since_epoch().count() / 1000) <=> number;
    };
    std::erase_if(crawls, [&](const crawler::Crawl& crawl) {
      const std::partial_ordering is = order(crawl);
      return !(op == "EQ"   ? is == 0
               : op == "NE" ? is != 0
               : op == "GT" ? is > 0
               : op == "GE" ? is >= 0
               : op == "LT" ? is < 0
                            : is <= 0);
    });
    return std::nullopt;
  }

  static model::CrawlerHistory describe(const crawler::Crawl& crawl, const std::string& name) {
    model::CrawlerHistory one;
    one.crawl_id = crawl.id;
    one.state = crawl.state;
    one.start_time = crawl.started;
    one.end_time = crawl.ended;
    if (!crawl.error.empty()) one.error_message = crawl.error;
    one.log_group = "/aws-glue/crawlers";
    one.log_stream = name;
    one.message_prefix = crawl.id;
    one.dpu_hour = 0;
    // The values under TABLE are JSON texts themselves.
    boost::json::object tables;
    const auto add = [&](const char* what, const std::vector<std::string>& names) {
      if (names.empty()) return;
      boost::json::array list(names.begin(), names.end());
      tables[what] = boost::json::serialize(boost::json::object{
          {"Count", names.size()}, {"Details", boost::json::object{{"names", std::move(list)}}}});
    };
    add("ADD", crawl.tables_created);
    add("UPDATE", crawl.tables_updated);
    const auto count = [](int64_t number) {
      return boost::json::serialize(boost::json::object{{"Count", number}});
    };
    if (crawl.tables_deleted > 0) tables["DELETE"] = count(crawl.tables_deleted);
    boost::json::object partitions;
    if (crawl.partitions_added > 0) partitions["ADD"] = count(crawl.partitions_added);
    if (crawl.partitions_deleted > 0) partitions["DELETE"] = count(crawl.partitions_deleted);
    boost::json::object summary;
    if (!tables.empty()) summary["TABLE"] = std::move(tables);
    if (!partitions.empty()) summary["PARTITION"] = std::move(partitions);
    if (!summary.empty()) one.summary = boost::json::serialize(summary);
    return one;
  }

  crawler::Crawlers& crawlers_;
};

}  // namespace

void register_crawlers(wire::Operations& operations, crawler::Crawlers& crawlers) {
  Hinges<Doors> hinges{operations, std::make_shared<const Doors>(crawlers)};
  hinges.add("CreateCrawler", &Doors::create);
  hinges.add("UpdateCrawler", &Doors::update);
  hinges.add("GetCrawler", &Doors::get);
  hinges.add("GetCrawlers", &Doors::get_all);
  hinges.add("BatchGetCrawlers", &Doors::get_some);
  hinges.add("ListCrawlers", &Doors::list);
  hinges.add("DeleteCrawler", &Doors::remove);
  hinges.add("StartCrawler", &Doors::start);
  hinges.add("StopCrawler", &Doors::stop);
  hinges.add("StartCrawlerSchedule", &Doors::start_schedule);
  hinges.add("StopCrawlerSchedule", &Doors::stop_schedule);
  hinges.add("UpdateCrawlerSchedule", &Doors::update_schedule);
  hinges.add("GetCrawlerMetrics", &Doors::metrics);
  hinges.add("ListCrawls", &Doors::list_crawls);
  hinges.add("TagResource", &Doors::tag);
  hinges.add("UntagResource", &Doors::untag);
  hinges.add("GetTags", &Doors::get_tags);
}

}  // namespace laketap::api::glue
