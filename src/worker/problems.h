// DuckDB's complaints in Trino's words.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "worker/duck.h"

namespace laketap::worker {

// `message` as DuckDB gave it, with its "Conversion Error: " in front.
Error to_error(duckdb_error_type type, std::string_view message);

}  // namespace laketap::worker
