// Choosing a signature: exact types first, then by coercion, with type variables bound on the way.
#include "sql/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

namespace laketap::sql {
namespace {

// A type with variables in it.
struct Pattern {
  enum class Form {
    fixed,
    variable,
    array,
    map,
    function,
    decimal,
    varchar,
    char_,
    timed,
    row
  } form = Form::fixed;
  Type type;         // fixed; timed: its kind.
  std::string name;  // variable
  std::vector<Pattern> parts;
  std::string first, second;  // decimal(p,s), varchar(x): the names of the numbers.
};

struct Signature {
  std::string name;
  Pattern result;
  std::vector<Pattern> arguments;
  FunctionKind kind = FunctionKind::scalar;
  std::string shown;
};

std::vector<std::string> split(std::string_view text,
                               char by) {  // At the top level of parentheses.
  std::vector<std::string> out;
  int open = 0;
  std::string one;
  for (const char c : text) {
    if (c == '(') ++open;
    if (c == ')') --open;
    if (c == by && open == 0) {
      out.push_back(one);
      one.clear();
    } else {
      one += c;
    }
  }
  out.push_back(one);
  for (std::string& part : out) {
    while (part.starts_with(' ')) part.erase(0, 1);
    while (part.ends_with(' ')) part.pop_back();
  }
  return out;
}

Pattern parse_pattern(std::string_view text) {
  Pattern made;
  const size_t open = text.find('(');
  const std::string word(text.substr(0, open));
  std::string inside;
  if (open != std::string_view::npos)
    inside = std::string(text.substr(open + 1, text.rfind(')') - open - 1));
  const bool number = !inside.empty() && std::isdigit(static_cast<unsigned char>(inside[0])) != 0;
  if (word == "array" || word == "map" || word == "function" || word == "row") {
    made.form = word == "array" ? Pattern::Form::array
                : word == "map" ? Pattern::Form::map
                : word == "row" ? Pattern::Form::row
                                : Pattern::Form::function;
    for (const std::string& part : split(inside, ',')) made.parts.push_back(parse_pattern(part));
    return made;
  }
  if (word == "decimal" && !inside.empty()) {
    made.form = Pattern::Form::decimal;
    const std::vector<std::string> numbers = split(inside, ',');
    made.first = numbers[0];
    made.second = numbers.size() > 1 ? numbers[1] : "0";
    return made;
  }
  if ((word == "varchar" || word == "char") && !inside.empty() && !number) {
    made.form = word == "varchar" ? Pattern::Form::varchar : Pattern::Form::char_;
    made.first = inside;
    return made;
  }
  if ((word == "time" || word == "timestamp") && !inside.empty() && !number) {
    made.form = Pattern::Form::timed;
    made.first = inside;
    const bool zoned = text.ends_with("zone");
    made.type = Type(word == "time" ? (zoned ? Kind::time_zoned : Kind::time)
                                    : (zoned ? Kind::timestamp_zoned : Kind::timestamp));
    return made;
  }
  if (const std::optional<Type> type = from_trino(text)) {
    made.type = *type;
    return made;
  }
  made.form = Pattern::Form::variable;
  made.name = word;
  return made;
}

const std::unordered_map<std::string, std::vector<Signature>>& table() {
  static const auto kTable = [] {
    std::unordered_map<std::string, std::vector<Signature>> made;
    std::string_view lines = signature_lines();
    while (!lines.empty()) {
      const size_t end = std::min(lines.find('\n'), lines.size());
      const std::string_view line = lines.substr(0, end);
      lines.remove_prefix(std::min(end + 1, lines.size()));
      if (line.empty()) continue;
      const size_t a = line.find('|');
      const size_t b = line.find('|', a + 1);
      const size_t c = line.rfind('|');
      Signature one;
      one.name = line.substr(0, a);
      one.result = parse_pattern(line.substr(a + 1, b - a - 1));
      const std::string arguments(line.substr(b + 1, c - b - 1));
      if (!arguments.empty())
        for (const std::string& part : split(arguments, ','))
          one.arguments.push_back(parse_pattern(part));
      const char kind = line[c + 1];
      one.kind = kind == 'a'   ? FunctionKind::aggregate
                 : kind == 'w' ? FunctionKind::window
                               : FunctionKind::scalar;
      one.shown = fmt::format("{}({})", one.name, arguments);
      made[one.name].push_back(std::move(one));
    }
    return made;
  }();
  return kTable;
}

struct Bindings {
  std::map<std::string, Type> types;
  std::map<std::string, int> numbers;
  int cost = 0;
};

// How far a coercion goes: 0 none, more for wider jumps, so that the closest signature wins.
int coercion_cost(const Type& from, const Type& to) {
  if (from == to) return 0;
  if (from.is(Kind::unknown)) return 1;
  const auto rank = [](const Type& type) {
    switch (type.kind) {
      case Kind::tinyint: return 1;
      case Kind::smallint: return 2;
      case Kind::integer: return 3;
      case Kind::bigint: return 4;
      case Kind::decimal: return 5;
      case Kind::real: return 6;
      case Kind::double_: return 7;
      default: return 0;
    }
  };
  if (rank(from) > 0 && rank(to) > 0) return 2 + (rank(to) - rank(from));
  return 2;
}

bool bind(const Pattern& pattern, const Type& type, Bindings& bindings);

bool bind_parts(const Pattern& pattern, const Type& type, Kind kind, Bindings& bindings) {
  if (type.is(Kind::unknown)) {
    for (const Pattern& part : pattern.parts)
      if (!bind(part, Type(), bindings)) return false;
    return true;
  }
  if (!type.is(kind) || pattern.parts.size() != type.parts.size()) return false;
  for (size_t i = 0; i < pattern.parts.size(); ++i)
    if (!bind(pattern.parts[i], type.parts[i], bindings)) return false;
  return true;
}

bool bind(const Pattern& pattern, const Type& type, Bindings& bindings) {
  switch (pattern.form) {
    case Pattern::Form::fixed:
      if (!can_coerce(type, pattern.type)) return false;
      bindings.cost += coercion_cost(type, pattern.type);
      return true;
    case Pattern::Form::variable: {
      const auto found = bindings.types.find(pattern.name);
      if (found == bindings.types.end()) {
        bindings.types[pattern.name] = type;
        return true;
      }
      const std::optional<Type> common = common_type(found->second, type);
      if (!common) return false;
      bindings.cost += *common == found->second && *common == type ? 0 : 1;
      found->second = *common;
      return true;
    }
    case Pattern::Form::array: return bind_parts(pattern, type, Kind::array, bindings);
    case Pattern::Form::map: return bind_parts(pattern, type, Kind::map, bindings);
    case Pattern::Form::row: return bind_parts(pattern, type, Kind::row, bindings);
    case Pattern::Form::function: return false;
    case Pattern::Form::decimal: {
      if (!type.is_exact() && !type.is(Kind::unknown)) return false;
      const std::optional<Type> as = type.is(Kind::decimal) ? std::optional(type)
                                     : type.is(Kind::unknown)
                                         ? std::optional(Type(Kind::decimal, 1, 0))
                                         : common_type(type, Type(Kind::decimal, 1, 0));
      if (!as) return false;
      bindings.cost += type.is(Kind::decimal)
                           ? 0
                           : 2 + 5 -
                                 (type.is(Kind::unknown) ? 4
                                                         : static_cast<int>(type.kind) -
                                                               static_cast<int>(Kind::tinyint) + 1);
      bindings.numbers[pattern.first] = std::max(bindings.numbers[pattern.first], as->precision);
      bindings.numbers[pattern.second] = std::max(bindings.numbers[pattern.second], as->scale);
      return true;
    }
    case Pattern::Form::varchar:
      if (type.is(Kind::unknown)) {
        bindings.numbers.emplace(pattern.first, 0);
        ++bindings.cost;
        return true;
      }
      if (!type.is_text()) return false;
      bindings.cost += type.is(Kind::varchar) ? 0 : 2;
      bindings.numbers[pattern.first] = bindings.numbers.contains(pattern.first) &&
                                                bindings.numbers[pattern.first] != type.precision
                                            ? Type::kUnbounded
                                            : type.precision;
      return true;
    case Pattern::Form::char_:
      if (!type.is(Kind::char_)) return false;
      bindings.numbers[pattern.first] = std::max(bindings.numbers[pattern.first], type.precision);
      return true;
    case Pattern::Form::timed: {
      if (type.is(Kind::unknown)) {
        bindings.numbers.emplace(pattern.first, 3);
        ++bindings.cost;
        return true;
      }
      Type wanted(pattern.type.kind, type.is(Kind::date) ? 0 : type.precision);
      if (!can_coerce(type, wanted)) return false;
      bindings.cost += type.kind == wanted.kind ? 0 : 3;
      bindings.numbers[pattern.first] = std::max(bindings.numbers[pattern.first], wanted.precision);
      return true;
    }
  }
  return false;
}

// The pattern with its variables filled in.
Type filled(const Pattern& pattern, const Bindings& bindings) {
  const auto number = [&](const std::string& name, int otherwise) {
    if (!name.empty() && std::isdigit(static_cast<unsigned char>(name[0]))) return std::stoi(name);
    const auto found = bindings.numbers.find(name);
    return found == bindings.numbers.end() ? otherwise : found->second;
  };
  switch (pattern.form) {
    case Pattern::Form::fixed: return pattern.type;
    case Pattern::Form::variable: {
      const auto found = bindings.types.find(pattern.name);
      return found == bindings.types.end() ? Type() : found->second;
    }
    case Pattern::Form::array: return Type::array_of(filled(pattern.parts[0], bindings));
    case Pattern::Form::map:
      return Type::map_of(filled(pattern.parts[0], bindings), filled(pattern.parts[1], bindings));
    case Pattern::Form::row: {
      Type made(Kind::row);
      for (const Pattern& part : pattern.parts) {
        made.parts.push_back(filled(part, bindings));
        made.names.emplace_back();
      }
      return made;
    }
    case Pattern::Form::function: return Type(Kind::function);
    case Pattern::Form::decimal:
      return Type(Kind::decimal, std::clamp(number(pattern.first, 38), 1, 38),
                  number(pattern.second, 0));
    case Pattern::Form::varchar: return Type::varchar(number(pattern.first, Type::kUnbounded));
    case Pattern::Form::char_: return Type(Kind::char_, number(pattern.first, 1));
    case Pattern::Form::timed: return Type(pattern.type.kind, number(pattern.first, 3));
  }
  return {};
}

std::optional<Resolved> match(const Signature& signature, const std::vector<Argument>& arguments,
                              int& cost) {
  const bool variadic = signature.name == "concat" && signature.arguments.size() == 1;
  const size_t count = signature.arguments.size();
  if (variadic ? arguments.empty() : count != arguments.size()) return std::nullopt;
  Bindings bindings;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Pattern& pattern = signature.arguments[variadic ? 0 : i];
    if (!arguments[i].type) {
      if (pattern.form != Pattern::Form::function ||
          pattern.parts.size() - 1 != arguments[i].lambda_parameters)
        return std::nullopt;
      continue;
    }
    if (!bind(pattern, *arguments[i].type, bindings)) return std::nullopt;
  }
  Resolved made;
  made.kind = signature.kind;
  made.lambda_inputs.resize(arguments.size());
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].type) continue;
    const Pattern& pattern = signature.arguments[i];
    std::vector<Type> inputs;
    for (size_t j = 0; j + 1 < pattern.parts.size(); ++j)
      inputs.push_back(filled(pattern.parts[j], bindings));
    const Type result = arguments[i].body(inputs);
    if (!bind(pattern.parts.back(), result, bindings)) return std::nullopt;
    // A state variable (reduce) may have become wider by its own result: type the body once more
    // with it.
    std::vector<Type> again;
    for (size_t j = 0; j + 1 < pattern.parts.size(); ++j)
      again.push_back(filled(pattern.parts[j], bindings));
    made.lambda_inputs[i] = again;
  }
  for (size_t i = 0; i < arguments.size(); ++i)
    made.parameters.push_back(filled(signature.arguments[variadic ? 0 : i], bindings));
  made.result = filled(signature.result, bindings);
  cost = bindings.cost;
  return made;
}

// Results whose numbers the list of functions does not say.
void refine(std::string_view name, Resolved& made) {
  const std::vector<Type>& in = made.parameters;
  // How long a text can become.
  const auto length = [&](size_t i) {
    return i < in.size() && in[i].is(Kind::varchar) ? int64_t{in[i].precision}
                                                    : int64_t{Type::kUnbounded};
  };
  const auto bounded = [](int64_t n) {
    return Type::varchar(static_cast<int>(std::min<int64_t>(n, 2147483647)));
  };
  if (name == "replace" && in.size() == 3 && length(0) >= 0 && length(2) >= 0)
    made.result = bounded(length(0) + length(2) * (length(0) + 1));
  if (name == "regexp_replace" && in.size() == 3 && length(0) >= 0 && length(2) >= 0)
    made.result =
        bounded(length(0) + std::max(length(0) * length(2) / 2, length(2)) * (length(0) + 1));
  if (in.empty() || !in[0].is(Kind::decimal) || !made.result.is(Kind::decimal)) {
    // concat(char(x), char(y)) and lengths that add up: unbounded is always right for a varchar.
    return;
  }
  const int p = in[0].precision;
  const int s = in[0].scale;
  if (name == "ceil" || name == "ceiling" || name == "floor")
    made.result = Type(Kind::decimal, std::max(1, p - s + std::min(s, 1)), 0);
  else if (name == "round" && in.size() == 1)
    made.result = Type(Kind::decimal, std::min(38, p - s + std::min(1, s)), 0);
  else if (name == "round")
    made.result = Type(Kind::decimal, std::min(38, p + 1), s);
  else if (name == "truncate" && in.size() == 1)
    made.result = Type(Kind::decimal, std::max(1, p - s), 0);
  else if (name == "truncate" || name == "abs" || name == "avg")
    made.result = Type(Kind::decimal, p, s);
  else if (name == "sum")
    made.result = Type(Kind::decimal, 38, s);
  else if (name == "sign")
    made.result = Type(Kind::decimal, 1, 0);
  else if (name == "mod" && in.size() == 2) {
    const int scale = std::max(s, in[1].scale);
    made.result =
        Type(Kind::decimal, std::min(p - s, in[1].precision - in[1].scale) + scale, scale);
  }
}

}  // namespace

bool is_function(std::string_view name) {
  return table().contains(std::string(name));
}
bool is_aggregate(std::string_view name) {
  const auto found = table().find(std::string(name));
  return found != table().end() && found->second.front().kind == FunctionKind::aggregate;
}
bool is_window_only(std::string_view name) {
  const auto found = table().find(std::string(name));
  return found != table().end() && found->second.front().kind == FunctionKind::window;
}

std::optional<Resolved> resolve_function(std::string_view name,
                                         const std::vector<Argument>& arguments) {
  const auto found = table().find(std::string(name));
  if (found == table().end()) return std::nullopt;
  std::optional<Resolved> best;
  int best_cost = 0;
  for (const Signature& signature : found->second) {
    int cost = 0;
    std::optional<Resolved> one = match(signature, arguments, cost);
    if (!one || (best && cost >= best_cost)) continue;
    best = std::move(one);
    best_cost = cost;
  }
  if (best) refine(name, *best);
  return best;
}

std::string expected_signatures(std::string_view name) {
  if (const std::string_view recorded = recorded_signatures(name); !recorded.empty())
    return std::string(recorded);
  const auto found = table().find(std::string(name));
  if (found == table().end()) return "";
  std::vector<std::string> shown;
  for (const Signature& one : found->second) shown.push_back(one.shown);
  return fmt::format("{}", fmt::join(shown, ", "));
}

}  // namespace laketap::sql
