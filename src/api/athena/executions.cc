// Executions: start, stop, look at them.
#include <algorithm>

#include "api/athena/doors.h"

namespace laketap::api::athena {
namespace {

constexpr int64_t kListMax = 50;

identity::Caller to_caller(const Call& call) {
  return {.account = call.account,
          .arn = call.caller_arn,
          .access_key_id = call.access_key_id,
          .is_root = true,
          .region = call.region};
}

model::QueryExecutionStatus status_of(const query::Execution& execution) {
  model::QueryExecutionStatus status;
  status.state = std::string(query::to_string(execution.state));
  if (!execution.reason.empty()) status.state_change_reason = execution.reason;
  status.submission_date_time = execution.submitted;
  status.completion_date_time = execution.completed;
  if (execution.error_category != 0)
    status.athena_error = model::AthenaError{.error_category = execution.error_category,
                                             .error_type = execution.error_type,
                                             .retryable = false,
                                             .error_message = execution.reason};
  return status;
}

model::QueryExecutionStatistics statistics_of(const query::Execution& execution) {
  const query::Statistics& of = execution.statistics;
  model::QueryExecutionStatistics out;
  // These two always: awswrangler, dbt and PyAthena read them without asking.
  out.engine_execution_time_in_millis = of.engine_ms;
  out.data_scanned_in_bytes = static_cast<int64_t>(of.scanned_bytes);
  out.total_execution_time_in_millis = of.total_ms;
  out.query_queue_time_in_millis = of.queued_ms;
  out.service_pre_processing_time_in_millis = 0;
  out.query_planning_time_in_millis = of.planning_ms;
  out.service_processing_time_in_millis = of.service_ms;
  out.result_reuse_information = model::ResultReuseInformation{.reused_previous_result = false};
  return out;
}

model::QueryExecution to_model(const query::Execution& execution) {
  model::QueryExecution out;
  out.query_execution_id = execution.id;
  out.query = execution.sql;
  out.statement_type = execution.statement_type;
  if (!execution.substatement_type.empty()) out.substatement_type = execution.substatement_type;
  out.result_configuration =
      model::ResultConfiguration{.output_location = execution.output_location};
  out.query_execution_context =
      model::QueryExecutionContext{.database = execution.database, .catalog = execution.catalog};
  out.status = status_of(execution);
  out.statistics = statistics_of(execution);
  out.work_group = execution.work_group;
  out.engine_version = model::EngineVersion{.selected_engine_version = "AUTO",
                                            .effective_engine_version = "Athena engine version 3"};
  if (!execution.parameters.empty()) out.execution_parameters = execution.parameters;
  return out;
}

}  // namespace

Answer<model::StartQueryExecutionOutput> start(Doors doors, const Call& call,
                                               model::StartQueryExecutionInput input) {
  if (!input.client_request_token || input.client_request_token->empty())
    return invalid("clientRequestToken is null or empty");
  query::StartRequest request;
  request.sql = std::move(input.query_string);
  request.token = std::move(*input.client_request_token);
  if (input.query_execution_context) {
    request.database = input.query_execution_context->database;
    request.catalog = input.query_execution_context->catalog;
  }
  if (input.result_configuration) {
    const model::ResultConfiguration& wanted = *input.result_configuration;
    if (wanted.encryption_configuration &&
        wanted.encryption_configuration->encryption_option != "SSE_S3")
      return wire::refuse("NotImplemented", 501, "Results are not encrypted with keys of KMS");
    request.output_location = wanted.output_location;
  }
  if (input.engine_configuration) return wire::refuse("NotImplemented", 501, "Spark is not served");
  request.work_group = input.work_group.value_or(std::string(kWorkGroup));
  if (input.execution_parameters) request.parameters = std::move(*input.execution_parameters);
  auto id = doors.queries.start(to_caller(call), std::move(request));
  if (!id) return to_fault(id.error());
  return model::StartQueryExecutionOutput{.query_execution_id = *id};
}

Answer<model::StopQueryExecutionOutput> stop(Doors doors, const Call&,
                                             model::StopQueryExecutionInput input) {
  const auto stopped = doors.queries.stop(input.query_execution_id);
  if (!stopped) return to_fault(stopped.error());
  return model::StopQueryExecutionOutput{};
}

Answer<model::GetQueryExecutionOutput> get_execution(Doors doors, const Call&,
                                                     model::GetQueryExecutionInput input) {
  const auto found = doors.queries.find(input.query_execution_id);
  if (!found) return to_fault(found.error());
  return model::GetQueryExecutionOutput{.query_execution = to_model(*found)};
}

Answer<model::BatchGetQueryExecutionOutput> get_executions(
    Doors doors, const Call&, model::BatchGetQueryExecutionInput input) {
  model::BatchGetQueryExecutionOutput out;
  out.query_executions.emplace();
  out.unprocessed_query_execution_ids.emplace();
  for (const std::string& id : input.query_execution_ids) {
    const auto found = doors.queries.find(id);
    if (found)
      out.query_executions->push_back(to_model(*found));
    else
      out.unprocessed_query_execution_ids->push_back(
          {id, found.error().code, found.error().message});
  }
  return out;
}

Answer<model::ListQueryExecutionsOutput> list_executions(Doors doors, const Call&,
                                                         model::ListQueryExecutionsInput input) {
  const auto limit =
      static_cast<size_t>(std::clamp<int64_t>(input.max_results.value_or(kListMax), 1, kListMax));
  auto page = doors.queries.list(input.work_group.value_or(std::string(kWorkGroup)),
                                 input.next_token.value_or(""), limit);
  if (!page) return to_fault(page.error());
  model::ListQueryExecutionsOutput out;
  out.query_execution_ids = std::move(page->ids);
  if (!page->next_token.empty()) out.next_token = std::move(page->next_token);
  return out;
}

Answer<model::GetQueryRuntimeStatisticsOutput> runtime_statistics(
    Doors doors, const Call&, model::GetQueryRuntimeStatisticsInput input) {
  const auto found = doors.queries.find(input.query_execution_id);
  if (!found) return to_fault(found.error());
  const query::Statistics& of = found->statistics;
  model::QueryRuntimeStatistics out;
  out.timeline =
      model::QueryRuntimeStatisticsTimeline{.query_queue_time_in_millis = of.queued_ms,
                                            .service_pre_processing_time_in_millis = 0,
                                            .query_planning_time_in_millis = of.planning_ms,
                                            .engine_execution_time_in_millis = of.engine_ms,
                                            .service_processing_time_in_millis = of.service_ms,
                                            .total_execution_time_in_millis = of.total_ms};
  if (found->state == query::State::succeeded)
    out.rows =
        model::QueryRuntimeStatisticsRows{.input_rows = static_cast<int64_t>(of.scanned_rows),
                                          .input_bytes = static_cast<int64_t>(of.scanned_bytes),
                                          .output_bytes = static_cast<int64_t>(of.output_bytes),
                                          .output_rows = static_cast<int64_t>(of.output_rows)};
  return model::GetQueryRuntimeStatisticsOutput{.query_runtime_statistics = std::move(out)};
}

}  // namespace laketap::api::athena
