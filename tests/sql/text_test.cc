// translate/*.test: how a statement is said to DuckDB. A block is `translate`, the statement,
// `----`, DuckDB's text; or `problem`, the statement, `----`, the message. Any name of the texts'
// own (r1, c0) counts as written.
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
  for (const auto& entry :
       std::filesystem::directory_iterator(LAKETAP_SOURCE_DIR "/tests/sql/translate")) {
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
      if (line.empty())
        end();
      else if (line[0] == '#' && one.kind.empty())
        continue;
      else if (one.kind.empty())
        one.kind = line,
        one.place = entry.path().filename().string() + ":" + std::to_string(line_number),
        target = &one.sql;
      else if (line == "----")
        target = &one.text;
      else
        *target += (target->empty() ? "" : "\n") + line;
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

std::string repeated(const std::string& text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

// Goal: no text makes the parser or the checker overflow its stack, run without end or eat the
// memory. Method: the longest statements that are accepted (262,144 bytes), each of one thing
// nested or chained.
TEST(HostileTest, NothingOverflowsTheStackOrRunsOn) {
  const Tables tables(read_tables(LAKETAP_SOURCE_DIR "/tests/sql/trino/data"));
  sql::Session session;
  session.schema = "conformance";
  const size_t max = 262'144;
  std::vector<std::string> texts{
      "SELECT " + repeated("(", max - 7),
      "SELECT " + repeated("1+", (max - 8) / 2) + "1",
      "SELECT " + repeated("'a'||", 50'000) + "'a'",
      "SELECT " + repeated("-", max - 8) + "1",
      "SELECT " + repeated("NOT ", 60'000) + "true",
      "SELECT true" + repeated(" OR true", 30'000),
      "SELECT a" + repeated(".a", 100'000),
      "SELECT a" + repeated("[1]", 80'000),
      "SELECT 1" + repeated(" UNION SELECT 1", 17'000),
      "SELECT * FROM " + repeated("(", 200'000) + "SELECT 1",
      "SELECT * FROM " + repeated("(", 100) + "SELECT 1" + repeated(") x", 100),
      "SELECT * FROM clicks" + repeated(", clicks", 30'000),
      "SELECT * FROM a" + repeated(" JOIN a", 30'000),
      "SELECT 1 IN (1" + repeated(",1", 130'000) + ")",
      "SELECT " + repeated("CASE WHEN true THEN ", 13'000),
      "SELECT " + repeated("ARRAY[", 40'000),
      "SELECT CAST(1 AS " + repeated("array(", 40'000),
      "SELECT " + repeated("array_sort(", 200) + "ARRAY[1]" + repeated(")", 200),
      "SELECT " + repeated("substr(", 200) + "'a'" + repeated(", 1)", 200),
      "SELECT " + repeated("transform(ARRAY[1], x -> cardinality(", 100) + "ARRAY[1]" +
          repeated("))", 100),
      "WITH a AS (" + repeated("WITH a AS (", 20'000),
      repeated("SELECT (", 30'000),
      "SELECT '" + repeated("x", max - 10),
      "SELECT /*" + repeated("x", max - 10)};
  // What was within the bounds once must stay so when it stands in brackets.
  for (const size_t count : {100, 240, 400, 490})
    texts.push_back("SELECT " + repeated("(", 50) + repeated("1+", count) + "1" +
                    repeated(")", 50));
  for (const std::string& text : texts) {
    const auto parsed = sql::parse(text);
    if (parsed) (void)sql::check(*parsed, tables, session);
  }
  EXPECT_TRUE(sql::parse("SELECT " + repeated("1+", 400) + "1").has_value());
  EXPECT_FALSE(sql::parse("SELECT " + repeated("1+", 100'000) + "1").has_value());
}

}  // namespace
}  // namespace laketap::sqltest
