#include "generator/template.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

#include "generator/functions.h"

namespace laketap::generator {
namespace {

const Timestamp kNow = from_civil(2026, 11, 23, 16, 26, 32, 123456);

std::string render(std::string_view text, uint64_t seed = 1) {
  const auto made = Template::parse(text);
  if (!made) return "ERROR " + made.error().what;
  Draw draw(seed);
  const auto out = made->render(draw, kNow);
  return out ? *out : "ERROR " + out.error().what;
}

TEST(TemplateTest, TheGuidesTemplateGivesOneLineWithTheIndentationKept) {
  const std::string record = render(builtin_template("builtin:clickstream"));

  EXPECT_TRUE(record.starts_with("{    \"customerId\": \"")) << record;
  EXPECT_EQ(record.find('\n'), std::string::npos);
  const auto value = boost::json::parse(record);
  const int64_t amount = value.at("event").at("amount").as_int64();
  EXPECT_GE(amount, 50);
  EXPECT_LE(amount, 300);
}

TEST(TemplateTest, NumberIncludesItsMaximum) {
  const auto made = Template::parse("{{random.number({\"min\":1,\"max\":3})}}");
  ASSERT_TRUE(made);
  Draw draw(7);
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) seen.insert(*made->render(draw, kNow));
  EXPECT_EQ(seen, (std::set<std::string>{"1", "2", "3"}));
}

TEST(TemplateTest, NumberTakesAPrecision) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const std::string text =
        render("{{random.number({\"min\":0,\"max\":1,\"precision\":0.1})}}", seed);
    EXPECT_LE(text.size(), 3u) << text;
  }
}

TEST(TemplateTest, ErrorsAreTheGeneratorsOwn) {
  EXPECT_EQ(render("{{nosuch.thing}}"), "ERROR Invalid module: nosuch");
  EXPECT_EQ(render("{{random.nosuch}}"), "ERROR Invalid method: random.nosuch");
  EXPECT_EQ(render("{{ random.number }}"), "ERROR Invalid module:  random");
  EXPECT_EQ(render("{\"a\":{\"b\":1}} {{random.number}}"), "ERROR Invalid module: ");
  EXPECT_EQ(render("  \n "), "ERROR string parameter is required!");
}

TEST(TemplateTest, TextAfterTheLastTagMayCloseBraces) {
  const std::string text = render("{\"a\":{\"b\":{{random.number(0)}}}}");
  EXPECT_EQ(text, "{\"a\":{\"b\":0}}");
}

TEST(TemplateTest, AnArgumentThatIsNoJsonIsText) {
  EXPECT_EQ(render("{{date.now(YYYY-MM-DD)}}"), "2026-11-23");
  const std::string one = render("{{random.arrayElement(['a','b'])}}");
  EXPECT_EQ(one.size(), 1u) << "the original picks a character";
}

TEST(TemplateTest, ResultsAreScannedAgain) {
  EXPECT_EQ(render("{{random.arrayElement([\"x$$y\"])}}"), "x$y");
}

TEST(TemplateTest, DefaultsOfTheDateFunctions) {
  EXPECT_EQ(render("{{date.now}}"), "2026-11-23T16:26:32+00:00");
  EXPECT_EQ(render("{{current.timestamp}}"), "2026-11-23T16:26:32+00:00");
  EXPECT_TRUE(render("{{date.simTime}}").starts_with("ERROR"));
}

TEST(TemplateTest, WeightsThatAreThirdsLeaveAGap) {
  const auto made = Template::parse(
      "{{random.weightedArrayElement({\"weights\":[0.333,0.333,0.333],\"data\":[\"a\",\"b\",\"c\"]}"
      ")}}");
  ASSERT_TRUE(made);
  Draw draw(3);
  int undefined = 0;
  for (int i = 0; i < 20000; ++i) undefined += *made->render(draw, kNow) == "undefined";
  EXPECT_GT(undefined, 50);
  EXPECT_LT(undefined, 500);
}

TEST(MomentFormatTest, KnowsTheLetters) {
  EXPECT_EQ(moment_format(kNow, "dddd, MMMM Do YYYY, h:mm:ss a"),
            "Monday, November 23rd 2026, 4:26:32 pm");
  EXPECT_EQ(moment_format(kNow, "YYYY-MM-DD[T]HH:mm:ss.SSSZ"), "2026-11-23T16:26:32.123+00:00");
  EXPECT_EQ(moment_format(kNow, "X x"), "1795451192 1795451192123");
  EXPECT_EQ(moment_format(kNow, "GGGG-[W]WW-E DDDD Q"), "2026-W48-1 327 4");
}

}  // namespace
}  // namespace laketap::generator
