// Statements: read, checked against a small catalog, printed. Never longer than a moment.
#include "sql/sql.h"

using namespace laketap;

namespace {

class OneTable : public sql::CatalogView {
 public:
  bool has_catalog(const std::string& catalog) const override {
    return catalog == "awsdatacatalog";
  }
  bool has_schema(const std::string&, const std::string& schema) const override {
    return schema == "default";
  }
  std::optional<sql::TableSchema> find_table(const std::string&, const std::string&,
                                             const std::string& table) const override {
    if (table != "t") return std::nullopt;
    sql::TableSchema made;
    made.partition_columns = 1;
    for (const auto& [name, type] : {std::pair{"a", "int"},
                                     {"b", "string"},
                                     {"c", "double"},
                                     {"d", "array<int>"},
                                     {"e", "struct<x:int,y:string>"},
                                     {"f", "map<string,bigint>"},
                                     {"g", "timestamp"},
                                     {"h", "decimal(10,2)"},
                                     {"p", "string"}})
      made.columns.push_back({name, *sql::from_hive(type)});
    return made;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = sql::parse(text);
  if (!parsed || parsed->kind != sql::StatementKind::select) return 0;
  const OneTable catalog;
  const auto checked = sql::check(*parsed, catalog, {});
  if (checked)
    (void)sql::print_duckdb(*checked, [](const sql::UsedTable& used) { return used.scan; });
  return 0;
}
