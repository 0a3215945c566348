// What an expression is made of: literals, names, calls, special forms.
#include <fmt/format.h>
#include <algorithm>
#include "sql/parser.h"
#include "sql/text.h"

namespace laketap::sql {

ExprPtr Parser::primary() {
  const Depth deeper(*this);
  const Token& one = token();
  const Place at = one.at;
  const auto literal = [&](Op op) {
    ExprPtr made = make(op, at, token().text);
    advance();
    return made;
  };
  switch (one.kind) {
    case TokenKind::text: return literal(Op::text);
    case TokenKind::binary: return literal(Op::binary);
    case TokenKind::integer: return literal(Op::integer);
    case TokenKind::decimal: return literal(Op::decimal);
    case TokenKind::floating: return literal(Op::floating);
    case TokenKind::parameter: return literal(Op::parameter);
    case TokenKind::digit_word:
    case TokenKind::backquoted: identifier(); break;
    case TokenKind::quoted: {
      if (is_symbol("->", 1)) return *lambda();
      Identifier name = identifier();
      if (sees_symbol("(")) return call({name}, at);
      auto made = make(Op::identifier, at, name.text);
      made->names = {name};
      return made;
    }
    case TokenKind::word: return word_primary();
    case TokenKind::symbol:
      if (is_symbol("(")) return parenthesised();
      break;
    case TokenKind::end: break;
  }
  mismatch();
}

std::optional<ExprPtr> Parser::lambda() {
  const size_t begin = at_;
  const Place at = token().at;
  std::vector<Identifier> names;
  if (is_name() && is_symbol("->", 1)) {
    names.push_back(identifier());
  } else if (is_symbol("(")) {
    advance();
    while (is_name()) {
      names.push_back(identifier());
      if (!take_symbol(",")) break;
    }
    if (!is_symbol(")") || !is_symbol("->", 1)) {
      at_ = begin;
      return std::nullopt;
    }
    advance();
  } else {
    return std::nullopt;
  }
  expect_symbol("->");
  auto made = make(Op::lambda, at, "", {expression()});
  made->names = std::move(names);
  return made;
}

ExprPtr Parser::parenthesised() {
  const Place at = token().at;
  if (std::optional<ExprPtr> made = lambda()) return *made;
  advance();
  if (is("SELECT") || is("WITH") || is("VALUES") || is("TABLE")) {
    auto made = make(Op::scalar_query, at);
    made->query = query();
    expect_symbol(")");
    return made;
  }
  std::vector<ExprPtr> args;
  do args.push_back(expression());
  while (take_symbol(","));
  expect_symbol(")");
  if (args.size() == 1) return args.front();
  return make(Op::row, at, "", std::move(args));
}

ExprPtr Parser::case_expression() {
  auto made = make(Op::searched_case, token().at);
  advance();
  if (!is("WHEN")) {
    made->op = Op::simple_case;
    made->args.push_back(expression());
  }
  if (!is("WHEN")) mismatch();
  while (take("WHEN")) {
    made->args.push_back(expression());
    expect("THEN");
    made->args.push_back(expression());
  }
  if (take("ELSE")) {
    made->has_else = true;
    made->args.push_back(expression());
  }
  expect("END");
  return made;
}

// The tokens of a type, as text for from_trino().
std::string Parser::type_text() {
  std::string out;
  int open = 0;
  while (!at_end()) {
    if (open == 0 && (is_symbol(")") || is_symbol(",")) && !out.empty()) break;
    if (is_symbol("(")) ++open;
    if (is_symbol(")")) --open;
    if (token().kind != TokenKind::word && token().kind != TokenKind::quoted &&
        token().kind != TokenKind::integer && !is_symbol("(") && !is_symbol(")") && !is_symbol(","))
      mismatch("<type>");
    if (!out.empty() && !is_symbol("(") && !is_symbol(")") && !is_symbol(",")) out += ' ';
    out += token().kind == TokenKind::quoted ? '"' + token().text + '"' : token().text;
    advance();
  }
  return out;
}

ExprPtr Parser::cast_expression() {
  auto made = make(is("CAST") ? Op::cast : Op::try_cast, token().at);
  advance();
  expect_symbol("(");
  made->args.push_back(expression());
  expect("AS");
  if (token().kind != TokenKind::word && token().kind != TokenKind::quoted) mismatch("<type>");
  made->text = type_text();
  expect_symbol(")");
  return made;
}

ExprPtr Parser::interval_literal() {
  auto made = make(Op::interval, token().at);
  advance();
  if (is_symbol("-") || is_symbol("+")) {
    made->negated = is_symbol("-");
    advance();
  }
  if (token().kind != TokenKind::text) mismatch("<string>");
  made->args = {make(Op::text, token().at, token().text)};
  advance();
  const auto unit = [&] {
    for (const std::string_view name : {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})
      if (take(name)) return std::string(name);
    mismatch();
  };
  made->text = unit();
  if (take("TO")) made->to_unit = unit();
  return made;
}

ExprPtr Parser::word_primary() {
  const Place at = token().at;
  const std::string& word = token().upper;
  if (word == "NULL") {
    advance();
    return make(Op::null, at);
  }
  if (word == "TRUE" || word == "FALSE") {
    ExprPtr made = make(Op::boolean, at, word == "TRUE" ? "true" : "false");
    advance();
    return made;
  }
  if (word == "CASE") return case_expression();
  if (word == "CAST" || (word == "TRY_CAST" && is_symbol("(", 1))) return cast_expression();
  if (word == "INTERVAL" &&
      (token(1).kind == TokenKind::text ||
       ((is_symbol("-", 1) || is_symbol("+", 1)) && token(2).kind == TokenKind::text)))
    return interval_literal();
  if (word == "EXISTS" && is_symbol("(", 1)) {
    advance();
    advance();
    auto made = make(Op::exists, at);
    made->query = query();
    expect_symbol(")");
    return made;
  }
  if (word == "ARRAY" && is_symbol("[", 1)) {
    advance();
    advance();
    auto made = make(Op::array, at);
    if (!is_symbol("]")) {
      do made->args.push_back(expression());
      while (take_symbol(","));
    }
    expect_symbol("]");
    return made;
  }
  if (word == "ROW" && is_symbol("(", 1)) {
    advance();
    advance();
    auto made = make(Op::row, at);
    do made->args.push_back(expression());
    while (take_symbol(","));
    expect_symbol(")");
    return made;
  }
  if (ExprPtr special = special_call()) return special;
  for (const std::string_view name :
       {"JSON_VALUE", "JSON_QUERY", "JSON_EXISTS", "JSON_OBJECT", "JSON_ARRAY"})
    if (word == name && sees_symbol("(", 1))
      throw Thrown{
          {"NOT_SUPPORTED", fmt::format("{} is not served yet", name), at.line, at.column}};
  // DATE '2020-01-01', DECIMAL '1.5', BIGINT '1', JSON '..', DOUBLE PRECISION '1'.
  if (!is_reserved(word) && token(1).kind == TokenKind::text) {
    auto made = make(Op::typed_literal, at, token().text);
    advance();
    made->args = {make(Op::text, token().at, token().text)};
    advance();
    return made;
  }
  if (word == "DOUBLE" && is("PRECISION", 1) && token(2).kind == TokenKind::text) {
    advance();
    advance();
    auto made = make(Op::typed_literal, at, "double");
    made->args = {make(Op::text, token().at, token().text)};
    advance();
    return made;
  }
  if (is_reserved(word) && word != "GROUPING" && word != "LISTAGG" && word != "TRIM" &&
      word != "NORMALIZE")
    mismatch();
  if (is_symbol("->", 1)) return *lambda();
  if (is_reserved(word)) {
    Identifier name{token().text, false, at};
    advance();
    if (!is_symbol("(")) mismatch();
    return call({name}, at);
  }
  Identifier name = identifier();
  if (sees_symbol("(")) return call({name}, at);
  // A qualified function name: a.b(...).
  if (is_symbol(".") && is_name(1) && is_symbol("(", 2)) {
    advance();
    Identifier second = identifier();
    return call({name, second}, at);
  }
  auto made = make(Op::identifier, at, name.text);
  made->names = {name};
  return made;
}

// Functions whose arguments have words between them.
ExprPtr Parser::special_call() {
  const Place at = token().at;
  const std::string& word = token().upper;
  const auto named = [&](std::string name, std::vector<ExprPtr> args) {
    auto made = make(Op::call, at, name, std::move(args));
    made->names = {{name, false, at}};
    return made;
  };
  if (word == "EXTRACT" && is_symbol("(", 1)) {
    advance();
    advance();
    auto made = make(Op::extract, at, token().upper);
    if (token().kind != TokenKind::word) mismatch("<identifier>");
    advance();
    expect("FROM");
    made->args.push_back(expression());
    expect_symbol(")");
    return made;
  }
  for (const std::string_view name :
       {"CURRENT_DATE", "CURRENT_CATALOG", "CURRENT_SCHEMA", "CURRENT_USER"})
    if (word == name) {
      advance();
      return make(Op::current, at, std::string(name));
    }
  for (const std::string_view name :
       {"CURRENT_TIMESTAMP", "CURRENT_TIME", "LOCALTIMESTAMP", "LOCALTIME"})
    if (word == name) {
      auto made = make(Op::current, at, std::string(name));
      advance();
      if (is_symbol("(") && token(1).kind == TokenKind::integer) {
        advance();
        made->args = {make(Op::integer, token().at, token().text)};
        advance();
        expect_symbol(")");
      }
      return made;
    }
  if (word == "POSITION" && is_symbol("(", 1)) {
    advance();
    advance();
    ExprPtr needle = concatenation();
    expect("IN");
    ExprPtr haystack = concatenation();
    expect_symbol(")");
    return named("strpos", {haystack, needle});
  }
  if (word == "SUBSTRING" && is_symbol("(", 1)) {
    advance();
    advance();
    std::vector<ExprPtr> args{expression()};
    if (take("FROM")) {
      args.push_back(expression());
      if (take("FOR")) args.push_back(expression());
    } else {
      while (take_symbol(",")) args.push_back(expression());
    }
    expect_symbol(")");
    return named("substring", std::move(args));
  }
  if (word == "TRIM" && is_symbol("(", 1)) {
    advance();
    advance();
    std::string name = "trim";
    if (take("LEADING"))
      name = "ltrim";
    else if (take("TRAILING"))
      name = "rtrim";
    else
      take("BOTH");
    std::vector<ExprPtr> args;
    if (!is("FROM")) args.push_back(expression());
    if (take("FROM")) {
      ExprPtr value = expression();
      args.insert(args.begin(), value);
    } else if (take_symbol(",")) {
      args.push_back(expression());
    }
    expect_symbol(")");
    return named(name, std::move(args));
  }
  if (word == "NORMALIZE" && is_symbol("(", 1)) {
    advance();
    advance();
    std::vector<ExprPtr> args{expression()};
    if (take_symbol(",")) {
      args.push_back(make(Op::text, token().at, token().upper));
      advance();
    }
    expect_symbol(")");
    return named("normalize", std::move(args));
  }
  return nullptr;
}

ExprPtr Parser::call(std::vector<Identifier> name, Place at) {
  auto made = make(Op::call, at);
  for (const Identifier& part : name) made->text += (made->text.empty() ? "" : ".") + part.text;
  made->names = std::move(name);
  expect_symbol("(");
  if (is_symbol("*") && is_symbol(")", 1)) {
    advance();
    made->args.push_back(make(Op::star, at));
  } else if (!is_symbol(")")) {
    if (take("DISTINCT"))
      made->distinct = true;
    else if (is("ALL") && !is_symbol(",", 1) && !is_symbol(")", 1))
      advance();
    do made->args.push_back(expression());
    while (take_symbol(","));
    if (is("ORDER") && is("BY", 1)) {
      advance();
      advance();
      made->order_by = sort_items();
    }
    // listagg(x, ',' ON OVERFLOW ...)
    if (is("ON") && is("OVERFLOW", 1)) {
      advance();
      advance();
      if (!take("ERROR")) mismatch();
    }
  }
  expect_symbol(")");
  if (!sees("WITHIN") && made->names.size() == 1 && !made->names[0].quoted &&
      lower(made->text) == "listagg") {
    want("WITHIN");
    mismatch();
  }
  if (sees("WITHIN") && sees("GROUP", 1)) {
    advance();
    advance();
    expect_symbol("(");
    expect("ORDER");
    expect("BY");
    made->order_by = sort_items();
    expect_symbol(")");
  }
  if (is("FILTER") && is_symbol("(", 1)) {
    advance();
    advance();
    expect("WHERE");
    made->filter = expression();
    expect_symbol(")");
  }
  if (is("IGNORE") && is("NULLS", 1)) {
    advance();
    advance();
    made->ignore_nulls = true;
  } else if (is("RESPECT") && is("NULLS", 1)) {
    advance();
    advance();
  }
  if (take("OVER")) {
    if (take_symbol("(")) {
      made->over = std::make_shared<Window>(window_specification());
      expect_symbol(")");
    } else {
      Window window;
      window.base = identifier();
      made->over = std::make_shared<Window>(std::move(window));
    }
  }
  return made;
}

}  // namespace laketap::sql
