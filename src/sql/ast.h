// The tree of a statement as it was written. Inner header of sql.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace laketap::sql {

struct Place {
  int line = 1, column = 1;
};

struct Expr;
struct Query;
using ExprPtr = std::shared_ptr<const Expr>;
using QueryPtr = std::shared_ptr<const Query>;

struct Identifier {
  std::string text;  // As written, without quotes.
  bool quoted = false;
  Place at;
};

struct SortItem {
  ExprPtr key;
  bool descending = false;
  std::optional<bool> nulls_first;
};

struct FrameBound {
  enum class Kind {
    unbounded_preceding,
    preceding,
    current,
    following,
    unbounded_following
  } kind = Kind::current;
  ExprPtr value;
};
struct Window {
  std::optional<Identifier> base;  // A name of the WINDOW clause.
  std::vector<ExprPtr> partition_by;
  std::vector<SortItem> order_by;
  std::string frame_unit;  // ROWS, RANGE, GROUPS; "" without a frame.
  FrameBound start, end;
  Place at, frame_at{0, 0};  // Of what stands in the parentheses, and of ROWS, RANGE or GROUPS.
};

enum class Op {
  null,
  boolean,
  text,
  binary,
  integer,
  decimal,
  floating,
  typed_literal,
  interval,
  parameter,  // Literals: `text` holds the digits.
  identifier,
  dereference,
  subscript,
  call,
  cast,
  try_cast,
  searched_case,
  simple_case,
  between,
  in_list,
  in_query,
  like,
  is_null,
  is_distinct,
  exists,
  scalar_query,
  quantified,
  arithmetic,
  negate,
  plus,
  compare,
  logical_and,
  logical_or,
  logical_not,
  array,
  row,
  lambda,
  at_time_zone,
  extract,
  current,
  star,
};

// One shape for every expression; which members count follows from `op`.
struct Expr {
  Op op;
  Place at;
  std::string text;           // Literal text, operator, name, field, type text, unit.
  std::vector<ExprPtr> args;  // Operands. CASE: [operand], when, then, ..., [else].
  std::vector<Identifier>
      names;              // identifier: one; call: the parts of the name; lambda: parameters.
  bool negated = false;   // NOT IN, NOT LIKE, IS NOT NULL, -INTERVAL ...
  bool distinct = false;  // count(DISTINCT x)
  bool has_else = false;
  bool ignore_nulls = false;
  std::string quantifier;          // ALL, ANY
  std::string to_unit;             // INTERVAL '1-2' YEAR TO MONTH
  std::vector<SortItem> order_by;  // array_agg(x ORDER BY y), WITHIN GROUP
  ExprPtr filter;
  std::shared_ptr<const Window> over;
  QueryPtr query;
};

struct SelectItem {
  ExprPtr value;                    // Null for a star.
  std::vector<Identifier> star_of;  // t.* : the parts of t.
  ExprPtr star_base;                // (expression).*
  std::optional<Identifier> alias;
  Place at;
};

struct Relation;
using RelationPtr = std::shared_ptr<const Relation>;

struct Relation {
  enum class Kind { table, query, join, unnest, lateral, values } kind;
  Place at;
  std::vector<Identifier> name;  // table
  QueryPtr query;                // query, lateral
  std::vector<ExprPtr> unnest;
  bool with_ordinality = false;
  // join
  RelationPtr left, right;
  std::string join;  // INNER, LEFT, RIGHT, FULL, CROSS
  ExprPtr on;
  std::vector<Identifier> using_columns;
  bool natural = false;
  // alias
  std::optional<Identifier> alias;
  std::vector<Identifier> column_aliases;
  // TABLESAMPLE BERNOULLI (10)
  std::string sample;
  ExprPtr sample_percent;
};

struct GroupItem {
  enum class Kind { simple, sets, rollup, cube } kind = Kind::simple;
  std::vector<std::vector<ExprPtr>> sets;  // simple: one set.
};

struct Select {
  Place at;
  bool distinct = false;
  std::vector<SelectItem> items;
  RelationPtr from;
  ExprPtr where, having;
  bool grouped = false;
  std::vector<GroupItem> group_by;
  std::vector<std::pair<Identifier, std::shared_ptr<const Window>>> windows;
};

struct With {
  Identifier name;
  std::vector<Identifier> columns;
  QueryPtr query;
};

// A query term: a SELECT, a set operation of two, VALUES, TABLE t, or a query in parentheses.
struct Query {
  enum class Kind { select, set_operation, values, table } kind = Kind::select;
  Place at;
  bool recursive = false;
  std::vector<With> with;
  Select select;
  std::string set_operator;  // UNION, INTERSECT, EXCEPT
  bool all = false;
  QueryPtr left, right;
  std::vector<std::vector<ExprPtr>> rows;
  std::vector<Identifier> table;
  std::vector<SortItem> order_by;
  ExprPtr offset, limit;
  bool with_ties = false;
};

}  // namespace laketap::sql
