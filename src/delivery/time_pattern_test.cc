#include "delivery/time_pattern.h"

#include <gtest/gtest.h>

namespace laketap::delivery {
namespace {

std::string format(std::string_view pattern, Timestamp at) {
  const auto parsed = TimePattern::parse(pattern);
  return parsed ? parsed->format(at) : "refused";
}

// Wednesday, day 364.
const Timestamp kAt = from_civil(2026, 12, 30, 15, 4, 5, 678'901);

TEST(TimePatternTest, LettersPrintAsJava17Does) {
  EXPECT_EQ(format("yyyy/MM/dd/HH", kAt), "2026/12/30/15");
  EXPECT_EQ(format("y-M-d H:m:s", kAt), "2026-12-30 15:4:5");
  EXPECT_EQ(format("yy uuuu yyyyy", kAt), "26 2026 02026");
  EXPECT_EQ(format("MMM MMMM MMMMM LLL", kAt), "Dec December D Dec");
  EXPECT_EQ(format("E EEE EEEE EEEEE e ee c", kAt), "Wed Wed Wednesday W 4 04 4");
  EXPECT_EQ(format("D DDD Q QQ QQQ QQQQ", kAt), "364 364 4 04 Q4 4th quarter");
  EXPECT_EQ(format("h hh K kk a", kAt), "3 03 3 15 PM");
  EXPECT_EQ(format("SSS SSSSSSSSS n A N", kAt), "678 678901000 678901000 54245678 54245678901000");
  EXPECT_EQ(format("G GGGG W F g", kAt), "AD Anno Domini 5 2 61404");
  EXPECT_EQ(format("VV z zzzz O X x xx xxx Z ZZZZ ZZZZZ", kAt),
            "UTC UTC Coordinated Universal Time GMT Z +00 +0000 +00:00 +0000 GMT Z");
  EXPECT_EQ(format("pppH ppppy", kAt), " 15 2026");
}

TEST(TimePatternTest, TheWeekYearBeginsWithTheWeekOfNewYear) {
  EXPECT_EQ(format("YYYY-w", kAt), "2027-1");
  EXPECT_EQ(format("YYYY-ww", from_civil(2026, 12, 26)), "2026-52");
  EXPECT_EQ(format("YYYY-ww", from_civil(2026, 1, 1)), "2026-01");
  EXPECT_EQ(format("YYYY-ww", from_civil(2022, 12, 31)), "2022-53");
}

TEST(TimePatternTest, QuotesMakeLettersLiteral) {
  EXPECT_EQ(format("'year='yyyy/'month='MM", kAt), "year=2026/month=12");
  EXPECT_EQ(format("yyyy''MM", kAt), "2026'12");
  EXPECT_EQ(format("'it''s'", kAt), "it's");
  EXPECT_EQ(format("[yyyy]", kAt), "2026");
}

TEST(TimePatternTest, ExactlyTheLettersThatJavaRefusesAreRefused) {
  std::string refused;
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
    if (!TimePattern::parse(std::string(1, c))) refused += c;
  EXPECT_EQ(refused, "CIJPRTUVbfijloprt");  // Contract: firehose.md 7.2, observed.
}

TEST(TimePatternTest, BadCountsOpenQuotesAndReservedCharactersAreRefused) {
  for (const std::string_view bad :
       {"'open", "yyyy'", "ddd", "MMMMMM", "cc", "VVV", "p", "yyyy]", "{", "#", "aa", "SSSSSSSSSS",
        "yyyyyyyyyyyyyyyyyyyy", "OO", "BB", "'year='yyyy'/month='MM'/day='dd'"})
    EXPECT_EQ(format(bad, kAt), "refused") << bad;
}

}  // namespace
}  // namespace laketap::delivery
