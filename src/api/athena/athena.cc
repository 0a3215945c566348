#include "api/athena/athena.h"

#include "api/athena/doors.h"

namespace laketap::api::athena {

void register_athena(wire::Operations& operations, query::Queries& queries, const catalog::Catalog& catalog) {
  const Doors doors{queries, catalog};
  const auto add = [&]<class In, class Out>(std::string_view name, Answer<Out> (*door)(Doors, const Call&, In)) {
    operations.add<In, Out>("athena", name, [doors, door](const Call& call, In input) { return door(doors, call, std::move(input)); });
  };
  add("StartQueryExecution", start);
  add("StopQueryExecution", stop);
  add("GetQueryExecution", get_execution);
  add("BatchGetQueryExecution", batch_get_executions);
  add("ListQueryExecutions", list_executions);
  add("GetQueryResults", get_results);
  add("GetQueryRuntimeStatistics", get_statistics);
  add("GetWorkGroup", get_work_group);
  add("ListWorkGroups", list_work_groups);
  add("ListEngineVersions", list_engine_versions);
  add("ListTagsForResource", list_tags);
  add("GetDataCatalog", get_data_catalog);
  add("ListDataCatalogs", list_data_catalogs);
  add("GetDatabase", get_database);
  add("ListDatabases", list_databases);
  add("GetTableMetadata", get_table);
  add("ListTableMetadata", list_tables);
}

}  // namespace laketap::api::athena
