// The recorded cases: a statement and what a real Trino gave for it. Format: trino/README.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "sql/sql.h"

namespace laketap::sqltest {

struct Case {
  std::string file;  // Without its folder and ending: "window".
  size_t line = 0;   // Of the word `query`; file and line name the case.
  std::string sql;
  bool unordered = false, approximate = false;
  bool fails = false;
  std::string error_name, error_text;  // "COLUMN_NOT_FOUND", "line 1:8: Column 'x' ..."
  std::string names, types;            // As the file has them, joined by " | ".
  std::vector<std::string> rows;
  std::string id() const { return file + ":" + std::to_string(line); }
};

std::vector<Case> read_cases(const std::string& path);

// The tables of data/schema.json, in awsdatacatalog.conformance.
struct DataTable {
  std::string path;
  std::vector<engine::ColumnSpec> columns;
};
std::map<std::string, DataTable> read_tables(const std::string& folder);

class Tables : public sql::CatalogView {
 public:
  explicit Tables(std::map<std::string, DataTable> tables) : tables_(std::move(tables)) {}
  bool has_catalog(const std::string& catalog) const override {
    return catalog == "awsdatacatalog";
  }
  bool has_schema(const std::string&, const std::string& schema) const override {
    return schema == "conformance";
  }
  std::optional<sql::TableSchema> find_table(const std::string&, const std::string&,
                                             const std::string& table) const override;
  const DataTable& at(const std::string& name) const { return tables_.at(name); }

 private:
  std::map<std::string, DataTable> tables_;
};

// A value as a row of the files has it: quoted where bare text would mislead.
std::string field_text(const engine::Value& value, bool is_text);
// Two rows, numbers within 1e-9 of each other.
bool nearly_equal(const std::string& a, const std::string& b);

}  // namespace laketap::sqltest
