// Names and types, checked by Trino's rules; each expression comes out with its type and DuckDB's
// text for it. Inner header of sql.
#pragma once

#include <map>
#include <set>

#include "sql/functions.h"
#include "sql/parser.h"
#include "sql/text.h"

namespace laketap::sql {

struct Value {
  Type type;
  std::string sql;
};

// A column that can be named.
struct Field {
  std::vector<std::string>
      relation;  // The parts it may be qualified by, lower case: alias, or catalog, schema, table.
  std::optional<std::string> name;  // As written or as the catalog has it.
  Type type;
  std::string sql;  // r3.c2
  int table = -1;   // Index into the used tables, of a base table's column.
  bool partition = false;
  bool hidden = false;  // Not a part of *.
};

// Of an aggregated query: what its expressions may use.
struct Grouping {
  std::vector<Value> keys;        // In the source's terms.
  std::vector<Value> aggregates;  // Printed over the source.
  bool has_sets = false;
  std::string relation;  // Alias of the inner query: keys are g0.., aggregates a0..
};

struct Scope {
  std::vector<Field> fields;
  const Scope* outer = nullptr;
  Grouping* grouping = nullptr;         // When expressions stand over an aggregation.
  std::map<std::string, Value> lambda;  // Parameters of a lambda, lower case.
  std::map<std::string, std::shared_ptr<const Window>> windows;
  bool allow_windows = false;
};

struct Output {
  std::optional<std::string> name;
  Type type;
};
// A query as DuckDB's text, its columns named c0, c1, ...
struct Printed {
  std::vector<Output> columns;
  std::string sql;
};

struct NamedQuery {
  std::vector<Output> columns;
  std::string sql;  // "" while a recursive one is being read: then `alias` stands for it.
  std::string alias;
};

class Analyzer {
 public:
  Analyzer(const CatalogView& catalog, const Session& session)
      : catalog_(catalog), session_(session) {}

  // Each throws Thrown.
  Printed query(const Query& query, const Scope* outer);
  Value expression(const Expr& expr, const Scope& scope);

  std::vector<UsedTable> tables;
  bool deterministic = true;

 private:
  // analyze_query.cc
  Printed query_body(const Query& query, const Scope* outer);
  Printed select(const Query& query, const Scope* outer);
  Printed set_operation(const Query& query, const Scope* outer);
  Printed values(const Query& query, const Scope* outer);
  Printed finish(const Query& query, Printed made,
                 const Scope* outer);  // ORDER BY, OFFSET, LIMIT of what has no SELECT.
  std::string limits(const Query& query);
  std::optional<int64_t> count_of(const ExprPtr& expr, const char* what);
  NamedQuery recursive_query(const With& with);
  Printed cast_columns(Printed made, const std::vector<Type>& types);

  // analyze_relation.cc
  struct From {
    std::string sql;
    std::vector<Field> fields;
  };
  From relation(const Relation& relation, const Scope* outer, const std::vector<Field>* lateral);
  From named_relation(const Relation& relation);
  From table(const Relation& relation, const std::vector<std::string>& name);
  From join(const Relation& relation, const Scope* outer, const std::vector<Field>* lateral);
  From unnest(const Relation& relation, const Scope* outer, const std::vector<Field>* lateral);
  From derived(const Printed& printed, const Relation& relation, bool lateral);
  void rename(From& from, const Relation& relation);
  void note_partition_conditions(const Expr& where, const Scope& scope);
  void note_columns(const Field& field);

  // analyze_expression.cc, analyze_literal.cc, analyze_operator.cc
  Value checked_expression(const Expr& expr, const Scope& scope);
  Value operation(const Expr& expr, const Scope& scope);
  Value identifier(const Expr& expr, const Scope& scope);
  Value column(const std::vector<Identifier>& chain, const Expr& expr, const Scope& scope,
               size_t& used);
  Value dereference(const Expr& expr, const Scope& scope);
  Value field_of(const Expr& expr, Value base, const Identifier& field);
  Value literal(const Expr& expr);
  Value typed_literal(const Expr& expr, const std::string& type_text, const std::string& text);
  Value interval(const Expr& expr);
  Value compare(const Expr& expr, const Scope& scope);
  Value arithmetic(const Expr& expr, const Scope& scope);
  Value decimal_arithmetic(const Expr& expr, const std::string& op, const Value& a, const Value& b);
  Value date_arithmetic(const Expr& expr, const std::string& op, const Value& a, const Value& b);
  Value concatenation(const Expr& expr, const Scope& scope);
  Value case_of(const Expr& expr, const Scope& scope);
  Value in_list(const Expr& expr, const Scope& scope);
  Value subquery(const Expr& expr, const Scope& scope);
  Value subscript(const Expr& expr, const Scope& scope);
  Value extract(const Expr& expr, const Scope& scope);
  Value current(const Expr& expr);
  Value boolean(const Expr& expr, const Scope& scope, const char* message);

  // analyze_call.cc, analyze_aggregate.cc
  Value call(const Expr& expr, const Scope& scope);
  Value special_form(const Expr& expr, const std::string& name, const Scope& scope, bool& handled);
  Value function(const Expr& expr, const std::string& name, const Scope& scope,
                 const Scope& argument_scope);
  Value aggregate(const Expr& expr, const std::string& name, const Scope& scope);
  Value window(const Expr& expr, const std::string& name, const Scope& scope);
  std::string window_text(const Expr& expr, const Scope& scope);
  std::string order_text(const std::vector<SortItem>& items, const Scope& scope);
  Value lambda_body(const Expr& lambda, const std::vector<Type>& inputs, const Scope& scope);

  // analyze_cast.cc
  Value cast(const Expr& expr, const Scope& scope);

 public:
  Value cast_value(const Value& value, const Type& to, bool tries, const Place& at);
  Value coerce(const Value& value, const Type& to);  // Where can_coerce() holds.

 private:
  [[noreturn]] void fail(const char* name, Place at, std::string message) const {
    throw Thrown{{name, std::move(message), at.line, at.column}};
  }
  std::string new_alias() { return "r" + std::to_string(aliases_++); }
  const NamedQuery* find_with(const std::string& name) const;

  const CatalogView& catalog_;
  const Session& session_;
  // Fails where an expression of `clause` needs more than one row.
  void expect_scalar(const Expr& expr, const char* clause) const;

  // Each fails where a statement makes too much of a few words.
  size_t expect_small(const Type& type, Place at) const;
  void expect_few(size_t columns, Place at) const;

  static constexpr size_t kTypeNodesMax = 10'000, kTypeDepthMax = 100;
  static constexpr size_t kColumnsMax = 10'000;  // Of one relation.
  static constexpr size_t kStepsMax = 2'000'000;
  static constexpr size_t kTextMax = size_t{16} << 20;      // Of one expression.
  static constexpr size_t kPrintedMax = size_t{256} << 20;  // Of all on the way.
  size_t steps_ = 0, printed_bytes_ = 0;
  int aliases_ = 0;
  Place select_at_;  // Of the SELECT being read; some messages name it.
  int lambdas_ = 0;
  size_t parameter_ = 0;
  std::vector<std::pair<std::string, NamedQuery>> with_;  // Innermost last.
};

// The wall clock of a zoned moment, as a TIMESTAMP; what says the zone to DuckDB.
Value wall_clock(const Value& zoned);
std::string zone_text(const std::string& zone);
Value in_zone(Value moment, const std::string& zone);  // The same moment, shown there.

bool has_aggregate(const Expr& expr);  // Not looking into subqueries.
bool has_window(const Expr& expr);
std::string show(const Expr& expr);  // As Trino prints it in messages.
// The aggregates, windows and GROUPING()s in an expression, not looking into them.
std::vector<const Expr*> beyond_a_row(const Expr& expr);

// The texts in a row type's or column's name; field names of DuckDB structs follow duckdb_type().
std::string struct_field(const Type& row, size_t index);

}  // namespace laketap::sql
