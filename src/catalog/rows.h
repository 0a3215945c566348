// The catalog's entries in state, as JSON. Inner header of catalog.
#pragma once

#include "catalog/catalog.h"

namespace laketap::catalog {

std::string write_database(const Database& database);
std::string write_table(const Table& table);
std::string write_partition(const Partition& partition);
// Errors: corrupt.
Result<Database> read_database(std::string_view text);
Result<Table> read_table(std::string_view text);
Result<Partition> read_partition(std::string_view text);

std::string database_key(std::string_view name);
std::string table_key(std::string_view database, std::string_view table);
std::string version_key(std::string_view database, std::string_view table,
                        uint64_t version);  // Sorts newest first.
std::string partition_key(std::string_view database, std::string_view table,
                          const std::vector<std::string>& values);
std::string databases_prefix();
std::string tables_prefix(std::string_view database);
std::string versions_prefix(std::string_view database, std::string_view table);
std::string partitions_prefix(std::string_view database, std::string_view table);

// Within a transaction. load_table's errors: not_found, in Glue's words.
Result<bool> has(state::Transaction& transaction, const std::string& key);
Result<Table> load_table(state::Transaction& transaction, const std::string& database,
                         const std::string& name);

}  // namespace laketap::catalog
