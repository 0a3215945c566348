// Columns that every table has and * leaves out. Source: Trino's documentation of the Hive
// connector, "special columns". Inner header.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/engine.h"

namespace laketap::query {

struct HiddenColumn {
  const char* name;
  const char* type;  // Hive's spelling.
  std::string (*value)(const engine::ScanFile& file);
};

inline constexpr HiddenColumn kHiddenColumns[] = {
    {"$path", "string", [](const engine::ScanFile& file) { return file.name; }},
    {"$file_size", "bigint",
     [](const engine::ScanFile& file) { return std::to_string(file.bytes); }},
};

// Those of a table: a column of its own goes before one of ours with its name.
inline std::vector<HiddenColumn> hidden_columns_of(const catalog::Table& table) {
  std::vector<HiddenColumn> made;
  for (const HiddenColumn& column : kHiddenColumns) {
    const auto same = [&](const catalog::Column& own) {
      return catalog::folded(own.name) == column.name;
    };
    if (std::ranges::none_of(table.storage->columns, same) &&
        std::ranges::none_of(table.partition_keys, same))
      made.push_back(column);
  }
  return made;
}

}  // namespace laketap::query
