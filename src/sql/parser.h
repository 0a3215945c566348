// Tokens -> tree, by recursive descent over Trino's grammar. Inner header of sql.
#pragma once

#include "sql/lexer.h"

namespace laketap::sql {

// Thrown inside the room only; the face catches it.
struct Thrown {
  Problem problem;
};

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens, std::string_view source)
      : tokens_(std::move(tokens)), source_(source) {}

  // Each throws Thrown.
  QueryPtr whole_query();      // Up to the end.
  ExprPtr whole_expression();  // For parameters.

  // For statements about metadata (statement.cc).
  const Token& token(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  // What is asked of the next token is noted: together it is what a message says could have stood
  // there.
  bool is(std::string_view keyword, size_t ahead = 0) const {
    if (ahead == 0) want(keyword);
    return sees(keyword, ahead);
  }
  bool is_symbol(std::string_view symbol, size_t ahead = 0) const {
    if (ahead == 0) want(symbol);
    return sees_symbol(symbol, ahead);
  }
  // Only look.
  bool sees(std::string_view keyword, size_t ahead = 0) const {
    return token(ahead).kind == TokenKind::word && token(ahead).upper == keyword;
  }
  bool sees_symbol(std::string_view symbol, size_t ahead = 0) const {
    return token(ahead).kind == TokenKind::symbol && token(ahead).text == symbol;
  }
  bool take(std::string_view keyword);
  bool take_symbol(std::string_view symbol);
  void advance() { at_ = std::min(at_ + 1, tokens_.size() - 1); }
  std::vector<Identifier> qualified_name(bool backquotes = false);
  // The message of what stands here, with all that was asked for since the last step.
  [[noreturn]] void mismatch(std::string_view expecting = "") const;
  [[noreturn]] void fail_at(Place at, std::string message) const;
  bool at_end() const { return token().kind == TokenKind::end; }

 private:
  class Depth;
  class Named;
  friend class Named;

  void link();  // Of a chain such as a + b + c: what was built becomes a child.
  bool holds_query(size_t parentheses) const;

  void want(std::string_view what) const {
    if (at_ < wanted_at_ || at_ == hidden_at_) return;
    if (at_ > wanted_at_) {
      wanted_.clear();
      wanted_at_ = at_;
    }
    if (wanted_.size() < kWantedMax) wanted_.push_back(what);
  }

  // parser_query.cc
  QueryPtr query();
  QueryPtr query_without_with();
  QueryPtr query_term(int level);
  QueryPtr query_primary();
  Select select();
  SelectItem select_item();
  RelationPtr relation();
  RelationPtr join_of(RelationPtr left, std::string kind, bool natural);
  RelationPtr sampled_relation();
  RelationPtr relation_primary();
  void alias_of(Relation& made);
  std::vector<GroupItem> group_by();
  std::vector<ExprPtr> grouping_set();
  std::vector<SortItem> sort_items();
  Window window_specification();
  FrameBound frame_bound();
  std::vector<With> with_list();

  // parser_expression.cc
  ExprPtr expression();
  ExprPtr logical_or();
  ExprPtr logical_and();
  ExprPtr logical_not();
  ExprPtr predicated();
  ExprPtr predicate(ExprPtr value);
  ExprPtr concatenation();
  ExprPtr additive();
  ExprPtr multiplicative();
  ExprPtr unary();
  ExprPtr at_time_zone();
  ExprPtr postfix();
  ExprPtr primary();
  ExprPtr word_primary();
  ExprPtr call(std::vector<Identifier> name, Place at);
  ExprPtr case_expression();
  ExprPtr cast_expression();
  ExprPtr interval_literal();
  ExprPtr parenthesised();
  ExprPtr special_call();
  std::optional<ExprPtr> lambda();
  std::string type_text();

  Identifier identifier();
  std::optional<Identifier> maybe_identifier();
  bool is_name(size_t ahead = 0) const;
  bool begins_value(size_t ahead) const;
  void expect(std::string_view keyword);
  void expect_symbol(std::string_view symbol);
  static std::shared_ptr<Expr> make(Op op, Place at, std::string text = "",
                                    std::vector<ExprPtr> args = {});

  std::vector<Token> tokens_;
  std::string_view source_;
  size_t at_ = 0;
  int depth_ = 0;
  int height_ =
      0;  // At least that of the tree being built: chains of operators grow it without recursion.
  static constexpr size_t kWantedMax = 500;
  mutable std::vector<std::string_view>
      wanted_;  // Keywords, symbols, and <rules>, asked for at wanted_at_.
  mutable size_t wanted_at_ = 0;
  mutable size_t hidden_at_ = SIZE_MAX;  // Where a named rule begins: its parts are not told.
};

// A rule that messages call by its name instead of what it can begin with.
class Parser::Named {
 public:
  Named(const Parser& parser, std::string_view name) : parser_(parser), before_(parser.hidden_at_) {
    parser.want(name);
    parser.hidden_at_ = parser.at_;
  }
  ~Named() { parser_.hidden_at_ = before_; }
  Named(const Named&) = delete;

 private:
  const Parser& parser_;
  size_t before_;
};

// Deep trees are walked and freed recursively, so their height is bounded: by recursion, and by
// links of chains.
class Parser::Depth {
 public:
  explicit Depth(Parser& parser);
  ~Depth() {
    --parser_.depth_;
    parser_.height_ = std::max(before_, parser_.height_ + 1);
  }

 private:
  Parser& parser_;
  int before_;
};

}  // namespace laketap::sql
