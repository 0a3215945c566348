// Operations; athena.cc puts them into the table. Inner header of api/athena.
#pragma once

#include "api/athena/athena.h"
#include "wire/athena.h"

namespace laketap::api::athena {

struct Doors {
  query::Queries& queries;
  const catalog::Catalog& catalog;
};

template <class Out>
using Answer = wire::Answer<Out>;
using wire::Call;
namespace model = wire::athena;

inline constexpr std::string_view kWorkGroup = "primary";
inline constexpr std::string_view kCatalog = "AwsDataCatalog";

// Both codes, as Athena sends them.
std::unexpected<wire::Fault> invalid(std::string message, std::string code = "INVALID_INPUT");
std::unexpected<wire::Fault> to_fault(const query::Refusal& refusal);

// executions.cc
Answer<model::StartQueryExecutionOutput> start(Doors doors, const Call& call,
                                               model::StartQueryExecutionInput input);
Answer<model::StopQueryExecutionOutput> stop(Doors doors, const Call& call,
                                             model::StopQueryExecutionInput input);
Answer<model::GetQueryExecutionOutput> get_execution(Doors doors, const Call& call,
                                                     model::GetQueryExecutionInput input);
Answer<model::BatchGetQueryExecutionOutput> get_executions(
    Doors doors, const Call& call, model::BatchGetQueryExecutionInput input);
Answer<model::ListQueryExecutionsOutput> list_executions(Doors doors, const Call& call,
                                                         model::ListQueryExecutionsInput input);
Answer<model::GetQueryRuntimeStatisticsOutput> runtime_statistics(
    Doors doors, const Call& call, model::GetQueryRuntimeStatisticsInput input);

// results.cc
Answer<model::GetQueryResultsOutput> results(Doors doors, const Call& call,
                                             model::GetQueryResultsInput input);

// metadata.cc
Answer<model::GetWorkGroupOutput> get_work_group(Doors doors, const Call& call,
                                                 model::GetWorkGroupInput input);
Answer<model::ListWorkGroupsOutput> list_work_groups(Doors doors, const Call& call,
                                                     model::ListWorkGroupsInput input);
Answer<model::ListEngineVersionsOutput> list_engine_versions(Doors doors, const Call& call,
                                                             model::ListEngineVersionsInput input);
Answer<model::ListTagsForResourceOutput> list_tags(Doors doors, const Call& call,
                                                   model::ListTagsForResourceInput input);
Answer<model::ListDataCatalogsOutput> list_catalogs(Doors doors, const Call& call,
                                                    model::ListDataCatalogsInput input);
Answer<model::GetDataCatalogOutput> get_catalog(Doors doors, const Call& call,
                                                model::GetDataCatalogInput input);
Answer<model::ListDatabasesOutput> list_databases(Doors doors, const Call& call,
                                                  model::ListDatabasesInput input);
Answer<model::GetDatabaseOutput> get_database(Doors doors, const Call& call,
                                              model::GetDatabaseInput input);
Answer<model::ListTableMetadataOutput> list_tables(Doors doors, const Call& call,
                                                   model::ListTableMetadataInput input);
Answer<model::GetTableMetadataOutput> get_table(Doors doors, const Call& call,
                                                model::GetTableMetadataInput input);

// results.cc: how a column of Trino's `type` is described.
model::ColumnInfo column_info(const query::Column& column);

}  // namespace laketap::api::athena
