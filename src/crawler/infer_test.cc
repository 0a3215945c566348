#include "crawler/infer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace laketap::crawler {
namespace {

// "a int, b string", or "nothing".
std::string columns_of(std::string_view bytes, bool whole = true) {
  const std::optional<Schema> schema = infer_json(bytes, whole);
  if (!schema) return "nothing";
  std::string out;
  for (const catalog::Column& column : schema->columns())
    out += (out.empty() ? "" : ", ") + column.name + " " + column.type;
  return out;
}

TEST(InferTest, TheGuidesRecordGivesTheGuidesColumns) {
  EXPECT_EQ(
      columns_of(
          R"({"customerId":"7","ipAddress":"1.2.3.4","countryCode":"US","gender":"F",)"
          R"("trafficOrigin":"search","event":{"type":"checkout","product":"shoes","amount":120}})"
          "\n"),
      "customerid string, ipaddress string, countrycode string, gender string, "
      "trafficorigin string, event struct<type:string,product:string,amount:int>");
}

TEST(InferTest, NumbersWidenAndMixturesAreText) {
  EXPECT_EQ(columns_of("{\"v\":1}\n{\"v\":2.5}"), "v double");
  EXPECT_EQ(columns_of("{\"v\":2147483647}{\"v\":-2147483648}"), "v int");
  EXPECT_EQ(columns_of("{\"v\":2147483648}"), "v bigint");
  EXPECT_EQ(columns_of("{\"v\":18446744073709551615}"), "v double") << "past bigint";
  EXPECT_EQ(columns_of(
                "{\"a\":1}\n{\"v\":-123456789012345678901234567890,\"w\":0.12345678901234567890123,"
                "\"s\":\"a\\\"1234567890123456789012345678901\"}\n{\"z\":1}"),
            "a int, v double, w double, s string, z int")
      << "past 64 bits";
  EXPECT_EQ(columns_of("{\"a\":1,\"b\\u0000c\":2,\"d\":{\"e\\nf\":1,\"g\":2}}"),
            "a int, d struct<g:int>")
      << "names that no catalog takes";
  EXPECT_EQ(columns_of("{\"v\":true}{\"v\":null}"), "v boolean");
  EXPECT_EQ(columns_of("{\"v\":true}{\"v\":1}"), "v string");
  EXPECT_EQ(columns_of("{\"v\":\"x\"}{\"v\":1}"), "v string");
  EXPECT_EQ(columns_of("{\"v\":{\"a\":1}}{\"v\":1}"), "v string");
  EXPECT_EQ(columns_of("{\"v\":null}"), "v string");
}

TEST(InferTest, RecordsNeedNoLines) {
  for (const char* body :
       {"{\"a\":1}{\"b\":2}", "{\"a\":1}\n{\"b\":2}\n", " \r\n {\"a\":1}\r\n\r\n\t{\"b\":2} \n",
        "[{\"a\":1},{\"b\":2}]", "[{\"a\":1}]\n[{\"b\":2}]", "\xEF\xBB\xBF{\"a\":1}\n{\"b\":2}",
        "{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}\n"})
    EXPECT_EQ(columns_of(body), "a int, b int") << body;
}

TEST(InferTest, ColumnsAreFoldedAndFieldsKeepTheirCase) {
  EXPECT_EQ(columns_of("{\"userId\":\"a\",\"B\":{\"innerKey\":1}}\n{\"USERID\":\"b\",\"b\":{"
                       "\"InnerKey\":2.5,\"x\":1}}"),
            "userid string, b struct<innerKey:double,x:int>");
  const auto schema = infer_json("{\"userId\":1}{\"userid\":2}", true);
  EXPECT_EQ(schema->paths, (std::vector<std::string>{"userId", "userid"}));
}

TEST(InferTest, ArraysAndStructsMergeAtEachDepth) {
  EXPECT_EQ(columns_of("{\"a\":[]}"), "a array<string>");
  EXPECT_EQ(columns_of("{\"a\":[1,2.5]}{\"a\":[]}{\"a\":null}"), "a array<double>");
  EXPECT_EQ(columns_of("{\"a\":[{\"x\":1},{\"y\":\"s\"}]}"), "a array<struct<x:int,y:string>>");
  EXPECT_EQ(columns_of("{\"a\":[[1],[3000000000]]}"), "a array<array<bigint>>");
  EXPECT_EQ(columns_of("{\"a\":{}}"), "a string");
  EXPECT_EQ(columns_of("{\"a\":{}}{\"a\":{\"x\":1}}"), "a struct<x:int>");
}

TEST(InferTest, WhatHasNoKeysIsNoTable) {
  for (const char* body :
       {"", "  \n", "{}", "[]", "[1,2]", "hello", "{hello", "42", "\"x\"", "{}{}", "[[{\"a\":1}]]"})
    EXPECT_EQ(columns_of(body), "nothing") << body;
  EXPECT_EQ(columns_of("{}\n{\"a\":1}\n{}"), "a int");
}

TEST(InferTest, DamagedRecordsAreSteppedOver) {
  EXPECT_EQ(columns_of("{\"a\":1}\n{\"b\":\n{\"c\":3}\n"), "a int, c int");
  EXPECT_EQ(columns_of("{\"id\":2,\"s\":\"y\"}\n{\"id\":3,\"s\":\"unterm"), "id int, s string");
  EXPECT_EQ(columns_of("{\"a\":\"\xff\xfe\"}\n{\"b\":1}\n"), "a string, b int")
      << "another encoding";
  EXPECT_EQ(columns_of("{\"a\":1}\nnonsense\n{\"b\":1}\n"), "a int, b int");
}

TEST(InferTest, ASampleCutAnywhereGivesWhatIsWhole) {
  const std::string body = "{\"a\":\"gr\xC3\xBC\xC3\x9F\"}{\"a\":\"\xE2\x98\x83\",\"b\":1}";
  for (size_t kept = 14; kept < body.size(); ++kept)
    EXPECT_EQ(columns_of(std::string_view(body).substr(0, kept), false), "a string") << kept;
  EXPECT_EQ(columns_of("{\"a\":1}\n{\"b\":1,\"c", false), "a int");
  EXPECT_EQ(columns_of("[{\"a\":1},{\"b\":2},{\"c\":", false), "a int, b int");
  EXPECT_EQ(columns_of("[\n{\"a\":1},\n{\"b\":2},\n{\"c\":", false), "a int, b int");
}

TEST(InferTest, HostileTextsEnd) {
  std::string deep;
  for (int i = 0; i < 900; ++i) deep += "{\"a\":[";
  EXPECT_EQ(columns_of(deep), "nothing");
  std::string closed = "1";
  for (int i = 0; i < 400; ++i) closed = "{\"a\":[" + closed + "]}";
  EXPECT_NE(columns_of(closed).find("string"), std::string::npos) << "below the bound it is text";
  std::string wide = "{";
  for (int i = 0; i < 20'000; ++i) wide += fmt::format("{}\"k{}\":{}", i > 0 ? "," : "", i, i);
  EXPECT_EQ(infer_json(wide + "}", true)->columns().size(), kColumnsMax);
  EXPECT_EQ(columns_of("{\"\":1,\"" + std::string(300, 'x') + "\":2,\"ok\":3}"), "ok int")
      << "no names of columns";
  EXPECT_EQ(columns_of("{\"a\":{\"x:y\":1}}"), "a string") << "struct<..> cannot say it";
  std::string long_type = "{\"a\":{";
  for (int i = 0; i < 4000; ++i)
    long_type += fmt::format("{}\"{}{}\":1", i > 0 ? "," : "", std::string(40, 'f'), i);
  EXPECT_EQ(columns_of(long_type + "}}"), "a string") << "longer than Glue allows";
}

TEST(ShapeTest, ATypeComesBackAsItWas) {
  for (const char* type : {"int", "bigint", "double", "boolean", "string", "array<int>",
                           "struct<a:int,B:array<struct<c:string>>>"}) {
    const auto shape = shape_of_hive(type);
    ASSERT_TRUE(shape) << type;
    EXPECT_EQ(shape->hive_type(), type);
    EXPECT_EQ(read_shape(write_shape(*shape))->hive_type(), type);
  }
  for (const char* chosen : {"timestamp", "decimal(10,2)", "map<string,int>", "struct<a:timestamp>",
                             "smallint", "struct<a", "array<", "STRING", ""})
    EXPECT_FALSE(shape_of_hive(chosen)) << chosen;
  EXPECT_FALSE(read_shape("[1"));
  EXPECT_FALSE(read_shape("{\"a\":1}"));
}

}  // namespace
}  // namespace laketap::crawler
