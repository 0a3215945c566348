#include "sql/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace laketap::sql {
namespace {

// Reserved in Trino 403: cannot be a name without quotes.
constexpr std::array kReserved{"ALTER",
                               "AND",
                               "AS",
                               "BETWEEN",
                               "BY",
                               "CASE",
                               "CAST",
                               "CONSTRAINT",
                               "CREATE",
                               "CROSS",
                               "CUBE",
                               "CURRENT_CATALOG",
                               "CURRENT_DATE",
                               "CURRENT_PATH",
                               "CURRENT_ROLE",
                               "CURRENT_SCHEMA",
                               "CURRENT_TIME",
                               "CURRENT_TIMESTAMP",
                               "CURRENT_USER",
                               "DEALLOCATE",
                               "DELETE",
                               "DESCRIBE",
                               "DISTINCT",
                               "DROP",
                               "ELSE",
                               "END",
                               "ESCAPE",
                               "EXCEPT",
                               "EXECUTE",
                               "EXISTS",
                               "EXTRACT",
                               "FALSE",
                               "FOR",
                               "FROM",
                               "FULL",
                               "GROUP",
                               "GROUPING",
                               "HAVING",
                               "IN",
                               "INNER",
                               "INSERT",
                               "INTERSECT",
                               "INTO",
                               "IS",
                               "JOIN",
                               "JSON_ARRAY",
                               "JSON_EXISTS",
                               "JSON_OBJECT",
                               "JSON_QUERY",
                               "JSON_VALUE",
                               "LEFT",
                               "LIKE",
                               "LISTAGG",
                               "LOCALTIME",
                               "LOCALTIMESTAMP",
                               "NATURAL",
                               "NORMALIZE",
                               "NOT",
                               "NULL",
                               "ON",
                               "OR",
                               "ORDER",
                               "OUTER",
                               "PREPARE",
                               "RECURSIVE",
                               "RIGHT",
                               "ROLLUP",
                               "SELECT",
                               "SKIP",
                               "TABLE",
                               "THEN",
                               "TRIM",
                               "TRUE",
                               "UESCAPE",
                               "UNION",
                               "UNNEST",
                               "USING",
                               "VALUES",
                               "WHEN",
                               "WHERE",
                               "WITH"};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::expected<std::vector<Token>, Problem> run() {
    std::vector<Token> out;
    while (true) {
      if (!blanks()) return problem("mismatched input '<EOF>'");
      Token token;
      token.at = place_;
      token.offset = at_;
      if (at_ >= text_.size()) {
        out.push_back(std::move(token));
        return out;
      }
      if (auto wrong = read(token)) return std::unexpected(*wrong);
      token.length = at_ - token.offset;
      out.push_back(std::move(token));
    }
  }

 private:
  std::unexpected<Problem> problem(std::string message) const {
    return std::unexpected(Problem{"SYNTAX_ERROR", std::move(message), place_.line, place_.column});
  }
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void step() {
    const auto byte = static_cast<unsigned char>(text_[at_++]);
    if (byte == '\n') {
      ++place_.line;
      place_.column = 1;
    } else if ((byte & 0xc0) != 0x80) {  // A column is a code point.
      ++place_.column;
    }
  }

  // Blanks and comments; false when a comment is not closed.
  bool blanks() {
    while (at_ < text_.size()) {
      const char c = peek();
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        step();
      } else if (c == '-' && peek(1) == '-') {
        while (at_ < text_.size() && peek() != '\n') step();
      } else if (c == '/' && peek(1) == '*') {
        const size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return false;
        while (at_ < end + 2) step();
      } else {
        break;
      }
    }
    return true;
  }

  std::optional<Problem> read(Token& token) {
    const char c = peek();
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'') return quoted(token, TokenKind::text, '\'');
    if (c == '"') return quoted(token, TokenKind::quoted, '"');
    if (c == '`') return quoted(token, TokenKind::backquoted, '`');
    if ((c == 'X' || c == 'x') && peek(1) == '\'') {
      step();
      return quoted(token, TokenKind::binary, '\'');
    }
    if ((c == 'U' || c == 'u') && peek(1) == '&' && peek(2) == '\'') {
      step();
      step();
      if (auto wrong = quoted(token, TokenKind::text, '\'')) return wrong;
      return unescape(token);
    }
    if (std::isalpha(byte) || c == '_') {
      while (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '_' || peek() == '@' ||
             peek() == ':') {
        if (peek() == ':' || peek() == '@') break;
        step();
      }
      token.kind = TokenKind::word;
      token.text = text_.substr(token.offset, at_ - token.offset);
      token.upper = token.text;
      std::ranges::transform(token.upper, token.upper.begin(),
                             [](unsigned char x) { return static_cast<char>(std::toupper(x)); });
      return std::nullopt;
    }
    if (std::isdigit(byte) || (c == '.' && std::isdigit(static_cast<unsigned char>(peek(1)))))
      return number(token);
    if (c == '?') {
      step();
      token.kind = TokenKind::parameter;
      token.text = "?";
      return std::nullopt;
    }
    for (const std::string_view two : {"<>", "!=", "<=", ">=", "||", "->", "=>"})
      if (text_.substr(at_, 2) == two) {
        step();
        step();
        token.kind = TokenKind::symbol;
        token.text = two;
        return std::nullopt;
      }
    if (std::string_view("()[],.;+-*/%<>=").find(c) != std::string_view::npos) {
      step();
      token.kind = TokenKind::symbol;
      token.text = std::string(1, c);
      return std::nullopt;
    }
    // A character that no rule knows is a token too, which fits nowhere.
    step();
    while (at_ < text_.size() && (static_cast<unsigned char>(peek()) & 0xc0) == 0x80) step();
    token.kind = TokenKind::symbol;
    token.text = text_.substr(token.offset, at_ - token.offset);
    return std::nullopt;
  }

  std::optional<Problem> quoted(Token& token, TokenKind kind, char quote) {
    token.kind = kind;
    step();
    while (true) {
      if (at_ >= text_.size()) {  // Never closed: the quote by itself, which fits nowhere.
        at_ = token.offset + 1;
        place_ = token.at;
        ++place_.column;
        token.kind = TokenKind::symbol;
        token.text = std::string(1, text_[token.offset]);
        return std::nullopt;
      }
      if (peek() == quote) {
        if (peek(1) != quote) break;
        step();
      }
      token.text += peek();
      step();
    }
    step();
    return std::nullopt;
  }

  std::optional<Problem> unescape(Token& token) {
    if (token.kind != TokenKind::text) return std::nullopt;
    std::string out;
    const std::string& in = token.text;
    for (size_t i = 0; i < in.size(); ++i) {
      if (in[i] != '\\') {
        out += in[i];
        continue;
      }
      if (i + 1 < in.size() && in[i + 1] == '\\') {
        out += in[++i];
        continue;
      }
      const bool longer = i + 1 < in.size() && in[i + 1] == '+';
      const size_t digits = longer ? 6 : 4;
      const size_t from = i + (longer ? 2 : 1);
      uint32_t code = 0;
      for (size_t j = 0; j < digits; ++j) {
        const char c = from + j < in.size() ? in[from + j] : 'x';
        if (!std::isxdigit(static_cast<unsigned char>(c)))
          return Problem{"SYNTAX_ERROR", "Incomplete escape sequence: " + in.substr(i + 1, digits),
                         token.at.line, token.at.column};
        code = code * 16 + static_cast<uint32_t>(std::isdigit(static_cast<unsigned char>(c))
                                                     ? c - '0'
                                                     : std::tolower(c) - 'a' + 10);
      }
      if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return Problem{"SYNTAX_ERROR", "Invalid escaped character", token.at.line, token.at.column};
      if (code < 0x80) {
        out += static_cast<char>(code);
      } else if (code < 0x800) {
        out += static_cast<char>(0xc0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 63));
      } else if (code < 0x10000) {
        out += static_cast<char>(0xe0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 63));
        out += static_cast<char>(0x80 | (code & 63));
      } else {
        out += static_cast<char>(0xf0 | code >> 18);
        out += static_cast<char>(0x80 | (code >> 12 & 63));
        out += static_cast<char>(0x80 | (code >> 6 & 63));
        out += static_cast<char>(0x80 | (code & 63));
      }
      i = from + digits - 1;
    }
    token.text = std::move(out);
    return std::nullopt;
  }

  std::optional<Problem> number(Token& token) {
    const auto digits = [&] {
      while (std::isdigit(static_cast<unsigned char>(peek()))) step();
    };
    token.kind = TokenKind::integer;
    digits();
    if (peek() == '.') {
      token.kind = TokenKind::decimal;
      step();
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      const size_t sign = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
      if (std::isdigit(static_cast<unsigned char>(peek(sign)))) {
        token.kind = TokenKind::floating;
        for (size_t i = 0; i < sign; ++i) step();
        digits();
      }
    }
    if (std::isalpha(static_cast<unsigned char>(peek())) || peek() == '_') {
      while (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '_') step();
      token.kind = TokenKind::digit_word;
    }
    token.text = text_.substr(token.offset, at_ - token.offset);
    return std::nullopt;
  }

  std::string_view text_;
  size_t at_ = 0;
  Place place_;
};

}  // namespace

std::expected<std::vector<Token>, Problem> tokenize(std::string_view text) {
  return Lexer(text).run();
}

bool is_reserved(std::string_view upper) {
  return std::ranges::find(kReserved, upper) != kReserved.end();
}

}  // namespace laketap::sql
