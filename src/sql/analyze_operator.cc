// Comparisons, arithmetic, concatenation.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analyzer.h"

namespace laketap::sql {
namespace {

// Integer arithmetic checks its own range by DuckDB's own error; nothing to add.
std::string arithmetic_text(const std::string& op, const Value& a, const Value& b,
                            const Type& type) {
  if (op == "/" && type.is_integer()) return fmt::format("({} // {})", a.sql, b.sql);
  return fmt::format("({} {} {})", a.sql, op, b.sql);
}

}  // namespace

Value Analyzer::compare(const Expr& expr, const Scope& scope) {
  const Value left = expression(*expr.args[0], scope);
  const Value right = expression(*expr.args[1], scope);
  const bool distinct = expr.op == Op::is_distinct;
  const std::string op = distinct ? "IS DISTINCT FROM" : expr.text;
  const std::optional<Type> common = common_type(left.type, right.type);
  const bool ordered = op != "=" && op != "<>" && !distinct;
  if (!common || (ordered ? !is_orderable(*common) : !is_comparable(*common)))
    fail("TYPE_MISMATCH", expr.at,
         fmt::format("Cannot apply operator: {} {} {}", to_string(left.type),
                     op == ">"    ? "<"
                     : op == ">=" ? "<="
                     : op == "<>" ? "="
                                  : op,
                     to_string(right.type)));
  Value a = coerce(left, *common);
  Value b = coerce(right, *common);
  if (common->is(Kind::char_)) {
    a.sql = fmt::format("rtrim({}, ' ')", a.sql);
    b.sql = fmt::format("rtrim({}, ' ')", b.sql);
  }
  if (distinct)
    return {Type(Kind::boolean),
            fmt::format("({} IS {}DISTINCT FROM {})", a.sql, expr.negated ? "NOT " : "", b.sql)};
  // NaN equals nothing and is in no order; to DuckDB it is the largest number. A constant is no
  // NaN.
  if (common->is_floating()) {
    const auto constant = [](const Expr& one) {
      return one.op == Op::floating || one.op == Op::integer || one.op == Op::decimal;
    };
    const bool first = !constant(*expr.args[0]);
    const bool second = !constant(*expr.args[1]);
    const auto plain = fmt::format("{} {} {}", a.sql, op, b.sql);
    if (op == "<>" && first && second)
      return {Type(Kind::boolean), fmt::format("({} OR isnan({}))", plain, a.sql)};
    if (op == "=" && first && second)
      return {Type(Kind::boolean), fmt::format("({} AND NOT isnan({}))", plain, a.sql)};
    if ((op == "<" || op == "<=") && second)
      return {Type(Kind::boolean), fmt::format("({} AND NOT isnan({}))", plain, b.sql)};
    if ((op == ">" || op == ">=") && first)
      return {Type(Kind::boolean), fmt::format("({} AND NOT isnan({}))", plain, a.sql)};
  }
  return {Type(Kind::boolean), fmt::format("({} {} {})", a.sql, op, b.sql)};
}

Value Analyzer::arithmetic(const Expr& expr, const Scope& scope) {
  const Value left = expression(*expr.args[0], scope);
  const Value right = expression(*expr.args[1], scope);
  const std::string& op = expr.text;
  const auto mismatch = [&] {
    fail("TYPE_MISMATCH", expr.at,
         fmt::format("Cannot apply operator: {} {} {}", to_string(left.type), op,
                     to_string(right.type)));
  };
  const bool numeric = (left.type.is_numeric() || left.type.is(Kind::unknown)) &&
                       (right.type.is_numeric() || right.type.is(Kind::unknown));
  if (!numeric) {
    if (op == "%") mismatch();
    Value made = date_arithmetic(expr, op, left, right);
    if (made.sql.empty()) mismatch();
    return made;
  }
  const std::optional<Type> common = common_type(left.type, right.type);
  if (!common) mismatch();
  if (common->is(Kind::unknown)) return {Type(Kind::integer), "CAST(NULL AS INTEGER)"};
  if (common->is(Kind::decimal)) return decimal_arithmetic(expr, op, left, right);
  const Value a = coerce(left, *common);
  const Value b = coerce(right, *common);
  return {*common, arithmetic_text(op, a, b, *common)};
}

// Result types of Trino's DecimalOperators.
Value Analyzer::decimal_arithmetic(const Expr&, const std::string& op, const Value& left,
                                   const Value& right) {
  const auto as_decimal = [](const Value& value) {
    if (value.type.is(Kind::decimal)) return value.type;
    return *common_type(value.type.is(Kind::unknown) ? Type(Kind::integer) : value.type,
                        Type(Kind::decimal, 1, 0));
  };
  const Type a = as_decimal(left);
  const Type b = as_decimal(right);
  const Value x = coerce(left, a);
  const Value y = coerce(right, b);
  Type type(Kind::decimal);
  if (op == "+" || op == "-") {
    type.scale = std::max(a.scale, b.scale);
    type.precision =
        std::min(38, 1 + type.scale + std::max(a.precision - a.scale, b.precision - b.scale));
  } else if (op == "*") {
    type.scale = a.scale + b.scale;
    type.precision = std::min(38, a.precision + b.precision);
    if (type.scale > 38)
      fail("INVALID_FUNCTION_ARGUMENT", {0, 0},
           "DECIMAL scale must be in range [0, precision (38)]: " + std::to_string(type.scale));
    // As wide as the product: DuckDB multiplies in its operands' width.
    const auto wide = [&](const Value& value, const Type& of) {
      return fmt::format("CAST({} AS {})", value.sql,
                         duckdb_type(Type(Kind::decimal, type.precision, of.scale)));
    };
    if (type.precision < 38)
      return {type,
              fmt::format("CAST(({} * {}) AS {})", wide(x, a), wide(y, b), duckdb_type(type))};
  } else if (op == "/") {
    type.scale = std::max(a.scale, b.scale);
    type.precision = std::min(38, a.precision + b.scale + std::max(0, b.scale - a.scale));
    return {type, fmt::format("CAST(decimal_division({}, {}, {}) AS {})", x.sql, y.sql, type.scale,
                              duckdb_type(type))};
  } else {
    type.scale = std::max(a.scale, b.scale);
    type.precision = std::min(a.precision - a.scale, b.precision - b.scale) + type.scale;
  }
  return {type, fmt::format("CAST(({} {} {}) AS {})", x.sql, op, y.sql, duckdb_type(type))};
}

Value Analyzer::date_arithmetic(const Expr&, const std::string& op, const Value& left,
                                const Value& right) {
  const auto is_interval = [](const Type& type) {
    return type.is(Kind::interval_day) || type.is(Kind::interval_year);
  };
  const auto is_moment = [](const Type& type) {
    return type.is(Kind::date) || type.is(Kind::timestamp) || type.is(Kind::timestamp_zoned) ||
           type.is(Kind::time);
  };
  const Type& a = left.type;
  const Type& b = right.type;
  if ((op == "+" || op == "-") && is_moment(a) && is_interval(b)) {
    Type type = a;
    if (b.is(Kind::interval_day) && !a.is(Kind::date))
      type.precision = std::max(type.precision, 3);  // Intervals have milliseconds.
    return {type,
            fmt::format("CAST(({} {} {}) AS {})", left.sql, op, right.sql, duckdb_type(type))};
  }
  if (op == "+" && is_interval(a) && is_moment(b))
    return {b, fmt::format("CAST(({} + {}) AS {})", right.sql, left.sql, duckdb_type(b))};
  if ((op == "+" || op == "-") && is_interval(a) && a == b)
    return {a, fmt::format("({} {} {})", left.sql, op, right.sql)};
  if (op == "-" && is_moment(a) && is_moment(b) && a.kind == b.kind) {
    if (a.is(Kind::date))
      return {Type(Kind::interval_day),
              fmt::format("to_days(CAST(({} - {}) AS INTEGER))", left.sql, right.sql)};
    if (a.is(Kind::time))
      return {Type(Kind::interval_day), fmt::format("({} - {})", left.sql, right.sql)};
    return {Type(Kind::interval_day),
            fmt::format("to_microseconds(epoch_us({}) - epoch_us({}))", left.sql, right.sql)};
  }
  if (op == "-" && is_moment(a) && is_moment(b)) {
    if (const std::optional<Type> common = common_type(a, b))
      return {Type(Kind::interval_day),
              fmt::format("to_microseconds(epoch_us({}) - epoch_us({}))", coerce(left, *common).sql,
                          coerce(right, *common).sql)};
  }
  if ((op == "*" || op == "/") && is_interval(a) && b.is_numeric())
    return {a, op == "*" ? fmt::format("({} * {})", left.sql, right.sql)
                         : fmt::format("to_microseconds(CAST(epoch_us({}) / {} AS BIGINT))",
                                       left.sql, right.sql)};
  if (op == "*" && a.is_numeric() && is_interval(b))
    return {b, fmt::format("({} * {})", right.sql, left.sql)};
  return {};
}

Value Analyzer::concatenation(const Expr& expr, const Scope& scope) {
  const Value left = expression(*expr.args[0], scope);
  const Value right = expression(*expr.args[1], scope);
  const auto mismatch = [&] {
    fail("TYPE_MISMATCH", expr.at,
         fmt::format("Cannot apply operator: {} || {}", to_string(left.type),
                     to_string(right.type)));
  };
  if (left.type.is(Kind::array) || right.type.is(Kind::array)) {
    const Type& list = left.type.is(Kind::array) ? left.type : right.type;
    const Type other =
        left.type.is(Kind::array) && right.type.is(Kind::array) ? right.type : Type();
    if (!other.is(Kind::unknown)) {
      const std::optional<Type> common = common_type(left.type, right.type);
      if (!common) mismatch();
      return {*common,
              fmt::format("({} || {})", coerce(left, *common).sql, coerce(right, *common).sql)};
    }
    const Value& element = left.type.is(Kind::array) ? right : left;
    const std::optional<Type> common = common_type(list.parts[0], element.type);
    if (!common) mismatch();
    const Type type = Type::array_of(*common);
    if (left.type.is(Kind::array))
      return {type, fmt::format("list_append({}, {})", coerce(left, type).sql,
                                coerce(right, *common).sql)};
    return {type, fmt::format("list_prepend({}, {})", coerce(left, *common).sql,
                              coerce(right, type).sql)};
  }
  const auto joins = [](const Type& type) { return type.is_text() || type.is(Kind::unknown); };
  if (left.type.is(Kind::varbinary) && right.type.is(Kind::varbinary))
    return {Type(Kind::varbinary), fmt::format("({} || {})", left.sql, right.sql)};
  if (!joins(left.type) || !joins(right.type))
    fail("FUNCTION_NOT_FOUND", expr.at,
         fmt::format("Unexpected parameters ({}, {}) for function concat. Expected: {}",
                     to_string(left.type), to_string(right.type), expected_signatures("concat")));
  return {Type::varchar(), fmt::format("({} || {})", coerce(left, Type::varchar()).sql,
                                       coerce(right, Type::varchar()).sql)};
}

}  // namespace laketap::sql
