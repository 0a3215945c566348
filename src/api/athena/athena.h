// The doors of Amazon Athena: executions, the workgroup `primary`, the catalog as Athena shows it.
// Model 2017-05-18; contract: athena.md part A. What is not built answers 501 (docs/gaps.md).
#pragma once

#include "catalog/catalog.h"
#include "query/query.h"
#include "wire/wire.h"

namespace laketap::api::athena {

// Borrows what it is given; it must outlive the last call of `operations`.
void register_athena(wire::Operations& operations, query::Queries& queries, const catalog::Catalog& catalog);

}  // namespace laketap::api::athena
