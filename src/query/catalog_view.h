// The catalog as sql sees it: names and types, nothing else.
#pragma once

#include "catalog/catalog.h"
#include "query/hidden_columns.h"
#include "sql/sql.h"

namespace laketap::query {

inline constexpr const char* kCatalogName = "awsdatacatalog";

class CatalogNames : public sql::CatalogView {
 public:
  explicit CatalogNames(const catalog::Catalog& catalog) : catalog_(catalog) {}

  bool has_catalog(const std::string& catalog) const override { return catalog == kCatalogName; }
  bool has_schema(const std::string& catalog, const std::string& schema) const override {
    return has_catalog(catalog) && catalog_.find_database(schema).has_value();
  }
  // Columns whose type is none of Hive's cannot be named in a query.
  std::optional<sql::TableSchema> find_table(const std::string& catalog, const std::string& schema,
                                             const std::string& table) const override {
    if (!has_catalog(catalog)) return std::nullopt;
    const auto found = catalog_.find_table(schema, table);
    if (!found || !found->storage || found->table_type == "VIRTUAL_VIEW") return std::nullopt;
    sql::TableSchema made;
    for (const catalog::Column& column : found->storage->columns)
      if (auto type = sql::from_hive(column.type))
        made.columns.push_back({catalog::folded(column.name), std::move(*type)});
    for (const catalog::Column& column : found->partition_keys) {
      auto type = sql::from_hive(column.type);
      if (!type) continue;
      made.columns.push_back({catalog::folded(column.name), std::move(*type)});
      ++made.partition_columns;
    }
    for (const HiddenColumn& column : hidden_columns_of(*found))
      made.hidden_columns.push_back({column.name, *sql::from_hive(column.type)});
    return made;
  }

 private:
  const catalog::Catalog& catalog_;
};

}  // namespace laketap::query
