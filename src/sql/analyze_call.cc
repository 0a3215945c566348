// Calls: special forms, functions, lambdas.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analyzer.h"
#include "sql/formats.h"

namespace laketap::sql {
namespace {

// The recipe with its arguments filled in: $1 .. $9, $* (all, comma), $*|| (all, joined by ||), $R
// (the result's type).
std::string fill(const std::string& recipe, const std::vector<std::string>& arguments,
                 const Type& result) {
  std::string out;
  for (size_t i = 0; i < recipe.size(); ++i) {
    if (recipe[i] != '$' || i + 1 == recipe.size()) {
      out += recipe[i];
      continue;
    }
    const char c = recipe[++i];
    if (c == '*') {
      std::string by = ", ";
      if (recipe.compare(i + 1, 2, "||") == 0) {
        by = " || ";
        i += recipe.compare(i + 1, 3, "|| ") == 0 ? 3 : 2;
      }
      out += fmt::format("{}", fmt::join(arguments, by));
    } else if (c == 'R') {
      out += duckdb_type(result);
    } else if (std::isdigit(static_cast<unsigned char>(c)) &&
               static_cast<size_t>(c - '0') <= arguments.size() && c != '0') {
      out += arguments[static_cast<size_t>(c - '1')];
    } else {
      out += '$';
      out += c;
    }
  }
  return out;
}

// As signatures write a type: no blank behind its commas.
std::string signature_text(const Type& type) {
  std::string out;
  const std::string text = to_string(type);
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] != ' ' || i == 0 || text[i - 1] != ',') out += text[i];
  return out;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

Value Analyzer::call(const Expr& expr, const Scope& scope) {
  const std::string name = lower(expr.text);
  if (expr.over) return window(expr, name, scope);
  bool handled = false;
  Value special = special_form(expr, name, scope, handled);
  if (handled) return special;
  if (is_window_only(name))
    fail("MISSING_OVER", expr.at, fmt::format("Window function {} requires an OVER clause", name));
  if (is_aggregate(name) || name == "listagg" || name == "grouping")
    return aggregate(expr, name, scope);
  if (expr.distinct)
    fail("FUNCTION_NOT_AGGREGATE", expr.at,
         fmt::format("DISTINCT is not supported for non-aggregation functions"));
  if (expr.filter)
    fail("FUNCTION_NOT_AGGREGATE", expr.at,
         fmt::format("Filter is only valid for aggregation functions"));
  if (!is_function(name))
    fail("FUNCTION_NOT_FOUND", expr.at, fmt::format("Function '{}' not registered", expr.text));
  return function(expr, name, scope, scope);
}

Value Analyzer::special_form(const Expr& expr, const std::string& name, const Scope& scope,
                             bool& handled) {
  handled = true;
  const size_t count = expr.args.size();
  const auto argument = [&](size_t i) { return expression(*expr.args[i], scope); };
  if (name == "coalesce") {
    if (count < 2)
      fail("SYNTAX_ERROR", expr.at, "The 'coalesce' function must have at least two arguments");
    std::vector<Value> values;
    Type common;
    for (size_t i = 0; i < count; ++i) {
      values.push_back(argument(i));
      const std::optional<Type> next = common_type(common, values.back().type);
      if (!next)
        fail(
            "TYPE_MISMATCH", expr.args[i]->at,
            fmt::format(
                "All COALESCE operands must be the same type or coercible to a common type. Cannot "
                "find common type between {} and {}, all types (without duplicates): [{}, {}]",
                to_string(common), to_string(values.back().type), to_string(common),
                to_string(values.back().type)));
      common = *next;
    }
    std::string items;
    for (const Value& one : values) items += (items.empty() ? "" : ", ") + coerce(one, common).sql;
    return {common, fmt::format("coalesce({})", items)};
  }
  if (name == "nullif") {
    if (count != 2)
      fail("SYNTAX_ERROR", expr.at, "Invalid number of arguments for 'nullif' function");
    const Value a = argument(0);
    const Value b = argument(1);
    const std::optional<Type> common = common_type(a.type, b.type);
    if (!common)
      fail("TYPE_MISMATCH", expr.at,
           fmt::format("Types are not comparable with NULLIF: {} vs {}", to_string(a.type),
                       to_string(b.type)));
    if (*common == a.type)
      return {a.type, fmt::format("nullif({}, {})", a.sql, coerce(b, *common).sql)};
    return {a.type, fmt::format("CASE WHEN {} = {} THEN NULL ELSE {} END", coerce(a, *common).sql,
                                coerce(b, *common).sql, a.sql)};
  }
  if (name == "if") {
    if (count != 2 && count != 3)
      fail("SYNTAX_ERROR", expr.at, "Invalid number of arguments for 'if' function");
    const Value condition =
        boolean(*expr.args[0], scope, "IF condition must evaluate to a boolean (actual: {})");
    const Value yes = argument(1);
    if (count == 2)
      return {yes.type, fmt::format("CASE WHEN {} THEN {} END", condition.sql, yes.sql)};
    const Value no = argument(2);
    const std::optional<Type> common = common_type(yes.type, no.type);
    if (!common)
      fail("TYPE_MISMATCH", expr.at,
           fmt::format("Result types for IF must be the same: {} vs {}", to_string(yes.type),
                       to_string(no.type)));
    return {*common, fmt::format("CASE WHEN {} THEN {} ELSE {} END", condition.sql,
                                 coerce(yes, *common).sql, coerce(no, *common).sql)};
  }
  if (name == "try") {
    if (count != 1)
      fail("SYNTAX_ERROR", expr.at, "The 'try' function must have exactly one argument");
    const Value inner = argument(0);
    // DuckDB's TRY refuses error(): our guards are told apart by their text, a cast by TRY_CAST.
    if (inner.sql.find("error(") != std::string::npos) {
      std::string sql = inner.sql;
      for (size_t at = sql.find("error("); at != std::string::npos; at = sql.find("error(", at)) {
        // error(...) stands in value place of a CASE: NULL is what TRY gives.
        int open = 0;
        size_t end = at + 5;
        bool quoted = false;
        for (; end < sql.size(); ++end) {
          if (sql[end] == '\'') quoted = !quoted;
          if (quoted) continue;
          if (sql[end] == '(') ++open;
          if (sql[end] == ')' && --open == 0) break;
        }
        sql.replace(at, end + 1 - at, "NULL");
      }
      return {inner.type,
              sql.find("random()") == std::string::npos ? fmt::format("TRY({})", sql) : sql};
    }
    if (inner.sql.find("(SELECT") != std::string::npos ||
        inner.sql.find("random()") != std::string::npos)
      return inner;
    return {inner.type, fmt::format("TRY({})", inner.sql)};
  }
  if (name == "greatest" || name == "least") {
    std::vector<Value> values;
    Type common;
    for (size_t i = 0; i < count; ++i) {
      values.push_back(argument(i));
      const std::optional<Type> next = common_type(common, values.back().type);
      if (!next) {
        std::string types;
        for (size_t j = 0; j < count; ++j)
          types += (j > 0 ? ", " : "") + to_string(argument(j).type);
        fail("FUNCTION_NOT_FOUND", expr.at,
             fmt::format("Unexpected parameters ({}) for function {}. Expected: {}(E) E:orderable",
                         types, name, name));
      }
      common = *next;
    }
    std::string items, nulls;
    for (const Value& one : values) {
      const std::string sql = coerce(one, common).sql;
      items += (items.empty() ? "" : ", ") + sql;
      nulls += (nulls.empty() ? "" : " OR ") + sql + " IS NULL";
    }
    return {common, fmt::format("CASE WHEN {} THEN NULL ELSE {}({}) END", nulls, name, items)};
  }
  if (name == "typeof" && count == 1) {
    const std::string text = to_string(argument(0).type);
    return {Type::varchar(), quote_text(text)};
  }
  if (name == "format" && count >= 1) {
    const Value pattern = argument(0);
    std::string items = pattern.sql;
    for (size_t i = 1; i < count; ++i) items += ", " + argument(i).sql;
    return {Type::varchar(), fmt::format("printf({})", items)};
  }
  if ((name == "now" || name == "current_timestamp") && count == 0) {
    Expr moment{.op = Op::current, .at = expr.at, .text = "CURRENT_TIMESTAMP"};
    return current(moment);
  }
  if (name == "concat" && count > 0) {
    Value left = argument(0);
    if (left.type.is_text() || left.type.is(Kind::unknown)) {
      std::string joined;
      bool all = true;
      std::string types;
      for (size_t i = 0; i < count; ++i) {
        const Value one = argument(i);
        all = all && (one.type.is_text() || one.type.is(Kind::unknown));
        types += (i > 0 ? ", " : "") + to_string(one.type);
        if (all) joined += (i > 0 ? " || " : "") + coerce(one, Type::varchar()).sql;
      }
      if (!all)
        fail("FUNCTION_NOT_FOUND", expr.at,
             fmt::format("Unexpected parameters ({}) for function concat. Expected: {}", types,
                         expected_signatures("concat")));
      return {Type::varchar(), "(" + joined + ")"};
    }
  }
  if ((name == "at_timezone" || name == "with_timezone") && count == 2 &&
      expr.args[1]->op == Op::text) {
    const Value value = argument(0);
    const std::string& zone = expr.args[1]->text;
    if (name == "at_timezone" && value.type.is(Kind::timestamp_zoned)) return in_zone(value, zone);
    if (name == "with_timezone" && (value.type.is(Kind::timestamp) || value.type.is(Kind::date)))
      return in_zone(
          {Type(Kind::timestamp_zoned, value.type.precision),
           fmt::format("timezone({}, CAST({} AS TIMESTAMP))", zone_text(zone), value.sql)},
          zone);
  }
  if ((name == "format_datetime" || name == "parse_datetime") && count == 2 &&
      expr.args[1]->op == Op::text) {
    const Value value = argument(0);
    const std::optional<std::string> format = rewritten_joda(expr.args[1]->text);
    if (format && name == "format_datetime" &&
        (value.type.is(Kind::timestamp) || value.type.is(Kind::timestamp_zoned) ||
         value.type.is(Kind::date)))
      return {Type::varchar(),
              fmt::format("strftime({}, {})",
                          value.type.is(Kind::timestamp_zoned) ? wall_clock(value).sql : value.sql,
                          quote_text(*format))};
    if (format && name == "parse_datetime" && value.type.is_text())
      return {Type(Kind::timestamp_zoned, 3),
              fmt::format("timezone('UTC', CASE WHEN {0} IS NULL THEN NULL WHEN try_strptime({0}, "
                          "{1}) IS NULL THEN error('INVALID_FUNCTION_ARGUMENT: Invalid format: \"' "
                          "|| {0} || '\"') ELSE try_strptime({0}, {1}) END)",
                          value.sql, quote_text(*format))};
  }
  if ((name == "date_format" || name == "date_parse") && count == 2) {
    const Value value = argument(0);
    if (expr.args[1]->op == Op::text) {
      const std::optional<std::string> format = rewritten_format(expr.args[1]->text);
      if (format && name == "date_format" &&
          (value.type.is(Kind::timestamp) || value.type.is(Kind::timestamp_zoned) ||
           value.type.is(Kind::date)))
        return {
            Type::varchar(),
            fmt::format("strftime({}, {})",
                        value.type.is(Kind::timestamp_zoned) ? wall_clock(value).sql : value.sql,
                        quote_text(*format))};
      if (format && name == "date_parse" && value.type.is_text())
        return {Type(Kind::timestamp, 3),
                fmt::format("strptime({}, {})", value.sql, quote_text(*format))};
    }
  }
  handled = false;
  return {};
}

Value Analyzer::lambda_body(const Expr& lambda, const std::vector<Type>& inputs,
                            const Scope& scope) {
  Scope inner;
  inner.outer = &scope;
  inner.grouping = nullptr;
  std::string names;
  for (size_t i = 0; i < lambda.names.size(); ++i) {
    const std::string name = fmt::format("x{}", lambdas_++);
    inner.lambda[lower(lambda.names[i].text)] = {i < inputs.size() ? inputs[i] : Type(), name};
    names += (names.empty() ? "" : ", ") + name;
  }
  const Value body = expression(*lambda.args[0], inner);
  return {body.type, fmt::format("lambda {}: {}", names, body.sql)};
}

// `scope` is where the call stands; its arguments are analyzed in `argument_scope`.
Value Analyzer::function(const Expr& expr, const std::string& name, const Scope& scope,
                         const Scope& argument_scope) {
  (void)scope;
  std::vector<Argument> arguments;
  std::vector<Value> values;
  const bool star = expr.args.size() == 1 && expr.args[0]->op == Op::star;
  if (star && name != "count")
    fail("FUNCTION_NOT_FOUND", expr.at,
         fmt::format("Unexpected parameters (*) for function {}. Expected: {}", name,
                     expected_signatures(name)));
  if (!star)
    for (const ExprPtr& one : expr.args) {
      Argument made;
      if (one->op == Op::lambda) {
        made.lambda_parameters = one->names.size();
        made.body = [this, one, &argument_scope](const std::vector<Type>& inputs) {
          return lambda_body(*one, inputs, argument_scope).type;
        };
        values.emplace_back();
      } else {
        values.push_back(expression(*one, argument_scope));
        made.type = values.back().type;
      }
      arguments.push_back(std::move(made));
    }
  // What asks for clock or calendar asks for those of the moment's zone.
  std::string zone;
  if (is_one_of(name, {"year",
                       "month",
                       "day",
                       "hour",
                       "minute",
                       "second",
                       "millisecond",
                       "quarter",
                       "week",
                       "week_of_year",
                       "day_of_week",
                       "dow",
                       "day_of_year",
                       "doy",
                       "year_of_week",
                       "yow",
                       "day_of_month",
                       "date",
                       "last_day_of_month",
                       "date_trunc"}))
    for (size_t i = 0; i < values.size(); ++i) {
      if (!values[i].type.is(Kind::timestamp_zoned) || values[i].type.zone.empty()) continue;
      zone = values[i].type.zone;
      values[i] = wall_clock(values[i]);
      arguments[i].type = values[i].type;
    }
  const std::optional<Resolved> found = resolve_function(name, arguments);
  if (!found) {
    std::string types;
    for (const Argument& one : arguments)
      types += (types.empty() ? "" : ", ") + (one.type ? signature_text(*one.type) : "<function>");
    fail("FUNCTION_NOT_FOUND", expr.at,
         fmt::format("Unexpected parameters ({}) for function {}. Expected: {}", types, name,
                     expected_signatures(name)));
  }
  std::vector<std::string> texts;
  std::vector<Type> types;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments[i].type) {
      texts.push_back(lambda_body(*expr.args[i], found->lambda_inputs[i], argument_scope).sql);
      types.emplace_back(Kind::function);
      continue;
    }
    const Value coerced = coerce(values[i], found->parameters[i]);
    texts.push_back(coerced.sql);
    types.push_back(found->parameters[i]);
  }
  if ((name == "json_extract" || name == "json_extract_scalar" || name == "json_size") &&
      texts.size() == 2 && expr.args[1]->op == Op::text) {
    const std::optional<std::string> path = rewritten_path(expr.args[1]->text);
    if (!path)
      fail("INVALID_FUNCTION_ARGUMENT", {0, 0},
           fmt::format("Invalid JSON path: '{}'", expr.args[1]->text));
    texts[1] = quote_text(*path);
  }
  // A unit that is no unit.
  if ((name == "date_trunc" || name == "date_add" || name == "date_diff") && !expr.args.empty() &&
      expr.args[0]->op == Op::text && types.size() > 1) {
    const std::string unit = lower(expr.args[0]->text);
    const Type& moment = types.back();
    const bool day = is_one_of(unit, {"day", "week", "month", "quarter", "year"});
    const bool clock = is_one_of(unit, {"millisecond", "second", "minute", "hour"});
    const bool dated = moment.is(Kind::date);
    const bool timed = moment.is(Kind::time) || moment.is(Kind::time_zoned);
    if (dated ? !day : timed ? !clock : !day && !clock)
      fail("INVALID_FUNCTION_ARGUMENT", {0, 0},
           fmt::format("'{}' is not a valid {} field", unit,
                       dated   ? "DATE"
                       : timed ? "Time"
                               : "Timestamp"));
  }
  if (name == "random" || name == "rand" || name == "uuid" || name == "shuffle")
    deterministic = false;
  // Lambdas that are called twice are written twice.
  const auto apply = [&](size_t lambda, const std::string& item) {
    return fmt::format("list_transform([{}], {})[1]", item, texts[lambda]);
  };
  Value made{found->result, ""};
  if (name == "all_match" || name == "any_match" || name == "none_match") {
    const std::string any = fmt::format(
        "CASE WHEN len(list_filter({0}, {1})) > 0 THEN true WHEN "
        "len(list_filter(list_transform({0}, {1}), lambda z: z IS NULL)) > 0 THEN NULL WHEN {0} IS "
        "NOT NULL THEN false END",
        texts[0], texts[1]);
    if (name == "any_match")
      made.sql = any;
    else if (name == "none_match")
      made.sql = fmt::format("(NOT ({}))", any);
    else
      made.sql = fmt::format(
          "CASE WHEN len(list_filter(list_transform({0}, {1}), lambda z: NOT z)) > 0 THEN false "
          "WHEN len(list_filter(list_transform({0}, {1}), lambda z: z IS NULL)) > 0 THEN NULL WHEN "
          "{0} IS NOT NULL THEN true END",
          texts[0], texts[1]);
  } else if (name == "reduce") {
    const std::string state = fmt::format("list_reduce({}, {}, {})", texts[0], texts[2], texts[1]);
    made.sql = apply(3, state);
  } else if (name == "reduce_agg") {
    made.sql = fmt::format("list_reduce(list({0}) FILTER (WHERE {0} IS NOT NULL), {1}, {2})",
                           texts[0], texts[2], texts[1]);
  } else if (name == "zip_with") {
    const std::string& text = texts[2];
    const size_t colon = text.find(':');
    const std::string names = text.substr(7, colon - 7);
    const size_t comma = names.find(", ");
    made.sql = fmt::format(
        "CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN list_transform(list_zip({0}, {1}), "
        "lambda p: invoke(lambda {2}, {3}: {4}, p[1], p[2])) END",
        texts[0], texts[1], names.substr(0, comma), names.substr(comma + 2),
        text.substr(colon + 2));
  } else if (name == "map_filter" || name == "transform_keys" || name == "transform_values") {
    const std::string call = fmt::format("list_zip(map_keys({0}), map_values({0}))", texts[0]);
    // A lambda of two parameters, over pairs.
    const std::string body =
        lambda_body(*expr.args[1], found->lambda_inputs[1], argument_scope).sql;
    const size_t colon = body.find(':');
    const std::string names = body.substr(7, colon - 7);
    const size_t comma = names.find(", ");
    const std::string key = names.substr(0, comma);
    const std::string value = names.substr(comma + 2);
    const std::string text = body.substr(colon + 2);
    const std::string bound = fmt::format(
        "list_transform([p[1]], lambda {}: list_transform([p[2]], lambda {}: {})[1])[1]", key,
        value, text);
    if (name == "map_filter")
      made.sql = fmt::format("map_from_entries(list_filter({}, lambda p: {}))", call, bound);
    else if (name == "transform_values")
      made.sql =
          fmt::format("map_from_entries(list_transform({}, lambda p: (p[1], {})))", call, bound);
    else
      made.sql =
          fmt::format("map_from_entries(list_transform({}, lambda p: ({}, p[2])))", call, bound);
  } else {
    const std::string recipe = function_recipe(name, types, found->result);
    if (recipe.empty())
      fail("NOT_SUPPORTED", expr.at, fmt::format("Function {} is not served yet", name));
    if (star) texts = {"*"};
    made.sql = fill(recipe, texts, found->result);
  }
  if (name == "date_trunc" && !zone.empty())
    return in_zone({Type(Kind::timestamp_zoned, found->result.precision),
                    fmt::format("timezone({}, {})", zone_text(zone), made.sql)},
                   zone);
  // A step keeps the zone.
  if (name == "date_add" && values.size() == 3 && values[2].type.is(Kind::timestamp_zoned))
    made.type.zone = values[2].type.zone;
  // What DuckDB counts in other widths comes back in Trino's.
  if (found->kind == FunctionKind::scalar && found->result.is(Kind::bigint) &&
      !made.sql.starts_with("CAST(") && name != "if")
    made.sql = fmt::format("CAST({} AS BIGINT)", made.sql);
  return made;
}
}  // namespace laketap::sql
