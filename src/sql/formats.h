// Date formats and JSON paths of Trino in DuckDB's spelling. Inner header.
#pragma once

#include <optional>
#include <string>

namespace laketap::sql {

// MySQL's letters (date_format, date_parse); nothing for letters that Trino refuses.
std::optional<std::string> rewritten_format(const std::string& format);

// Joda's letters (format_datetime, parse_datetime); nothing for what has no twin there.
std::optional<std::string> rewritten_joda(const std::string& format);

// A JSON path such as $.a["b c"][0]; nothing when it is none.
std::optional<std::string> rewritten_path(const std::string& path);

}  // namespace laketap::sql
