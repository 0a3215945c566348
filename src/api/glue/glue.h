// The doors of AWS Glue: the Data Catalog's databases, tables and partitions, and crawlers. Model
// 2017-03-31.
#pragma once

#include "catalog/catalog.h"
#include "crawler/crawler.h"
#include "wire/wire.h"

namespace laketap::api::glue {

// Borrows what it is given; it must outlive the last call of `operations`.
void register_glue(wire::Operations& operations, catalog::Catalog& catalog,
                   crawler::Crawlers& crawlers);

}  // namespace laketap::api::glue
