// Aggregates and windows.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analyzer.h"

namespace laketap::sql {

Value Analyzer::aggregate(const Expr& expr, const std::string& name, const Scope& scope) {
  if (!scope.grouping) {
    if (name == "grouping")
      fail("MISSING_GROUP_BY", select_at_,
           "A GROUPING() operation can only be used with a corresponding GROUPING "
           "SET/CUBE/ROLLUP/GROUP BY clause");
    fail("EXPRESSION_NOT_SCALAR", expr.at,
         fmt::format("Aggregation function {} is not allowed here", name));
  }
  Grouping& grouping = *scope.grouping;
  if (name == "grouping" && grouping.keys.empty())
    fail("MISSING_GROUP_BY", select_at_,
         "A GROUPING() operation can only be used with a corresponding GROUPING "
         "SET/CUBE/ROLLUP/GROUP BY clause");
  Scope source = scope;
  source.grouping = nullptr;
  for (const ExprPtr& one : expr.args) {
    if (has_aggregate(*one))
      fail("NESTED_AGGREGATION", expr.at,
           fmt::format("Cannot nest aggregations inside aggregation '{}': [{}]", name, show(*one)));
    if (has_window(*one))
      fail("NESTED_WINDOW", expr.at,
           fmt::format(
               "Cannot nest window functions or row pattern measures inside aggregation '{}': [{}]",
               name, show(*one)));
  }
  Value made;
  if (name == "grouping") {
    std::string items;
    for (const ExprPtr& one : expr.args) {
      const Value key = expression(*one, source);
      if (std::ranges::none_of(grouping.keys,
                               [&](const Value& each) { return each.sql == key.sql; }))
        fail("INVALID_ARGUMENTS", expr.at,
             fmt::format("The arguments to GROUPING() must be expressions referenced by the GROUP "
                         "BY at the associated query level. Mismatch due to {}.",
                         show(*one)));
      items += (items.empty() ? "" : ", ") + key.sql;
    }
    made = {Type(expr.args.size() > 31 ? Kind::bigint : Kind::integer),
            fmt::format("CAST(grouping({}) AS {})", items,
                        expr.args.size() > 31 ? "BIGINT" : "INTEGER")};
  } else if (name == "listagg") {
    const Value text = expression(*expr.args[0], source);
    if (!text.type.is_text())
      fail("TYPE_MISMATCH", expr.args[0]->at,
           fmt::format("Expected expression of varchar, but '{}' has {} type", show(*expr.args[0]),
                       to_string(text.type)));
    const std::string separator =
        expr.args.size() > 1 ? expression(*expr.args[1], source).sql : "''";
    made = {
        Type::varchar(),
        fmt::format("string_agg({}{}, {}{})", expr.distinct ? "DISTINCT " : "", text.sql, separator,
                    expr.order_by.empty() ? "" : " ORDER BY " + order_text(expr.order_by, source))};
  } else {
    made = function(expr, name, source, source);
    std::string order =
        expr.order_by.empty() ? "" : " ORDER BY " + order_text(expr.order_by, source);
    if (expr.distinct || !order.empty()) {
      // The recipe is one call: DISTINCT goes to the front of its arguments, the order to their
      // end.
      const size_t open =
          made.sql.rfind("CAST(", 0) == 0 ? made.sql.find('(', 5) : made.sql.find('(');
      const size_t close =
          made.sql.rfind("CAST(", 0) == 0 ? made.sql.rfind(" AS ") - 1 : made.sql.rfind(')');
      if (!order.empty()) made.sql.insert(close, order);
      if (expr.distinct) made.sql.insert(open + 1, "DISTINCT ");
    }
  }
  if (expr.filter) {
    if (has_aggregate(*expr.filter))
      fail("NESTED_AGGREGATION", expr.at,
           fmt::format("Cannot nest aggregations inside aggregation '{}': [{}]", name,
                       show(*expr.filter)));
    const Value condition = boolean(*expr.filter, source,
                                    "Filter expression must evaluate to a boolean: actual type {}");
    if (made.sql.starts_with("CAST(") && made.sql.rfind(" AS ") != std::string::npos)
      made.sql.insert(made.sql.rfind(" AS "), fmt::format(" FILTER (WHERE {})", condition.sql));
    else
      made.sql += fmt::format(" FILTER (WHERE {})", condition.sql);
  }
  for (size_t i = 0; i < grouping.aggregates.size(); ++i)
    if (grouping.aggregates[i].sql == made.sql)
      return {made.type, fmt::format("{}.a{}", grouping.relation, i)};
  grouping.aggregates.push_back(made);
  return {made.type, fmt::format("{}.a{}", grouping.relation, grouping.aggregates.size() - 1)};
}

std::string Analyzer::order_text(const std::vector<SortItem>& items, const Scope& scope) {
  std::string out;
  for (const SortItem& item : items) {
    const Value key = expression(*item.key, scope);
    if (!is_orderable(key.type))
      fail("TYPE_MISMATCH", item.key->at,
           fmt::format("Type {} is not orderable, and therefore cannot be used in ORDER BY: {}",
                       to_string(key.type), show(*item.key)));
    out += fmt::format("{}{} {} NULLS {}", out.empty() ? "" : ", ", key.sql,
                       item.descending ? "DESC" : "ASC",
                       item.nulls_first.value_or(false) ? "FIRST" : "LAST");
  }
  return out;
}

std::string Analyzer::window_text(const Expr& expr, const Scope& scope) {
  Window window = *expr.over;
  // A named window may stand on another.
  for (size_t steps = 0; window.base; ++steps) {
    const auto found = scope.windows.find(lower(window.base->text));
    if (found == scope.windows.end() || steps > scope.windows.size())
      fail("INVALID_WINDOW_REFERENCE", window.base->at,
           fmt::format("Cannot resolve WINDOW name {}", window.base->text));
    const Window& base = *found->second;
    if (window.partition_by.empty()) window.partition_by = base.partition_by;
    if (window.order_by.empty()) window.order_by = base.order_by;
    if (window.frame_unit.empty()) {
      window.frame_unit = base.frame_unit;
      window.start = base.start;
      window.end = base.end;
    }
    window.base = base.base;
    if (window.frame_at.line == 0) window.frame_at = base.frame_at;
  }
  std::string out;
  for (const ExprPtr& one : window.partition_by)
    out += (out.empty() ? "PARTITION BY " : ", ") + expression(*one, scope).sql;
  if (!window.order_by.empty())
    out += (out.empty() ? "" : " ") + ("ORDER BY " + order_text(window.order_by, scope));
  if (window.frame_unit.empty()) return out;
  using Bound = FrameBound::Kind;
  if (window.start.kind == Bound::unbounded_following)
    fail("INVALID_WINDOW_FRAME", window.frame_at,
         "Window frame start cannot be UNBOUNDED FOLLOWING");
  if (window.end.kind == Bound::unbounded_preceding)
    fail("INVALID_WINDOW_FRAME", window.frame_at, "Window frame end cannot be UNBOUNDED PRECEDING");
  if (window.start.kind == Bound::current && window.end.kind == Bound::preceding)
    fail("INVALID_WINDOW_FRAME", window.frame_at,
         "Window frame starting from CURRENT ROW cannot end with PRECEDING");
  if (window.start.kind == Bound::following && window.end.kind == Bound::preceding)
    fail("INVALID_WINDOW_FRAME", window.frame_at,
         "Window frame starting from FOLLOWING cannot end with PRECEDING");
  if (window.start.kind == Bound::following && window.end.kind == Bound::current)
    fail("INVALID_WINDOW_FRAME", window.frame_at,
         "Window frame starting from FOLLOWING cannot end with CURRENT ROW");
  const auto bound = [&](const FrameBound& one) -> std::string {
    switch (one.kind) {
      case Bound::unbounded_preceding: return "UNBOUNDED PRECEDING";
      case Bound::unbounded_following: return "UNBOUNDED FOLLOWING";
      case Bound::current: return "CURRENT ROW";
      case Bound::preceding:
      case Bound::following: break;
    }
    const Value value = expression(*one.value, scope);
    if (window.frame_unit != "RANGE" && !value.type.is_integer())
      fail("TYPE_MISMATCH", one.value->at,
           fmt::format(
               "Window frame {} {} value type must be exact numeric type with scale 0 (actual {})",
               window.frame_unit, &one == &window.start ? "start" : "end", to_string(value.type)));
    if (one.value->op == Op::negate)
      fail("INVALID_WINDOW_FRAME", {0, 0},
           "Window frame offset value must not be negative or null");
    return value.sql + (one.kind == Bound::preceding ? " PRECEDING" : " FOLLOWING");
  };
  if (window.frame_unit == "RANGE" && window.order_by.empty() &&
      (window.start.value || window.end.value))
    fail("MISSING_ORDER_BY", window.at,
         "Window frame of type RANGE PRECEDING or FOLLOWING requires ORDER BY");
  if (window.frame_unit == "RANGE" && (window.start.value || window.end.value)) {
    if (window.order_by.size() != 1)
      fail("INVALID_ORDER_BY", window.at,
           fmt::format("Window frame of type RANGE PRECEDING or FOLLOWING requires single sort "
                       "item in ORDER BY (actual: {})",
                       window.order_by.size()));
    const ExprPtr& key = window.order_by[0].key;
    const Type type = expression(*key, scope).type;
    const bool dated = type.is(Kind::date) || type.is(Kind::time) || type.is(Kind::time_zoned) ||
                       type.is(Kind::timestamp) || type.is(Kind::timestamp_zoned) ||
                       type.is(Kind::interval_day) || type.is(Kind::interval_year);
    if (!type.is_numeric() && !dated)
      fail("TYPE_MISMATCH", key->at,
           fmt::format("Window frame of type RANGE PRECEDING or FOLLOWING requires that sort item "
                       "type be numeric, datetime or interval (actual: {})",
                       to_string(type)));
    for (const FrameBound* one : {&window.start, &window.end}) {
      if (!one->value) continue;
      const Type offset = expression(*one->value, scope).type;
      const bool fits = type.is_numeric()
                            ? offset.is_numeric()
                            : offset.is(Kind::interval_day) || offset.is(Kind::interval_year);
      if (!fits)
        fail("TYPE_MISMATCH", one->value->at,
             fmt::format(
                 "Window frame RANGE value type ({}) not compatible with sort item type ({})",
                 to_string(offset), to_string(type)));
    }
  }
  return fmt::format("{} {} BETWEEN {} AND {}", out, window.frame_unit, bound(window.start),
                     bound(window.end));
}

Value Analyzer::window(const Expr& expr, const std::string& name, const Scope& scope) {
  if (!scope.allow_windows) fail("NESTED_WINDOW", expr.at, "Cannot use window functions here");
  if (expr.distinct)
    fail("NOT_SUPPORTED", select_at_,
         fmt::format("DISTINCT in window function parameters not yet supported: {}", show(expr)));
  if (expr.filter)
    fail("NOT_SUPPORTED", select_at_, "FILTER is not yet supported for window functions");
  if (!is_function(name))
    fail("FUNCTION_NOT_FOUND", expr.at, fmt::format("Function '{}' not registered", expr.text));
  if (!is_aggregate(name) && !is_window_only(name))
    fail("FUNCTION_NOT_WINDOW", select_at_, fmt::format("Not a window function: {}", name));
  Value made = function(expr, name, scope, scope);
  const std::string over = window_text(expr, scope);
  if (expr.ignore_nulls) made.sql.insert(made.sql.rfind(')'), " IGNORE NULLS");
  const std::string text = fmt::format(" OVER ({})", over);
  if (made.sql.starts_with("CAST(") && made.sql.rfind(" AS ") != std::string::npos)
    made.sql.insert(made.sql.rfind(" AS "), text);
  else if (made.sql.starts_with("coalesce(")) {  // max over doubles: both halves are windows.
    made.sql = fmt::format("{}({}){}", name, expression(*expr.args[0], scope).sql, text);
  } else {
    made.sql += text;
  }
  if (made.type.is(Kind::bigint) && !made.sql.starts_with("CAST("))
    made.sql = fmt::format("CAST({} AS BIGINT)", made.sql);
  return made;
}

}  // namespace laketap::sql
