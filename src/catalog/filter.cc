// GetPartitions' expression language: a small SQL predicate over partition keys, compared by the
// keys' types. Source: AWS Glue API reference, GetPartitions, member Expression.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "catalog/catalog.h"

namespace laketap::catalog {
namespace {

constexpr int kDepthMax = 200;

enum class KeyType { text, integer, decimal, date, timestamp };

struct Value {  // Compared by `number` for numeric types, by `text` otherwise.
  std::string text;
  long double number = 0;
};

Result<KeyType> type_of(const Column& key) {
  const std::string type = folded(key.type.substr(0, key.type.find('(')));
  if (type == "string" || type == "char" || type == "varchar") return KeyType::text;
  if (type == "int" || type == "integer" || type == "bigint" || type == "long" ||
      type == "tinyint" || type == "smallint")
    return KeyType::integer;
  if (type == "decimal" || type == "double" || type == "float") return KeyType::decimal;
  if (type == "date") return KeyType::date;
  if (type == "timestamp") return KeyType::timestamp;
  return fail(ErrorKind::invalid, fmt::format("Unknown type : '{}'", key.type));
}

bool digits_at(std::string_view text, size_t at, size_t count) {
  if (text.size() < at + count) return false;
  return std::ranges::all_of(text.substr(at, count), [](char c) { return c >= '0' && c <= '9'; });
}
bool is_date(std::string_view text) {
  return text.size() == 10 && digits_at(text, 0, 4) && text[4] == '-' && digits_at(text, 5, 2) &&
         text[7] == '-' && digits_at(text, 8, 2);
}
bool is_timestamp(std::string_view text) {
  return text.size() >= 19 && is_date(text.substr(0, 10)) && text[10] == ' ' &&
         digits_at(text, 11, 2) && text[13] == ':' && digits_at(text, 14, 2) && text[16] == ':' &&
         digits_at(text, 17, 2) &&
         (text.size() == 19 ||
          (text[19] == '.' && text.size() <= 29 && digits_at(text, 20, text.size() - 20)));
}

Result<Value> convert(KeyType type, const std::string& text) {
  Value made{.text = text};
  switch (type) {
    case KeyType::text: return made;
    case KeyType::date:
      if (!is_date(text))
        return fail(ErrorKind::invalid, fmt::format("\"{}\" is not a date.", text));
      return made;
    case KeyType::timestamp:
      if (!is_timestamp(text))
        return fail(ErrorKind::invalid, "Timestamp format must be yyyy-mm-dd hh:mm:ss[.fffffffff]");
      if (made.text.size() == 19) made.text += ".";
      made.text.resize(29, '0');
      return made;
    case KeyType::integer: {
      int64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size())
        return fail(ErrorKind::invalid, fmt::format("\"{}\" is not an integer.", text));
      made.number = static_cast<long double>(number);
      return made;
    }
    case KeyType::decimal: {
      char* end = nullptr;
      made.number = std::strtold(text.c_str(), &end);
      if (text.empty() || end != text.c_str() + text.size())
        return fail(ErrorKind::invalid, fmt::format("\"{}\" is not a decimal.", text));
      return made;
    }
  }
  return made;
}

int compare(KeyType type, const Value& a, const Value& b) {
  if (type == KeyType::integer || type == KeyType::decimal)
    return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
  return a.text.compare(b.text);
}

// SQL's LIKE, anchored; no recursion, so a pattern of many % costs a product at most.
bool like(std::string_view text, std::string_view pattern) {
  size_t t = 0, p = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '_' || (pattern[p] != '%' && pattern[p] == text[t]))) {
      ++t;
      ++p;
    } else if (p < pattern.size() && pattern[p] == '%') {
      star = p++;
      mark = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

struct Node {
  enum class Kind { all, any, negate, compare, in, between, like, is_null } kind;
  std::vector<std::unique_ptr<Node>> children;
  size_t key = 0;
  std::string op;  // =, <>, <, <=, >, >=
  std::vector<Value> values;
};

class Filter : public PartitionFilter {
 public:
  Filter(std::unique_ptr<Node> root, std::vector<KeyType> types)
      : root_(std::move(root)), types_(std::move(types)) {}
  Result<bool> holds(const std::vector<std::string>& values) const override {
    return eval(*root_, values);
  }

 private:
  Result<bool> eval(const Node& node, const std::vector<std::string>& values) const {
    if (node.kind == Node::Kind::all || node.kind == Node::Kind::any) {
      const bool every = node.kind == Node::Kind::all;
      for (const auto& child : node.children) {
        const Result<bool> one = eval(*child, values);
        if (!one || *one != every) return one;
      }
      return every;
    }
    if (node.kind == Node::Kind::negate) {
      const Result<bool> one = eval(*node.children.front(), values);
      if (!one) return one;
      return !*one;
    }
    if (node.key >= values.size()) return false;
    if (node.kind == Node::Kind::is_null) return values[node.key] == "__HIVE_DEFAULT_PARTITION__";
    if (node.kind == Node::Kind::like) return like(values[node.key], node.values.front().text);
    const KeyType type = types_[node.key];
    if (values[node.key] == "__HIVE_DEFAULT_PARTITION__" && type != KeyType::text) return false;
    const Result<Value> stored = convert(type, values[node.key]);
    if (!stored) return fail(ErrorKind::corrupt, stored.error().what);
    const auto against = [&](size_t i) { return compare(type, *stored, node.values[i]); };
    switch (node.kind) {
      case Node::Kind::in:
        for (size_t i = 0; i < node.values.size(); ++i)
          if (against(i) == 0) return true;
        return false;
      case Node::Kind::between: return against(0) >= 0 && against(1) <= 0;
      default: break;
    }
    const int order = against(0);
    if (node.op == "=") return order == 0;
    if (node.op == "<>") return order != 0;
    if (node.op == "<") return order < 0;
    if (node.op == "<=") return order <= 0;
    if (node.op == ">") return order > 0;
    return order >= 0;
  }

  std::unique_ptr<Node> root_;
  std::vector<KeyType> types_;
};

struct Token {
  enum class Kind { word, text, number, symbol, end } kind = Kind::end;
  std::string text;
};

class Parser {
 public:
  Parser(std::string_view text, const std::vector<Column>& keys, const std::vector<KeyType>& types)
      : text_(text), keys_(keys), types_(types) {
    advance();
  }

  Result<std::unique_ptr<Node>> parse() {
    Result<std::unique_ptr<Node>> made = disjunction(0);
    if (made && token_.kind != Token::Kind::end) return syntax();
    return made;
  }

 private:
  std::unexpected<Error> syntax() const {
    return fail(ErrorKind::invalid,
                fmt::format("Unsupported expression '{}'. Invalid partition expression!", text_));
  }

  void advance() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    token_ = {};
    if (at_ >= text_.size()) return;
    const char c = text_[at_];
    if (c == '\'' || c == '"' || c == '`') {
      std::string out;
      for (++at_; at_ < text_.size(); ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
          out += text_[++at_];
        } else if (text_[at_] == c) {
          if (at_ + 1 < text_.size() && text_[at_ + 1] == c) {
            out += c;
            ++at_;
          } else {
            ++at_;
            token_ = {c == '`' ? Token::Kind::word : Token::Kind::text, out};
            return;
          }
        } else {
          out += text_[at_];
        }
      }
      broken_ = true;  // An open quote.
      return;
    }
    const auto is_word = [](char x) {
      return std::isalnum(static_cast<unsigned char>(x)) || x == '_' || x == '.' || x == '-' ||
             x == '+' || x == '$';
    };
    if (is_word(c)) {
      const size_t begin = at_;
      while (at_ < text_.size() && is_word(text_[at_])) ++at_;
      token_ = {std::isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '+'
                    ? Token::Kind::number
                    : Token::Kind::word,
                std::string(text_.substr(begin, at_ - begin))};
      return;
    }
    const size_t length = text_.substr(at_, 2) == "<>" || text_.substr(at_, 2) == "!=" ||
                                  text_.substr(at_, 2) == "<=" || text_.substr(at_, 2) == ">="
                              ? 2
                              : 1;
    token_ = {Token::Kind::symbol, std::string(text_.substr(at_, length))};
    at_ += length;
  }

  bool is(std::string_view word) const {
    return token_.kind == Token::Kind::word && folded(token_.text) == word;
  }
  bool is_symbol(std::string_view symbol) const {
    return token_.kind == Token::Kind::symbol && token_.text == symbol;
  }
  bool take(std::string_view word) {
    if (!is(word)) return false;
    advance();
    return true;
  }

  Result<std::unique_ptr<Node>> chain(int depth, std::string_view word, Node::Kind kind,
                                      Result<std::unique_ptr<Node>> (Parser::*next)(int)) {
    Result<std::unique_ptr<Node>> first = (this->*next)(depth);
    if (!first || !is(word)) return first;
    auto made = std::make_unique<Node>(Node{.kind = kind});
    made->children.push_back(std::move(*first));
    while (take(word)) {
      Result<std::unique_ptr<Node>> one = (this->*next)(depth);
      if (!one) return one;
      made->children.push_back(std::move(*one));
    }
    return made;
  }
  Result<std::unique_ptr<Node>> disjunction(int depth) {
    return chain(depth, "or", Node::Kind::any, &Parser::conjunction);
  }
  Result<std::unique_ptr<Node>> conjunction(int depth) {
    return chain(depth, "and", Node::Kind::all, &Parser::negation);
  }

  Result<std::unique_ptr<Node>> negate(Result<std::unique_ptr<Node>> inner) {
    if (!inner) return inner;
    auto made = std::make_unique<Node>(Node{.kind = Node::Kind::negate});
    made->children.push_back(std::move(*inner));
    return made;
  }

  Result<std::unique_ptr<Node>> negation(int depth) {
    if (depth > kDepthMax || broken_) return syntax();
    if (take("not")) return negate(negation(depth + 1));
    if (is_symbol("(")) {
      advance();
      // `(col) NOT IN (..)`: a key in parentheses is a key.
      if (token_.kind == Token::Kind::word && key_index(token_.text) && !is("not")) {
        const Token word = token_;
        const size_t here = at_;
        advance();
        if (is_symbol(")")) {
          advance();
          return predicate(word.text);
        }
        token_ = word;
        at_ = here;
      }
      Result<std::unique_ptr<Node>> inner = disjunction(depth + 1);
      if (!inner) return inner;
      if (!is_symbol(")")) return syntax();
      advance();
      return inner;
    }
    if (token_.kind != Token::Kind::word) return syntax();
    const std::string name = token_.text;
    advance();
    return predicate(name);
  }

  std::optional<size_t> key_index(std::string_view name) const {
    const auto found =
        std::ranges::find(keys_, folded(name), [](const Column& key) { return folded(key.name); });
    if (found == keys_.end()) return std::nullopt;
    return static_cast<size_t>(found - keys_.begin());
  }

  Result<Value> literal(size_t key) {
    if (broken_ || token_.kind == Token::Kind::end || token_.kind == Token::Kind::symbol)
      return syntax();
    // DATE '2020-01-01', TIMESTAMP '...'.
    if (token_.kind == Token::Kind::word && (is("date") || is("timestamp"))) advance();
    if (token_.kind == Token::Kind::end || token_.kind == Token::Kind::symbol) return syntax();
    const std::string text = token_.text;
    advance();
    return convert(types_[key], text);
  }

  Result<std::unique_ptr<Node>> predicate(const std::string& name) {
    const std::optional<size_t> key = key_index(name);
    if (!key) return syntax();
    auto made = std::make_unique<Node>(Node{.kind = Node::Kind::compare, .key = *key});
    if (token_.kind == Token::Kind::symbol) {
      made->op = token_.text == "!=" ? "<>" : token_.text;
      if (made->op != "=" && made->op != "<>" && made->op != "<" && made->op != "<=" &&
          made->op != ">" && made->op != ">=")
        return syntax();
      advance();
      const Result<Value> value = literal(*key);
      if (!value) return fail(value.error());
      made->values.push_back(*value);
      return made;
    }
    if (take("is")) {
      const bool negated = take("not");
      if (!take("null")) return syntax();
      made->kind = Node::Kind::is_null;
      return negated ? negate(std::move(made)) : Result<std::unique_ptr<Node>>(std::move(made));
    }
    const bool negated = take("not");
    if (take("in")) {
      made->kind = Node::Kind::in;
      if (!is_symbol("(")) return syntax();
      do {
        advance();
        const Result<Value> value = literal(*key);
        if (!value) return fail(value.error());
        made->values.push_back(*value);
      } while (is_symbol(","));
      if (!is_symbol(")")) return syntax();
      advance();
    } else if (take("between")) {
      made->kind = Node::Kind::between;
      const Result<Value> low = literal(*key);
      if (!low) return fail(low.error());
      if (!take("and")) return syntax();
      const Result<Value> high = literal(*key);
      if (!high) return fail(high.error());
      made->values = {*low, *high};
    } else if (take("like")) {
      made->kind = Node::Kind::like;
      static constexpr const char* kNames[] = {"", "Integral", "Decimal", "Date", "Timestamp"};
      if (types_[*key] != KeyType::text)
        return fail(ErrorKind::invalid, fmt::format("{} data type doesn't support operation 'LIKE'",
                                                    kNames[static_cast<int>(types_[*key])]));
      const Result<Value> pattern = literal(*key);
      if (!pattern) return fail(pattern.error());
      made->values.push_back(*pattern);
    } else {
      return syntax();
    }
    return negated ? negate(std::move(made)) : Result<std::unique_ptr<Node>>(std::move(made));
  }

  std::string_view text_;
  const std::vector<Column>& keys_;
  const std::vector<KeyType>& types_;
  size_t at_ = 0;
  Token token_;
  bool broken_ = false;
};

}  // namespace

Result<std::unique_ptr<PartitionFilter>> parse_partition_filter(std::string_view text,
                                                                const std::vector<Column>& keys) {
  std::vector<KeyType> types;
  for (const Column& key : keys) {
    const Result<KeyType> type = type_of(key);
    if (!type) return fail(type.error());
    types.push_back(*type);
  }
  Result<std::unique_ptr<Node>> root = Parser(text, keys, types).parse();
  if (!root) return fail(root.error());
  return std::make_unique<Filter>(std::move(*root), std::move(types));
}

}  // namespace laketap::catalog
