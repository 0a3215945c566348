// laketap query: one statement, its result as a table, CSV or JSON.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>

#include "cli/api_client.h"

namespace laketap::cli {
namespace {

namespace json = boost::json;

using Row = std::vector<std::optional<std::string>>;

struct ResultRows {
  std::vector<std::string> names;
  std::vector<Row> rows;
};

Result<ResultRows> fetch(ApiClient& client, const std::string& execution) {
  ResultRows out;
  std::string token;
  bool has_header = false;
  while (true) {
    json::object input{{"QueryExecutionId", execution}, {"MaxResults", 1000}};
    if (!token.empty()) input["NextToken"] = token;
    const auto page = client.call("athena", "AmazonAthena.GetQueryResults", input);
    if (!page) return fail(page.error());
    const json::object& set = page->at("ResultSet").as_object();
    if (token.empty()) {
      for (const json::value& column : set.at("ResultSetMetadata").at("ColumnInfo").as_array())
        out.names.emplace_back(column.at("Name").as_string());
    }
    for (const json::value& row : set.at("Rows").as_array()) {
      Row made;
      for (const json::value& datum : row.at("Data").as_array()) {
        const json::value* value = datum.as_object().if_contains("VarCharValue");
        made.push_back(value ? std::optional(std::string(value->as_string())) : std::nullopt);
      }
      out.rows.push_back(std::move(made));
    }
    if (token.empty() && !out.rows.empty()) {  // A SELECT's first row repeats the names.
      has_header = out.rows.front().size() == out.names.size();
      for (size_t i = 0; has_header && i < out.names.size(); ++i)
        has_header = out.rows.front()[i] == out.names[i];
      if (has_header) out.rows.erase(out.rows.begin());
    }
    const json::value* next = page->if_contains("NextToken");
    if (!next || !next->is_string()) return out;
    token = next->get_string();
  }
}

size_t width(std::string_view text) {  // Characters, near enough for a table.
  return static_cast<size_t>(
      std::ranges::count_if(text, [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

void print_table(const ResultRows& result) {
  std::vector<size_t> widths;
  for (const std::string& name : result.names) widths.push_back(width(name));
  for (const Row& row : result.rows)
    for (size_t i = 0; i < std::min(widths.size(), row.size()); ++i)
      widths[i] = std::max(widths[i], width(row[i].value_or("NULL")));
  const auto line = [&](const Row& row) {
    std::string out;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string text = row[i].value_or("NULL");
      out += (i > 0 ? "  " : "") + text;
      if (i + 1 < row.size() && i < widths.size())
        out.append(widths[i] - std::min(widths[i], width(text)), ' ');
    }
    fmt::print("{}\n", out);
  };
  line(Row(result.names.begin(), result.names.end()));
  std::string rule;
  for (size_t i = 0; i < widths.size(); ++i)
    rule += (i > 0 ? "  " : "") + std::string(widths[i], '-');
  fmt::print("{}\n", rule);
  for (const Row& row : result.rows) line(row);
}

void print_csv(const ResultRows& result) {
  const auto line = [](const Row& row) {
    std::string out;
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      if (!row[i]) continue;
      out += '"';
      for (const char c : *row[i]) out += c == '"' ? std::string("\"\"") : std::string(1, c);
      out += '"';
    }
    fmt::print("{}\n", out);
  };
  line(Row(result.names.begin(), result.names.end()));
  for (const Row& row : result.rows) line(row);
}

void print_json(const ResultRows& result) {
  json::array out;
  for (const Row& row : result.rows) {
    json::object object;
    for (size_t i = 0; i < std::min(row.size(), result.names.size()); ++i)
      object[result.names[i]] = row[i] ? json::value(*row[i]) : json::value(nullptr);
    out.push_back(std::move(object));
  }
  fmt::print("{}\n", json::serialize(out));
}

}  // namespace

int query(const QueryOptions& options) {
  const Result<Address> address = find_server(options.target);
  if (!address) return complain(address.error());
  ApiClient client(*address);
  sigset_t signals;  // Who ends us ends the query, which would hold up others.
  sigemptyset(&signals);
  for (const int one : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, one);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const std::string token = fmt::format(
      "laketap-query-{:032x}", std::chrono::system_clock::now().time_since_epoch().count());
  const auto started = client.call("athena", "AmazonAthena.StartQueryExecution",
                                   {{"QueryString", options.sql},
                                    {"ClientRequestToken", token},
                                    {"QueryExecutionContext", {{"Database", options.database}}}});
  if (!started) return complain(started.error());
  const std::string execution(started->at("QueryExecutionId").as_string());
  for (int wait_ms = 2;; wait_ms = std::min(wait_ms * 2, 200)) {
    const auto got =
        client.call("athena", "AmazonAthena.GetQueryExecution", {{"QueryExecutionId", execution}});
    if (!got) return complain(got.error());
    const json::object& status = got->at("QueryExecution").at("Status").as_object();
    const std::string state(status.at("State").as_string());
    if (state == "FAILED" || state == "CANCELLED") {
      const json::value* reason = status.if_contains("StateChangeReason");
      return complain({ErrorKind::invalid,
                       reason && reason->is_string() ? std::string(reason->get_string()) : state});
    }
    if (state == "SUCCEEDED") break;
    const timespec pause{0, wait_ms * 1'000'000L};
    if (const int signal = sigtimedwait(&signals, nullptr, &pause); signal > 0) {
      (void)client.call("athena", "AmazonAthena.StopQueryExecution",
                        {{"QueryExecutionId", execution}});
      return 128 + signal;
    }
  }
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  const Result<ResultRows> result = fetch(client, execution);
  if (!result) return complain(result.error());
  if (options.format == "csv")
    print_csv(*result);
  else if (options.format == "json")
    print_json(*result);
  else
    print_table(*result);
  return 0;
}

}  // namespace laketap::cli
