#include "query/record.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace laketap::query {
namespace {

namespace json = boost::json;

json::array texts(const std::vector<std::string>& values) {
  json::array made;
  for (const std::string& value : values) made.emplace_back(json::string_view(value));
  return made;
}

std::string text(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}
std::optional<std::string> optional_text(const json::object& from, std::string_view key) {
  if (!from.contains(key)) return std::nullopt;
  return text(from, key);
}
template <class T>
T number(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  boost::system::error_code failed;
  if (!value) return T{};
  const T read = value->to_number<T>(failed);
  return failed ? T{} : read;
}

json::object encode(const Statistics& from) {
  return {{"queued_ms", from.queued_ms},
          {"planning_ms", from.planning_ms},
          {"engine_ms", from.engine_ms},
          {"service_ms", from.service_ms},
          {"total_ms", from.total_ms},
          {"scanned_bytes", from.scanned_bytes},
          {"scanned_rows", from.scanned_rows},
          {"output_rows", from.output_rows},
          {"output_bytes", from.output_bytes},
          {"malformed", from.malformed_records},
          {"undelivered", from.undelivered_bytes}};
}
Statistics decode_statistics(const json::object& from) {
  Statistics to;
  to.queued_ms = number<int64_t>(from, "queued_ms");
  to.planning_ms = number<int64_t>(from, "planning_ms");
  to.engine_ms = number<int64_t>(from, "engine_ms");
  to.service_ms = number<int64_t>(from, "service_ms");
  to.total_ms = number<int64_t>(from, "total_ms");
  to.scanned_bytes = number<uint64_t>(from, "scanned_bytes");
  to.scanned_rows = number<uint64_t>(from, "scanned_rows");
  to.output_rows = number<uint64_t>(from, "output_rows");
  to.output_bytes = number<uint64_t>(from, "output_bytes");
  to.malformed_records = number<uint64_t>(from, "malformed");
  to.undelivered_bytes = number<uint64_t>(from, "undelivered");
  return to;
}

}  // namespace

std::string encode(const Execution& from) {
  json::object to{{"id", from.id},
                  {"sql", from.sql},
                  {"type", from.statement_type},
                  {"substatement", from.substatement_type},
                  {"work_group", from.work_group},
                  {"parameters", texts(from.parameters)},
                  {"output", from.output_location},
                  {"state", static_cast<int>(from.state)},
                  {"reason", from.reason},
                  {"error_category", from.error_category},
                  {"error_type", from.error_type},
                  {"submitted", from.submitted.time_since_epoch().count()},
                  {"statistics", encode(from.statistics)}};
  if (from.database) to["database"] = *from.database;
  if (from.catalog) to["catalog"] = *from.catalog;
  if (from.completed) to["completed"] = from.completed->time_since_epoch().count();
  json::array columns;
  for (const Column& column : from.columns)
    columns.push_back(json::object{{"name", column.name}, {"type", column.type}});
  to["columns"] = std::move(columns);
  return json::serialize(to);
}

std::optional<Execution> decode(std::string_view document) {
  boost::system::error_code failed;
  const json::value parsed = json::parse(document, failed);
  if (failed || !parsed.is_object()) return std::nullopt;
  const json::object& from = parsed.get_object();
  Execution to;
  to.id = text(from, "id");
  to.sql = text(from, "sql");
  to.statement_type = text(from, "type");
  to.substatement_type = text(from, "substatement");
  to.work_group = text(from, "work_group");
  to.database = optional_text(from, "database");
  to.catalog = optional_text(from, "catalog");
  to.output_location = text(from, "output");
  to.state = static_cast<State>(number<int>(from, "state"));
  to.reason = text(from, "reason");
  to.error_category = number<int>(from, "error_category");
  to.error_type = number<int>(from, "error_type");
  to.submitted = from_epoch_micros(number<int64_t>(from, "submitted"));
  if (from.contains("completed"))
    to.completed = from_epoch_micros(number<int64_t>(from, "completed"));
  if (const json::value* statistics = from.if_contains("statistics");
      statistics && statistics->is_object())
    to.statistics = decode_statistics(statistics->get_object());
  if (const json::value* parameters = from.if_contains("parameters");
      parameters && parameters->is_array())
    for (const json::value& value : parameters->get_array())
      if (value.is_string()) to.parameters.emplace_back(value.get_string());
  if (const json::value* columns = from.if_contains("columns"); columns && columns->is_array())
    for (const json::value& value : columns->get_array())
      if (value.is_object())
        to.columns.push_back({text(value.get_object(), "name"), text(value.get_object(), "type")});
  return to;
}

std::string execution_key(std::string_view id) {
  return state::key("execution", id);
}
std::string running_key(std::string_view id) {
  return state::key("running", id);
}
std::string token_key(std::string_view token) {
  return state::key("token", token);
}
std::string recent_prefix(std::string_view work_group) {
  return state::key("recent", work_group);
}
std::string recent_key(std::string_view work_group, Timestamp submitted, std::string_view id) {
  const auto inverse = INT64_MAX - submitted.time_since_epoch().count();
  return state::key("recent", work_group, fmt::format("{:020}", inverse), id);
}

}  // namespace laketap::query
