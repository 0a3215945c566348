// Pages of results, and how columns are described. Figures: athena.md A5.
#include <charconv>

#include "api/athena/doors.h"

namespace laketap::api::athena {
namespace {

struct Known {
  std::string_view base;
  int64_t precision;
  bool case_sensitive;
  std::string_view shown;  // Empty: as `base`.
};

constexpr Known kKnown[] = {
    {"boolean", 0, false, ""},
    {"tinyint", 3, false, ""},
    {"smallint", 5, false, ""},
    {"integer", 10, false, ""},
    {"bigint", 19, false, ""},
    {"real", 17, false, "float"},
    {"double", 17, false, ""},
    {"decimal", 0, false, ""},
    {"varchar", 2147483647, true, ""},
    {"char", 0, true, ""},
    {"varbinary", 1073741824, false, ""},
    {"date", 0, false, ""},
    {"timestamp", 3, false, ""},
    {"timestamp with time zone", 3, false, ""},
    {"time", 3, false, ""},
    {"time with time zone", 3, false, ""},
};

// "timestamp(3) with time zone" -> "timestamp with time zone" and "3".
struct Parts {
  std::string base;
  std::string_view arguments;
};
Parts parts_of(std::string_view type) {
  const size_t open = type.find('(');
  if (open == type.npos) return {std::string(type), {}};
  const std::string_view base = type.substr(0, open);
  if (base == "array" || base == "map" || base == "row") return {std::string(base), {}};
  const size_t close = type.find(')', open);
  return {std::string(base) + std::string(type.substr(close + 1)), type.substr(open + 1, close - open - 1)};
}

int64_t number(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

model::ColumnInfo column_info(const query::Column& column) {
  const Parts parts = parts_of(column.type);
  model::ColumnInfo info;
  info.catalog_name = "hive";
  info.schema_name = "";
  info.table_name = "";
  info.name = column.name;
  info.label = column.name;
  info.type = parts.base;
  info.precision = 0;
  info.scale = 0;
  info.nullable = "UNKNOWN";
  info.case_sensitive = false;
  for (const Known& known : kKnown) {
    if (known.base != parts.base) continue;
    if (!known.shown.empty()) info.type = known.shown;
    info.precision = known.precision;
    info.case_sensitive = known.case_sensitive;
  }
  const bool has_length = parts.base == "varchar" || parts.base == "char";
  if ((has_length || parts.base == "decimal") && !parts.arguments.empty()) {
    const size_t comma = parts.arguments.find(',');
    info.precision = number(parts.arguments.substr(0, comma));
    if (comma != parts.arguments.npos) info.scale = number(parts.arguments.substr(parts.arguments.find_first_not_of(", ", comma)));
  }
  return info;
}

Answer<model::GetQueryResultsOutput> results(Doors doors, const Call&, model::GetQueryResultsInput input) {
  // The model allows more than the service: the bound is checked after the id is known.
  const int64_t wanted = input.max_results.value_or(static_cast<int64_t>(query::kPageRowsMax));
  if (const auto known = doors.queries.find(input.query_execution_id); !known) return to_fault(known.error());
  if (wanted > static_cast<int64_t>(query::kPageRowsMax)) return invalid("MaxResults is more than maximum allowed length 1000");
  if (input.query_result_type && *input.query_result_type == "DATA_MANIFEST")
    return invalid("The DATA_MANIFEST result type is only supported for INSERT INTO, UNLOAD, and CTAS queries.");
  auto page = doors.queries.results(input.query_execution_id, input.next_token.value_or(""), static_cast<size_t>(wanted));
  if (!page) return to_fault(page.error());
  model::GetQueryResultsOutput out;
  out.result_set.emplace();
  out.result_set->rows.emplace();
  for (std::vector<engine::Value>& row : page->rows) {
    model::Row& made = out.result_set->rows->emplace_back();
    made.data.emplace();
    for (engine::Value& value : row) made.data->push_back({std::move(value)});
  }
  if (!page->no_metadata) {
    out.result_set->result_set_metadata.emplace();
    out.result_set->result_set_metadata->column_info.emplace();
    for (const query::Column& column : page->columns) out.result_set->result_set_metadata->column_info->push_back(column_info(column));
  }
  if (page->has_update_count) out.update_count = 0;
  if (!page->next_token.empty()) out.next_token = std::move(page->next_token);
  return out;
}

}  // namespace laketap::api::athena
