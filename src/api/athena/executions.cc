// StartQueryExecution, StopQueryExecution, GetQueryExecution, BatchGetQueryExecution,
// ListQueryExecutions, GetQueryResults, GetQueryRuntimeStatistics.
#include "api/athena/doors.h"

namespace laketap::api::athena {
namespace {

constexpr int64_t kListDefault = 50;

identity::Caller caller_of(const Call& call) {
  identity::Caller caller;
  caller.account = call.account;
  caller.arn = call.caller_arn;
  caller.access_key_id = call.access_key_id;
  caller.region = call.region;
  return caller;
}

model::QueryExecutionStatus status_of(const query::Execution& from) {
  model::QueryExecutionStatus to;
  to.state = std::string(query::to_string(from.state));
  to.submission_date_time = from.submitted;
  to.completion_date_time = from.completed;
  if (!from.reason.empty()) to.state_change_reason = from.reason;
  if (from.error_category == 0) return to;
  model::AthenaError& error = to.athena_error.emplace();
  error.error_category = from.error_category;
  error.error_type = from.error_type;
  error.retryable = false;
  error.error_message = from.reason;
  return to;
}

model::QueryExecutionStatistics statistics_of(const query::Execution& from) {
  model::QueryExecutionStatistics to;  // Clients read the first two without asking whether they are there.
  to.engine_execution_time_in_millis = from.statistics.engine_ms;
  to.data_scanned_in_bytes = static_cast<int64_t>(from.statistics.scanned_bytes);
  to.total_execution_time_in_millis = from.statistics.total_ms;
  to.query_queue_time_in_millis = from.statistics.queued_ms;
  to.query_planning_time_in_millis = from.statistics.planning_ms;
  to.service_processing_time_in_millis = from.statistics.service_ms;
  to.result_reuse_information.emplace().reused_previous_result = false;
  return to;
}

model::QueryExecution describe(query::Execution from) {
  model::QueryExecution to;
  to.status = status_of(from);
  to.statistics = statistics_of(from);
  to.query_execution_id = from.id;
  to.query = from.sql;
  to.statement_type = from.statement_type;
  to.substatement_type = from.substatement_type;
  to.result_configuration.emplace().output_location = from.output_location;
  to.query_execution_context.emplace();
  to.query_execution_context->database = from.database;
  to.query_execution_context->catalog = from.catalog;
  to.work_group = from.work_group;
  to.engine_version = engine_version();
  if (!from.parameters.empty()) to.execution_parameters = std::move(from.parameters);
  return to;
}

model::ColumnInfo describe(const query::Column& from) {
  const query::ColumnFacts facts = query::facts_of(from);
  model::ColumnInfo to;
  to.catalog_name = "hive";
  to.schema_name = "";
  to.table_name = "";
  to.name = from.name;
  to.label = from.name;
  to.type = facts.type;
  to.precision = facts.precision;
  to.scale = facts.scale;
  to.nullable = "UNKNOWN";
  to.case_sensitive = facts.case_sensitive;
  return to;
}

}  // namespace

Answer<model::StartQueryExecutionOutput> start(Doors doors, const Call& call, model::StartQueryExecutionInput input) {
  query::StartRequest request;
  request.sql = std::move(input.query_string);
  request.token = input.client_request_token.value_or("");
  if (input.query_execution_context) {
    request.database = input.query_execution_context->database;
    request.catalog = input.query_execution_context->catalog;
  }
  if (input.result_configuration) request.output_location = input.result_configuration->output_location;
  request.work_group = input.work_group.value_or(kWorkGroup);
  request.parameters = input.execution_parameters.value_or(std::vector<std::string>());
  auto id = doors.queries.start(caller_of(call), std::move(request));
  if (!id) return refused(id.error());
  model::StartQueryExecutionOutput output;
  output.query_execution_id = std::move(*id);
  return output;
}

Answer<model::StopQueryExecutionOutput> stop(Doors doors, const Call&, model::StopQueryExecutionInput input) {
  const auto stopped = doors.queries.stop(input.query_execution_id);
  if (!stopped) return refused(stopped.error());
  return model::StopQueryExecutionOutput();
}

Answer<model::GetQueryExecutionOutput> get_execution(Doors doors, const Call&, model::GetQueryExecutionInput input) {
  auto execution = doors.queries.find(input.query_execution_id);
  if (!execution) return refused(execution.error());
  model::GetQueryExecutionOutput output;
  output.query_execution = describe(std::move(*execution));
  return output;
}

Answer<model::BatchGetQueryExecutionOutput> batch_get_executions(Doors doors, const Call&, model::BatchGetQueryExecutionInput input) {
  model::BatchGetQueryExecutionOutput output;
  output.query_executions.emplace();
  output.unprocessed_query_execution_ids.emplace();
  for (const std::string& id : input.query_execution_ids) {
    auto execution = doors.queries.find(id);
    if (execution) {
      output.query_executions->push_back(describe(std::move(*execution)));
      continue;
    }
    model::UnprocessedQueryExecutionId& missing = output.unprocessed_query_execution_ids->emplace_back();
    missing.query_execution_id = id;
    missing.error_code = execution.error().code;
    missing.error_message = execution.error().message;
  }
  return output;
}

Answer<model::ListQueryExecutionsOutput> list_executions(Doors doors, const Call&, model::ListQueryExecutionsInput input) {
  auto page = doors.queries.list(input.work_group.value_or(kWorkGroup), input.next_token.value_or(""), static_cast<size_t>(input.max_results.value_or(kListDefault)));
  if (!page) return refused(page.error());
  model::ListQueryExecutionsOutput output;
  output.query_execution_ids = std::move(page->ids);
  if (!page->next_token.empty()) output.next_token = std::move(page->next_token);
  return output;
}

Answer<model::GetQueryResultsOutput> get_results(Doors doors, const Call&, model::GetQueryResultsInput input) {
  if (input.query_result_type.value_or("DATA_ROWS") != "DATA_ROWS") return invalid("Query result type DATA_MANIFEST is not supported for this query");
  auto page = doors.queries.results(input.query_execution_id, input.next_token.value_or(""), static_cast<size_t>(input.max_results.value_or(query::kPageRowsMax)));
  if (!page) return refused(page.error());
  model::GetQueryResultsOutput output;
  model::ResultSet& results = output.result_set.emplace();
  results.rows.emplace();
  for (auto& row : page->rows) {
    auto& data = results.rows->emplace_back().data.emplace();
    for (engine::Value& value : row) data.emplace_back().var_char_value = std::move(value);
  }
  if (!page->no_metadata) {
    auto& columns = results.result_set_metadata.emplace().column_info.emplace();
    for (const query::Column& column : page->columns) columns.push_back(describe(column));
  }
  if (page->has_update_count) output.update_count = 0;
  if (!page->next_token.empty()) output.next_token = std::move(page->next_token);
  return output;
}

Answer<model::GetQueryRuntimeStatisticsOutput> get_statistics(Doors doors, const Call&, model::GetQueryRuntimeStatisticsInput input) {
  const auto execution = doors.queries.find(input.query_execution_id);
  if (!execution) return refused(execution.error());
  const query::Statistics& from = execution->statistics;
  model::GetQueryRuntimeStatisticsOutput output;
  model::QueryRuntimeStatistics& to = output.query_runtime_statistics.emplace();
  model::QueryRuntimeStatisticsTimeline& timeline = to.timeline.emplace();
  timeline.query_queue_time_in_millis = from.queued_ms;
  timeline.query_planning_time_in_millis = from.planning_ms;
  timeline.engine_execution_time_in_millis = from.engine_ms;
  timeline.service_processing_time_in_millis = from.service_ms;
  timeline.total_execution_time_in_millis = from.total_ms;
  model::QueryRuntimeStatisticsRows& rows = to.rows.emplace();
  rows.input_rows = static_cast<int64_t>(from.scanned_rows);
  rows.input_bytes = static_cast<int64_t>(from.scanned_bytes);
  rows.output_rows = static_cast<int64_t>(from.output_rows);
  rows.output_bytes = static_cast<int64_t>(from.output_bytes);
  return output;
}

}  // namespace laketap::api::athena
