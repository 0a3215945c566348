// The doors as functions. Inner header of api/athena.
#pragma once

#include "api/athena/athena.h"
#include "wire/athena.h"

namespace laketap::api::athena {

namespace model = wire::athena;
using wire::Answer;
using wire::Call;

struct Doors {
  query::Queries& queries;
  const catalog::Catalog& catalog;
};

inline constexpr const char* kWorkGroup = "primary";
inline constexpr const char* kCatalog = "AwsDataCatalog";
inline constexpr const char* kEngine = "Athena engine version 3";

// faults.cc
std::unexpected<wire::Fault> refused(const query::Refusal& refusal);
std::unexpected<wire::Fault> invalid(std::string message, std::string code = "INVALID_INPUT");
std::unexpected<wire::Fault> not_found_metadata(std::string message);
std::unexpected<wire::Fault> broken();
model::EngineVersion engine_version();

// executions.cc
Answer<model::StartQueryExecutionOutput> start(Doors doors, const Call& call, model::StartQueryExecutionInput input);
Answer<model::StopQueryExecutionOutput> stop(Doors doors, const Call& call, model::StopQueryExecutionInput input);
Answer<model::GetQueryExecutionOutput> get_execution(Doors doors, const Call& call, model::GetQueryExecutionInput input);
Answer<model::BatchGetQueryExecutionOutput> batch_get_executions(Doors doors, const Call& call, model::BatchGetQueryExecutionInput input);
Answer<model::ListQueryExecutionsOutput> list_executions(Doors doors, const Call& call, model::ListQueryExecutionsInput input);
Answer<model::GetQueryResultsOutput> get_results(Doors doors, const Call& call, model::GetQueryResultsInput input);
Answer<model::GetQueryRuntimeStatisticsOutput> get_statistics(Doors doors, const Call& call, model::GetQueryRuntimeStatisticsInput input);

// work_groups.cc
Answer<model::GetWorkGroupOutput> get_work_group(Doors doors, const Call& call, model::GetWorkGroupInput input);
Answer<model::ListWorkGroupsOutput> list_work_groups(Doors doors, const Call& call, model::ListWorkGroupsInput input);
Answer<model::ListEngineVersionsOutput> list_engine_versions(Doors doors, const Call& call, model::ListEngineVersionsInput input);
Answer<model::ListTagsForResourceOutput> list_tags(Doors doors, const Call& call, model::ListTagsForResourceInput input);

// metadata.cc
Answer<model::GetDataCatalogOutput> get_data_catalog(Doors doors, const Call& call, model::GetDataCatalogInput input);
Answer<model::ListDataCatalogsOutput> list_data_catalogs(Doors doors, const Call& call, model::ListDataCatalogsInput input);
Answer<model::GetDatabaseOutput> get_database(Doors doors, const Call& call, model::GetDatabaseInput input);
Answer<model::ListDatabasesOutput> list_databases(Doors doors, const Call& call, model::ListDatabasesInput input);
Answer<model::GetTableMetadataOutput> get_table(Doors doors, const Call& call, model::GetTableMetadataInput input);
Answer<model::ListTableMetadataOutput> list_tables(Doors doors, const Call& call, model::ListTableMetadataInput input);

}  // namespace laketap::api::athena
