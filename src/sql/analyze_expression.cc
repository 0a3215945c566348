// Expressions but calls and casts.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analyzer.h"

namespace laketap::sql {
namespace {

bool any(const Expr& expr, bool (*test)(const Expr&)) {
  if (test(expr)) return true;
  for (const ExprPtr& one : expr.args)
    if (one && any(*one, test)) return true;
  for (const SortItem& item : expr.order_by)
    if (any(*item.key, test)) return true;
  if (expr.filter && any(*expr.filter, test)) return true;
  if (expr.over) {
    for (const ExprPtr& one : expr.over->partition_by)
      if (any(*one, test)) return true;
    for (const SortItem& item : expr.over->order_by)
      if (any(*item.key, test)) return true;
  }
  return false;
}

// Integer arithmetic checks its own range by DuckDB's own error; nothing to add.
std::string arithmetic_text(const std::string& op, const Value& a, const Value& b,
                            const Type& type) {
  if (op == "/" && type.is_integer()) return fmt::format("({} // {})", a.sql, b.sql);
  return fmt::format("({} {} {})", a.sql, op, b.sql);
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

std::string quote_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\0') {  // DuckDB's text literals end at NUL.
      out += "' || chr(0) || '";
      continue;
    }
    out += c == '\'' ? std::string("''") : std::string(1, c);
  }
  out += "'";
  return out.find("chr(0)") == std::string::npos ? out : "(" + out + ")";
}

std::string quote_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

bool has_aggregate(const Expr& expr) {
  return any(expr, [](const Expr& one) {
    return one.op == Op::call && !one.over &&
           (is_aggregate(lower(one.text)) || lower(one.text) == "grouping" ||
            lower(one.text) == "listagg");
  });
}
bool has_window(const Expr& expr) {
  return any(expr, [](const Expr& one) { return one.op == Op::call && one.over; });
}

std::vector<const Expr*> beyond_a_row(const Expr& expr) {
  const std::string name = expr.op == Op::call ? lower(expr.text) : "";
  if (expr.op == Op::call &&
      (expr.over || is_aggregate(name) || name == "grouping" || name == "listagg"))
    return {&expr};
  std::vector<const Expr*> out;
  for (const ExprPtr& one : expr.args)
    if (one) std::ranges::copy(beyond_a_row(*one), std::back_inserter(out));
  return out;
}

void Analyzer::expect_scalar(const Expr& expr, const char* clause) const {
  const std::vector<const Expr*> found = beyond_a_row(expr);
  if (found.empty()) return;
  std::string shown;
  for (const Expr* one : found) shown += (shown.empty() ? "" : ", ") + show(*one);
  fail("EXPRESSION_NOT_SCALAR", found.front()->at,
       fmt::format("{} cannot contain aggregations, window functions or grouping operations: [{}]",
                   clause, shown));
}

std::string struct_field(const Type& row, size_t index) {
  return quote_name(row.names[index] ? *row.names[index] : fmt::format("field{}", index));
}

static std::string show_window(const Window& window) {
  if (window.base && window.partition_by.empty() && window.order_by.empty())
    return window.base->text;
  std::string out;
  for (const ExprPtr& one : window.partition_by)
    out += (out.empty() ? "PARTITION BY " : ", ") + show(*one);
  bool first = true;
  for (const SortItem& item : window.order_by) {
    out += first ? (out.empty() ? "ORDER BY " : " ORDER BY ") : ", ";
    out += show(*item.key) + (item.descending ? " DESC" : " ASC") +
           (item.nulls_first ? (*item.nulls_first ? " NULLS FIRST" : " NULLS LAST") : "");
    first = false;
  }
  return "(" + out + ")";
}

std::string show(const Expr& expr) {
  const auto list = [&] {
    std::string out;
    for (size_t i = 0; i < expr.args.size(); ++i) out += (i > 0 ? ", " : "") + show(*expr.args[i]);
    return out;
  };
  switch (expr.op) {
    case Op::identifier: return expr.names.front().quoted ? quote_name(expr.text) : expr.text;
    case Op::dereference: return show(*expr.args[0]) + "." + expr.text;
    case Op::text: return quote_text(expr.text);
    case Op::integer:
    case Op::decimal:
    case Op::floating:
    case Op::boolean: return expr.text;
    case Op::null: return "null";
    case Op::star: return "*";
    case Op::arithmetic:
    case Op::compare:
      return fmt::format("({} {} {})", show(*expr.args[0]), expr.text, show(*expr.args[1]));
    case Op::logical_and:
    case Op::logical_or: {
      std::string out;
      for (const ExprPtr& one : expr.args)
        out += (out.empty() ? "" : " " + expr.text + " ") + show(*one);
      return "(" + out + ")";
    }
    case Op::row: return fmt::format("ROW ({})", list());
    case Op::call:
      return fmt::format("{}({}{}){}", expr.text, expr.distinct ? "DISTINCT " : "", list(),
                         expr.over ? " OVER " + show_window(*expr.over) : "");
    case Op::cast: return fmt::format("CAST({} AS {})", show(*expr.args[0]), expr.text);
    default: return list();
  }
}

Value Analyzer::expression(const Expr& expr, const Scope& scope) {
  // Lambdas are read more than once and recipes repeat their arguments: nested, both grow without
  // bound.
  if (++steps_ > kStepsMax) fail("NOT_SUPPORTED", expr.at, "statement is too large");
  Value made = checked_expression(expr, scope);
  printed_bytes_ += made.sql.size();
  if (made.sql.size() > kTextMax || printed_bytes_ > kPrintedMax)
    fail("NOT_SUPPORTED", expr.at, "statement is too large");
  return made;
}

Value Analyzer::checked_expression(const Expr& expr, const Scope& scope) {
  if (!scope.grouping) return operation(expr, scope);
  // Over an aggregation: a whole expression that is a key, an aggregate, or made of these.
  Grouping& grouping = *scope.grouping;
  if (!has_aggregate(expr) && !has_window(expr) && expr.op != Op::scalar_query &&
      expr.op != Op::in_query && expr.op != Op::exists && expr.op != Op::lambda) {
    Scope source = scope;
    source.grouping = nullptr;
    const bool is_column = expr.op == Op::identifier || expr.op == Op::dereference;
    const size_t parameter = parameter_;
    const Value plain = operation(expr, source);
    for (size_t i = 0; i < grouping.keys.size(); ++i)
      if (grouping.keys[i].sql == plain.sql)
        return {plain.type, fmt::format("{}.g{}", grouping.relation, i)};
    if (is_column) {
      // A column of an outer query, or a lambda's parameter, is no column of this one.
      const bool own = std::ranges::any_of(scope.fields,
                                           [&](const Field& field) {
                                             return plain.sql.starts_with(field.sql) &&
                                                    (plain.sql.size() == field.sql.size() ||
                                                     plain.sql[field.sql.size()] == '.' ||
                                                     plain.sql[field.sql.size()] == '[');
                                           }) ||
                       std::ranges::any_of(scope.fields, [&](const Field& field) {
                         return plain.sql.find("(" + field.sql + ")") != std::string::npos;
                       });
      if (!own) return plain;
      if (expr.op == Op::dereference) {
        // x.y where x itself is a key.
        const Expr& base = *expr.args[0];
        if (base.op == Op::identifier || base.op == Op::dereference) {
          Scope again = scope;
          try {
            Value inner = expression(base, again);
            return field_of(expr, std::move(inner), expr.names.front());
          } catch (const Thrown&) {
          }
        }
      }
      fail("EXPRESSION_NOT_AGGREGATE", expr.at,
           fmt::format("'{}' must be an aggregate expression or appear in GROUP BY clause",
                       show(expr)));
    }
    parameter_ = parameter;  // It is analyzed once more, part by part.
  }
  return operation(expr, scope);
}

Value Analyzer::boolean(const Expr& expr, const Scope& scope, const char* message) {
  Value value = expression(expr, scope);
  if (value.type.is(Kind::unknown)) return {Type(Kind::boolean), "CAST(NULL AS BOOLEAN)"};
  if (!value.type.is(Kind::boolean))
    fail("TYPE_MISMATCH", expr.at, fmt::format(fmt::runtime(message), to_string(value.type)));
  return value;
}

Value Analyzer::operation(const Expr& expr, const Scope& scope) {
  switch (expr.op) {
    case Op::null:
    case Op::boolean:
    case Op::text:
    case Op::binary:
    case Op::integer:
    case Op::decimal:
    case Op::floating: return literal(expr);
    case Op::typed_literal: return typed_literal(expr, expr.text, expr.args[0]->text);
    case Op::interval: return interval(expr);
    case Op::parameter: {
      if (parameter_ >= session_.parameters.size())
        fail("INVALID_PARAMETER_USAGE", expr.at,
             fmt::format("Incorrect number of parameters: expected at least {} but found {}",
                         parameter_ + 1, session_.parameters.size()));
      const std::string& text = session_.parameters[parameter_++];
      // An expression without names stands for itself; anything else is a text.
      const auto tokens = tokenize(text);
      if (tokens) {
        try {
          Parser parser(*tokens, text);
          const ExprPtr parsed = parser.whole_expression();
          Scope none;
          return operation(*parsed, none);
        } catch (const Thrown&) {
        }
      }
      return {Type::varchar(static_cast<int>(text.size())), quote_text(text)};
    }
    case Op::identifier: return identifier(expr, scope);
    case Op::dereference: return dereference(expr, scope);
    case Op::subscript: return subscript(expr, scope);
    case Op::call: return call(expr, scope);
    case Op::cast:
    case Op::try_cast: return cast(expr, scope);
    case Op::searched_case:
    case Op::simple_case: return case_of(expr, scope);
    case Op::between: {
      const Value value = expression(*expr.args[0], scope);
      const Value low = expression(*expr.args[1], scope);
      const Value high = expression(*expr.args[2], scope);
      std::optional<Type> common = common_type(value.type, low.type);
      if (common) common = common_type(*common, high.type);
      if (!common || !is_orderable(*common))
        fail("TYPE_MISMATCH", expr.at,
             fmt::format("Cannot check if {} is BETWEEN {} and {}", to_string(value.type),
                         to_string(low.type), to_string(high.type)));
      return {Type(Kind::boolean),
              fmt::format("({} {}BETWEEN {} AND {})", coerce(value, *common).sql,
                          expr.negated ? "NOT " : "", coerce(low, *common).sql,
                          coerce(high, *common).sql)};
    }
    case Op::in_list: return in_list(expr, scope);
    case Op::like: {
      const Value value = expression(*expr.args[0], scope);
      if (!value.type.is_text() && !value.type.is(Kind::unknown))
        fail("TYPE_MISMATCH", expr.args[0]->at,
             fmt::format("Left side of LIKE expression must evaluate to a varchar (actual: {})",
                         to_string(value.type)));
      const Value pattern = expression(*expr.args[1], scope);
      if (!pattern.type.is_text() && !pattern.type.is(Kind::unknown))
        fail("TYPE_MISMATCH", expr.args[1]->at,
             fmt::format("Pattern for LIKE expression must evaluate to a varchar (actual: {})",
                         to_string(pattern.type)));
      std::string escape;
      if (expr.args.size() > 2) escape = " ESCAPE " + expression(*expr.args[2], scope).sql;
      return {Type(Kind::boolean), fmt::format("({} {}LIKE {}{})", value.sql,
                                               expr.negated ? "NOT " : "", pattern.sql, escape)};
    }
    case Op::is_null:
      return {Type(Kind::boolean),
              fmt::format("({} IS {}NULL)", expression(*expr.args[0], scope).sql,
                          expr.negated ? "NOT " : "")};
    case Op::is_distinct:
    case Op::compare: return compare(expr, scope);
    case Op::in_query:
    case Op::exists:
    case Op::scalar_query:
    case Op::quantified: return subquery(expr, scope);
    case Op::arithmetic:
      return expr.text == "||" ? concatenation(expr, scope) : arithmetic(expr, scope);
    case Op::negate: {
      const Value value = expression(*expr.args[0], scope);
      if (!value.type.is_numeric() && !value.type.is(Kind::unknown) &&
          !value.type.is(Kind::interval_day) && !value.type.is(Kind::interval_year))
        fail("TYPE_MISMATCH", expr.at, fmt::format("Cannot negate {}", to_string(value.type)));
      return {value.type, fmt::format("(-{})", value.sql)};
    }
    case Op::plus: {
      Value value = expression(*expr.args[0], scope);
      if (!value.type.is_integer() && !value.type.is_floating())
        fail("TYPE_MISMATCH", expr.at,
             fmt::format("Unary '+' operator cannot by applied to {} type", to_string(value.type)));
      return value;
    }
    case Op::logical_and:
    case Op::logical_or: {
      const char* message = "Logical expression term must evaluate to a boolean (actual: {})";
      std::string terms;
      for (const ExprPtr& one : expr.args)
        terms += (terms.empty() ? "" : " " + expr.text + " ") + boolean(*one, scope, message).sql;
      return {Type(Kind::boolean), "(" + terms + ")"};
    }
    case Op::logical_not:
      return {Type(Kind::boolean),
              fmt::format(
                  "(NOT {})",
                  boolean(*expr.args[0], scope,
                          "Value of logical NOT expression must evaluate to a boolean (actual: {})")
                      .sql)};
    case Op::array: {
      std::vector<Value> values;
      std::optional<Type> common = Type();
      for (const ExprPtr& one : expr.args) {
        values.push_back(expression(*one, scope));
        std::optional<Type> next = common_type(*common, values.back().type);
        if (!next)
          fail("TYPE_MISMATCH", one->at,
               fmt::format(
                   "All ARRAY elements must be the same type or coercible to a common type. Cannot "
                   "find common type between {} and {}, all types (without duplicates): [{}, {}]",
                   to_string(*common), to_string(values.back().type), to_string(*common),
                   to_string(values.back().type)));
        common = next;
      }
      std::string items;
      for (const Value& one : values)
        items += (items.empty() ? "" : ", ") + coerce(one, *common).sql;
      const Type type = Type::array_of(*common);
      return {type, values.empty() ? fmt::format("CAST([] AS {})", duckdb_type(type))
                                   : fmt::format("[{}]", items)};
    }
    case Op::row: {
      Type type(Kind::row);
      std::string items;
      for (size_t i = 0; i < expr.args.size(); ++i) {
        const Value one = expression(*expr.args[i], scope);
        type.parts.push_back(one.type);
        type.names.emplace_back();
        items += fmt::format("{}field{} := {}", i > 0 ? ", " : "", i,
                             one.type.is(Kind::unknown) ? "CAST(NULL AS VARCHAR)" : one.sql);
      }
      return {type, fmt::format("struct_pack({})", items)};
    }
    case Op::lambda:
      fail("TYPE_MISMATCH", expr.at, "Lambda expression should always be used inside a function");
    case Op::at_time_zone: {
      const Value value = expression(*expr.args[0], scope);
      const Value zone = expression(*expr.args[1], scope);
      if (!value.type.is(Kind::timestamp_zoned) && !value.type.is(Kind::timestamp) &&
          !value.type.is(Kind::time_zoned))
        fail("TYPE_MISMATCH", expr.args[0]->at,
             fmt::format(
                 "Type of value must be a time or timestamp with or without time zone (actual {})",
                 to_string(value.type)));
      if (!zone.type.is_text())
        fail("TYPE_MISMATCH", expr.args[1]->at,
             fmt::format(
                 "Type of value must be a time or timestamp with or without time zone (actual {})",
                 to_string(zone.type)));
      if (value.type.is(Kind::time_zoned) || expr.args[1]->op != Op::text)
        fail("NOT_SUPPORTED", expr.at, "AT TIME ZONE is served for timestamps and constant zones");
      return in_zone(coerce(value, Type(Kind::timestamp_zoned, value.type.precision)),
                     expr.args[1]->text);
    }
    case Op::extract: return extract(expr, scope);
    case Op::current: return current(expr);
    case Op::star: break;
  }
  fail("SYNTAX_ERROR", expr.at, "unexpected expression");
}

Value Analyzer::literal(const Expr& expr) {
  switch (expr.op) {
    case Op::null: return {Type(), "NULL"};
    case Op::boolean: return {Type(Kind::boolean), expr.text};
    case Op::text: {
      const auto length =
          std::ranges::count_if(expr.text, [](unsigned char c) { return (c & 0xc0) != 0x80; });
      return {Type::varchar(static_cast<int>(length)), quote_text(expr.text)};
    }
    case Op::binary: {
      std::string digits;
      for (const char c : expr.text)
        if (!std::isspace(static_cast<unsigned char>(c))) digits += c;
      if (digits.size() % 2 != 0)
        fail("SYNTAX_ERROR", expr.at, "Binary literal must contain an even number of digits");
      if (!std::ranges::all_of(digits, [](unsigned char c) { return std::isxdigit(c) != 0; }))
        fail("SYNTAX_ERROR", expr.at, "Binary literal can only contain hexadecimal digits");
      return {Type(Kind::varbinary), fmt::format("unhex('{}')", digits)};
    }
    case Op::integer: {
      const bool negative = expr.text.starts_with('-');
      std::string digits = expr.text.substr(negative ? 1 : 0);
      digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
      const std::string_view largest = negative ? "9223372036854775808" : "9223372036854775807";
      if (digits.size() > 19 || (digits.size() == 19 && digits > largest))
        fail("SYNTAX_ERROR", {1, 1}, "Invalid numeric literal: " + expr.text);
      const bool small = digits.size() < 10 || (digits.size() == 10 &&
                                                digits <= (negative ? "2147483648" : "2147483647"));
      return {Type(small ? Kind::integer : Kind::bigint),
              fmt::format("CAST({}{} AS {})", negative ? "-" : "", digits,
                          small ? "INTEGER" : "BIGINT")};
    }
    case Op::decimal: {
      const size_t dot = expr.text.find('.');
      const size_t sign = expr.text.starts_with('-') ? 1 : 0;
      std::string whole = expr.text.substr(sign, dot - sign);
      const std::string fraction = expr.text.substr(dot + 1);
      whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
      const int precision = std::max<int>(1, static_cast<int>(whole.size() + fraction.size()));
      if (precision > 38)
        fail("INVALID_LITERAL", expr.at,
             fmt::format("'{}' is not a valid decimal literal", expr.text));
      const Type type(Kind::decimal, precision, static_cast<int>(fraction.size()));
      return {type, fmt::format("CAST('{}' AS {})", expr.text, duckdb_type(type))};
    }
    default: return {Type(Kind::double_), fmt::format("CAST('{}' AS DOUBLE)", expr.text)};
  }
}

namespace {

// Begins with a day of the calendar: 2024-02-29, 2024-2-9.
bool is_day(std::string_view text) {
  int parts[3] = {0, 0, 0};
  size_t at = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  for (int i = 0; i < 3; ++i) {
    const size_t first = at;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) && at - first < 6)
      parts[i] = parts[i] * 10 + (text[at++] - '0');
    if (at == first) return false;
    if (i < 2 && (at >= text.size() || text[at++] != '-')) return false;
  }
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (parts[1] < 1 || parts[1] > 12 || parts[2] < 1) return false;
  const bool leap = (parts[0] % 4 == 0 && parts[0] % 100 != 0) || parts[0] % 400 == 0;
  return parts[2] <= kDays[parts[1] - 1] + (parts[1] == 2 && leap ? 1 : 0);
}

// Nothing, or begins with an hour and minute of a day.
bool is_clock(std::string_view text) {
  if (text.empty() || !std::isdigit(static_cast<unsigned char>(text[0]))) return true;
  int parts[3] = {0, 0, 0};
  size_t at = 0;
  for (int i = 0; i < 3; ++i) {
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) &&
           parts[i] < 1000)
      parts[i] = parts[i] * 10 + (text[at++] - '0');
    if (at >= text.size() || text[at] != ':') break;
    ++at;
  }
  return parts[0] < 24 && parts[1] < 60 && parts[2] < 60;
}

}  // namespace

Value Analyzer::typed_literal(const Expr& expr, const std::string& type_text,
                              const std::string& text) {
  const std::string name = lower(type_text);
  const auto invalid = [&] {
    fail("INVALID_LITERAL", expr.at,
         fmt::format("'{}' is not a valid {} literal", text,
                     name == "timestamp" || name == "date" || name == "time" || name == "decimal"
                         ? name
                         : type_text));
  };
  const auto digit = [&](size_t at) {
    return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]));
  };
  if (name == "date") {
    const auto parts = std::ranges::count(text, '-');
    if (parts < 2 || !is_day(text) || text.size() > 13) invalid();
    return {Type(Kind::date), fmt::format("CAST({} AS DATE)", quote_text(text))};
  }
  if (name == "timestamp") {
    const size_t space = text.find(' ');
    if (text.size() < 8 || !digit(0) || text.find('-') == std::string::npos) invalid();
    const size_t dot = text.find('.');
    int digits = 0;
    size_t end = text.size();
    if (dot != std::string::npos) {
      end = dot + 1;
      while (digit(end)) ++end, ++digits;
    } else if (space != std::string::npos) {
      end = space + 1;
      while (end < text.size() && (digit(end) || text[end] == ':')) ++end;
    }
    std::string zone = text.substr(std::min(end, text.size()));
    const bool zoned = zone.find_first_not_of(' ') != std::string::npos;
    if (digits > 12)
      fail("NUMERIC_VALUE_OUT_OF_RANGE", expr.at,
           fmt::format("TIMESTAMP precision must be in range [0, 12]: {}", digits));
    if (!is_day(text) || !is_clock(text.substr(std::min(
                             text.size(), space == std::string::npos ? text.size() : space + 1))))
      invalid();
    if (zoned) {
      // An offset stands right behind the time, Z is UTC.
      const std::string bare = zone.substr(zone.find_first_not_of(' '));
      const std::string clock = text.substr(0, end);
      const std::string said = bare == "Z"                        ? clock + "+00:00"
                               : bare[0] == '+' || bare[0] == '-' ? clock + bare
                                                                  : clock + " " + bare;
      return in_zone({Type(Kind::timestamp_zoned, digits),
                      fmt::format("CAST({} AS TIMESTAMPTZ)", quote_text(said))},
                     bare);
    }
    const Type type(zoned ? Kind::timestamp_zoned : Kind::timestamp, digits);
    return {type, fmt::format("CAST({} AS {})", quote_text(text), duckdb_type(type))};
  }
  if (name == "time") {
    const size_t dot = text.find('.');
    const int digits =
        dot == std::string::npos
            ? 0
            : static_cast<int>(text.find_first_not_of("0123456789", dot + 1) == std::string::npos
                                   ? text.size() - dot - 1
                                   : text.find_first_not_of("0123456789", dot + 1) - dot - 1);
    const bool zoned = text.find('+') != std::string::npos || text.find('-') != std::string::npos;
    if (!digit(0) || !is_clock(text)) invalid();
    if (digits > 12)
      fail("NUMERIC_VALUE_OUT_OF_RANGE", expr.at,
           fmt::format("TIME precision must be in range [0, 12]: {}", digits));
    const Type type(zoned ? Kind::time_zoned : Kind::time, digits);
    return {type, fmt::format("CAST({} AS {})", quote_text(text), duckdb_type(type))};
  }
  if (name == "decimal") {
    const bool negative = text.starts_with('-');
    std::string digits = text.substr(negative || text.starts_with('+') ? 1 : 0);
    const size_t dot = digits.find('.');
    std::string whole = digits.substr(0, dot);
    const std::string fraction = dot == std::string::npos ? "" : digits.substr(dot + 1);
    if ((whole + fraction).empty() || !std::ranges::all_of(whole + fraction, [](unsigned char c) {
          return std::isdigit(c) != 0;
        }))
      invalid();
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
    const int precision = std::max<int>(1, static_cast<int>(whole.size() + fraction.size()));
    if (precision > 38) invalid();
    const Type type(Kind::decimal, precision, static_cast<int>(fraction.size()));
    return {type, fmt::format("CAST({} AS {})", quote_text(text), duckdb_type(type))};
  }
  if (name == "json") {
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) invalid();
    return {Type(Kind::json), fmt::format("CAST(json_normalize({}) AS JSON)", quote_text(text))};
  }
  if (name == "boolean") {
    const std::string word = lower(text);
    if (word != "true" && word != "false" && word != "t" && word != "f" && word != "1" &&
        word != "0")
      invalid();
  }
  if (name == "tinyint" || name == "smallint" || name == "integer" || name == "int" ||
      name == "bigint") {
    const size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
    const std::string digits = text.substr(sign);
    if (digits.empty() || digits.size() > 19 ||
        digits.find_first_not_of("0123456789") != std::string::npos)
      invalid();
    const auto magnitude = std::stoull(digits);
    const uint64_t limit = name == "tinyint"    ? 127
                           : name == "smallint" ? 32767
                           : name == "bigint"   ? uint64_t{9223372036854775807}
                                                : 2147483647;
    if (magnitude > limit + (text[0] == '-' ? 1 : 0)) invalid();
  }
  if (name == "char") return {Type(Kind::char_, static_cast<int>(text.size())), quote_text(text)};
  if (name == "varchar") return {Type::varchar(), quote_text(text)};
  const std::optional<Type> type = from_trino(type_text);
  if (!type) fail("TYPE_NOT_FOUND", expr.at, "Unknown type: " + type_text);
  return cast_value({Type::varchar(), quote_text(text)}, *type, false, expr.at);
}

Value Analyzer::interval(const Expr& expr) {
  const std::string& text = expr.args[0]->text;
  const std::string sign = expr.negated ? "-" : "";
  const auto invalid = [&] {
    fail("INVALID_LITERAL", expr.at, fmt::format("'{}' is not a valid interval literal", text));
  };
  if (text.empty() || text.find_first_not_of("0123456789-:. ") != std::string::npos) invalid();
  const bool months = expr.text == "YEAR" || expr.text == "MONTH";
  const Type type(months ? Kind::interval_year : Kind::interval_day);
  if (expr.to_unit.empty()) {
    if (text.find_first_not_of("0123456789-.") != std::string::npos ||
        (expr.text != "SECOND" && text.find('.') != std::string::npos))
      invalid();
    static const std::map<std::string, const char*> kUnits{
        {"YEAR", "to_years(CAST({} AS INTEGER))"},
        {"MONTH", "to_months(CAST({} AS INTEGER))"},
        {"DAY", "to_days(CAST({} AS INTEGER))"},
        {"HOUR", "to_hours({})"},
        {"MINUTE", "to_minutes({})"},
        {"SECOND", "to_seconds({})"}};
    const std::string made = fmt::format(fmt::runtime(kUnits.at(expr.text)), text);
    return {type, sign.empty() ? made : "(-" + made + ")"};
  }
  if (months) {
    const size_t dash = text.find('-');
    if (dash == std::string::npos) invalid();
    return {type, fmt::format("({}to_months(CAST({} AS INTEGER) * 12 + CAST({} AS INTEGER)))", sign,
                              text.substr(0, dash), text.substr(dash + 1))};
  }
  // D HH:MM:SS in parts, from the first unit on.
  std::vector<std::string> parts(1);
  for (const char c : text)
    if (c == ' ' || c == ':')
      parts.emplace_back();
    else
      parts.back() += c;
  static const std::vector<std::string> kOrder{"DAY", "HOUR", "MINUTE", "SECOND"};
  static const std::vector<int64_t> kMicros{86'400'000'000, 3'600'000'000, 60'000'000, 1'000'000};
  const size_t first = static_cast<size_t>(std::ranges::find(kOrder, expr.text) - kOrder.begin());
  double micros = 0;
  for (size_t i = 0; i < parts.size() && first + i < kOrder.size(); ++i) {
    if (parts[i].empty()) invalid();
    micros += std::stod(parts[i]) * static_cast<double>(kMicros[first + i]);
  }
  return {type,
          fmt::format("to_microseconds(CAST({}{} AS BIGINT))", sign, static_cast<int64_t>(micros))};
}

// The chain of names of a.b.c, or nothing when the base is no name.
static std::optional<std::vector<Identifier>> chain_of(const Expr& expr) {
  if (expr.op == Op::identifier) return expr.names;
  if (expr.op != Op::dereference) return std::nullopt;
  std::optional<std::vector<Identifier>> base = chain_of(*expr.args[0]);
  if (base) base->push_back(expr.names.front());
  return base;
}

Value Analyzer::column(const std::vector<Identifier>& chain, const Expr& expr, const Scope& scope,
                       size_t& used) {
  const std::string first = lower(chain[0].text);
  for (const Scope* at = &scope; at; at = at->outer) {
    if (const auto found = at->lambda.find(first); found != at->lambda.end()) {
      used = 1;
      return found->second;
    }
    // The longest qualifier first: catalog.schema.table.column, ..., alias.column, column.
    for (size_t qualifiers = std::min<size_t>(chain.size() - 1, 3) + 1; qualifiers-- > 0;) {
      const std::string name = lower(chain[qualifiers].text);
      const Field* hit = nullptr;
      for (const Field& field : at->fields) {
        if (!field.name || lower(*field.name) != name || field.relation.size() < qualifiers)
          continue;
        bool same = true;
        for (size_t i = 0; i < qualifiers; ++i)
          same = same &&
                 field.relation[field.relation.size() - qualifiers + i] == lower(chain[i].text);
        if (!same) continue;
        if (hit) fail("AMBIGUOUS_NAME", expr.at, fmt::format("Column '{}' is ambiguous", name));
        hit = &field;
      }
      if (!hit) continue;
      note_columns(*hit);
      used = qualifiers + 1;
      // An outer query's column seen from within: over an aggregation it must be a key there.
      if (at != &scope && at->grouping) {
        for (size_t i = 0; i < at->grouping->keys.size(); ++i)
          if (at->grouping->keys[i].sql == hit->sql)
            return {hit->type, fmt::format("{}.g{}", at->grouping->relation, i)};
        fail("EXPRESSION_NOT_AGGREGATE", expr.at,
             fmt::format("'{}' must be an aggregate expression or appear in GROUP BY clause",
                         show(expr)));
      }
      return {hit->type, hit->sql};
    }
  }
  std::string shown;
  for (const Identifier& part : chain) shown += (shown.empty() ? "" : ".") + lower(part.text);
  fail("COLUMN_NOT_FOUND", expr.at, fmt::format("Column '{}' cannot be resolved", shown));
}

Value Analyzer::identifier(const Expr& expr, const Scope& scope) {
  size_t used = 0;
  return column(expr.names, expr, scope, used);
}

Value Analyzer::field_of(const Expr& expr, Value base, const Identifier& field) {
  if (!base.type.is(Kind::row))
    fail("TYPE_MISMATCH", expr.args[0]->at,
         fmt::format("Expression {} is not of type ROW", show(*expr.args[0])));
  const std::string wanted = lower(field.text);
  std::optional<size_t> hit;
  for (size_t i = 0; i < base.type.parts.size(); ++i) {
    if (!base.type.names[i] || lower(*base.type.names[i]) != wanted) continue;
    if (hit)
      fail("INVALID_COLUMN_REFERENCE", expr.at,
           fmt::format("Ambiguous row field reference: {}", field.text));
    hit = i;
  }
  if (!hit)
    fail("COLUMN_NOT_FOUND", expr.at,
         fmt::format("Column '{}' cannot be resolved", lower(show(expr))));
  return {base.type.parts[*hit],
          fmt::format("struct_extract({}, {})", base.sql,
                      quote_text(base.type.names[*hit] ? *base.type.names[*hit]
                                                       : fmt::format("field{}", *hit)))};
}

Value Analyzer::dereference(const Expr& expr, const Scope& scope) {
  const std::optional<std::vector<Identifier>> chain = chain_of(expr);
  if (!chain) return field_of(expr, expression(*expr.args[0], scope), expr.names.front());
  size_t used = 0;
  Value value = column(*chain, expr, scope, used);
  // The rest of the chain are fields; the nodes on the way give their places.
  std::vector<const Expr*> nodes;
  for (const Expr* at = &expr; at->op == Op::dereference; at = at->args[0].get())
    nodes.insert(nodes.begin(), at);
  for (size_t i = used; i < chain->size(); ++i)
    value = field_of(*nodes[i - 1], std::move(value), (*chain)[i]);
  return value;
}

Value Analyzer::subscript(const Expr& expr, const Scope& scope) {
  const Value base = expression(*expr.args[0], scope);
  const Value index = expression(*expr.args[1], scope);
  if (base.type.is(Kind::row)) {
    if (expr.args[1]->op != Op::integer)
      fail("EXPRESSION_NOT_CONSTANT", expr.args[1]->at,
           "Subscript expression on ROW requires a constant index");
    const int64_t at = std::stoll(expr.args[1]->text);
    if (at < 1 || at > static_cast<int64_t>(base.type.parts.size()))
      fail("INVALID_FUNCTION_ARGUMENT", expr.args[1]->at,
           fmt::format("ROW index out of bounds: {}", at));
    const size_t i = static_cast<size_t>(at - 1);
    return {base.type.parts[i],
            fmt::format(
                "struct_extract({}, {})", base.sql,
                quote_text(base.type.names[i] ? *base.type.names[i] : fmt::format("field{}", i)))};
  }
  if (base.type.is(Kind::array)) {
    if (!index.type.is_integer() && !index.type.is(Kind::unknown))
      fail("TYPE_MISMATCH", expr.at,
           fmt::format("Cannot use {} for subscript of {}", to_string(index.type),
                       to_string(base.type)));
    return {base.type.parts[0],
            fmt::format("CASE WHEN {1} = 0 THEN error('SQL array indices start at 1') WHEN {1} < 0 "
                        "THEN error('Array subscript is negative: ' || {1}) WHEN {1} > len({0}) "
                        "THEN error('Array subscript must be less than or equal to array length: ' "
                        "|| {1} || ' > ' || len({0})) ELSE ({0})[{1}] END",
                        base.sql, index.sql)};
  }
  if (base.type.is(Kind::map)) {
    if (!can_coerce(index.type, base.type.parts[0]))
      fail("TYPE_MISMATCH", expr.at,
           fmt::format("Cannot use {} for subscript of {}", to_string(index.type),
                       to_string(base.type)));
    const std::string key = coerce(index, base.type.parts[0]).sql;
    return {
        base.type.parts[1],
        fmt::format(
            "CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL WHEN NOT map_contains({0}, {1}) THEN "
            "error('Key not present in map: ' || CAST({1} AS VARCHAR)) ELSE ({0})[{1}] END",
            base.sql, key)};
  }
  fail("TYPE_MISMATCH", expr.args[0]->at,
       fmt::format("Cannot use subscript on {}", to_string(base.type)));
}

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

Value Analyzer::case_of(const Expr& expr, const Scope& scope) {
  const bool simple = expr.op == Op::simple_case;
  size_t at = 0;
  std::optional<Value> operand;
  if (simple) operand = expression(*expr.args[at++], scope);
  struct Branch {
    std::string condition;
    Value value;
    Place place;
  };
  std::vector<Branch> branches;
  const size_t end = expr.args.size() - (expr.has_else ? 1 : 0);
  std::optional<Value> otherwise;
  for (; at + 1 < end + 1 && at + 1 <= end - 0 && at < end; at += 2) {
    std::string condition;
    if (simple) {
      const Value when = expression(*expr.args[at], scope);
      const std::optional<Type> common = common_type(operand->type, when.type);
      if (!common)
        fail("TYPE_MISMATCH", expr.args[at]->at,
             fmt::format("CASE operand type does not match WHEN clause operand type: {} vs {}",
                         to_string(operand->type), to_string(when.type)));
      condition = fmt::format("{} = {}", coerce(*operand, *common).sql, coerce(when, *common).sql);
    } else {
      condition =
          boolean(*expr.args[at], scope, "CASE WHEN clause must evaluate to a boolean (actual: {})")
              .sql;
    }
    branches.push_back(
        {std::move(condition), expression(*expr.args[at + 1], scope), expr.args[at + 1]->at});
  }
  if (expr.has_else) otherwise = expression(*expr.args.back(), scope);
  Type common;
  std::vector<std::string> seen;
  const auto join = [&](const Type& type, Place place) {
    if (std::ranges::find(seen, to_string(type)) == seen.end()) seen.push_back(to_string(type));
    const std::optional<Type> next = common_type(common, type);
    if (!next)
      fail("TYPE_MISMATCH", place,
           fmt::format(
               "All CASE results must be the same type or coercible to a common type. Cannot find "
               "common type between {} and {}, all types (without duplicates): [{}]",
               to_string(common), to_string(type), fmt::join(seen, ", ")));
    common = *next;
  };
  std::vector<std::pair<Type, Place>> all;
  for (const Branch& branch : branches) all.emplace_back(branch.value.type, branch.place);
  if (otherwise) all.emplace_back(otherwise->type, expr.args.back()->at);
  for (const auto& [type, place] : all)
    if (std::ranges::find(seen, to_string(type)) == seen.end()) seen.push_back(to_string(type));
  for (const auto& [type, place] : all) join(type, place);
  std::string sql = "CASE";
  for (const Branch& branch : branches)
    sql += fmt::format(" WHEN {} THEN {}", branch.condition, coerce(branch.value, common).sql);
  if (otherwise) sql += " ELSE " + coerce(*otherwise, common).sql;
  return {common, "(" + sql + " END)"};
}

Value Analyzer::in_list(const Expr& expr, const Scope& scope) {
  std::vector<Value> values;
  std::vector<std::string> seen;
  Type common;
  for (const ExprPtr& one : expr.args) {
    values.push_back(expression(*one, scope));
    if (std::ranges::find(seen, to_string(values.back().type)) == seen.end())
      seen.push_back(to_string(values.back().type));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const std::optional<Type> next = common_type(common, values[i].type);
    if (!next)
      fail("TYPE_MISMATCH", expr.args[i]->at,
           fmt::format(
               "IN value and list items must be the same type or coercible to a common type. "
               "Cannot find common type between {} and {}, all types (without duplicates): [{}]",
               to_string(common), to_string(values[i].type), fmt::join(seen, ", ")));
    common = *next;
  }
  std::string items;
  for (size_t i = 1; i < values.size(); ++i)
    items += (items.empty() ? "" : ", ") + coerce(values[i], common).sql;
  return {Type(Kind::boolean), fmt::format("({} {}IN ({}))", coerce(values[0], common).sql,
                                           expr.negated ? "NOT " : "", items)};
}

Value Analyzer::subquery(const Expr& expr, const Scope& scope) {
  Scope here = scope;
  const Printed inner = query(*expr.query, &here);
  if (expr.op == Op::exists) return {Type(Kind::boolean), fmt::format("EXISTS ({})", inner.sql)};
  const auto row_of = [&] {
    Type row(Kind::row);
    for (const Output& column : inner.columns) {
      row.parts.push_back(column.type);
      row.names.emplace_back();
    }
    return row;
  };
  if (expr.op == Op::scalar_query) {
    if (inner.columns.size() == 1) return {inner.columns[0].type, fmt::format("({})", inner.sql)};
    std::string fields;
    for (size_t i = 0; i < inner.columns.size(); ++i)
      fields += fmt::format("{}field{} := c{}", i > 0 ? ", " : "", i, i);
    return {row_of(), fmt::format("(SELECT struct_pack({}) FROM ({}) AS {})", fields, inner.sql,
                                  new_alias())};
  }
  const Value left = expression(*expr.args[0], scope);
  const bool is_row = left.type.is(Kind::row) && inner.columns.size() == left.type.parts.size() &&
                      inner.columns.size() > 1;
  const Type wanted = is_row                      ? row_of()
                      : inner.columns.size() == 1 ? inner.columns[0].type
                                                  : row_of();
  const std::optional<Type> common = common_type(left.type, wanted);
  if (!common || (inner.columns.size() > 1 && !is_row)) {
    const auto shown = [](const Type& type, bool row) {
      return row && type.is(Kind::row) ? to_string(type) : fmt::format("row({})", to_string(type));
    };
    fail("TYPE_MISMATCH", expr.at,
         fmt::format("Value expression and result of subquery must be of the same type: {} vs {}",
                     shown(left.type, inner.columns.size() > 1 || left.type.is(Kind::row)),
                     shown(wanted, inner.columns.size() > 1)));
  }
  std::string source = inner.sql;
  if (is_row) {
    std::string fields;
    for (size_t i = 0; i < inner.columns.size(); ++i)
      fields += fmt::format("{}field{} := c{}", i > 0 ? ", " : "", i, i);
    source =
        fmt::format("SELECT struct_pack({}) AS c0 FROM ({}) AS {}", fields, inner.sql, new_alias());
  }
  if (!(wanted == *common))
    source = fmt::format("SELECT {} FROM ({}) AS {}", coerce({wanted, "c0"}, *common).sql, source,
                         new_alias());
  const std::string value = coerce(left, *common).sql;
  if (expr.op == Op::in_query)
    return {Type(Kind::boolean),
            fmt::format("({} {}IN ({}))", value, expr.negated ? "NOT " : "", source)};
  return {Type(Kind::boolean),
          fmt::format("({} {} {} ({}))", value, expr.text, expr.quantifier, source)};
}

Value Analyzer::extract(const Expr& expr, const Scope& scope) {
  static const std::map<std::string, std::pair<const char*, const char*>> kFields{
      {"YEAR", {"year({})", "dt"}},
      {"QUARTER", {"quarter({})", "dt"}},
      {"MONTH", {"month({})", "dt"}},
      {"WEEK", {"week({})", "dt"}},
      {"DAY", {"day({})", "dt"}},
      {"DAY_OF_MONTH", {"day({})", "dt"}},
      {"DAY_OF_WEEK", {"isodow({})", "dt"}},
      {"DOW", {"isodow({})", "dt"}},
      {"DAY_OF_YEAR", {"dayofyear({})", "dt"}},
      {"DOY", {"dayofyear({})", "dt"}},
      {"YEAR_OF_WEEK", {"isoyear({})", "dt"}},
      {"YOW", {"isoyear({})", "dt"}},
      {"HOUR", {"hour({})", "t"}},
      {"MINUTE", {"minute({})", "t"}},
      {"SECOND", {"second({})", "t"}},
      {"TIMEZONE_MINUTE", {"CAST(0 * epoch({}) AS BIGINT)", "z"}},
      {"TIMEZONE_HOUR", {"CAST(0 * epoch({}) AS BIGINT)", "z"}}};
  const auto found = kFields.find(expr.text);
  if (found == kFields.end())
    fail("SYNTAX_ERROR", expr.at, "Invalid EXTRACT field: " + lower(expr.text));
  const Value value = expression(*expr.args[0], scope);
  const std::string_view kind = found->second.second;
  const Type& type = value.type;
  const bool moment = type.is(Kind::timestamp) || type.is(Kind::timestamp_zoned);
  bool fits = type.is(Kind::unknown);
  if (kind == "dt")
    fits = fits || moment || type.is(Kind::date) ||
           (type.is(Kind::interval_year) && (expr.text == "YEAR" || expr.text == "MONTH")) ||
           (type.is(Kind::interval_day) && expr.text == "DAY");
  if (kind == "t")
    fits = fits || moment || type.is(Kind::time) || type.is(Kind::time_zoned) ||
           type.is(Kind::interval_day);
  if (kind == "z") fits = fits || type.is(Kind::timestamp_zoned) || type.is(Kind::time_zoned);
  if (!fits)
    fail("TYPE_MISMATCH", expr.args[0]->at,
         fmt::format("Cannot extract {} from {}", expr.text, to_string(type)));
  if (type.is(Kind::timestamp_zoned) && !type.zone.empty()) {
    const std::string offset =
        fmt::format("(epoch_us({}) - epoch_us({}))", wall_clock(value).sql, value.sql);
    if (expr.text == "TIMEZONE_HOUR")
      return {Type(Kind::bigint), fmt::format("({} // 3600000000)", offset)};
    if (expr.text == "TIMEZONE_MINUTE")
      return {Type(Kind::bigint), fmt::format("({} % 3600000000 // 60000000)", offset)};
    return {Type(Kind::bigint),
            fmt::format(fmt::runtime(std::string("CAST(") + found->second.first + " AS BIGINT)"),
                        wall_clock(value).sql)};
  }
  return {Type(Kind::bigint),
          fmt::format(fmt::runtime(std::string("CAST(") + found->second.first + " AS BIGINT)"),
                      value.sql)};
}

Value Analyzer::current(const Expr& expr) {
  const std::string& name = expr.text;
  deterministic = deterministic && (name == "CURRENT_CATALOG" || name == "CURRENT_SCHEMA");
  if (name == "CURRENT_CATALOG") return {Type::varchar(), quote_text(session_.catalog)};
  if (name == "CURRENT_SCHEMA") return {Type::varchar(), quote_text(session_.schema)};
  if (name == "CURRENT_USER") return {Type::varchar(), quote_text(session_.user)};
  const int digits = expr.args.empty() ? 3 : std::stoi(expr.args[0]->text);
  const std::string moment = fmt::format("CAST('{}' AS TIMESTAMP)", [&] {
    const CivilTime c = to_civil(session_.now);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", c.year, c.month, c.day, c.hour,
                       c.minute, c.second, c.micros / 1000);
  }());
  if (name == "CURRENT_DATE") return {Type(Kind::date), fmt::format("CAST({} AS DATE)", moment)};
  if (name == "LOCALTIMESTAMP") return {Type(Kind::timestamp, digits), moment};
  if (name == "LOCALTIME")
    return {Type(Kind::time, digits), fmt::format("CAST({} AS TIME)", moment)};
  if (name == "CURRENT_TIME")
    return {Type(Kind::time_zoned, digits), fmt::format("CAST({} AS TIMETZ)", moment)};
  return {Type(Kind::timestamp_zoned, digits), fmt::format("timezone('UTC', {})", moment)};
}

}  // namespace laketap::sql
