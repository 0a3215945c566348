#include "sql/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace laketap::sql {
namespace {

constexpr int kDecimalMax = 38;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

int digits_of(Kind kind) {  // Of an integer as a decimal.
  switch (kind) {
    case Kind::tinyint: return 3;
    case Kind::smallint: return 5;
    case Kind::integer: return 10;
    default: return 19;
  }
}
Type as_decimal(const Type& type) {
  return type.is(Kind::decimal) ? type : Type(Kind::decimal, digits_of(type.kind), 0);
}

// Reads a type in both spellings: words, then parameters in <> or ().
class TypeReader {
 public:
  TypeReader(std::string_view text, bool hive) : text_(text), hive_(hive) {}

  std::optional<Type> whole() {
    std::optional<Type> made = type(0);
    blanks();
    return made && at_ == text_.size() ? made : std::nullopt;
  }

 private:
  void blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool take(char c) {
    blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    blanks();
    if (lower(text_.substr(at_, word.size())) != word) return false;
    const size_t end = at_ + word.size();
    if (end < text_.size() &&
        (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_'))
      return false;
    at_ = end;
    return true;
  }
  std::string word() {
    blanks();
    const size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_'))
      ++at_;
    return lower(text_.substr(begin, at_ - begin));
  }
  std::optional<int> number() {
    const std::string digits = word();
    if (digits.empty() || digits.size() > 9 ||
        !std::ranges::all_of(digits, [](unsigned char c) { return std::isdigit(c) != 0; }))
      return std::nullopt;
    return std::stoi(digits);
  }
  std::optional<int> length(int otherwise) {
    if (!take('(')) return otherwise;
    const std::optional<int> made = number();
    return made && take(')') ? made : std::nullopt;
  }

  std::optional<Type> zoned(Kind plain, Kind with_zone) {
    const std::optional<int> digits = length(3);
    if (!digits || *digits > 12) return std::nullopt;
    if (take_word("with") && take_word("time") && take_word("zone"))
      return Type(with_zone, *digits);
    take_word("without") && take_word("time") && take_word("zone");
    return Type(plain, *digits);
  }

  std::optional<Type> type(int depth) {
    if (depth > 100) return std::nullopt;
    const std::string name = word();
    const char open = hive_ ? '<' : '(';
    const char close = hive_ ? '>' : ')';
    if (name == "boolean") return Type(Kind::boolean);
    if (name == "tinyint") return Type(Kind::tinyint);
    if (name == "smallint" || (hive_ && name == "short")) return Type(Kind::smallint);
    if (name == "int" || name == "integer") return Type(Kind::integer);
    if (name == "bigint" || (hive_ && name == "long")) return Type(Kind::bigint);
    if (name == "real" || (hive_ && name == "float")) return Type(Kind::real);
    if (name == "double") {
      take_word("precision");
      return Type(Kind::double_);
    }
    if (name == "decimal" || name == "dec" || name == "numeric") {
      if (!take('(')) return hive_ ? Type(Kind::decimal, 10, 0) : Type(Kind::decimal, 38, 0);
      const std::optional<int> p = number();
      const std::optional<int> s = take(',') ? number() : std::optional(0);
      if (!p || !s || !take(')') || *p < 1 || *p > kDecimalMax || *s > *p) return std::nullopt;
      return Type(Kind::decimal, *p, *s);
    }
    if (hive_ && name == "string") return Type::varchar();
    if (hive_ && name == "binary") return Type(Kind::varbinary);
    if (name == "varchar") {
      const std::optional<int> n = length(Type::kUnbounded);
      return n ? std::optional(Type::varchar(*n)) : std::nullopt;
    }
    if (name == "char") {
      const std::optional<int> n = length(1);
      return n ? std::optional(Type(Kind::char_, *n)) : std::nullopt;
    }
    if (name == "varbinary") return Type(Kind::varbinary);
    if (name == "date") return Type(Kind::date);
    if (name == "time") return zoned(Kind::time, Kind::time_zoned);
    if (name == "timestamp") return zoned(Kind::timestamp, Kind::timestamp_zoned);
    if (name == "json") return Type(Kind::json);
    if (name == "uuid") return Type(Kind::uuid);
    if (name == "ipaddress") return Type(Kind::ipaddress);
    if (name == "unknown") return Type(Kind::unknown);
    if (name == "interval") {
      if (take_word("day") && take_word("to") && take_word("second"))
        return Type(Kind::interval_day);
      if (take_word("year") && take_word("to") && take_word("month"))
        return Type(Kind::interval_year);
      return std::nullopt;
    }
    if (name == "array" && take(open)) {
      std::optional<Type> element = type(depth + 1);
      if (!element || !take(close)) return std::nullopt;
      return Type::array_of(std::move(*element));
    }
    if (name == "map" && take(open)) {
      std::optional<Type> key = type(depth + 1);
      std::optional<Type> value = key && take(',') ? type(depth + 1) : std::nullopt;
      if (!value || !take(close)) return std::nullopt;
      return Type::map_of(std::move(*key), std::move(*value));
    }
    if ((name == "struct" || name == "row") && take(open)) return fields(depth, close);
    return std::nullopt;
  }

  std::optional<Type> fields(int depth, char close) {
    Type made(Kind::row);
    do {
      blanks();
      std::optional<std::string> field;
      if (hive_) {
        const size_t colon = text_.find(':', at_);
        if (colon == std::string_view::npos) return std::nullopt;
        field = std::string(text_.substr(at_, colon - at_));
        while (field->ends_with(' ')) field->pop_back();
        if (field->size() > 1 && field->front() == '`' && field->back() == '`')
          field = field->substr(1, field->size() - 2);
        at_ = colon + 1;
      } else {
        const size_t before = at_;
        if (at_ < text_.size() && text_[at_] == '"') {
          const size_t end = text_.find('"', at_ + 1);
          if (end == std::string_view::npos) return std::nullopt;
          field = std::string(text_.substr(at_ + 1, end - at_ - 1));
          at_ = end + 1;
        } else {
          const std::string first = word();
          blanks();
          // A name is followed by a type; a bare type by ( , or ).
          const bool named = at_ < text_.size() && text_[at_] != ',' && text_[at_] != ')' &&
                             text_[at_] != '(' && first != "double" && first != "interval" &&
                             first != "timestamp" && first != "time";
          if (named) {
            field = std::string(text_.substr(before, first.size()));
          } else {
            at_ = before;
          }
        }
      }
      std::optional<Type> one = type(depth + 1);
      if (!one) return std::nullopt;
      made.parts.push_back(std::move(*one));
      made.names.push_back(std::move(field));
    } while (take(','));
    return take(close) ? std::optional(std::move(made)) : std::nullopt;
  }

  std::string_view text_;
  bool hive_;
  size_t at_ = 0;
};

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::optional<Type> common_parts(const Type& a, const Type& b) {
  if (a.parts.size() != b.parts.size()) return std::nullopt;
  Type made(a.kind);
  for (size_t i = 0; i < a.parts.size(); ++i) {
    std::optional<Type> part = common_type(a.parts[i], b.parts[i]);
    if (!part) return std::nullopt;
    made.parts.push_back(std::move(*part));
  }
  if (a.is(Kind::row))
    for (size_t i = 0; i < a.parts.size(); ++i) {
      const bool same = a.names[i] && b.names[i] && lower(*a.names[i]) == lower(*b.names[i]);
      made.names.push_back(same ? a.names[i] : std::nullopt);
    }
  return made;
}

}  // namespace

Type Type::array_of(Type element) {
  Type made(Kind::array);
  made.parts.push_back(std::move(element));
  return made;
}
Type Type::map_of(Type key, Type value) {
  Type made(Kind::map);
  made.parts.push_back(std::move(key));
  made.parts.push_back(std::move(value));
  return made;
}

bool Type::operator==(const Type& other) const {
  if (kind != other.kind || precision != other.precision || scale != other.scale ||
      parts != other.parts || names.size() != other.names.size())
    return false;
  for (size_t i = 0; i < names.size(); ++i)
    if (lower(names[i].value_or("")) != lower(other.names[i].value_or(""))) return false;
  return true;
}

std::string to_string(const Type& type) {
  switch (type.kind) {
    case Kind::unknown: return "unknown";
    case Kind::boolean: return "boolean";
    case Kind::tinyint: return "tinyint";
    case Kind::smallint: return "smallint";
    case Kind::integer: return "integer";
    case Kind::bigint: return "bigint";
    case Kind::real: return "real";
    case Kind::double_: return "double";
    case Kind::decimal: return fmt::format("decimal({},{})", type.precision, type.scale);
    case Kind::varchar:
      return type.precision == Type::kUnbounded ? "varchar"
                                                : fmt::format("varchar({})", type.precision);
    case Kind::char_: return fmt::format("char({})", type.precision);
    case Kind::varbinary: return "varbinary";
    case Kind::date: return "date";
    case Kind::time: return fmt::format("time({})", type.precision);
    case Kind::time_zoned: return fmt::format("time({}) with time zone", type.precision);
    case Kind::timestamp: return fmt::format("timestamp({})", type.precision);
    case Kind::timestamp_zoned: return fmt::format("timestamp({}) with time zone", type.precision);
    case Kind::interval_day: return "interval day to second";
    case Kind::interval_year: return "interval year to month";
    case Kind::array: return fmt::format("array({})", to_string(type.parts[0]));
    case Kind::map:
      return fmt::format("map({}, {})", to_string(type.parts[0]), to_string(type.parts[1]));
    case Kind::row: {
      std::string out = "row(";
      for (size_t i = 0; i < type.parts.size(); ++i) {
        if (i > 0) out += ", ";
        if (type.names[i]) out += *type.names[i] + " ";
        out += to_string(type.parts[i]);
      }
      return out + ")";
    }
    case Kind::json: return "json";
    case Kind::uuid: return "uuid";
    case Kind::ipaddress: return "ipaddress";
    case Kind::function: return "function";
  }
  return "unknown";
}

std::optional<Type> from_hive(std::string_view text) {
  return TypeReader(text, true).whole();
}
std::optional<Type> from_trino(std::string_view text) {
  return TypeReader(text, false).whole();
}

std::optional<Type> common_type(const Type& a, const Type& b) {
  if (a == b) {
    Type made = a;
    if (a.zone != b.zone) made.zone.clear();  // The moment stays, shown in UTC.
    return made;
  }
  if (a.is(Kind::unknown)) return b;
  if (b.is(Kind::unknown)) return a;
  if (a.is_numeric() && b.is_numeric()) {
    if (a.is(Kind::double_) || b.is(Kind::double_)) return Type(Kind::double_);
    if (a.is(Kind::real) || b.is(Kind::real)) return Type(Kind::real);
    if (a.is_integer() && b.is_integer()) return a.kind > b.kind ? a : b;
    const Type x = as_decimal(a);
    const Type y = as_decimal(b);
    const int scale = std::max(x.scale, y.scale);
    return Type(
        Kind::decimal,
        std::min(kDecimalMax, std::max(x.precision - x.scale, y.precision - y.scale) + scale),
        scale);
  }
  if (a.is_text() && b.is_text()) {
    if (a.is(Kind::varchar) && b.is(Kind::varchar))
      return a.precision == Type::kUnbounded || b.precision == Type::kUnbounded
                 ? Type::varchar()
                 : Type::varchar(std::max(a.precision, b.precision));
    if (a.is(Kind::char_) && b.is(Kind::char_))
      return Type(Kind::char_, std::max(a.precision, b.precision));
    const Type& text = a.is(Kind::varchar) ? a : b;
    const Type& fixed = a.is(Kind::varchar) ? b : a;
    if (text.precision == Type::kUnbounded) return Type::varchar();
    return Type(Kind::char_, std::max(text.precision, fixed.precision));
  }
  const auto rank = [](const Type& type) {
    return type.is(Kind::date)              ? 1
           : type.is(Kind::timestamp)       ? 2
           : type.is(Kind::timestamp_zoned) ? 3
                                            : 0;
  };
  if (rank(a) > 0 && rank(b) > 0) {
    const Type& higher = rank(a) >= rank(b) ? a : b;
    const Type& lower_one = rank(a) >= rank(b) ? b : a;
    return Type(higher.kind,
                std::max(higher.precision, lower_one.is(Kind::date) ? 0 : lower_one.precision));
  }
  const auto is_time = [](const Type& type) {
    return type.is(Kind::time) || type.is(Kind::time_zoned);
  };
  if (is_time(a) && is_time(b))
    return Type(a.is(Kind::time_zoned) || b.is(Kind::time_zoned) ? Kind::time_zoned : Kind::time,
                std::max(a.precision, b.precision));
  if (a.kind == b.kind && (a.is(Kind::array) || a.is(Kind::map) || a.is(Kind::row)))
    return common_parts(a, b);
  return std::nullopt;
}

bool can_coerce(const Type& from, const Type& to) {
  if (from == to || from.is(Kind::unknown)) return true;
  if (from.is(Kind::row) && to.is(Kind::row)) {
    if (from.parts.size() != to.parts.size()) return false;
    for (size_t i = 0; i < from.parts.size(); ++i)
      if (!can_coerce(from.parts[i], to.parts[i])) return false;
    return true;
  }
  if (from.is(Kind::char_) && to.is(Kind::varchar))
    return to.precision == Type::kUnbounded || to.precision >= from.precision;
  const std::optional<Type> common = common_type(from, to);
  return common && *common == to;
}

std::string duckdb_type(const Type& type) {
  switch (type.kind) {
    case Kind::unknown: return "VARCHAR";
    case Kind::boolean: return "BOOLEAN";
    case Kind::tinyint: return "TINYINT";
    case Kind::smallint: return "SMALLINT";
    case Kind::integer: return "INTEGER";
    case Kind::bigint: return "BIGINT";
    case Kind::real: return "FLOAT";
    case Kind::double_: return "DOUBLE";
    case Kind::decimal: return fmt::format("DECIMAL({},{})", type.precision, type.scale);
    case Kind::varchar:
    case Kind::char_:
    case Kind::ipaddress: return "VARCHAR";
    case Kind::varbinary: return "BLOB";
    case Kind::date: return "DATE";
    case Kind::time: return "TIME";
    case Kind::time_zoned: return "TIMETZ";
    case Kind::timestamp: return type.precision > 6 ? "TIMESTAMP_NS" : "TIMESTAMP";
    case Kind::timestamp_zoned: return "TIMESTAMPTZ";
    case Kind::interval_day:
    case Kind::interval_year: return "INTERVAL";
    case Kind::array: return duckdb_type(type.parts[0]) + "[]";
    case Kind::map:
      return fmt::format("MAP({}, {})", duckdb_type(type.parts[0]), duckdb_type(type.parts[1]));
    case Kind::row: {
      std::string out = "STRUCT(";
      for (size_t i = 0; i < type.parts.size(); ++i) {
        if (i > 0) out += ", ";
        out += quoted(type.names[i] ? *type.names[i] : fmt::format("field{}", i)) + " " +
               duckdb_type(type.parts[i]);
      }
      return out + ")";
    }
    case Kind::json: return "JSON";
    case Kind::uuid: return "UUID";
    case Kind::function: return "VARCHAR";
  }
  return "VARCHAR";
}

bool is_comparable(const Type& type) {
  if (type.is(Kind::function)) return false;
  return std::ranges::all_of(type.parts, is_comparable);
}
bool is_orderable(const Type& type) {
  if (type.is(Kind::function) || type.is(Kind::map) || type.is(Kind::json)) return false;
  return std::ranges::all_of(type.parts, is_orderable);
}

}  // namespace laketap::sql
