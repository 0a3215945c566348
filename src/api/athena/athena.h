// The doors of Amazon Athena (model 2017-05-18): executions and their results, and what clients ask
// about the catalog. Contract: athena.md. Workgroups: `primary` alone; what is not built answers
// 501 NotImplemented (docs/gaps.md).
#pragma once

#include "catalog/catalog.h"
#include "query/query.h"
#include "wire/wire.h"

namespace laketap::api::athena {

// Borrows what it is given; it must outlive the last call of `operations`.
void register_athena(wire::Operations& operations, query::Queries& queries,
                     const catalog::Catalog& catalog);

}  // namespace laketap::api::athena
