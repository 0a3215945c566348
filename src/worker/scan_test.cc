// The scan through DuckDB, in this process: shapes of JSON files and what comes out of them.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "worker/session.h"

namespace laketap::worker {
namespace {

using Rows = std::vector<std::string>;  // A row's values joined by |; NULL is ~.

class ScanTest : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/laketap-scan-XXXXXX";
    folder_ = mkdtemp(path);
    static const std::unique_ptr<Session> session = [] {
      SessionOptions options;
      options.library = find_library(LAKETAP_SOURCE_DIR "/.deps/lib/libduckdb.so");
      return std::move(*Session::open(options));
    }();
    session_ = session.get();
    scan_.name = "t0";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void put(const std::string& name, std::string_view content) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << content;
    engine::ScanFile file;
    file.path = folder_ + "/" + name;
    file.name = "s3://b/" + name;
    file.bytes = content.size();
    scan_.files.push_back(std::move(file));
  }

  Result<Rows> ask(const std::string& sql, const std::vector<std::string>& types) {
    engine::Statement statement;
    statement.sql = sql;
    statement.scans = {scan_};
    for (const std::string& type : types) statement.columns.push_back({"c", type});
    Rows rows;
    const auto outcome = session_->run(std::move(statement), [&](engine::RowBatch batch) {
      for (size_t i = 0; i < batch.values.size(); ++i) {
        if (i % batch.columns == 0) rows.emplace_back();
        rows.back() += (i % batch.columns ? "|" : "") + batch.values[i].value_or("~");
      }
      return true;
    });
    if (!outcome) return fail(outcome.error());
    outcome_ = *outcome;
    return rows;
  }
  Rows rows(const std::string& sql, const std::vector<std::string>& types) {
    auto answer = ask(sql, types);
    EXPECT_TRUE(answer) << answer.error().what;
    return answer ? *answer : Rows{"failed: " + answer.error().what};
  }
  std::string error(const std::string& sql, const std::vector<std::string>& types) {
    const auto answer = ask(sql, types);
    return answer ? "no error" : answer.error().what;
  }

  std::string folder_;
  Session* session_ = nullptr;
  engine::Scan scan_;
  engine::Outcome outcome_;
};

const std::string kAll = "SELECT * EXCLUDE (\"$record\") FROM laketap_scan('t0')";
const std::string kCount = "SELECT count(*) FROM laketap_scan('t0')";

TEST_F(ScanTest, RecordsMayStandInAnyWayTogether) {
  scan_.columns = {{"id", "int"}};
  put("lines", "{\"id\":1}\n{\"id\":2}\n");
  put("joined", "{\"id\":3}{\"id\":4}");
  put("array", " [ {\"id\":5} , {\"id\":6},{\"id\":7}]\n");
  put("pretty", "{\n  \"id\": 8\n}\n{\n  \"id\"\n:\n9 }");
  put("blank", "\n\n{\"id\":10}\r\n\n   \n{\"id\":11}\n\n");
  put("empty", "");
  put("marked", "\xEF\xBB\xBF{\"id\":12}");
  EXPECT_EQ(rows("SELECT id FROM laketap_scan('t0') ORDER BY id", {"integer"}),
            (Rows{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}));
  EXPECT_EQ(rows(kCount, {"bigint"}), Rows{"12"});
  EXPECT_EQ(outcome_.scanned_rows, 12U);
}

TEST_F(ScanTest, KeysMatchWithoutCaseAndTheLastOfTwoCounts) {
  scan_.columns = {{"customerid", "string"}, {"n", "int"}};
  put("a",
      "{\"customerId\":\"x\",\"N\":1}\n{\"CUSTOMERID\":\"y\",\"n\":2,\"N\":3}\n{\"other\":{\"n\":9,"
      "\"a\":[1,{\"n\":2}]},\"customerid\":\"z\"}\n");
  EXPECT_EQ(rows(kAll, {"varchar", "integer"}), (Rows{"x|1", "y|3", "z|~"}));
}

TEST_F(ScanTest, MalformedRecordFailsOrIsARowOfNulls) {
  scan_.columns = {{"id", "int"}};
  put("a", "{\"id\":1}\n{\"id\":\n{\"id\":3}\n");
  EXPECT_EQ(error("SELECT sum(id) FROM laketap_scan('t0')", {"bigint"}),
            "HIVE_CURSOR_ERROR: Row is not a valid JSON Object - s3://b/a at byte 9");
  scan_.serde_parameters["ignore.malformed.json"] = "TRUE";
  EXPECT_EQ(rows(kAll, {"integer"}), (Rows{"1", "~", "3"}));
  EXPECT_EQ(outcome_.malformed_records, 1U);
  EXPECT_EQ(rows(kCount, {"bigint"}), Rows{"3"});
  for (const auto& [text, count] : {std::pair{"{\"id\":1}\nnot json", "2"},
                                    {"{\"id\":1}\n{\"id\":2}\nnot json\n{\"id\":3}\n", "4"},
                                    {"not json\n{\"id\":1}\n", "2"},
                                    {"{\"id\":1}  \r\n not {json\n\n", "2"}}) {
    scan_.files.clear();
    put("counted", text);
    EXPECT_EQ(rows(kCount, {"bigint"}), Rows{count}) << text;
    EXPECT_EQ(rows("SELECT count(*) + count(id) * 0 FROM laketap_scan('t0')", {"bigint"}),
              Rows{count})
        << text;
  }
}

TEST_F(ScanTest, EveryKindOfBadLineCostsItsLineOnly) {
  scan_.columns = {{"id", "int"}};
  scan_.serde_parameters["ignore.malformed.json"] = "true";
  const std::vector<std::string> bad = {
      "garbage", "{\"id\":\"open", "{\"id\":1,}",  "{\"id\" 1}", "{]}",      "123", "\"text\"", "}",
      "]",       "{\"a\":\"b\"x}", "{\"id\":tru}", "\\\"{",      "{\"id\":1"};
  for (const std::string& line : bad) {
    SCOPED_TRACE(line);
    scan_.files.clear();
    put("a", "{\"id\":1}\n" + line + "\n{\"id\":2}\n" + line + "\n{\"id\":3}");
    EXPECT_EQ(rows("SELECT id FROM laketap_scan('t0') WHERE id IS NOT NULL", {"integer"}),
              (Rows{"1", "2", "3"}));
    EXPECT_EQ(outcome_.malformed_records, 2U);
  }
}

TEST_F(ScanTest, RecordsOfAnyLengthCrossWindowsWhole) {
  scan_.columns = {{"id", "int"}, {"s", "string"}};
  std::string text;
  int64_t sum = 0, length = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string value(static_cast<size_t>(i * 37 % 900 + (i % 500 == 0 ? 300'000 : 0)), 'x');
    text += fmt::format("{{\"id\":{},\"skipped\":{{\"a\":[1,2,\"}}]\"]}},\"s\":\"{}\\\"\"}}{}", i,
                        value, i % 3 ? "\n" : "");
    sum += i;
    length += static_cast<int64_t>(value.size()) + 1;
  }
  put("a", text);
  EXPECT_EQ(rows("SELECT count(*), sum(id), sum(length(s)) FROM laketap_scan('t0')",
                 {"bigint", "bigint", "bigint"}),
            Rows{fmt::format("3000|{}|{}", sum, length)});
  EXPECT_EQ(rows(kCount, {"bigint"}), Rows{"3000"});
}

TEST_F(ScanTest, TextKeepsNumbersAndNestedValuesAsTheyStand) {
  scan_.columns = {{"s", "string"}};
  put("a",
      "{\"s\":1.50}\n{\"s\":true}\n{\"s\":{\"a\": [1, \"b "
      "c\"]}}\n{\"s\":null}\n{}\n{\"s\":\"\"}\n{\"s\":\"null\"}\n{\"s\":"
      "\"\\u00e9\\n\\ud83d\\ude00\"}\n");
  EXPECT_EQ(rows(kAll, {"varchar"}),
            (Rows{"1.50", "true", "{\"a\":[1,\"b c\"]}", "~", "~", "", "null", "é\n😀"}));
}

TEST_F(ScanTest, TextInColumnsOfOtherTypesIsConverted) {
  scan_.columns = {{"n", "int"},           {"d", "double"}, {"b", "boolean"},
                   {"m", "decimal(10,2)"}, {"day", "date"}, {"ts", "timestamp"}};
  put("a",
      "{\"n\":\"12\",\"d\":\"1.5\",\"b\":\"TRUE\",\"m\":\"1.005\",\"day\":\"2024-02-29\",\"ts\":"
      "\"2024-01-02T03:04:05.678Z\"}\n"
      "{\"n\":\"\",\"d\":7,\"b\":false,\"m\":12345678.9,\"day\":null,\"ts\":1704164645}\n"
      "{\"n\":5.9,\"ts\":1704164645678}\n{\"ts\":1704164645.678}\n{\"ts\":\"2024-01-02 "
      "03:04:05\"}\n");
  EXPECT_EQ(rows(kAll, {"integer", "double", "boolean", "decimal(10,2)", "date", "timestamp(3)"}),
            (Rows{"12|1.5|true|1.01|2024-02-29|2024-01-02 03:04:05.678",
                  "~|7.0|false|12345678.90|~|2024-01-02 03:04:05.000",
                  "5|~|~|~|~|2024-01-02 03:04:05.678", "~|~|~|~|~|2024-01-02 03:04:05.678",
                  "~|~|~|~|~|2024-01-02 03:04:05.000"}));
}

TEST_F(ScanTest, ValueThatDoesNotFitFailsOrIsNull) {
  scan_.columns = {{"id", "int"}, {"n", "tinyint"}};
  put("a",
      "{\"id\":1,\"n\":5}\n{\"id\":2,\"n\":\"many\"}\n{\"id\":3,\"n\":300}\n{\"id\":4,\"n\":{\"a\":"
      "[1]}}\n{\"id\":5,\"n\":6}");
  EXPECT_TRUE(error(kAll, {"integer", "tinyint"})
                  .starts_with("HIVE_BAD_DATA: Error parsing field value 'many' for field 1: For "
                               "input string: \"many\""));
  EXPECT_EQ(rows("SELECT count(id) FROM laketap_scan('t0')", {"bigint"}),
            Rows{"5"});  // The bad column is not read.
  scan_.serde_parameters["use.null.for.invalid.data"] = "true";
  EXPECT_EQ(rows(kAll, {"integer", "tinyint"}), (Rows{"1|5", "2|~", "3|~", "4|~", "5|6"}));
}

TEST_F(ScanTest, NestedTypesComeOutAsAthenaShowsThem) {
  scan_.columns = {{"a", "array<struct<x:int,y:array<string>>>"},
                   {"m", "map<string,array<int>>"},
                   {"s", "struct<p:struct<q:bigint>,r:string>"}};
  put("a",
      "{\"a\":[{\"x\":1,\"Y\":[\"p\",null]},{\"y\":[]},null],\"m\":{\"K\":[1,2],\"k\":null,\"K\":["
      "3]},\"s\":{\"P\":{\"q\":7},\"z\":1}}\n"
      "{\"a\":[],\"m\":{},\"s\":null}\n{\"a\":\"\",\"m\":\"null\",\"s\":[{\"q\":1},\"by "
      "place\"]}\n{\"a\":{\"x\":9}}\n");
  EXPECT_EQ(rows(kAll, {"array(row(x integer,y array(varchar)))", "map(varchar,array(integer))",
                        "row(p row(q bigint),r varchar)"}),
            (Rows{"[{x=1, y=[p, null]}, {x=null, y=[]}, null]|{K=[3], k=null}|{p={q=7}, r=null}",
                  "[]|{}|~", "~|~|{p={q=1}, r=by place}", "[{x=9, y=null}]|~|~"}));
}

TEST_F(ScanTest, ManyNestedValuesSurviveTheGrowthOfTheirVectors) {
  scan_.columns = {{"a", "array<array<struct<t:string>>>"}};
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += "{\"a\":[";
    for (int k = 0; k < i % 5; ++k)
      text +=
          fmt::format("{}[{{\"t\":\"a text of record {}\"}},{{\"t\":\"short\"}}]", k ? "," : "", i);
    text += "]}\n";
  }
  put("a", text);
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT t.t) FROM (SELECT unnest(b) AS t FROM (SELECT "
                 "unnest(a) AS b FROM laketap_scan('t0')))",
                 {"bigint", "bigint"}),
            Rows{"20000|4001"});
}

TEST_F(ScanTest, LineThatIsAnArrayFillsColumnsByPosition) {
  scan_.columns = {{"a", "int"}, {"b", "string"}, {"c", "boolean"}};
  put("a", "[1,\"x\",true]\n[2,\"y\",false]\n");
  EXPECT_EQ(rows("SELECT c, a FROM laketap_scan('t0') ORDER BY a", {"boolean", "integer"}),
            (Rows{"true|1", "false|2"}));
  EXPECT_EQ(rows(kCount, {"bigint"}), Rows{"2"});
}

TEST_F(ScanTest, SerdePropertiesRuleKeys) {
  scan_.columns = {{"url1", "string"}, {"url2", "string"}};
  scan_.serde_parameters = {
      {"case.insensitive", "FALSE"}, {"mapping.url1", "URL"}, {"mapping.url2", "Url"}};
  put("a", "{\"Url\":\"big\",\"URL\":\"bigger\"}\n");
  EXPECT_EQ(rows(kAll, {"varchar", "varchar"}), Rows{"bigger|big"});
  scan_.columns = {{"total_tags", "int"}};
  scan_.serde_parameters = {{"dots.in.keys", "true"}};
  scan_.files.clear();
  put("b", "{\"total.tags\":3}");
  EXPECT_EQ(rows(kAll, {"integer"}), Rows{"3"});
}

TEST_F(ScanTest, PartitionValuesAreConstantsOfAFile) {
  scan_.columns = {{"id", "int"}};
  scan_.partition_columns = {{"day", "string"}, {"hour", "int"}};
  put("a", "{\"id\":1}\n{\"id\":2,\"day\":\"not me\"}\n");
  put("b", "{\"id\":3}\n");
  scan_.files[0].partition_values = {"a long name of a day", "7"};
  scan_.files[1].partition_values = {std::nullopt, "08"};
  EXPECT_EQ(rows("SELECT id, day, hour FROM laketap_scan('t0') ORDER BY id",
                 {"integer", "varchar", "integer"}),
            (Rows{"1|a long name of a day|7", "2|a long name of a day|7", "3|~|8"}));
  scan_.files[1].partition_values = {"d", "x"};
  EXPECT_TRUE(error("SELECT sum(hour) FROM laketap_scan('t0')", {"bigint"})
                  .starts_with("HIVE_INVALID_PARTITION_VALUE"));
}

TEST_F(ScanTest, GzipIsReadWithAllItsMembers) {
  scan_.columns = {{"id", "int"}};
  const std::string path = folder_ + "/a.gz";
  for (int member = 0; member < 2; ++member) {
    const gzFile out = gzopen(path.c_str(), "ab");
    for (int i = 0; i < 50'000; ++i) {
      const std::string line = fmt::format("{{\"id\":{}}}\n", i);
      gzwrite(out, line.data(), static_cast<unsigned>(line.size()));
    }
    gzclose(out);
  }
  engine::ScanFile file;
  file.path = file.name = path;
  file.compression = engine::Compression::gzip;
  scan_.files = {file};
  EXPECT_EQ(rows("SELECT count(*), sum(id) FROM laketap_scan('t0')", {"bigint", "bigint"}),
            Rows{"100000|2499950000"});
  scan_.files[0].compression = engine::Compression::none;  // As its name said nothing.
  EXPECT_EQ(rows("SELECT count(*), sum(id) FROM laketap_scan('t0')", {"bigint", "bigint"}),
            Rows{"100000|2499950000"});
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 9);
  EXPECT_TRUE(error(kCount, {"bigint"}).starts_with("HIVE_CANNOT_OPEN_SPLIT"));
}

TEST_F(ScanTest, PartsOfADescriptorAreReadAsOneFile) {
  scan_.columns = {{"id", "int"}};
  std::string text(1000, '#');
  engine::ScanFile file;
  file.name = "a batch";
  std::vector<engine::Range> ranges;
  for (int i = 0; i < 2000; ++i) {
    const std::string record = fmt::format("{{\"id\":{}}}", i);
    ranges.push_back({text.size(), record.size()});
    text += record + std::string(static_cast<size_t>(i % 300), '#');
  }
  std::ofstream(folder_ + "/segment") << text;
  const int descriptor = open((folder_ + "/segment").c_str(), O_RDONLY);
  for (const engine::Range& range : ranges) file.parts.push_back({descriptor, range});
  scan_.files = {file};
  EXPECT_EQ(rows("SELECT count(*), sum(id) FROM laketap_scan('t0')", {"bigint", "bigint"}),
            Rows{"2000|1999000"});
  close(descriptor);
}

TEST_F(ScanTest, BytesThatAreNotUtf8AreReplaced) {
  scan_.columns = {{"s", "string"}};
  put("a",
      "{\"s\":\"a\xFF"
      "b\"}\n{\"s\":\"fine\"}\n{\"s\":\"\xC3\xA9t\xC3\xA9 and a longer text\"}\n");
  EXPECT_EQ(rows(kAll, {"varchar"}), (Rows{"a\xEF\xBF\xBD"
                                           "b",
                                           "fine", "été and a longer text"}));
}

TEST_F(ScanTest, SqlCannotReachFilesOrSettings) {
  for (const char* sql : {"SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'",
                          "COPY (SELECT 1) TO '/tmp/x'", "SET threads = 1", "SELECT 1; SELECT 2",
                          "ATTACH '/tmp/x.db'", "INSTALL httpfs"})
    EXPECT_FALSE(ask(sql, {"varchar"})) << sql;
}

TEST_F(ScanTest, ErrorsOfTheEngineHaveTrinosNames) {
  EXPECT_EQ(error("SELECT CAST('abc' AS INTEGER)", {"integer"}),
            "INVALID_CAST_ARGUMENT: Cannot cast 'abc' to INT");
  EXPECT_TRUE(error("SELECT 9223372036854775807 + x FROM (VALUES (1::BIGINT)) t(x)", {"bigint"})
                  .starts_with("NUMERIC_VALUE_OUT_OF_RANGE: "));
  EXPECT_EQ(error("SELECT error('DIVISION_BY_ZERO: Division by zero')", {"bigint"}),
            "DIVISION_BY_ZERO: Division by zero");
  EXPECT_EQ(error("SELECT error('Key not present in map: x')", {"bigint"}),
            "INVALID_FUNCTION_ARGUMENT: Key not present in map: x");
}

}  // namespace
}  // namespace laketap::worker
