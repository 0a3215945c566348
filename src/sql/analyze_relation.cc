// FROM: tables of the catalog, queries, joins, UNNEST. Nothing else can be read.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analyzer.h"

namespace laketap::sql {

const NamedQuery* Analyzer::find_with(const std::string& name) const {
  for (auto at = with_.rbegin(); at != with_.rend(); ++at)
    if (at->first == name) return &at->second;
  return nullptr;
}

void Analyzer::note_columns(const Field& field) {
  if (field.table < 0) return;
  std::vector<std::string>& columns = tables[static_cast<size_t>(field.table)].columns;
  const std::string name = lower(*field.name);
  if (std::ranges::find(columns, name) == columns.end()) columns.push_back(name);
}

Analyzer::From Analyzer::derived(const Printed& printed, const Relation&, bool lateral) {
  From from;
  const std::string alias = new_alias();
  std::string columns;
  for (size_t i = 0; i < printed.columns.size(); ++i) {
    columns += (i > 0 ? ", c" : "c") + std::to_string(i);
    from.fields.push_back({.relation = {},
                           .name = printed.columns[i].name,
                           .type = printed.columns[i].type,
                           .sql = fmt::format("{}.c{}", alias, i)});
  }
  from.sql =
      fmt::format("{}({}) AS {}({})", lateral ? "LATERAL " : "", printed.sql, alias, columns);
  return from;
}

Analyzer::From Analyzer::table(const Relation& relation, const std::vector<std::string>& name) {
  if (name.size() > 3)
    fail("SYNTAX_ERROR", relation.at,
         fmt::format("Too many dots in table name: {}", fmt::join(name, ".")));
  const std::string catalog = name.size() == 3 ? name[0] : session_.catalog;
  const std::string schema = name.size() >= 2 ? name[name.size() - 2] : session_.schema;
  const std::string& table_name = name.back();
  if (!catalog_.has_catalog(catalog))
    fail("CATALOG_NOT_FOUND", relation.at, fmt::format("Catalog '{}' does not exist", catalog));
  if (!catalog_.has_schema(catalog, schema))
    fail("SCHEMA_NOT_FOUND", relation.at, fmt::format("Schema '{}' does not exist", schema));
  const std::optional<TableSchema> found = catalog_.find_table(catalog, schema, table_name);
  if (!found)
    fail("TABLE_NOT_FOUND", relation.at,
         fmt::format("Table '{}.{}.{}' does not exist", catalog, schema, table_name));
  const int index = static_cast<int>(tables.size());
  tables.push_back({.catalog = catalog,
                    .schema = schema,
                    .table = table_name,
                    .scan = fmt::format("t{}", index)});
  From from;
  const std::string alias = new_alias();
  std::string columns;
  const auto add = [&](const ColumnSchema& column, bool partition, bool hidden) {
    const size_t i = from.fields.size();
    columns += fmt::format("{}{} AS c{}", i > 0 ? ", " : "", quote_name(column.name), i);
    from.fields.push_back({.relation = {catalog, schema, table_name},
                           .name = column.name,
                           .type = column.type,
                           .sql = fmt::format("{}.c{}", alias, i),
                           .table = index,
                           .partition = partition,
                           .hidden = hidden});
  };
  for (size_t i = 0; i < found->columns.size(); ++i)
    add(found->columns[i], i >= found->columns.size() - found->partition_columns, false);
  for (const ColumnSchema& column : found->hidden_columns) add(column, false, true);
  from.sql = fmt::format("(SELECT {} FROM laketap_scan('{}')) AS {}",
                         columns.empty() ? "1 AS c0" : columns, tables.back().scan, alias);
  return from;
}

Analyzer::From Analyzer::named_relation(const Relation& relation) {
  std::vector<std::string> name;
  for (const Identifier& part : relation.name) name.push_back(lower(part.text));
  if (name.size() == 1)
    if (const NamedQuery* with = find_with(name[0])) {
      From from;
      const std::string alias = new_alias();
      std::string columns;
      for (size_t i = 0; i < with->columns.size(); ++i) {
        columns += (i > 0 ? ", c" : "c") + std::to_string(i);
        from.fields.push_back({.relation = {name[0]},
                               .name = with->columns[i].name,
                               .type = with->columns[i].type,
                               .sql = fmt::format("{}.c{}", alias, i)});
      }
      from.sql = fmt::format("{} AS {}({})", with->alias, alias, columns);
      return from;
    }
  return table(relation, name);
}

void Analyzer::rename(From& from, const Relation& relation) {
  if (!relation.alias) return;
  const std::string alias = lower(relation.alias->text);
  if (!relation.column_aliases.empty())
    std::erase_if(from.fields, [](const Field& field) { return field.hidden; });
  if (!relation.column_aliases.empty() && relation.column_aliases.size() != from.fields.size())
    fail("MISMATCHED_COLUMN_ALIASES", relation.at,
         fmt::format("Column alias list has {} entries but '{}' has {} columns available",
                     relation.column_aliases.size(), relation.alias->text, from.fields.size()));
  for (size_t i = 0; i < from.fields.size(); ++i) {
    from.fields[i].relation = {alias};
    if (relation.column_aliases.empty()) continue;
    note_columns(from.fields[i]);
    from.fields[i].name = relation.column_aliases[i].text;
    from.fields[i].table = -1;
  }
}

Analyzer::From Analyzer::relation(const Relation& relation, const Scope* outer,
                                  const std::vector<Field>* lateral) {
  From from;
  switch (relation.kind) {
    case Relation::Kind::table: from = named_relation(relation); break;
    case Relation::Kind::query:
    case Relation::Kind::values:
      from = derived(query(*relation.query, outer), relation, false);
      break;
    case Relation::Kind::lateral: {
      Scope scope;
      scope.outer = outer;
      if (lateral) scope.fields = *lateral;
      from = derived(query(*relation.query, &scope), relation, true);
      break;
    }
    case Relation::Kind::unnest: from = unnest(relation, outer, lateral); break;
    case Relation::Kind::join: from = join(relation, outer, lateral); break;
  }
  rename(from, relation);
  if (relation.sample_percent) {
    Scope none;
    const Value percent = expression(*relation.sample_percent, none);
    deterministic = false;
    std::string columns, items;
    for (size_t i = 0; i < from.fields.size(); ++i)
      items += fmt::format("{}{} AS c{}", i > 0 ? ", " : "", from.fields[i].sql, i);
    const std::string alias = new_alias();
    from.sql = fmt::format("(SELECT {} FROM {} WHERE random() * 100 < {}) AS {}", items, from.sql,
                           percent.sql, alias);
    for (size_t i = 0; i < from.fields.size(); ++i)
      from.fields[i].sql = fmt::format("{}.c{}", alias, i);
  }
  return from;
}

Analyzer::From Analyzer::unnest(const Relation& relation, const Scope* outer,
                                const std::vector<Field>* lateral) {
  Scope scope;
  scope.outer = outer;
  if (lateral) scope.fields = *lateral;
  From from;
  const std::string alias = new_alias();
  std::vector<std::string>
      lists;  // Each a DuckDB list of equal meaning: unnested side by side, padded with NULL.
  std::vector<Type> types;
  std::vector<std::pair<size_t, std::optional<size_t>>>
      fields;  // List, and the field of its struct.
  std::vector<std::optional<std::string>> names;
  for (const ExprPtr& one : relation.unnest) {
    const Value value = expression(*one, scope);
    if (value.type.is(Kind::map)) {
      lists.push_back(fmt::format("map_keys({})", value.sql));
      types.push_back(value.type.parts[0]);
      fields.emplace_back(lists.size() - 1, std::nullopt);
      names.emplace_back();
      lists.push_back(fmt::format("map_values({})", value.sql));
      types.push_back(value.type.parts[1]);
      fields.emplace_back(lists.size() - 1, std::nullopt);
      names.emplace_back();
    } else if (value.type.is(Kind::array)) {
      lists.push_back(value.sql);
      const Type& element = value.type.parts[0];
      if (element.is(Kind::row)) {
        for (size_t i = 0; i < element.parts.size(); ++i) {
          types.push_back(element.parts[i]);
          fields.emplace_back(lists.size() - 1, i);
          names.push_back(element.names[i]);
        }
      } else {
        types.push_back(element);
        fields.emplace_back(lists.size() - 1, std::nullopt);
        names.emplace_back();
      }
    } else {
      fail("INVALID_FUNCTION_ARGUMENT", one->at,
           fmt::format("Cannot unnest type: {}", to_string(value.type)));
    }
  }
  std::string inner;
  for (size_t i = 0; i < lists.size(); ++i)
    inner += fmt::format("{}unnest({}) AS u{}", i > 0 ? ", " : "", lists[i], i);
  if (relation.with_ordinality) {
    std::string longest;
    for (const std::string& list : lists)
      longest += fmt::format("{}coalesce(len({}), 0)", longest.empty() ? "" : ", ", list);
    inner += fmt::format(", unnest(range(1, greatest({}, 0) + 1)) AS ordinality", longest);
  }
  std::string outer_items;
  size_t list_of_field = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto& [list, field] = fields[i];
    std::string item = fmt::format("u{}", list);
    if (field) {
      // The struct's field names are those of the element's type.
      const ExprPtr& source = relation.unnest[std::min(list_of_field, relation.unnest.size() - 1)];
      (void)source;
      item = fmt::format("struct_extract_at(u{}, {})", list, *field + 1);
    }
    outer_items += fmt::format("{}{} AS c{}", i > 0 ? ", " : "", item, i);
    from.fields.push_back({.relation = {},
                           .name = names[i],
                           .type = types[i],
                           .sql = fmt::format("{}.c{}", alias, i)});
  }
  if (relation.with_ordinality) {
    outer_items += fmt::format(", CAST(ordinality AS BIGINT) AS c{}", fields.size());
    from.fields.push_back({.relation = {},
                           .name = "ordinality",
                           .type = Type(Kind::bigint),
                           .sql = fmt::format("{}.c{}", alias, fields.size())});
  }
  from.sql = fmt::format("LATERAL (SELECT {} FROM (SELECT {}) AS {}u) AS {}", outer_items, inner,
                         alias, alias);
  return from;
}

Analyzer::From Analyzer::join(const Relation& relation, const Scope* outer,
                              const std::vector<Field>* lateral) {
  if (relation.natural) fail("NOT_SUPPORTED", relation.at, "Natural join not supported");
  From left = this->relation(*relation.left, outer, lateral);
  std::vector<Field> seen = lateral ? *lateral : std::vector<Field>();
  seen.insert(seen.end(), left.fields.begin(), left.fields.end());
  From right = this->relation(*relation.right, outer, &seen);
  From from;
  from.fields = left.fields;
  from.fields.insert(from.fields.end(), right.fields.begin(), right.fields.end());
  expect_few(from.fields.size(), relation.at);
  if (relation.join == "CROSS") {
    from.sql = fmt::format(
        "{} CROSS JOIN {}", left.sql,
        relation.right->kind == Relation::Kind::join ? "(" + right.sql + ")" : right.sql);
    return from;
  }
  const std::string right_sql =
      relation.right->kind == Relation::Kind::join ? "(" + right.sql + ")" : right.sql;
  if (relation.on) {
    Scope scope;
    scope.outer = outer;
    scope.fields = from.fields;
    if (has_aggregate(*relation.on))
      fail("EXPRESSION_NOT_SCALAR", relation.on->at,
           fmt::format("JOIN clause cannot contain aggregations, window functions or grouping "
                       "operations: [{}]",
                       show(*relation.on)));
    const Value on =
        boolean(*relation.on, scope, "JOIN ON clause must evaluate to a boolean: actual type {}");
    from.sql = fmt::format("{} {} JOIN {} ON {}", left.sql, relation.join, right_sql, on.sql);
    return from;
  }
  // USING: the named columns first, once; then the rest of both sides.
  std::vector<Field> merged;
  std::string condition, items;
  std::set<std::string> used;
  for (const Identifier& name : relation.using_columns) {
    const auto pick = [&](const From& side, const char* which) -> const Field& {
      const Field* hit = nullptr;
      for (const Field& field : side.fields)
        if (field.name && lower(*field.name) == lower(name.text)) {
          if (hit)
            fail("AMBIGUOUS_NAME", name.at,
                 fmt::format("Column '{}' is ambiguous", lower(name.text)));
          hit = &field;
        }
      if (!hit)
        fail("COLUMN_NOT_FOUND", name.at,
             fmt::format("Column '{}' is missing from {} side of join", name.text, which));
      note_columns(*hit);
      return *hit;
    };
    const Field& a = pick(left, "left");
    const Field& b = pick(right, "right");
    const std::optional<Type> common = common_type(a.type, b.type);
    if (!common)
      fail("TYPE_MISMATCH", name.at,
           fmt::format(
               "Column Types of left and right side are not comparable: left is {}, right is {}",
               to_string(a.type), to_string(b.type)));
    const std::string x = coerce({a.type, a.sql}, *common).sql;
    const std::string y = coerce({b.type, b.sql}, *common).sql;
    condition += fmt::format("{}{} = {}", condition.empty() ? "" : " AND ", x, y);
    merged.push_back({.relation = {},
                      .name = name.text,
                      .type = *common,
                      .sql = fmt::format("coalesce({}, {})", x, y)});
    used.insert(lower(name.text));
  }
  for (const From* side : {&left, &right})
    for (const Field& field : side->fields)
      if (!field.name || !used.contains(lower(*field.name))) merged.push_back(field);
  const std::string alias = new_alias();
  for (size_t i = 0; i < merged.size(); ++i) {
    items += fmt::format("{}{} AS c{}", i > 0 ? ", " : "", merged[i].sql, i);
    if (!merged[i].hidden) note_columns(merged[i]);
    merged[i].sql = fmt::format("{}.c{}", alias, i);
  }
  from.sql = fmt::format("(SELECT {} FROM {} {} JOIN {} ON {}) AS {}", items, left.sql,
                         relation.join, right_sql, condition, alias);
  from.fields = std::move(merged);
  return from;
}

// Equalities of a partition column with constants that every row must fulfil: the parts of a
// conjunction.
void Analyzer::note_partition_conditions(const Expr& where, const Scope& scope) {
  if (where.op == Op::logical_and) {
    for (const ExprPtr& one : where.args) note_partition_conditions(*one, scope);
    return;
  }
  const auto partition_field = [&](const Expr& expr) -> const Field* {
    if (expr.op != Op::identifier && expr.op != Op::dereference) return nullptr;
    Value value;
    try {
      value = expression(expr, scope);
    } catch (const Thrown&) {
      return nullptr;
    }
    for (const Field& field : scope.fields)
      if (field.sql == value.sql && field.partition && field.table >= 0 &&
          field.type.is(Kind::varchar))
        return &field;
    return nullptr;
  };
  std::set<std::string> texts;
  const Field* field = nullptr;
  if (where.op == Op::compare && where.text == "=") {
    const bool first = where.args[1]->op == Op::text;
    if (!first && where.args[0]->op != Op::text) return;
    field = partition_field(*where.args[first ? 0 : 1]);
    texts.insert(where.args[first ? 1 : 0]->text);
  } else if (where.op == Op::in_list && !where.negated) {
    for (size_t i = 1; i < where.args.size(); ++i) {
      if (where.args[i]->op != Op::text) return;
      texts.insert(where.args[i]->text);
    }
    field = partition_field(*where.args[0]);
  }
  if (!field) return;
  auto& equals = tables[static_cast<size_t>(field->table)].partition_equals;
  const auto found = equals.find(lower(*field->name));
  if (found == equals.end()) {
    equals[lower(*field->name)] = texts;
  } else {
    std::erase_if(found->second, [&](const std::string& text) { return !texts.contains(text); });
  }
}

}  // namespace laketap::sql
