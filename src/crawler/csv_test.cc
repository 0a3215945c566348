#include "crawler/csv.h"

#include <gtest/gtest.h>

namespace laketap::crawler {
namespace {

std::string columns_of(std::string_view bytes) {
  const std::optional<Csv> csv = infer_csv(bytes, true);
  if (!csv) return "nothing";
  std::string out;
  for (const catalog::Column& column : csv->schema.columns())
    out += (out.empty() ? "" : ", ") + column.name + " " + column.type;
  return out;
}

TEST(CsvTest, AHeaderIsFoundWhereSomeColumnIsNoText) {
  EXPECT_EQ(columns_of("id,Name\n1,a\n2,b\n"), "id bigint, name string");
  EXPECT_EQ(columns_of("city,country\nBern,CH\nOslo,NO\n"), "col0 string, col1 string");
  EXPECT_EQ(columns_of("1,2\n3,4.5\n"), "col0 bigint, col1 double");
  EXPECT_EQ(infer_csv("id,n\n1,2\n", true)->traits.at("skip.header.line.count"), "1");
  EXPECT_FALSE(infer_csv("1,2\n3,4\n", true)->traits.contains("skip.header.line.count"));
}

TEST(CsvTest, EachDelimiterIsTried) {
  EXPECT_EQ(columns_of("id\tn\n1\tx\n2\ty\n"), "id bigint, n string");
  EXPECT_EQ(columns_of("id|m|o\n1|x|p\n2|y|q\n"), "id bigint, m string, o string");
  EXPECT_EQ(columns_of("id;k;z;w\n1;x;1;2\n2;y;3;4\n"), "id bigint, k string, z bigint, w bigint");
  EXPECT_EQ(infer_csv("id\x01n\n1\x01x\n", true)->traits.at("delimiter"), "\x01");
}

TEST(CsvTest, LineEndsAndMarksDoNotReachTheCells) {
  EXPECT_EQ(columns_of("id,n\r\n1,10\r\n2,20\r\n"), "id bigint, n bigint");
  EXPECT_EQ(columns_of("\xEF\xBB\xBFid,name\n1,a\n2,b\n"), "id bigint, name string");
  EXPECT_EQ(columns_of("id,id\n1,2\n"), "id bigint, id_1 bigint");
}

TEST(CsvTest, QuotesMeanTextsAndMayHoldDelimitersAndLineEnds) {
  const auto csv = infer_csv("id,who\n1,\"Smith, \"\"J\"\"\n\"\n2,\"x\"\n", true);
  ASSERT_TRUE(csv);
  EXPECT_EQ(csv->traits.at("areColumnsQuoted"), "true");
  EXPECT_EQ(csv->schema.records, 2u);
}

TEST(CsvTest, OneColumnOrOneRowIsNoCsv) {
  for (const char* text : {"apple\npear\nplum\n", "a,b\n", "a,b\n1\n", "", "\n\n", "a,b\n1,2,3\n"})
    EXPECT_EQ(columns_of(text), "nothing") << text;
  EXPECT_EQ(columns_of(std::string_view("a,b\n1,\0\n", 8)), "nothing") << "binary";
  EXPECT_EQ(columns_of(std::string(20'000, ',') + "\n" + std::string(20'000, ',')), "nothing");
}

}  // namespace
}  // namespace laketap::crawler
