// Expressions, from OR down to literals.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sql/parser.h"

namespace laketap::sql {
namespace {

constexpr int kDepthMax = 250;
constexpr int kHeightMax = 500;

}  // namespace

Parser::Depth::Depth(Parser& parser) : parser_(parser), before_(parser.height_) {
  if (++parser_.depth_ > kDepthMax) {
    --parser_.depth_;
    parser.fail_at(parser.token().at, "statement is too large (nested too deeply)");
  }
  parser_.height_ = 0;
}

void Parser::link() {
  if (++height_ > kHeightMax) fail_at(token().at, "statement is too large (nested too deeply)");
}

void Parser::fail_at(Place at, std::string message) const {
  throw Thrown{{"SYNTAX_ERROR", std::move(message), at.line, at.column}};
}

void Parser::mismatch(std::string_view expecting) const {
  const Token& found = token();
  const std::string shown = found.kind == TokenKind::end
                                ? "<EOF>"
                                : std::string(source_.substr(found.offset, found.length));
  std::set<std::string> words;
  if (!expecting.empty()) words.emplace(expecting);
  if (wanted_at_ == at_)
    for (const std::string_view one : wanted_)
      words.insert(one.size() > 1 && one.front() == '<' && one.back() == '>' && one != "<>"
                       ? std::string(one)
                       : fmt::format("'{}'", one));
  std::string message = fmt::format("mismatched input '{}'", shown);
  if (!words.empty()) message += fmt::format(". Expecting: {}", fmt::join(words, ", "));
  fail_at(found.at, std::move(message));
}

bool Parser::take(std::string_view keyword) {
  if (!is(keyword)) return false;
  advance();
  return true;
}
bool Parser::take_symbol(std::string_view symbol) {
  if (!is_symbol(symbol)) return false;
  advance();
  return true;
}
void Parser::expect(std::string_view keyword) {
  if (!take(keyword)) mismatch();
}
void Parser::expect_symbol(std::string_view symbol) {
  if (!take_symbol(symbol)) mismatch();
}

bool Parser::is_name(size_t ahead) const {
  const Token& one = token(ahead);
  // Names in backquotes or with a digit first are names to the grammar; identifier() refuses them.
  return one.kind == TokenKind::quoted || one.kind == TokenKind::backquoted ||
         one.kind == TokenKind::digit_word ||
         (one.kind == TokenKind::word && !is_reserved(one.upper));
}

Identifier Parser::identifier() {
  const Token& one = token();
  want("<identifier>");
  if (one.kind == TokenKind::digit_word)
    fail_at(one.at,
            "identifiers must not start with a digit; surround the identifier with double quotes");
  if (one.kind == TokenKind::backquoted)
    fail_at(one.at,
            "backquoted identifiers are not supported; use double quotes to quote identifiers");
  if (!is_name()) mismatch();
  Identifier made{one.text, one.kind == TokenKind::quoted, one.at};
  advance();
  return made;
}

std::optional<Identifier> Parser::maybe_identifier() {
  want("<identifier>");
  if (!is_name()) return std::nullopt;
  return identifier();
}

// Whether a value, or ALL, ANY, SOME, can begin with this token.
bool Parser::begins_value(size_t ahead) const {
  const Token& one = token(ahead);
  if (one.kind == TokenKind::symbol) return one.text == "(" || one.text == "-" || one.text == "+";
  if (one.kind == TokenKind::end) return false;
  if (one.kind != TokenKind::word || !is_reserved(one.upper)) return true;
  for (const std::string_view word : {"CASE",
                                      "CAST",
                                      "EXISTS",
                                      "NULL",
                                      "TRUE",
                                      "FALSE",
                                      "CURRENT_DATE",
                                      "CURRENT_TIME",
                                      "CURRENT_TIMESTAMP",
                                      "CURRENT_USER",
                                      "CURRENT_CATALOG",
                                      "CURRENT_SCHEMA",
                                      "LOCALTIME",
                                      "LOCALTIMESTAMP",
                                      "EXTRACT",
                                      "TRIM",
                                      "NORMALIZE",
                                      "GROUPING",
                                      "LISTAGG",
                                      "JSON_ARRAY",
                                      "JSON_OBJECT",
                                      "JSON_VALUE",
                                      "JSON_QUERY",
                                      "JSON_EXISTS",
                                      "CURRENT_PATH"})
    if (one.upper == word) return true;
  return false;
}

std::vector<Identifier> Parser::qualified_name(bool backquotes) {
  std::vector<Identifier> parts;
  do {
    if (backquotes && token().kind == TokenKind::backquoted) {
      parts.push_back({token().text, true, token().at});
      advance();
    } else {
      parts.push_back(identifier());
    }
  } while (take_symbol("."));
  return parts;
}

std::shared_ptr<Expr> Parser::make(Op op, Place at, std::string text, std::vector<ExprPtr> args) {
  auto made = std::make_shared<Expr>();
  made->op = op;
  made->at = at;
  made->text = std::move(text);
  made->args = std::move(args);
  return made;
}

ExprPtr Parser::whole_expression() {
  ExprPtr made = expression();
  if (!at_end()) mismatch("<EOF>");
  return made;
}

ExprPtr Parser::expression() {
  const Depth deeper(*this);
  const Named named(*this, "<expression>");
  return logical_or();
}

ExprPtr Parser::logical_or() {
  ExprPtr left = logical_and();
  if (!is("OR")) return left;
  auto made = make(Op::logical_or, left->at, "OR", {left});  // One node for all its terms.
  while (take("OR")) made->args.push_back(logical_and());
  return made;
}

ExprPtr Parser::logical_and() {
  const Named named(*this, "<expression>");
  ExprPtr left = logical_not();
  if (!is("AND")) return left;
  auto made = make(Op::logical_and, left->at, "AND", {left});
  while (take("AND")) made->args.push_back(logical_not());
  return made;
}

ExprPtr Parser::logical_not() {
  const Named named(*this, "<expression>");
  if (!is("NOT")) return predicated();
  const Depth deeper(*this);
  const Place at = token().at;
  advance();
  return make(Op::logical_not, at, "NOT", {logical_not()});
}

ExprPtr Parser::predicated() {
  ExprPtr value = concatenation();
  return predicate(value);  // One at most: `a IS NULL IS NULL` is no expression.
}

ExprPtr Parser::predicate(ExprPtr value) {
  const Place at = token().at;  // Of the operator: the place that messages name.
  const Named named(*this, "<predicate>");
  for (const std::string_view op : {"=", "<>", "!=", "<", "<=", ">", ">="}) {
    if (!sees_symbol(op)) continue;
    // Nothing can follow: Trino's parser blames the operator.
    if (!begins_value(1)) {
      wanted_ = {"<predicate>"};
      wanted_at_ = at_;
      mismatch();
    }
    advance();
    const std::string name = op == "!=" ? "<>" : std::string(op);
    for (const std::string_view quantifier : {"ALL", "ANY", "SOME"})
      if (is(quantifier) && is_symbol("(", 1)) {
        advance();
        advance();
        auto made = make(Op::quantified, at, name, {value});
        made->quantifier = quantifier == "ALL" ? "ALL" : "ANY";
        made->query = query();
        expect_symbol(")");
        return made;
      }
    return make(Op::compare, at, name, {value, concatenation()});
  }
  const bool negated = is("NOT") && (is("BETWEEN", 1) || is("IN", 1) || is("LIKE", 1));
  if (negated) advance();
  if (take("BETWEEN")) {
    ExprPtr low = concatenation();
    expect("AND");
    auto made = make(Op::between, at, "", {value, low, concatenation()});
    made->negated = negated;
    return made;
  }
  if (take("IN")) {
    expect_symbol("(");
    if (is("SELECT") || is("WITH") || is("VALUES") || is("TABLE")) {
      auto made = make(Op::in_query, at, "", {value});
      made->negated = negated;
      made->query = query();
      expect_symbol(")");
      return made;
    }
    std::vector<ExprPtr> args{value};
    do args.push_back(expression());
    while (take_symbol(","));
    expect_symbol(")");
    auto made = make(Op::in_list, at, "", std::move(args));
    made->negated = negated;
    return made;
  }
  if (take("LIKE")) {
    std::vector<ExprPtr> args{value, concatenation()};
    if (take("ESCAPE")) args.push_back(concatenation());
    auto made = make(Op::like, at, "", std::move(args));
    made->negated = negated;
    return made;
  }
  if (is("IS")) {
    advance();
    const bool is_not = take("NOT");
    if (take("NULL")) {
      auto made = make(Op::is_null, at, "", {value});
      made->negated = is_not;
      return made;
    }
    if (take("DISTINCT")) {
      expect("FROM");
      auto made = make(Op::is_distinct, at, "", {value, concatenation()});
      made->negated = is_not;
      return made;
    }
    mismatch();
  }
  return value;
}

// || and + - stand on one level in Trino's grammar: + and - first in the list, || after.
ExprPtr Parser::concatenation() {
  const Named named(*this, "<expression>");
  ExprPtr left = additive();
  while (is_symbol("||")) {
    link();
    const Place at = token().at;
    advance();
    left = make(Op::arithmetic, at, "||", {left, additive()});
  }
  return left;
}

ExprPtr Parser::additive() {
  ExprPtr left = multiplicative();
  while (is_symbol("+") || is_symbol("-")) {
    link();
    const Place at = token().at;
    const std::string op = token().text;
    advance();
    left = make(Op::arithmetic, at, op, {left, multiplicative()});
  }
  return left;
}

ExprPtr Parser::multiplicative() {
  ExprPtr left = unary();
  while (is_symbol("*") || is_symbol("/") || is_symbol("%")) {
    link();
    const Place at = token().at;
    const std::string op = token().text;
    advance();
    left = make(Op::arithmetic, at, op, {left, unary()});
  }
  return left;
}

ExprPtr Parser::unary() {
  const Named named(*this, "<expression>");
  if (!is_symbol("-") && !is_symbol("+")) return at_time_zone();
  const Depth deeper(*this);
  const Place at = token().at;
  const bool negative = is_symbol("-");
  advance();
  // -5 is a literal.
  if (negative && (token().kind == TokenKind::integer || token().kind == TokenKind::decimal ||
                   token().kind == TokenKind::floating)) {
    const Op op = token().kind == TokenKind::integer   ? Op::integer
                  : token().kind == TokenKind::decimal ? Op::decimal
                                                       : Op::floating;
    auto made = make(op, at, "-" + token().text);
    advance();
    return made;
  }
  return make(negative ? Op::negate : Op::plus, at, "", {unary()});
}

ExprPtr Parser::at_time_zone() {
  ExprPtr value = postfix();
  while (is("AT") && is("TIME", 1) && is("ZONE", 2)) {
    link();
    const Place at = value->at;
    for (int i = 0; i < 3; ++i) advance();
    value = make(Op::at_time_zone, at, "", {value, postfix()});
  }
  return value;
}

ExprPtr Parser::postfix() {
  ExprPtr value = primary();
  while (true) {
    if (is_symbol("[")) {
      link();
      advance();
      ExprPtr index = expression();
      expect_symbol("]");
      value = make(Op::subscript, value->at, "", {value, index});
    } else if (is_symbol(".") && is_name(1)) {
      link();
      advance();
      Identifier field = identifier();
      auto made = make(Op::dereference, value->at, field.text, {value});
      made->names = {field};
      value = made;
    } else {
      return value;
    }
  }
}

}  // namespace laketap::sql
