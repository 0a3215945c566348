// Text -> tokens, with places. Inner header of sql.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast.h"
#include "sql/sql.h"

namespace laketap::sql {

enum class TokenKind {
  word,
  quoted,
  backquoted,
  digit_word,
  text,
  binary,
  integer,
  decimal,
  floating,
  symbol,
  parameter,
  end
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;   // word: as written; quoted, text: what it means.
  std::string upper;  // Of a word, for keywords.
  Place at;
  size_t offset = 0, length = 0;  // In the source, for messages and for the rest of the text.
};

std::expected<std::vector<Token>, Problem> tokenize(std::string_view text);

bool is_reserved(std::string_view upper);

}  // namespace laketap::sql
