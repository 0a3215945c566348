// laketap_scan('NAME'): a manifest of files as a table of DuckDB. Its first column, "$record", has
// no meaning; the table's own follow, then its partition columns. So name columns, do not write *.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "worker/duck.h"
#include "worker/sink.h"

namespace laketap::worker {

// What the scans of one query read, summed over its threads.
struct ScanCounters {
  std::atomic<uint64_t> bytes = 0, rows = 0, malformed = 0;
};

// One scan of a query, ready to be read. Immutable while the query runs.
struct Table {
  engine::Scan scan;
  std::vector<sql::Type> types;  // Of the columns, then of the partition columns.
  SerdeRules rules;
  ScanCounters* counters = nullptr;
};

// Errors: unsupported - "NOT_SUPPORTED: ..." for a type that no JSON column can have.
Result<std::unique_ptr<Table>> prepare_table(engine::Scan scan, ScanCounters& counters);

// The tables that laketap_scan() finds by name; of one connection.
class Tables {
 public:
  std::map<std::string, std::unique_ptr<Table>> by_name;
};

// Registers laketap_scan with a connection. Borrows `tables` as long as it lives.
Result<> register_scan(const Duck& duck, duckdb_connection connection, Tables& tables);

}  // namespace laketap::worker
