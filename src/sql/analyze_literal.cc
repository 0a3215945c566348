// Literals, EXTRACT, and the values of the session.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analyzer.h"

namespace laketap::sql {

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
