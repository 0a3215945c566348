#include "worker/problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace laketap::worker {
namespace {

// "Conversion Error: Could not ..." -> "Could not ..."; also cuts DuckDB's picture of the place.
std::string_view bare(std::string_view message) {
  if (const size_t at = message.find("\n\nLINE "); at != std::string_view::npos)
    message = message.substr(0, at);
  if (const size_t at = message.find("\nLINE "); at != std::string_view::npos)
    message = message.substr(0, at);
  const size_t at = message.find(" Error: ");
  if (at != std::string_view::npos && at < 40) message = message.substr(at + 8);
  while (!message.empty() && std::isspace(static_cast<unsigned char>(message.back())))
    message.remove_suffix(1);
  return message;
}

// HIVE_BAD_DATA: ...: printed SQL and our scan name their errors themselves.
bool is_named(std::string_view message) {
  const size_t colon = message.find(": ");
  if (colon == std::string_view::npos || colon < 5) return false;
  const std::string_view name = message.substr(0, colon);
  return name.find('_') != std::string_view::npos && std::ranges::all_of(name, [](char c) {
           return (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
         });
}

std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  const size_t first = text.find(before);
  if (first == std::string_view::npos) return {};
  const size_t start = first + before.size();
  const size_t end = text.find(after, start);
  return end == std::string_view::npos ? std::string_view() : text.substr(start, end - start);
}

// INT32 -> INT, as Trino names the target of a cast.
std::string trino_name(std::string_view duck) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kNames{
      {{"INT32", "INT"},
       {"INT64", "BIGINT"},
       {"INT16", "SMALLINT"},
       {"INT8", "TINYINT"},
       {"BOOL", "BOOLEAN"},
       {"DOUBLE", "DOUBLE"},
       {"FLOAT", "REAL"},
       {"DATE", "date"}}};
  for (const auto& [from, to] : kNames)
    if (duck == from) return std::string(to);
  return std::string(duck);
}

std::string conversion(std::string_view message) {
  // Could not convert string 'abc' to INT32
  const std::string_view text = between(message, "Could not convert string '", "' to ");
  if (message.starts_with("Could not convert string '")) {
    std::string_view target = message.substr(message.find("' to ") + 5);
    target = target.substr(0, target.find_first_of(" .\n"));
    return fmt::format("INVALID_CAST_ARGUMENT: Cannot cast '{}' to {}", text, trino_name(target));
  }
  if (message.starts_with("invalid date field format") ||
      message.starts_with("date field value out of range"))
    return fmt::format("INVALID_CAST_ARGUMENT: Value cannot be cast to date: {}",
                       between(message, "\"", "\""));
  if (message.starts_with("invalid timestamp field format") ||
      message.starts_with("timestamp field value out of range"))
    return fmt::format("INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: {}",
                       between(message, "\"", "\""));
  if (message.find("out of range") != std::string_view::npos ||
      message.find("can't be cast") != std::string_view::npos)
    return fmt::format("NUMERIC_VALUE_OUT_OF_RANGE: {}", message);
  return fmt::format("INVALID_CAST_ARGUMENT: {}", message);
}

// Arithmetic that does not fit or divides by zero, whatever kind of error DuckDB makes of it; ""
// when it is something else.
std::string arithmetic(std::string_view message) {
  if (message.starts_with("Division by zero") ||
      message.find("division by zero") != std::string_view::npos)
    return "DIVISION_BY_ZERO: Division by zero";
  if (message.starts_with("Needed width ") ||
      (message.starts_with("Overflow in ") &&
       message.find("of DECIMAL(") != std::string_view::npos))
    return "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow";
  if (message.starts_with("Window ") &&
      message.find(" expression cannot be ") != std::string_view::npos)
    return "INVALID_WINDOW_FRAME: Window frame offset value must not be negative or null";
  if (message.starts_with("Type INT"))
    for (const auto& [duck, trino] :
         {std::pair<std::string_view, std::string_view>{"INT8", "tinyint"},
          {"INT16", "smallint"},
          {"INT32", "integer"},
          {"INT64", "bigint"}})
      if (message.ends_with(fmt::format("destination type {}", duck)))
        return fmt::format("NUMERIC_VALUE_OUT_OF_RANGE: Out of range for {}: {}", trino,
                           between(message, "with value ", " can't"));
  if (!message.starts_with("Overflow in ")) return "";
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTypes{
      {{"INT8", "tinyint"}, {"INT16", "smallint"}, {"INT32", "integer"}, {"INT64", "bigint"}}};
  for (const auto& [duck, trino] : kTypes)
    for (const std::string_view operation : {"addition", "subtraction", "multiplication"})
      if (message.starts_with(fmt::format("Overflow in {} of {} (", operation, duck)))
        return fmt::format("NUMERIC_VALUE_OUT_OF_RANGE: {} {} overflow: {}", trino, operation,
                           between(message, " (", ")"));
  return "";
}

}  // namespace

Error to_error(duckdb_error_type type, std::string_view full) {
  const std::string_view message = bare(full);
  if (is_named(message)) return {ErrorKind::invalid, std::string(message)};
  if (std::string made = arithmetic(message); !made.empty())
    return {ErrorKind::invalid, std::move(made)};
  switch (type) {
    case DUCKDB_ERROR_INTERRUPT: return {ErrorKind::cancelled, "interrupted"};
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      return {
          ErrorKind::full,
          fmt::format("EXCEEDED_LOCAL_MEMORY_LIMIT: Query exceeded the memory limit: {}", message)};
    case DUCKDB_ERROR_DIVIDE_BY_ZERO:
      return {ErrorKind::invalid, "DIVISION_BY_ZERO: Division by zero"};
    case DUCKDB_ERROR_CONVERSION: return {ErrorKind::invalid, conversion(message)};
    case DUCKDB_ERROR_OUT_OF_RANGE:
      if (message.find("ivision by zero") != std::string_view::npos)
        return {ErrorKind::invalid, "DIVISION_BY_ZERO: Division by zero"};
      return {ErrorKind::invalid, fmt::format("NUMERIC_VALUE_OUT_OF_RANGE: {}", message)};
    case DUCKDB_ERROR_DECIMAL:
      return {ErrorKind::invalid, fmt::format("NUMERIC_VALUE_OUT_OF_RANGE: {}", message)};
    case DUCKDB_ERROR_INVALID_INPUT:
      if (message.find("More than one row returned by a subquery") != std::string_view::npos)
        return {ErrorKind::invalid,
                "SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned multiple rows"};
      return {ErrorKind::invalid, fmt::format("INVALID_FUNCTION_ARGUMENT: {}", message)};
    case DUCKDB_ERROR_PARSER:
    case DUCKDB_ERROR_BINDER:
    case DUCKDB_ERROR_CATALOG:
    case DUCKDB_ERROR_NOT_IMPLEMENTED:
      return {ErrorKind::invalid, fmt::format("NOT_SUPPORTED: {}", message)};
    case DUCKDB_ERROR_IO:
      if (message.find("temporary") != std::string_view::npos ||
          message.find("max_temp_directory_size") != std::string_view::npos)
        return {ErrorKind::full, fmt::format("EXCEEDED_SPILL_LIMIT: {}", message)};
      return {ErrorKind::invalid, fmt::format("GENERIC_INTERNAL_ERROR: {}", message)};
    default: return {ErrorKind::invalid, fmt::format("GENERIC_INTERNAL_ERROR: {}", message)};
  }
}

}  // namespace laketap::worker
