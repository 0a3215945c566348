// Columns that every table has and * leaves out. Source: Trino's documentation of the Hive
// connector, "special columns". Inner header.
#pragma once

#include <string>

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

}  // namespace laketap::query
