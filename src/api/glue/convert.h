// Glue's shapes <-> the catalog's structs, and errors. Inner header of api/glue.
#pragma once

#include "catalog/catalog.h"
#include "crawler/crawler.h"
#include "wire/glue.h"
#include "wire/wire.h"

namespace laketap::api::glue {

namespace model = wire::glue;

std::unexpected<wire::Fault> to_fault(const Error& error);
std::string error_code(const Error& error);

catalog::Database from_model(const model::DatabaseInput& input);
model::Database to_model(const catalog::Database& database, const std::string& account);
catalog::Table from_model(const model::TableInput& input, const std::string& database);
model::Table to_model(const catalog::Table& table, const std::string& account);
catalog::Partition from_model(const model::PartitionInput& input);
model::Partition to_model(const catalog::Partition& partition, const std::string& database,
                          const std::string& table, const std::string& account);
model::Crawler to_model(const crawler::Definition& definition, const crawler::Status& status,
                        Timestamp now);

// A fault when `given` names another account's catalog.
std::optional<wire::Fault> check_catalog(const std::optional<std::string>& given,
                                         const std::string& account);

}  // namespace laketap::api::glue
