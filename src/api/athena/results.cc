// Pages of results, and how columns are described. Figures: athena.md A5.
#include "api/athena/doors.h"

namespace laketap::api::athena {
model::ColumnInfo column_info(const query::Column& column) {
  const query::ColumnFacts facts = query::facts_of(column);
  model::ColumnInfo info;
  info.catalog_name = "hive";
  info.schema_name = "";
  info.table_name = "";
  info.name = column.name;
  info.label = column.name;
  info.type = facts.type;
  info.precision = facts.precision;
  info.scale = facts.scale;
  info.nullable = "UNKNOWN";
  info.case_sensitive = facts.case_sensitive;
  return info;
}

Answer<model::GetQueryResultsOutput> results(Doors doors, const Call&,
                                             model::GetQueryResultsInput input) {
  // The model allows more than the service: the bound is checked after the id is known.
  const int64_t wanted = input.max_results.value_or(static_cast<int64_t>(query::kPageRowsMax));
  if (const auto known = doors.queries.find(input.query_execution_id); !known)
    return to_fault(known.error());
  if (wanted > static_cast<int64_t>(query::kPageRowsMax))
    return invalid("MaxResults is more than maximum allowed length 1000");
  if (input.query_result_type && *input.query_result_type == "DATA_MANIFEST")
    return invalid(
        "The DATA_MANIFEST result type is only supported for INSERT INTO, UNLOAD, and CTAS "
        "queries.");
  auto page = doors.queries.results(input.query_execution_id, input.next_token.value_or(""),
                                    static_cast<size_t>(wanted));
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
    for (const query::Column& column : page->columns)
      out.result_set->result_set_metadata->column_info->push_back(column_info(column));
  }
  if (page->has_update_count) out.update_count = 0;
  if (!page->next_token.empty()) out.next_token = std::move(page->next_token);
  return out;
}

}  // namespace laketap::api::athena
