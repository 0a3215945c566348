#include "api/athena/athena.h"

#include "api/athena/doors.h"

namespace laketap::api::athena {
namespace {

template <class In, class Out>
void put(wire::Operations& operations, const char* name, Doors doors,
         Answer<Out> (*handler)(Doors, const Call&, In)) {
  operations.add<In, Out>("athena", name, [doors, handler](const Call& call, In input) {
    return handler(doors, call, std::move(input));
  });
}

}  // namespace

std::unexpected<wire::Fault> invalid(std::string message, std::string code) {
  return wire::refuse("InvalidRequestException", 400, std::move(message),
                      {{"AthenaErrorCode", code}, {"ErrorCode", code}});
}

std::unexpected<wire::Fault> to_fault(const query::Refusal& refusal) {
  wire::Fault fault{refusal.exception,
                    refusal.exception == "InternalServerException" ? 500 : 400,
                    refusal.message,
                    {}};
  if (refusal.exception == "TooManyRequestsException")
    fault.fields = {{"Reason", "CONCURRENT_QUERY_LIMIT_EXCEEDED"}};
  else if (!refusal.code.empty())
    fault.fields = {{"AthenaErrorCode", refusal.code}, {"ErrorCode", refusal.code}};
  return std::unexpected(std::move(fault));
}

void register_athena(wire::Operations& operations, query::Queries& queries,
                     const catalog::Catalog& catalog) {
  const Doors doors{queries, catalog};
  put(operations, "StartQueryExecution", doors, &start);
  put(operations, "StopQueryExecution", doors, &stop);
  put(operations, "GetQueryExecution", doors, &get_execution);
  put(operations, "BatchGetQueryExecution", doors, &get_executions);
  put(operations, "ListQueryExecutions", doors, &list_executions);
  put(operations, "GetQueryRuntimeStatistics", doors, &runtime_statistics);
  put(operations, "GetQueryResults", doors, &results);
  put(operations, "GetWorkGroup", doors, &get_work_group);
  put(operations, "ListWorkGroups", doors, &list_work_groups);
  put(operations, "ListEngineVersions", doors, &list_engine_versions);
  put(operations, "ListTagsForResource", doors, &list_tags);
  put(operations, "ListDataCatalogs", doors, &list_catalogs);
  put(operations, "GetDataCatalog", doors, &get_catalog);
  put(operations, "ListDatabases", doors, &list_databases);
  put(operations, "GetDatabase", doors, &get_database);
  put(operations, "ListTableMetadata", doors, &list_tables);
  put(operations, "GetTableMetadata", doors, &get_table);
}

}  // namespace laketap::api::athena
