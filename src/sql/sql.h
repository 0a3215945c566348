// Athena's SQL: text -> tree -> checked against the catalog -> DuckDB's SQL. Pure, no I/O.
//
//     parse() ─▶ ParsedStatement ─▶ check() ─▶ CheckedQuery ─▶ print_duckdb()
//
// Dialect and messages are Trino 403's, the base of Athena engine version 3. Source: Trino 403
// documentation and grammar; answers of a real server in tests/sql/trino.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "sql/types.h"

namespace laketap::sql {

struct Problem {
  std::string name;          // SYNTAX_ERROR, COLUMN_NOT_FOUND, ...
  std::string message;       // Without the place.
  int line = 0, column = 0;  // From 1; 0: no place.
  std::string text() const;  // "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"
};

struct ColumnSchema {
  std::string name;  // Lower case.
  Type type;
};
struct TableSchema {
  std::vector<ColumnSchema> columns;
  size_t partition_columns = 0;  // So many of the last.
  // Can be named, but are no part of *: "$path". The scan has them after all others.
  std::vector<ColumnSchema> hidden_columns;
};

// What names mean. Names come in lower case.
class CatalogView {
 public:
  virtual ~CatalogView() = default;
  virtual bool has_catalog(const std::string& catalog) const = 0;
  virtual bool has_schema(const std::string& catalog, const std::string& schema) const = 0;
  virtual std::optional<TableSchema> find_table(const std::string& catalog,
                                                const std::string& schema,
                                                const std::string& table) const = 0;
};

struct Session {
  std::string catalog = "awsdatacatalog", schema = "default", user = "laketap";
  Timestamp now;                        // What now() and current_date are.
  std::vector<std::string> parameters;  // SQL texts for `?`, in order.
};

struct Query;  // ast.h

enum class StatementKind {
  select,
  show_databases,
  show_tables,
  show_columns,
  show_partitions,
  describe,
  unsupported
};

struct ParsedStatement {
  StatementKind kind = StatementKind::unsupported;
  std::string text;  // Without outer blanks and the last semicolon.
  std::string statement_type,
      substatement_type;  // Athena's: DML/SELECT, UTILITY/SHOW_TABLES, DDL/CREATE_TABLE, ...
  std::shared_ptr<const Query> query;  // Of a select.
  std::vector<std::string> name;       // SHOW .. FROM a.b, DESCRIBE a.b: the parts.
  std::string pattern;                 // SHOW TABLES 'x*', LIKE '..'.
};

// One statement. A trailing semicolon is fine.
std::expected<ParsedStatement, Problem> parse(std::string_view text);

struct OutputColumn {
  std::string name;  // As written; _col0 where there is none.
  Type type;
};

struct UsedTable {
  std::string catalog, schema, table;
  std::string scan;                  // Its name in the printed SQL: t0, t1, ...
  std::vector<std::string> columns;  // That are read.
  // Conditions that hold for every row that counts, on partition columns only: column -> the texts
  // it may equal.
  std::map<std::string, std::set<std::string>> partition_equals;
};

struct CheckedQuery {
  std::vector<OutputColumn> columns;
  std::vector<UsedTable> tables;
  std::string duckdb;  // Tables stand in it as laketap_scan('t0').
  bool deterministic = true;
};

std::expected<CheckedQuery, Problem> check(const ParsedStatement& statement,
                                           const CatalogView& catalog, const Session& session);

// DuckDB's SQL of a checked query; `scan_name` gives the name of each table's scan.
std::string print_duckdb(const CheckedQuery& query,
                         const std::function<std::string(const UsedTable&)>& scan_name);

}  // namespace laketap::sql
