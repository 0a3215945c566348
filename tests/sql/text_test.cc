// translate/*.test: how a statement is said to DuckDB. A block is `translate`, the statement, `----`, DuckDB's text;
// or `problem`, the statement, `----`, the message. Any name of the texts' own (r1, c0) counts as written.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cases.h"

namespace laketap::sqltest {
namespace {

struct TextCase {
  std::string place, kind, sql, text;
};

std::vector<TextCase> text_cases() {
  std::vector<TextCase> out;
  for (const auto& entry : std::filesystem::directory_iterator(LAKETAP_SOURCE_DIR "/tests/sql/translate")) {
    std::ifstream in(entry.path());
    TextCase one;
    std::string* target = nullptr;
    size_t line_number = 0;
    const auto end = [&] {
      if (!one.kind.empty()) out.push_back(one);
      one = {};
      target = nullptr;
    };
    for (std::string line; std::getline(in, line);) {
      ++line_number;
      if (line.empty()) end();
      else if (line[0] == '#' && one.kind.empty()) continue;
      else if (one.kind.empty()) one.kind = line, one.place = entry.path().filename().string() + ":" + std::to_string(line_number), target = &one.sql;
      else if (line == "----") target = &one.text;
      else *target += (target->empty() ? "" : "\n") + line;
    }
    end();
  }
  return out;
}

class TextTest : public testing::TestWithParam<TextCase> {};

TEST_P(TextTest, IsSaidAsWritten) {
  const TextCase& one = GetParam();
  const Tables tables(read_tables(LAKETAP_SOURCE_DIR "/tests/sql/trino/data"));
  sql::Session session;
  session.schema = "conformance";
  const auto parsed = sql::parse(one.sql);
  if (!parsed) {
    EXPECT_EQ(one.kind, "problem") << parsed.error().text();
    EXPECT_EQ(parsed.error().text(), one.text);
    return;
  }
  const auto checked = sql::check(*parsed, tables, session);
  if (one.kind == "problem") {
    ASSERT_FALSE(checked.has_value()) << checked->duckdb;
    EXPECT_EQ(checked.error().text(), one.text);
  } else {
    ASSERT_TRUE(checked.has_value()) << checked.error().text();
    EXPECT_EQ(checked->duckdb, one.text);
  }
}
INSTANTIATE_TEST_SUITE_P(Cases, TextTest, testing::ValuesIn(text_cases()), [](const auto& info) {
  std::string name = info.param.place;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

}  // namespace
}  // namespace laketap::sqltest
