// Calls: special forms, functions, aggregates, windows, lambdas.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analyzer.h"

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

// MySQL's letters (date_format, date_parse) to DuckDB's; nothing for letters that Trino refuses.
std::optional<std::string> rewritten_format(const std::string& format) {
  static const std::map<char, const char*> kLetters{
      {'a', "%a"}, {'b', "%b"},          {'c', "%-m"}, {'d', "%d"}, {'e', "%-d"},
      {'f', "%f"}, {'H', "%H"},          {'h', "%I"},  {'I', "%I"}, {'i', "%M"},
      {'j', "%j"}, {'k', "%-H"},         {'l', "%-I"}, {'M', "%B"}, {'m', "%m"},
      {'p', "%p"}, {'r', "%I:%M:%S %p"}, {'S', "%S"},  {'s', "%S"}, {'T', "%H:%M:%S"},
      {'v', "%V"}, {'W', "%A"},          {'x', "%G"},  {'Y', "%Y"}, {'y', "%y"},
      {'%', "%%"}};
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    const auto found = kLetters.find(format[++i]);
    if (found != kLetters.end()) {
      out += found->second;
    } else if (std::string_view("DUuVwX").find(format[i]) != std::string_view::npos) {
      return std::nullopt;
    } else {
      out += format[i];
    }
  }
  return out;
}

// Joda's letters (format_datetime, parse_datetime) to DuckDB's; nothing for what has no twin there.
std::optional<std::string> rewritten_joda(const std::string& format) {
  static const std::map<std::string, const char*> kLetters{
      {"yyyy", "%Y"}, {"YYYY", "%Y"}, {"y", "%Y"},  {"yy", "%y"},  {"YY", "%y"}, {"MMMM", "%B"},
      {"MMM", "%b"},  {"MM", "%m"},   {"M", "%-m"}, {"dd", "%d"},  {"d", "%-d"}, {"DDD", "%j"},
      {"D", "%-j"},   {"HH", "%H"},   {"H", "%-H"}, {"hh", "%I"},  {"h", "%-I"}, {"mm", "%M"},
      {"m", "%-M"},   {"ss", "%S"},   {"s", "%-S"}, {"SSS", "%g"}, {"a", "%p"},  {"EEEE", "%A"},
      {"EEE", "%a"},  {"EE", "%a"},   {"E", "%a"},  {"e", "%u"},   {"ww", "%V"}, {"xxxx", "%G"}};
  std::string out;
  for (size_t i = 0; i < format.size();) {
    const char c = format[i];
    if (c == '\'') {  // 'text', and '' for a quote.
      if (i + 1 < format.size() && format[i + 1] == '\'') {
        out += '\'';
        i += 2;
        continue;
      }
      const size_t end = format.find('\'', i + 1);
      if (end == std::string::npos) return std::nullopt;
      out += format.substr(i + 1, end - i - 1);
      i = end + 1;
    } else if (std::isalpha(static_cast<unsigned char>(c))) {
      size_t end = i;
      while (end < format.size() && format[end] == c) ++end;
      const auto found = kLetters.find(format.substr(i, end - i));
      if (found == kLetters.end()) return std::nullopt;
      out += found->second;
      i = end;
    } else {
      out += c == '%' ? std::string("%%") : std::string(1, c);
      ++i;
    }
  }
  return out;
}

// Trino's JSON path ($.a["b c"][0]) in DuckDB's spelling; nothing when it is none.
std::optional<std::string> rewritten_path(const std::string& path) {
  if (path.empty() || path[0] != '$') return std::nullopt;
  std::string out = "$";
  const auto is_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  for (size_t i = 1; i < path.size();) {
    size_t end = i + 1;
    if (path[i] == '.') {
      while (end < path.size() && is_name(path[end])) ++end;
      if (end == i + 1) return std::nullopt;
      out += ".\"" + path.substr(i + 1, end - i - 1) + "\"";
      i = end;
    } else if (path[i] == '[' && end < path.size() && path[end] == '"') {
      const size_t close = path.find('"', end + 1);
      if (close == std::string::npos || close + 1 >= path.size() || path[close + 1] != ']')
        return std::nullopt;
      out += "." + path.substr(end, close + 1 - end);
      i = close + 2;
    } else if (path[i] == '[') {
      while (end < path.size() && std::isdigit(static_cast<unsigned char>(path[end]))) ++end;
      if (end == i + 1 || end >= path.size() || path[end] != ']') return std::nullopt;
      out += path.substr(i, end + 1 - i);
      i = end + 1;
    } else {
      return std::nullopt;
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
