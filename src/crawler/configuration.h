// What a crawler's Configuration text asks for. Inner header of crawler.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "crawler/layout.h"

namespace laketap::crawler {

struct Configuration {
  bool inherit_from_table = false;  // Partitions are rewritten as their table is.
  bool merge_new_columns = false;   // Columns are added, never retyped.
  std::optional<int64_t> table_threshold;
  LayoutOptions layout;
};

// Errors: invalid, in Glue's words.
Result<Configuration> parse_configuration(const std::string& text);

}  // namespace laketap::crawler
