// Expressions: columns, fields, CASE, subqueries; the other subjects have files of their own.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analyzer.h"

namespace laketap::sql {

void Analyzer::expect_scalar(const Expr& expr, const char* clause) const {
  const std::vector<const Expr*> found = beyond_a_row(expr);
  if (found.empty()) return;
  std::string shown;
  for (const Expr* one : found) shown += (shown.empty() ? "" : ", ") + show(*one);
  fail("EXPRESSION_NOT_SCALAR", found.front()->at,
       fmt::format("{} cannot contain aggregations, window functions or grouping operations: [{}]",
                   clause, shown));
}
// The nodes of a type. A row of rows of itself doubles with every name that is given to it.
size_t Analyzer::expect_small(const Type& type, Place at) const {
  size_t nodes = 0;
  const auto count = [&](const auto& self, const Type& one, size_t depth) -> void {
    if (++nodes > kTypeNodesMax || depth > kTypeDepthMax)
      fail("NOT_SUPPORTED", at, "a type of the statement is too large");
    for (const Type& part : one.parts) self(self, part, depth + 1);
  };
  for (const Type& part : type.parts) count(count, part, 1);
  return nodes;
}

void Analyzer::expect_few(size_t columns, Place at) const {
  if (columns > kColumnsMax)
    fail("NOT_SUPPORTED", at,
         fmt::format("the statement has a relation of more than {} columns", kColumnsMax));
}

Value Analyzer::expression(const Expr& expr, const Scope& scope) {
  // Lambdas are read more than once and recipes repeat their arguments: nested, both grow without
  // bound.
  if (++steps_ > kStepsMax) fail("NOT_SUPPORTED", expr.at, "statement is too large");
  Value made = checked_expression(expr, scope);
  steps_ += expect_small(made.type, expr.at);
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

}  // namespace laketap::sql
