#include "crawler/cron.h"

#include <gtest/gtest.h>

namespace laketap::crawler {
namespace {

// The next `count` moments after `after`.
std::string fires(std::string_view expression, Timestamp after, int count = 1) {
  const auto cron = Cron::parse("cron(" + std::string(expression) + ")");
  if (!cron) return "ERROR";
  std::string out;
  for (int i = 0; i < count; ++i) {
    const auto next = cron->next(after);
    if (!next) return out + "never";
    out += (out.empty() ? "" : " ") + iso8601(*next).substr(0, 16);
    after = *next;
  }
  return out;
}

const Timestamp kSaturday = from_civil(2026, 11, 28, 7, 24, 45);

TEST(CronTest, TheGuidesScheduleRestsOnWeekends) {
  EXPECT_EQ(fires("0/10 * ? * MON-FRI *", kSaturday), "2026-11-30T00:00");
  EXPECT_EQ(fires("0/10 * * * ? *", kSaturday, 2), "2026-11-28T07:30 2026-11-28T07:40");
}

TEST(CronTest, EveryFieldCounts) {
  EXPECT_EQ(fires("0 */6 * * ? *", kSaturday, 2), "2026-11-28T12:00 2026-11-28T18:00");
  EXPECT_EQ(fires("00 00 * * ? *", kSaturday), "2026-11-29T00:00");
  EXPECT_EQ(fires("15,45 8-9 1 jan,JUL ? *", kSaturday, 2), "2027-01-01T08:15 2027-01-01T08:45");
  EXPECT_EQ(fires("0 12 * * ? 2030", kSaturday), "2030-01-01T12:00");
  EXPECT_EQ(fires("0 12 * * ? 2020", kSaturday), "never");
  EXPECT_EQ(fires("0 0 29 2 ? *", kSaturday), "2028-02-29T00:00");
  EXPECT_EQ(fires("5/20 * * * ? *", kSaturday, 3),
            "2026-11-28T07:25 2026-11-28T07:45 2026-11-28T08:05");
}

TEST(CronTest, LastNearestAndNth) {
  EXPECT_EQ(fires("0 0 L * ? *", kSaturday, 2), "2026-11-30T00:00 2026-12-31T00:00");
  EXPECT_EQ(fires("0 0 L-3 * ? *", kSaturday), "2026-12-28T00:00");
  EXPECT_EQ(fires("0 0 LW 1 ? *", kSaturday), "2027-01-29T00:00");  // The 31st is a Sunday.
  EXPECT_EQ(fires("0 0 1W 8 ? *", kSaturday), "2027-08-02T00:00");  // The 1st is a Sunday.
  EXPECT_EQ(fires("0 0 ? * 6L *", kSaturday), "2026-12-25T00:00");  // The last Friday.
  EXPECT_EQ(fires("0 0 ? * TUE#3 *", kSaturday), "2026-12-15T00:00");
  EXPECT_EQ(fires("0 0 ? * FRI-MON *", kSaturday, 3),
            "2026-11-29T00:00 2026-11-30T00:00 2026-12-04T00:00");
  EXPECT_EQ(fires("0 0 ? * L *", kSaturday), "2026-12-05T00:00");
}

TEST(CronTest, WhatIsNoScheduleIsRefused) {
  for (const char* bad :
       {"", "* * * *", "60 * * * ? *", "* 24 * * ? *", "* * 0 * ? *", "* * * 13 ? *", "* * ? * 8 *",
        "* * * * * *", "* * ? * ? *", "*/0 * * * ? *", "a * * * ? *", "1-2-3 * * * ? *",
        "* * 32W * ? *", "0 0 ? * 2#6 *"})
    EXPECT_EQ(fires(bad, kSaturday), "ERROR") << bad;
  EXPECT_FALSE(Cron::parse("rate(5 minutes)"));
}

}  // namespace
}  // namespace laketap::crawler
