// Queries: WITH, SELECT, set operations, relations, windows.
#include <fmt/format.h>

#include <algorithm>

#include "sql/parser.h"

namespace laketap::sql {

QueryPtr Parser::whole_query() {
  QueryPtr made = query();
  if (!at_end()) mismatch("<EOF>");
  return made;
}

std::vector<With> Parser::with_list() {
  std::vector<With> out;
  do {
    With one;
    one.name = identifier();
    if (take_symbol("(")) {
      do one.columns.push_back(identifier());
      while (take_symbol(","));
      expect_symbol(")");
    }
    expect("AS");
    expect_symbol("(");
    one.query = query();
    expect_symbol(")");
    out.push_back(std::move(one));
  } while (take_symbol(","));
  return out;
}

QueryPtr Parser::query() {
  const Depth deeper(*this);
  const Named named(*this, "<query>");
  if (!is("WITH")) return query_without_with();
  const Place at = token().at;
  advance();
  const bool recursive = take("RECURSIVE");
  std::vector<With> with = with_list();
  auto made = std::make_shared<Query>(*query_without_with());
  made->at = at;
  made->recursive = recursive;
  with.insert(with.end(), made->with.begin(), made->with.end());
  made->with = std::move(with);
  return made;
}

QueryPtr Parser::query_without_with() {
  QueryPtr term = query_term(0);
  if (!is("ORDER") && !is("OFFSET") && !is("LIMIT") && !is("FETCH")) return term;
  auto made = std::make_shared<Query>(*term);
  // A term in parentheses with an end of its own keeps it: wrap it.
  if (!made->order_by.empty() || made->limit || made->offset) {
    auto outer = std::make_shared<Query>();
    outer->at = made->at;
    SelectItem star;
    star.at = made->at;
    outer->select.items.push_back(std::move(star));
    auto from = std::make_shared<Relation>();
    from->kind = Relation::Kind::query;
    from->at = made->at;
    from->query = term;
    outer->select.from = from;
    made = outer;
  }
  if (take("ORDER")) {
    expect("BY");
    made->order_by = sort_items();
  }
  const auto count = [&]() -> ExprPtr {
    if (token().kind != TokenKind::integer && token().kind != TokenKind::parameter) mismatch();
    ExprPtr number = make(token().kind == TokenKind::integer ? Op::integer : Op::parameter,
                          token().at, token().text);
    advance();
    return number;
  };
  if (take("OFFSET")) {
    made->offset = count();
    if (!take("ROW")) take("ROWS");
  }
  if (take("LIMIT")) {
    if (!take("ALL")) made->limit = count();
  } else if (take("FETCH")) {
    if (!take("FIRST")) expect("NEXT");
    made->limit = token().kind == TokenKind::integer ? count() : make(Op::integer, token().at, "1");
    if (!take("ROW")) expect("ROWS");
    if (take("WITH")) {
      expect("TIES");
      made->with_ties = true;
    } else {
      expect("ONLY");
    }
  }
  return made;
}

// Level 0: UNION, EXCEPT; level 1: INTERSECT, which binds closer.
QueryPtr Parser::query_term(int level) {
  QueryPtr left = level == 0 ? query_term(1) : query_primary();
  while (level == 0 ? is("UNION") || is("EXCEPT") : is("INTERSECT")) {
    link();
    auto made = std::make_shared<Query>();
    made->kind = Query::Kind::set_operation;
    made->at = token().at;
    made->set_operator = token().upper;
    advance();
    made->all = take("ALL");
    if (!made->all) take("DISTINCT");
    made->left = left;
    made->right = level == 0 ? query_term(1) : query_primary();
    left = made;
  }
  return left;
}

QueryPtr Parser::query_primary() {
  const Depth deeper(*this);
  auto made = std::make_shared<Query>();
  made->at = token().at;
  if (is("SELECT")) {
    made->select = select();
    return made;
  }
  if (take("TABLE")) {
    made->kind = Query::Kind::table;
    made->table = qualified_name();
    return made;
  }
  if (take("VALUES")) {
    made->kind = Query::Kind::values;
    do {
      ExprPtr row = expression();
      made->rows.push_back(row->op == Op::row ? row->args : std::vector<ExprPtr>{row});
    } while (take_symbol(","));
    return made;
  }
  if (take_symbol("(")) {
    QueryPtr inner = query_without_with();
    expect_symbol(")");
    return inner;
  }
  mismatch();
}

SelectItem Parser::select_item() {
  SelectItem item;
  item.at = token().at;
  if (take_symbol("*")) return item;
  // t.*, a.b.*
  size_t ahead = 0;
  while (is_name(ahead) && is_symbol(".", ahead + 1)) ahead += 2;
  if (ahead > 0 && is_symbol("*", ahead)) {
    while (!is_symbol("*")) {
      item.star_of.push_back(identifier());
      expect_symbol(".");
    }
    advance();
    return item;
  }
  item.value = expression();
  if (is_symbol(".") && is_symbol("*", 1)) {
    advance();
    advance();
    item.star_base = item.value;
    item.value = nullptr;
    return item;
  }
  if (take("AS"))
    item.alias = identifier();
  else
    item.alias = maybe_identifier();
  return item;
}

Select Parser::select() {
  Select made;
  made.at = token().at;
  expect("SELECT");
  if (take("DISTINCT"))
    made.distinct = true;
  else
    take("ALL");
  do made.items.push_back(select_item());
  while (take_symbol(","));
  if (take("FROM")) {
    made.from = relation();
    while (take_symbol(",")) made.from = join_of(made.from, "CROSS", false);
  }
  if (take("WHERE")) made.where = expression();
  if (is("GROUP")) {
    advance();
    expect("BY");
    made.grouped = true;
    made.group_by = group_by();
  }
  if (take("HAVING")) made.having = expression();
  if (is("WINDOW") && is_name(1) && is("AS", 2)) {
    advance();
    do {
      Identifier name = identifier();
      expect("AS");
      expect_symbol("(");
      made.windows.emplace_back(name, std::make_shared<Window>(window_specification()));
      expect_symbol(")");
    } while (take_symbol(","));
  }
  return made;
}

std::vector<ExprPtr> Parser::grouping_set() {
  std::vector<ExprPtr> out;
  if (is_symbol("(")) {
    // (a, b), () or an expression that begins with a parenthesis.
    if (is_symbol(")", 1)) {
      advance();
      advance();
      return out;
    }
    ExprPtr one = expression();
    if (one->op == Op::row) return one->args;
    return {one};
  }
  return {expression()};
}

std::vector<GroupItem> Parser::group_by() {
  if (is("DISTINCT") || is("ALL")) advance();
  std::vector<GroupItem> out;
  do {
    GroupItem item;
    const bool sets = is("GROUPING") && is("SETS", 1);
    if (sets) advance();
    if (sets || ((is("ROLLUP") || is("CUBE")) && is_symbol("(", 1))) {
      item.kind = sets           ? GroupItem::Kind::sets
                  : is("ROLLUP") ? GroupItem::Kind::rollup
                                 : GroupItem::Kind::cube;
      advance();
      expect_symbol("(");
      if (!is_symbol(")")) {
        do item.sets.push_back(grouping_set());
        while (take_symbol(","));
      }
      expect_symbol(")");
    } else {
      item.sets.push_back(grouping_set());
    }
    out.push_back(std::move(item));
  } while (take_symbol(","));
  return out;
}

std::vector<SortItem> Parser::sort_items() {
  std::vector<SortItem> out;
  do {
    SortItem item;
    item.key = expression();
    if (take("DESC"))
      item.descending = true;
    else
      take("ASC");
    if (take("NULLS")) {
      item.nulls_first = is("FIRST");
      if (!take("FIRST") && !take("LAST")) mismatch();
    }
    out.push_back(std::move(item));
  } while (take_symbol(","));
  return out;
}

FrameBound Parser::frame_bound() {
  FrameBound bound;
  if (take("UNBOUNDED")) {
    if (take("PRECEDING"))
      bound.kind = FrameBound::Kind::unbounded_preceding;
    else if (take("FOLLOWING"))
      bound.kind = FrameBound::Kind::unbounded_following;
    else
      mismatch();
    return bound;
  }
  if (take("CURRENT")) {
    expect("ROW");
    return bound;
  }
  bound.value = expression();
  if (take("PRECEDING"))
    bound.kind = FrameBound::Kind::preceding;
  else if (take("FOLLOWING"))
    bound.kind = FrameBound::Kind::following;
  else
    mismatch();
  return bound;
}

Window Parser::window_specification() {
  Window made;
  made.at = token().at;
  want("<identifier>");
  if (is_name() && !sees("PARTITION") && !sees("ROWS") && !sees("RANGE") && !sees("GROUPS"))
    made.base = identifier();
  if (is("PARTITION") && is("BY", 1)) {
    advance();
    advance();
    do made.partition_by.push_back(expression());
    while (take_symbol(","));
  }
  if (take("ORDER")) {
    expect("BY");
    made.order_by = sort_items();
  }
  if (is("ROWS") || is("RANGE") || is("GROUPS")) {
    made.frame_unit = token().upper;
    made.frame_at = token().at;
    advance();
    if (take("BETWEEN")) {
      made.start = frame_bound();
      expect("AND");
      made.end = frame_bound();
    } else {
      made.start = frame_bound();
    }
  }
  return made;
}

RelationPtr Parser::join_of(RelationPtr left, std::string kind, bool natural) {
  link();
  auto made = std::make_shared<Relation>();
  made->kind = Relation::Kind::join;
  made->at = left->at;
  made->left = std::move(left);
  made->join = std::move(kind);
  made->natural = natural;
  made->right = sampled_relation();
  if (made->join == "CROSS" && !natural) {
    // A comma or CROSS JOIN; further joins of the right side belong to the whole in Trino's grammar
    // only after a comma.
    return made;
  }
  if (natural) return made;
  if (take("ON")) {
    made->on = expression();
  } else if (take("USING")) {
    expect_symbol("(");
    do made->using_columns.push_back(identifier());
    while (take_symbol(","));
    expect_symbol(")");
  } else {
    mismatch();
  }
  return made;
}

RelationPtr Parser::relation() {
  const Depth deeper(*this);
  RelationPtr left = sampled_relation();
  while (true) {
    if (is("CROSS")) {
      advance();
      expect("JOIN");
      left = join_of(left, "CROSS", false);
      continue;
    }
    const bool natural = is("NATURAL");
    if (natural) advance();
    std::string kind = "INNER";
    if (is("JOIN")) {
      advance();
    } else if (is("INNER")) {
      advance();
      expect("JOIN");
    } else if (is("LEFT") || is("RIGHT") || is("FULL")) {
      kind = token().upper;
      advance();
      take("OUTER");
      expect("JOIN");
    } else {
      if (natural) mismatch();
      return left;
    }
    link();
    // `a JOIN b JOIN c ON .. ON ..`: the right side may be a join itself.
    auto made = std::make_shared<Relation>();
    made->kind = Relation::Kind::join;
    made->at = left->at;
    made->left = left;
    made->join = kind;
    made->natural = natural;
    made->right = sampled_relation();
    if (!natural) {
      while (is("JOIN") || is("INNER") || is("LEFT") || is("RIGHT") || is("FULL") || is("CROSS")) {
        std::string inner = "INNER";
        if (is("LEFT") || is("RIGHT") || is("FULL") || is("CROSS")) inner = token().upper;
        if (!is("JOIN")) advance();
        take("OUTER");
        expect("JOIN");
        made->right = join_of(made->right, inner, false);
      }
      if (take("ON")) {
        made->on = expression();
      } else if (take("USING")) {
        expect_symbol("(");
        do made->using_columns.push_back(identifier());
        while (take_symbol(","));
        expect_symbol(")");
      } else {
        mismatch();
      }
    }
    left = made;
  }
}

RelationPtr Parser::sampled_relation() {
  auto made = std::make_shared<Relation>(*relation_primary());
  alias_of(*made);
  if (take("TABLESAMPLE")) {
    made->sample = token().upper;
    if (!take("BERNOULLI") && !take("SYSTEM")) mismatch();
    expect_symbol("(");
    made->sample_percent = expression();
    expect_symbol(")");
  }
  return made;
}

void Parser::alias_of(Relation& made) {
  if (take("AS")) {
    made.alias = identifier();
  } else {
    want("<identifier>");
    const auto counts = [&](size_t ahead) {
      return token(ahead).kind == TokenKind::integer || token(ahead).kind == TokenKind::parameter;
    };
    // Words that could be names, and are not when a clause begins with them.
    const bool clause = sees("TABLESAMPLE") || (sees("WINDOW") && is_name(1) && sees("AS", 2)) ||
                        (sees("OFFSET") && counts(1)) ||
                        (sees("LIMIT") && (counts(1) || sees("ALL", 1))) ||
                        (sees("FETCH") && (sees("FIRST", 1) || sees("NEXT", 1))) ||
                        (sees("MATCH_RECOGNIZE") && sees_symbol("(", 1));
    if (is_name() && !clause)
      made.alias = identifier();
    else
      want("MATCH_RECOGNIZE");
  }
  if (made.alias && take_symbol("(")) {
    do made.column_aliases.push_back(identifier());
    while (take_symbol(","));
    expect_symbol(")");
  }
}

// Whether the parenthesis here holds a query, of which so many more stand before the SELECT:
// ((SELECT 1) UNION ..) does,
// ((SELECT 1) JOIN ..) holds relations.
bool Parser::holds_query(size_t parentheses) const {
  for (size_t inner = 1; inner < parentheses; ++inner) {
    size_t open = 0;
    size_t at = at_ + inner;
    for (; at < tokens_.size(); ++at) {
      if (tokens_[at].kind != TokenKind::symbol) continue;
      if (tokens_[at].text == "(") ++open;
      if (tokens_[at].text == ")" && --open == 0) break;
    }
    if (at + 1 >= tokens_.size()) return true;
    const Token& next = tokens_[at + 1];
    if (next.kind == TokenKind::symbol && next.text == ")") continue;
    for (const std::string_view word :
         {"UNION", "EXCEPT", "INTERSECT", "ORDER", "OFFSET", "LIMIT", "FETCH"})
      if (next.kind == TokenKind::word && next.upper == word) return true;
    return false;
  }
  return true;
}

RelationPtr Parser::relation_primary() {
  const Depth deeper(*this);
  auto made = std::make_shared<Relation>();
  made->at = token().at;
  if (take("UNNEST")) {
    expect_symbol("(");
    made->kind = Relation::Kind::unnest;
    do made->unnest.push_back(expression());
    while (take_symbol(","));
    expect_symbol(")");
    if (sees("WITH") && sees("ORDINALITY", 1)) {
      advance();
      advance();
      made->with_ordinality = true;
    }
    return made;
  }
  if (is("LATERAL") && is_symbol("(", 1)) {
    advance();
    advance();
    made->kind = Relation::Kind::lateral;
    made->query = query();
    expect_symbol(")");
    return made;
  }
  if (sees("MATCH_RECOGNIZE") && sees_symbol("(", 1))
    fail_at(token().at, "row pattern recognition is not served");
  if (is_symbol("(")) {
    // A query, or relations in parentheses.
    size_t ahead = 0;
    while (is_symbol("(", ahead)) ++ahead;
    if ((sees("SELECT", ahead) || sees("WITH", ahead) || sees("VALUES", ahead) ||
         sees("TABLE", ahead)) &&
        holds_query(ahead)) {
      advance();
      made->kind = Relation::Kind::query;
      made->query = query();
      expect_symbol(")");
      return made;
    }
    advance();
    RelationPtr inner = relation();
    while (take_symbol(",")) inner = join_of(inner, "CROSS", false);
    expect_symbol(")");
    return inner;
  }
  want("TABLE");
  made->kind = Relation::Kind::table;
  made->name = qualified_name();
  return made;
}

}  // namespace laketap::sql
