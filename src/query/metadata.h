// SHOW and DESCRIBE: answered from the catalog, in Hive's layout. Contract: athena.md B6.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "query/query.h"
#include "sql/sql.h"

namespace laketap::query {

struct MetadataAnswer {
  std::vector<Column> columns;
  std::vector<std::string> lines;
};

// What a statement names that is not there is known before it starts: DESCRIBE and SHOW COLUMNS.
std::optional<Refusal> refuse_early(const catalog::Catalog& catalog,
                                    const sql::ParsedStatement& statement,
                                    const std::string& database);

// Errors: invalid - in Hive's words.
Result<MetadataAnswer> answer_metadata(const catalog::Catalog& catalog,
                                       const sql::ParsedStatement& statement,
                                       const std::string& database);

}  // namespace laketap::query
