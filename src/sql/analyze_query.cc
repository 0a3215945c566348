// Queries: SELECT with its clauses, set operations, VALUES, WITH.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analyzer.h"

namespace laketap::sql {
namespace {

constexpr int kRecursionMax = 10;  // Trino's max_recursion_depth.

std::string column_list(size_t count, const std::string& prefix = "c") {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += fmt::format("{}{}{}", i > 0 ? ", " : "", prefix, i);
  return out;
}

// The name of a select item without an alias.
std::optional<std::string> own_name(const Expr& expr) {
  // A chain of names; the field of any other expression has none.
  const Expr* base = &expr;
  while (base->op == Op::dereference) base = base->args[0].get();
  if (base->op == Op::identifier) return expr.text;
  return std::nullopt;
}

}  // namespace

Printed Analyzer::query(const Query& query, const Scope* outer) {
  const size_t before = with_.size();
  std::string with;
  for (const With& one : query.with) {
    NamedQuery named;
    if (query.recursive && one.query->kind == Query::Kind::set_operation) {
      named = recursive_query(one);
    } else {
      const Printed printed = this->query(*one.query, nullptr);
      named.columns = printed.columns;
      named.alias = new_alias() + "w";
      if (!one.columns.empty() && one.columns.size() != named.columns.size())
        fail("MISMATCHED_COLUMN_ALIASES", one.columns[0].at,
             fmt::format("Column alias list has {} entries but relation has {} columns",
                         one.columns.size(), named.columns.size()));
      named.sql = fmt::format("{}({}) AS ({})", named.alias, column_list(named.columns.size()),
                              printed.sql);
    }
    for (size_t i = 0; i < one.columns.size() && i < named.columns.size(); ++i)
      named.columns[i].name = one.columns[i].text;
    for (size_t i = before; i < with_.size(); ++i)
      if (with_[i].first == lower(one.name.text))
        fail("DUPLICATE_NAMED_QUERY", one.name.at,
             fmt::format("WITH query name '{}' specified more than once", one.name.text));
    with += (with.empty() ? "" : ", ") + named.sql;
    with_.emplace_back(lower(one.name.text), std::move(named));
  }
  Printed made = query_body(query, outer);
  with_.resize(before);
  if (!with.empty())
    made.sql =
        fmt::format("WITH {}{} SELECT {} FROM ({}) AS {}", query.recursive ? "RECURSIVE " : "",
                    with, column_list(made.columns.size()), made.sql, new_alias());
  return made;
}

Printed Analyzer::query_body(const Query& query, const Scope* outer) {
  switch (query.kind) {
    case Query::Kind::select: return select(query, outer);
    case Query::Kind::set_operation: return finish(query, set_operation(query, outer), outer);
    case Query::Kind::values: return finish(query, values(query, outer), outer);
    case Query::Kind::table: {
      Relation relation;
      relation.kind = Relation::Kind::table;
      relation.at = query.at;
      relation.name = query.table;
      From from = named_relation(relation);
      std::erase_if(from.fields, [](const Field& field) { return field.hidden; });
      Printed made;
      std::string items;
      for (size_t i = 0; i < from.fields.size(); ++i) {
        note_columns(from.fields[i]);
        items += fmt::format("{}{} AS c{}", i > 0 ? ", " : "", from.fields[i].sql, i);
        made.columns.push_back({from.fields[i].name, from.fields[i].type});
      }
      made.sql = fmt::format("SELECT {} FROM {}", items, from.sql);
      return finish(query, std::move(made), outer);
    }
  }
  fail("SYNTAX_ERROR", query.at, "unexpected query");
}

std::optional<int64_t> Analyzer::count_of(const ExprPtr& expr, const char* what) {
  if (!expr) return std::nullopt;
  std::string text = expr->text;
  if (expr->op == Op::parameter) {
    if (parameter_ >= session_.parameters.size())
      fail("INVALID_PARAMETER_USAGE", expr->at,
           fmt::format("Incorrect number of parameters: expected at least {} but found {}",
                       parameter_ + 1, session_.parameters.size()));
    text = session_.parameters[parameter_++];
  }
  if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos)
    fail("INVALID_ARGUMENTS", expr->at, fmt::format("Invalid {} row count: {}", what, text));
  return std::stoll(text);
}

std::string Analyzer::limits(const Query& query) {
  std::string out;
  const std::optional<int64_t> offset = count_of(query.offset, "OFFSET");
  const std::optional<int64_t> limit = count_of(query.limit, "LIMIT");
  if (limit) out += fmt::format(" LIMIT {}", *limit);
  if (offset) out += fmt::format(" OFFSET {}", *offset);
  return out;
}

Printed Analyzer::cast_columns(Printed made, const std::vector<Type>& types) {
  std::string items;
  bool same = true;
  for (size_t i = 0; i < types.size(); ++i) {
    same = same && made.columns[i].type == types[i];
    items += fmt::format("{}{} AS c{}", i > 0 ? ", " : "",
                         coerce({made.columns[i].type, fmt::format("c{}", i)}, types[i]).sql, i);
    made.columns[i].type = types[i];
  }
  if (!same) made.sql = fmt::format("SELECT {} FROM ({}) AS {}", items, made.sql, new_alias());
  return made;
}

Printed Analyzer::set_operation(const Query& query, const Scope* outer) {
  Printed left = this->query(*query.left, outer);
  Printed right = this->query(*query.right, outer);
  if (left.columns.size() != right.columns.size())
    fail("TYPE_MISMATCH", query.at,
         fmt::format("{} query has different number of fields: {}, {}", query.set_operator,
                     left.columns.size(), right.columns.size()));
  std::vector<Type> types;
  for (size_t i = 0; i < left.columns.size(); ++i) {
    const std::optional<Type> common = common_type(left.columns[i].type, right.columns[i].type);
    if (!common)
      fail("TYPE_MISMATCH", query.at,
           fmt::format("column {} in {} query has incompatible types: {}, {}", i + 1,
                       query.set_operator, to_string(left.columns[i].type),
                       to_string(right.columns[i].type)));
    types.push_back(*common);
  }
  left = cast_columns(std::move(left), types);
  right = cast_columns(std::move(right), types);
  left.sql = fmt::format("({}) {}{} ({})", left.sql, query.set_operator, query.all ? " ALL" : "",
                         right.sql);
  return left;
}

Printed Analyzer::values(const Query& query, const Scope* outer) {
  Scope scope;
  scope.outer = outer;
  std::vector<std::vector<Value>> rows;
  std::vector<Type> types;
  for (const std::vector<ExprPtr>& row : query.rows) {
    std::vector<Value> made;
    for (const ExprPtr& one : row) made.push_back(expression(*one, scope));
    if (!rows.empty() && made.size() != types.size())
      fail("TYPE_MISMATCH", query.at,
           fmt::format("Values rows have mismatched sizes: {} vs {}", types.size(), made.size()));
    if (rows.empty()) types.resize(made.size());
    const auto row_text = [&](const std::vector<Type>& of) {
      std::string out;
      for (const Type& one : of) out += (out.empty() ? "" : ", ") + to_string(one);
      return out;
    };
    const std::vector<Type> before = types;
    for (size_t i = 0; i < made.size(); ++i) {
      const std::optional<Type> common = common_type(types[i], made[i].type);
      if (!common) {
        std::vector<Type> mine;
        for (const Value& one : made) mine.push_back(one.type);
        fail("TYPE_MISMATCH", query.at,
             fmt::format("Values rows have mismatched types: row({}) vs row({})", row_text(before),
                         row_text(mine)));
      }
      types[i] = *common;
    }
    rows.push_back(std::move(made));
  }
  Printed made;
  std::string text;
  for (const std::vector<Value>& row : rows) {
    std::string items;
    for (size_t i = 0; i < row.size(); ++i)
      items += (i > 0 ? ", " : "") + coerce(row[i], types[i]).sql;
    text += fmt::format("{}({})", text.empty() ? "" : ", ", items);
  }
  for (const Type& type : types) made.columns.push_back({std::nullopt, type});
  made.sql = fmt::format("SELECT * FROM (VALUES {}) AS {}({})", text, new_alias(),
                         column_list(types.size()));
  return made;
}

// ORDER BY over the columns of what is there already.
Printed Analyzer::finish(const Query& query, Printed made, const Scope* outer) {
  if (query.order_by.empty() && !query.limit && !query.offset) return made;
  const std::string alias = new_alias();
  Scope scope;
  scope.outer = outer;
  for (size_t i = 0; i < made.columns.size(); ++i)
    scope.fields.push_back({.relation = {},
                            .name = made.columns[i].name,
                            .type = made.columns[i].type,
                            .sql = fmt::format("{}.c{}", alias, i)});
  std::string order;
  for (const SortItem& item : query.order_by) {
    Value key;
    if (item.key->op == Op::integer) {
      const std::optional<int64_t> at = count_of(item.key, "ORDER BY");
      if (*at < 1 || *at > static_cast<int64_t>(made.columns.size()))
        fail("INVALID_COLUMN_REFERENCE", item.key->at,
             fmt::format("ORDER BY position {} is not in select list", *at));
      key = {made.columns[static_cast<size_t>(*at - 1)].type,
             fmt::format("{}.c{}", alias, *at - 1)};
    } else {
      key = expression(*item.key, scope);
    }
    order += fmt::format("{}{} {} NULLS {}", order.empty() ? "" : ", ", key.sql,
                         item.descending ? "DESC" : "ASC",
                         item.nulls_first.value_or(false) ? "FIRST" : "LAST");
  }
  made.sql = fmt::format("SELECT {} FROM ({}) AS {}({}){}{}",
                         column_list(made.columns.size(), alias + ".c"), made.sql, alias,
                         column_list(made.columns.size()),
                         order.empty() ? "" : " ORDER BY " + order, limits(query));
  return made;
}

NamedQuery Analyzer::recursive_query(const With& with) {
  if (with.columns.empty())
    fail("MISSING_COLUMN_ALIASES", with.name.at, "missing column aliases in recursive WITH query");
  const Query& whole = *with.query;
  Printed base = query(*whole.left, nullptr);
  if (with.columns.size() != base.columns.size())
    fail("MISMATCHED_COLUMN_ALIASES", with.columns[0].at,
         fmt::format("Column alias list has {} entries but relation has {} columns",
                     with.columns.size(), base.columns.size()));
  NamedQuery named;
  named.alias = new_alias() + "w";
  named.columns = base.columns;
  for (size_t i = 0; i < with.columns.size(); ++i) named.columns[i].name = with.columns[i].text;
  with_.emplace_back(lower(with.name.text), named);
  Printed step = query(*whole.right, nullptr);
  with_.pop_back();
  for (size_t i = 0; i < std::min(step.columns.size(), base.columns.size()); ++i)
    if (!can_coerce(step.columns[i].type, base.columns[i].type))
      fail("TYPE_MISMATCH", whole.at,
           fmt::format("recursion step relation output type ({}) is not coercible to recursion "
                       "base relation output type ({}) at column {}",
                       to_string(step.columns[i].type), to_string(base.columns[i].type), i + 1));
  (void)kRecursionMax;
  named.sql =
      fmt::format("{}({}) AS (({}) UNION{} ({}))", named.alias, column_list(base.columns.size()),
                  base.sql, whole.all ? " ALL" : "", step.sql);
  return named;
}

Printed Analyzer::select(const Query& query, const Scope* outer) {
  const Select& select = query.select;
  From from;
  if (select.from) from = relation(*select.from, outer, nullptr);
  Scope source;
  source.outer = outer;
  source.fields = from.fields;
  for (const auto& [name, window] : select.windows)
    if (!source.windows.emplace(lower(name.text), window).second)
      fail("DUPLICATE_WINDOW_NAME", name.at,
           fmt::format("WINDOW name '{}' specified more than once", name.text));
  select_at_ = select.at;

  std::string where;
  if (select.where) {
    expect_scalar(*select.where, "WHERE clause");
    where = " WHERE " + boolean(*select.where, source,
                                "WHERE clause must evaluate to a boolean: actual type {}")
                            .sql;
    note_partition_conditions(*select.where, source);
  }

  // Is it an aggregation?
  bool aggregated = select.grouped || select.having;
  for (const SelectItem& item : select.items)
    aggregated = aggregated || (item.value && has_aggregate(*item.value));
  for (const SortItem& item : query.order_by) aggregated = aggregated || has_aggregate(*item.key);

  Grouping grouping;
  std::string group_text;
  if (aggregated) {
    grouping.relation = new_alias();
    // A position, or an expression over the source; never an alias.
    const auto key_index = [&](const ExprPtr& expr) {
      Value key;
      if (expr->op == Op::integer) {
        const std::optional<int64_t> at = count_of(expr, "GROUP BY");
        std::vector<const SelectItem*> flat;
        for (const SelectItem& item : select.items) flat.push_back(&item);
        if (*at < 1 || *at > static_cast<int64_t>(flat.size()))
          fail("INVALID_COLUMN_REFERENCE", expr->at,
               fmt::format("GROUP BY position {} is not in select list", *at));
        const SelectItem& item = *flat[static_cast<size_t>(*at - 1)];
        if (!item.value)
          fail("INVALID_COLUMN_REFERENCE", expr->at,
               fmt::format("GROUP BY position {} is not in select list", *at));
        expect_scalar(*item.value, "GROUP BY clause");
        key = expression(*item.value, source);
      } else {
        expect_scalar(*expr, "GROUP BY clause");
        key = expression(*expr, source);
      }
      if (!is_comparable(key.type))
        fail("TYPE_MISMATCH", expr->at,
             fmt::format("{} is not comparable, and therefore cannot be used in GROUP BY",
                         to_string(key.type)));
      for (size_t i = 0; i < grouping.keys.size(); ++i)
        if (grouping.keys[i].sql == key.sql) return i;
      grouping.keys.push_back(key);
      return grouping.keys.size() - 1;
    };
    std::vector<std::string> items;
    for (const GroupItem& item : select.group_by) {
      std::vector<std::string> sets;
      for (const std::vector<ExprPtr>& set : item.sets) {
        std::string members;
        for (const ExprPtr& one : set) {
          const size_t index = key_index(one);
          members += (members.empty() ? "" : ", ") + grouping.keys[index].sql;
        }
        sets.push_back(item.kind == GroupItem::Kind::simple ? members : "(" + members + ")");
      }
      const char* word = item.kind == GroupItem::Kind::sets     ? "GROUPING SETS "
                         : item.kind == GroupItem::Kind::rollup ? "ROLLUP "
                         : item.kind == GroupItem::Kind::cube   ? "CUBE "
                                                                : "";
      if (item.kind == GroupItem::Kind::simple) {
        if (!sets[0].empty()) items.push_back(sets[0]);
      } else {
        grouping.has_sets = true;
        items.push_back(fmt::format("{}({})", word, fmt::join(sets, ", ")));
      }
    }
    if (grouping.has_sets) group_text = fmt::format(" GROUP BY {}", fmt::join(items, ", "));
  }

  Scope over = source;
  over.grouping = aggregated ? &grouping : nullptr;
  over.allow_windows = true;

  // The select list.
  struct Item {
    Value value;
    std::optional<std::string> name;
  };
  std::vector<Item> items;
  for (const SelectItem& item : select.items) {
    if (item.value) {
      Item made{expression(*item.value, over),
                item.alias ? std::optional(item.alias->text) : own_name(*item.value)};
      items.push_back(std::move(made));
      continue;
    }
    if (item.star_base) {
      const Value base = expression(*item.star_base, over);
      if (!base.type.is(Kind::row))
        fail("TYPE_MISMATCH", item.at, "expected expression of type Row");
      for (size_t i = 0; i < base.type.parts.size(); ++i)
        items.push_back(
            {{base.type.parts[i], fmt::format("struct_extract_at({}, {})", base.sql, i + 1)},
             base.type.names[i]});
      continue;
    }
    if (!select.from)
      fail("COLUMN_NOT_FOUND", item.at, "SELECT * not allowed in queries without FROM clause");
    bool any = false;
    for (const Field& field : source.fields) {
      if (field.hidden) continue;
      bool mine = item.star_of.empty();
      if (!mine && field.relation.size() >= item.star_of.size()) {
        mine = true;
        for (size_t i = 0; i < item.star_of.size(); ++i)
          mine = mine && field.relation[field.relation.size() - item.star_of.size() + i] ==
                             lower(item.star_of[i].text);
      }
      if (!mine) continue;
      any = true;
      note_columns(field);
      Value value{field.type, field.sql};
      if (aggregated) {
        const auto key = std::ranges::find(grouping.keys, field.sql, &Value::sql);
        if (key == grouping.keys.end())
          fail("EXPRESSION_NOT_AGGREGATE", {0, 0},
               fmt::format("Column '{}{}' not in GROUP BY clause",
                           field.relation.empty() ? "" : field.relation.back() + ".",
                           field.name.value_or("")));
        value.sql = fmt::format("{}.g{}", grouping.relation, key - grouping.keys.begin());
      }
      expect_few(items.size() + 1, item.at);
      steps_ += 1 + expect_small(field.type, item.at);
      if (steps_ > kStepsMax) fail("NOT_SUPPORTED", item.at, "statement is too large");
      items.push_back({std::move(value), field.name});
    }
    if (!any && !item.star_of.empty()) {
      std::string shown;
      for (const Identifier& part : item.star_of)
        shown += (shown.empty() ? "" : ".") + lower(part.text);
      fail("TABLE_NOT_FOUND", item.at, fmt::format("Unable to resolve reference {}", shown));
    }
  }
  std::string having;
  if (select.having)
    having = " WHERE " + boolean(*select.having, over,
                                 "HAVING clause must evaluate to a boolean: actual type {}")
                             .sql;

  // ORDER BY: output names first, then the source.
  std::vector<std::string> keys;
  std::string order;
  for (const SortItem& item : query.order_by) {
    std::string key;
    const auto by_output = [&](size_t i) { return fmt::format("c{}", i); };
    if (item.key->op == Op::integer) {
      const std::optional<int64_t> at = count_of(item.key, "ORDER BY");
      if (*at < 1 || *at > static_cast<int64_t>(items.size()))
        fail("INVALID_COLUMN_REFERENCE", item.key->at,
             fmt::format("ORDER BY position {} is not in select list", *at));
      key = by_output(static_cast<size_t>(*at - 1));
      if (!is_orderable(items[static_cast<size_t>(*at - 1)].value.type))
        fail("TYPE_MISMATCH", item.key->at,
             fmt::format("Type {} is not orderable, and therefore cannot be used in ORDER BY: {}",
                         to_string(items[static_cast<size_t>(*at - 1)].value.type),
                         show(*item.key)));
    } else if (item.key->op == Op::identifier) {
      std::optional<size_t> hit;
      for (size_t i = 0; i < items.size(); ++i) {
        if (!items[i].name || lower(*items[i].name) != lower(item.key->text)) continue;
        if (hit && items[*hit].value.sql != items[i].value.sql)
          fail("AMBIGUOUS_NAME", item.key->at,
               fmt::format("Column '{}' is ambiguous", lower(item.key->text)));
        if (!hit) hit = i;
      }
      if (hit) key = by_output(*hit);
      if (hit && !is_orderable(items[*hit].value.type))
        fail("TYPE_MISMATCH", item.key->at,
             fmt::format("Type {} is not orderable, and therefore cannot be used in ORDER BY: {}",
                         to_string(items[*hit].value.type), show(*item.key)));
    }
    if (key.empty()) {
      // Output names inside an expression stand for their expressions.
      Scope with_outputs = over;
      for (const Item& one : items)
        if (one.name && std::ranges::none_of(source.fields, [&](const Field& field) {
              return field.name && lower(*field.name) == lower(*one.name);
            }))
          with_outputs.lambda.emplace(lower(*one.name), one.value);
      const Value value = expression(*item.key, with_outputs);
      if (!is_orderable(value.type))
        fail("TYPE_MISMATCH", item.key->at,
             fmt::format("Type {} is not orderable, and therefore cannot be used in ORDER BY: {}",
                         to_string(value.type), show(*item.key)));
      const auto same =
          std::ranges::find(items, value.sql, [](const Item& one) { return one.value.sql; });
      if (same != items.end()) {
        key = by_output(static_cast<size_t>(same - items.begin()));
      } else {
        if (select.distinct)
          fail("EXPRESSION_NOT_IN_DISTINCT", select.at,
               "For SELECT DISTINCT, ORDER BY expressions must appear in select list");
        keys.push_back(value.sql);
        key = fmt::format("o{}", keys.size() - 1);
      }
    }
    order += fmt::format("{}{} {} NULLS {}", order.empty() ? "" : ", ", key,
                         item.descending ? "DESC" : "ASC",
                         item.nulls_first.value_or(false) ? "FIRST" : "LAST");
  }

  // The text, from the inside out.
  std::string source_text = from.sql.empty() ? "" : " FROM " + from.sql;
  if (aggregated) {
    std::string inner;
    for (size_t i = 0; i < grouping.keys.size(); ++i)
      inner += fmt::format("{}{} AS g{}", inner.empty() ? "" : ", ", grouping.keys[i].sql, i);
    for (size_t i = 0; i < grouping.aggregates.size(); ++i)
      inner += fmt::format("{}{} AS a{}", inner.empty() ? "" : ", ", grouping.aggregates[i].sql, i);
    if (inner.empty())
      inner = select.grouped && !select.group_by.empty() ? "1 AS g0" : "count(*) AS a0";
    if (!grouping.has_sets && !grouping.keys.empty()) {
      group_text = " GROUP BY ";
      for (size_t i = 0; i < grouping.keys.size(); ++i)
        group_text += fmt::format("{}{}", i > 0 ? ", " : "", i + 1);
    }
    source_text = fmt::format(" FROM (SELECT {}{}{}{}) AS {}", inner, source_text, where,
                              group_text, grouping.relation);
    where = having;
  }
  Printed made;
  std::string list;
  for (size_t i = 0; i < items.size(); ++i) {
    list += fmt::format(
        "{}{} AS c{}", i > 0 ? ", " : "",
        items[i].value.type.is(Kind::unknown) ? "CAST(NULL AS VARCHAR)" : items[i].value.sql, i);
    made.columns.push_back({items[i].name, items[i].value.type});
  }
  for (size_t i = 0; i < keys.size(); ++i) list += fmt::format(", {} AS o{}", keys[i], i);
  made.sql =
      fmt::format("SELECT {}{}{}{}", select.distinct ? "DISTINCT " : "", list, source_text, where);
  const std::string limit_text = limits(query);
  if (query.with_ties) {
    if (order.empty())
      fail("MISSING_ORDER_BY", query.at, "FETCH FIRST WITH TIES clause requires ORDER BY");
    const std::string alias = new_alias();
    made.sql = fmt::format(
        "SELECT {} FROM (SELECT *, rank() OVER (ORDER BY {}) AS ties FROM (SELECT * FROM ({}) AS "
        "{}{}) AS {}o) AS {}t WHERE ties <= {} ORDER BY {}",
        column_list(items.size()), order, made.sql, alias,
        query.offset
            ? fmt::format(" ORDER BY {} OFFSET {}", order, *count_of(query.offset, "OFFSET"))
            : "",
        alias, alias, *count_of(query.limit, "LIMIT"), order);
    return made;
  }
  if (!order.empty() || !limit_text.empty()) {
    const std::string alias = new_alias();
    made.sql = fmt::format("SELECT {} FROM ({}) AS {}{}{}", column_list(items.size()), made.sql,
                           alias, order.empty() ? "" : " ORDER BY " + order, limit_text);
  }
  return made;
}

}  // namespace laketap::sql
