#include <gtest/gtest.h>

#include <set>

#include "wire/shape.h"
#include "wire/wire.h"

namespace laketap::wire {
namespace {

void collect(const Shape& shape, std::set<const Shape*>& seen) {
  if (!seen.insert(&shape).second) return;
  if (shape.element) collect(*shape.element, seen);
  if (shape.key) collect(*shape.key, seen);
  for (const Member& member : shape.members) collect(*member.shape, seen);
}

TEST(PatternTest, EveryPatternOfEveryModelCompiles) {
  std::set<const Shape*> shapes;
  for (const Service* service : services()) {
    for (const Operation& operation : service->operations) {
      if (operation.input) collect(*operation.input, shapes);
      if (operation.output) collect(*operation.output, shapes);
    }
  }
  size_t count = 0;
  for (const Shape* shape : shapes) {
    if (!shape->pattern) continue;
    ++count;
    EXPECT_TRUE(compiles(*shape->pattern)) << shape->name << ": " << shape->pattern->expression;
  }
  EXPECT_GT(count, 100u);
}

TEST(PatternTest, AWholeValueMustMatch) {
  static constinit Pattern pattern{"[a-z]+", "[a-z]+"};
  EXPECT_TRUE(matches(pattern, "abc"));
  EXPECT_FALSE(matches(pattern, "abc1"));
  EXPECT_FALSE(matches(pattern, "1abc"));
  EXPECT_FALSE(matches(pattern, "abc\n"));
  EXPECT_FALSE(matches(pattern, ""));
}

TEST(PatternTest, APatternThatBacktracksForEverGivesUp) {
  static constinit Pattern pattern{"(a+)+b", "(a+)+b"};
  EXPECT_FALSE(matches(pattern, std::string(10'000, 'a')));
}

TEST(PatternTest, CharactersAboveTheBasicPlaneMatchTheModelsPairs) {
  const Shape& text = *find_service("glue")
                           ->find("CreateDatabase")
                           ->input->members[1]
                           .shape->members[1]
                           .shape;  // Description.
  ASSERT_NE(text.pattern, nullptr);
  EXPECT_TRUE(matches(*text.pattern, "caf\xc3\xa9 \xF0\x9F\x98\x80\r\n\t"));
  EXPECT_FALSE(matches(*text.pattern, std::string_view("\x01", 1)));
}

}  // namespace
}  // namespace laketap::wire
