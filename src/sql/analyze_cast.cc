// CAST, TRY_CAST and the coercions that happen by themselves.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analyzer.h"

namespace laketap::sql {
namespace {

bool is_castable(const Type& from, const Type& to) {
  if (from == to || from.is(Kind::unknown)) return true;
  if (from.is(Kind::json) || to.is(Kind::json)) {
    const Type& other = from.is(Kind::json) ? to : from;
    switch (other.kind) {
      case Kind::varbinary:
      case Kind::time:
      case Kind::time_zoned:
      case Kind::timestamp_zoned:
      case Kind::interval_day:
      case Kind::interval_year:
      case Kind::uuid:
      case Kind::ipaddress:
      case Kind::char_: return false;
      case Kind::date:
      case Kind::timestamp: return to.is(Kind::json);
      default: return true;
    }
  }
  if (from.kind == to.kind && (from.is(Kind::array) || from.is(Kind::map) || from.is(Kind::row))) {
    if (from.parts.size() != to.parts.size()) return false;
    for (size_t i = 0; i < from.parts.size(); ++i)
      if (!is_castable(from.parts[i], to.parts[i])) return false;
    return true;
  }
  const auto nested = [](const Type& type) {
    return type.is(Kind::array) || type.is(Kind::map) || type.is(Kind::row) ||
           type.is(Kind::function);
  };
  if (nested(from) || nested(to)) return false;
  if (from.is_text())
    return !to.is(Kind::interval_day) && !to.is(Kind::interval_year) &&
           (!to.is(Kind::varbinary) || from.is_text());
  if (to.is(Kind::varchar)) return !from.is(Kind::varbinary);
  if (to.is(Kind::char_)) return false;
  if ((from.is_numeric() || from.is(Kind::boolean)) && (to.is_numeric() || to.is(Kind::boolean)))
    return true;
  const auto moment = [](const Type& type) {
    return type.is(Kind::date) || type.is(Kind::timestamp) || type.is(Kind::timestamp_zoned);
  };
  const auto clock = [](const Type& type) {
    return type.is(Kind::time) || type.is(Kind::time_zoned) || type.is(Kind::timestamp) ||
           type.is(Kind::timestamp_zoned);
  };
  if (moment(from) && moment(to)) return true;
  if (clock(from) && clock(to)) return !from.is(Kind::time) || !to.is(Kind::date);
  if (from.is(Kind::uuid) && to.is(Kind::varbinary)) return true;
  if (from.is(Kind::varbinary) && to.is(Kind::uuid)) return true;
  return from.kind == to.kind;
}

// A double as Trino writes it: 1.0E1, NaN; the fewest digits that give the same number back. By
// DuckDB's own functions, since the worker's are not this room's.
std::string floating_text(const std::string& sql, const char* type) {
  return fmt::format(
      "CASE WHEN isnan({0}) THEN 'NaN' WHEN isinf({0}) THEN CASE WHEN {0} > 0 THEN 'Infinity' ELSE "
      "'-Infinity' END WHEN {0} = 0 THEN CASE WHEN CAST({0} AS VARCHAR) LIKE '-%' THEN '-0.0E0' "
      "ELSE '0.0E0' END ELSE "
      "regexp_replace(regexp_replace(list_filter(list_transform(range(0, 17), lambda n: "
      "printf('%.' || n || 'e', CAST({0} AS DOUBLE))), lambda t: CAST(t AS {1}) = {0})[1], "
      "'e\\+?(-?)0*(\\d+)$', 'E\\1\\2'), '^(-?\\d)E', '\\1.0E') END",
      sql, type);
}

// As a text of JSON.
std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// 1 00:00:00.000, 1-2.
std::string interval_text(const std::string& sql, bool months) {
  if (months)
    return fmt::format(
        "invoke(lambda m: CASE WHEN m < 0 THEN '-' ELSE '' END || (abs(m) // 12) || '-' || (abs(m) "
        "% 12), CAST(date_part('year', {0}) * 12 + date_part('month', {0}) AS BIGINT))",
        sql);
  return fmt::format(
      "invoke(lambda m: CASE WHEN m < 0 THEN '-' ELSE '' END || printf('%d %02d:%02d:%02d.%03d', "
      "abs(m) // 86400000, abs(m) // 3600000 % 24, abs(m) // 60000 % 60, abs(m) // 1000 % 60, "
      "abs(m) % 1000), CAST(epoch_us({}) // 1000 AS BIGINT))",
      sql);
}

std::string integer_range(Kind kind) {
  switch (kind) {
    case Kind::tinyint: return "TINYINT";
    case Kind::smallint: return "SMALLINT";
    case Kind::integer: return "INTEGER";
    default: return "BIGINT";
  }
}

// Half away from zero, as Trino rounds to integers.
std::string to_integer(const Value& value, const Type& to, const char* how) {
  if (value.type.is_floating())
    return fmt::format("{}(round({}) AS {})", how, value.sql, integer_range(to.kind));
  if (value.type.is(Kind::decimal))
    return fmt::format("{}(round({}, 0) AS {})", how, value.sql, integer_range(to.kind));
  if (value.type.is_text())
    return fmt::format(
        "CASE WHEN regexp_full_match({1}, '[+-]?[0-9]+') THEN {0}({1} AS {2}) WHEN {1} IS NOT NULL "
        "THEN {3} END",
        how, value.sql, integer_range(to.kind),
        std::string_view(how) == "CAST"
            ? fmt::format("error('INVALID_CAST_ARGUMENT: Cannot cast ''' || {} || ''' to {}')",
                          value.sql, to.is(Kind::integer) ? "INT" : integer_range(to.kind))
            : "NULL");
  return fmt::format("{}({} AS {})", how, value.sql, integer_range(to.kind));
}

std::string to_text(const Value& value, const Type& to) {
  const Type& from = value.type;
  std::string sql = value.sql;
  if (from.is(Kind::double_) || from.is(Kind::real))
    sql = floating_text(value.sql, from.is(Kind::real) ? "FLOAT" : "DOUBLE");
  else if (from.is(Kind::interval_day) || from.is(Kind::interval_year))
    sql = interval_text(value.sql, from.is(Kind::interval_year));
  else if (from.is(Kind::decimal) && from.precision == from.scale)
    sql = fmt::format("regexp_replace(CAST({} AS VARCHAR), '^(-?)\\.', '\\10.')", value.sql);
  else if (from.is(Kind::boolean))
    sql = fmt::format("CAST({} AS VARCHAR)", value.sql);
  else if (from.is(Kind::timestamp)) {
    if (from.precision == 0)
      sql = fmt::format("strftime({}, '%Y-%m-%d %H:%M:%S')", value.sql);
    else if (from.precision <= 3)
      sql = fmt::format("left(strftime({}, '%Y-%m-%d %H:%M:%S.%g'), {})", value.sql,
                        20 + from.precision);
    else
      sql = fmt::format("left(strftime({}, '%Y-%m-%d %H:%M:%S.%f'), {})", value.sql,
                        20 + from.precision);
  } else if (from.is(Kind::timestamp_zoned)) {
    sql = fmt::format("left(strftime({}, '%Y-%m-%d %H:%M:%S.%f'), {}) || {}", wall_clock(value).sql,
                      from.precision == 0 ? 19 : 20 + std::min(6, from.precision),
                      quote_text(" " + (from.zone.empty() ? "UTC" : from.zone)));
  } else if (from.is(Kind::time)) {
    sql = fmt::format(
        "left(CAST({} AS VARCHAR) || CASE WHEN CAST({} AS VARCHAR) LIKE '%.%' THEN '000000' ELSE "
        "'.000000' END, {})",
        value.sql, value.sql, from.precision == 0 ? 8 : 9 + from.precision);
  } else if (from.is(Kind::char_)) {
    sql = fmt::format("rpad({}, {}, ' ')", value.sql, from.precision);
  } else if (!from.is(Kind::varchar)) {
    sql = fmt::format("CAST({} AS VARCHAR)", value.sql);
  }
  const bool shorter = to.precision != Type::kUnbounded &&
                       !(from.is(Kind::varchar) && from.precision != Type::kUnbounded &&
                         from.precision <= to.precision);
  if (!shorter) return sql;
  if (from.is_text()) return fmt::format("left({}, {})", sql, to.precision);
  return fmt::format(
      "CASE WHEN length({0}) > {1} THEN error('INVALID_CAST_ARGUMENT: Value ' || {0} || ' cannot "
      "be represented as {2}') ELSE {0} END",
      sql, to.precision, to_string(to));
}

}  // namespace

std::string zone_text(const std::string& zone) {
  if (zone.empty()) return "'UTC'";
  return quote_text(zone[0] == '+' || zone[0] == '-' ? "UTC" + zone : zone);
}
Value wall_clock(const Value& zoned) {
  return {Type(Kind::timestamp, zoned.type.precision),
          fmt::format("timezone({}, {})", zone_text(zoned.type.zone), zoned.sql)};
}
Value in_zone(Value moment, const std::string& zone) {
  moment.type.zone = zone == "UTC" || zone == "Z" || zone == "+00:00" ? "" : zone;
  return moment;
}

Value Analyzer::coerce(const Value& value, const Type& to) {
  if (value.type == to) return value;
  if (value.type.is(Kind::unknown)) return {to, fmt::format("CAST(NULL AS {})", duckdb_type(to))};
  if (value.type.is_text() && to.is_text()) {
    if (value.type.is(Kind::char_) && to.is(Kind::varchar))
      return {to, fmt::format("rpad({}, {}, ' ')", value.sql, value.type.precision)};
    return {to, value.sql};
  }
  if (duckdb_type(value.type) == duckdb_type(to)) return {to, value.sql};
  return cast_value(value, to, false, {});
}

Value Analyzer::cast_value(const Value& value, const Type& to, bool tries, const Place& at) {
  const Type& from = value.type;
  if (from == to && !to.is(Kind::char_)) return value;
  if (!is_castable(from, to))
    fail("TYPE_MISMATCH", at, fmt::format("Cannot cast {} to {}", to_string(from), to_string(to)));
  // Clock and calendar of a zoned moment are those of its zone.
  if (from.is(Kind::timestamp_zoned) && !from.zone.empty() &&
      (to.is(Kind::timestamp) || to.is(Kind::date) || to.is(Kind::time)))
    return cast_value(wall_clock(value), to, tries, at);
  const char* how = tries ? "TRY_CAST" : "CAST";
  const auto plain = [&] { return fmt::format("{}({} AS {})", how, value.sql, duckdb_type(to)); };
  if (from.is(Kind::unknown)) return {to, fmt::format("CAST(NULL AS {})", duckdb_type(to))};
  if (from.is(Kind::json)) {
    if (to.is(Kind::varchar)) return {to, fmt::format("json_extract_string({}, '$')", value.sql)};
    if (to.is(Kind::array) || to.is(Kind::map) || to.is(Kind::row))
      return {to,
              fmt::format("from_json({}, {})", value.sql, quote_text(json_text(duckdb_type(to))))};
    return {to,
            fmt::format("{}(json_extract_string({}, '$') AS {})", how, value.sql, duckdb_type(to))};
  }
  if (to.is(Kind::json)) return {to, fmt::format("to_json({})", value.sql)};
  if (to.is(Kind::varchar)) return {to, to_text(value, to)};
  if (to.is(Kind::char_))
    return {to, fmt::format("rtrim(left({}, {}), ' ')",
                            from.is(Kind::varchar) ? value.sql : to_text(value, Type::varchar()),
                            to.precision)};
  if (to.is_integer()) return {to, to_integer(value, to, how)};
  if (to.is(Kind::boolean) && from.is_numeric()) return {to, fmt::format("({} <> 0)", value.sql)};
  if (to.is_floating() && from.is_text())
    return {to, fmt::format("{}(trim({}) AS {})", how, value.sql, duckdb_type(to))};
  if (to.is(Kind::decimal) && from.is_floating())
    return {to, fmt::format("{}({} AS {})", how, value.sql, duckdb_type(to))};
  if (to.is(Kind::timestamp) && from.is(Kind::timestamp_zoned))
    return {to, fmt::format("timezone('UTC', {})", value.sql)};
  if (to.is(Kind::timestamp_zoned) && (from.is(Kind::timestamp) || from.is(Kind::date)))
    return {to, fmt::format("timezone('UTC', CAST({} AS TIMESTAMP))", value.sql)};
  if (to.is(Kind::date) && from.is(Kind::timestamp_zoned))
    return {to, fmt::format("CAST(timezone('UTC', {}) AS DATE)", value.sql)};
  if (to.is(Kind::timestamp) && from.is(Kind::timestamp)) {
    if (to.precision >= from.precision || to.precision >= 6) return {to, value.sql};
    int64_t unit = 1;
    for (int i = to.precision; i < 6; ++i) unit *= 10;
    return {to, fmt::format("make_timestamp(CAST(round(epoch_us({}) / {}.0) AS BIGINT) * {})",
                            value.sql, unit, unit)};
  }
  if (to.is(Kind::varbinary) && from.is_text()) return {to, fmt::format("encode({})", value.sql)};
  if (to.is(Kind::time) && from.is(Kind::timestamp))
    return {to, fmt::format("CAST({} AS TIME)", value.sql)};
  if (to.is(Kind::array)) {
    if (duckdb_type(from) == duckdb_type(to)) return {to, value.sql};
    const std::string name = fmt::format("x{}", lambdas_++);
    return {to, fmt::format("list_transform({}, lambda {}: {})", value.sql, name,
                            cast_value({from.parts[0], name}, to.parts[0], tries, at).sql)};
  }
  if (to.is(Kind::row)) {
    std::string fields;
    for (size_t i = 0; i < to.parts.size(); ++i) {
      const Value field{
          from.parts[i],
          fmt::format("struct_extract({}, {})", value.sql,
                      quote_text(from.names[i] ? *from.names[i] : fmt::format("field{}", i)))};
      fields += fmt::format("{}{} := {}", i > 0 ? ", " : "", struct_field(to, i),
                            cast_value(field, to.parts[i], tries, at).sql);
    }
    return {to,
            fmt::format("CASE WHEN {} IS NOT NULL THEN struct_pack({}) END", value.sql, fields)};
  }
  return {to, plain()};
}

Value Analyzer::cast(const Expr& expr, const Scope& scope) {
  const Value value = expression(*expr.args[0], scope);
  const std::optional<Type> to = from_trino(expr.text);
  if (!to) fail("TYPE_MISMATCH", expr.at, "Unknown type: " + expr.text);
  return cast_value(value, *to, expr.op == Op::try_cast, expr.at);
}

}  // namespace laketap::sql
