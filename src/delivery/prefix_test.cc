#include "delivery/prefix.h"

#include <gtest/gtest.h>

namespace laketap::delivery {
namespace {

const Timestamp kAt = from_civil(2026, 7, 13, 14, 9, 59, 999'999);
constexpr std::string_view kConstraint =
    "The supplied prefix(es) do not satisfy the following constraint: ";

BatchId batch_at(Timestamp begin) {
  BatchId batch{.stream = 1, .version = 3, .uuid = {}, .begin = begin};
  for (size_t i = 0; i < batch.uuid.size(); ++i) batch.uuid[i] = static_cast<uint8_t>(i * 16 + i);
  return batch;
}

std::string problem(std::string_view prefix, std::string_view error_prefix = "") {
  return prefix_problem(prefix, error_prefix, kAt).value_or("");
}

TEST(PrefixTest, TimeFoldersFollowAPrefixWithoutExpressionsAndNoSlashIsPutIn) {
  EXPECT_EQ(evaluate_prefix("", batch_at(kAt)), "2026/07/13/14/");
  EXPECT_EQ(evaluate_prefix("a/", batch_at(kAt)), "a/2026/07/13/14/");
  EXPECT_EQ(evaluate_prefix("legacy", batch_at(kAt)), "legacy2026/07/13/14/");
}

TEST(PrefixTest, NoTimeFoldersFollowAnyExpression) {
  EXPECT_EQ(evaluate_prefix("y=!{timestamp:yyyy}/m=!{timestamp:MM}/x", batch_at(kAt)),
            "y=2026/m=07/x");
  EXPECT_EQ(evaluate_prefix("r/!{firehose:random-string}/", batch_at(kAt)).size(), 2 + 11 + 1u);
}

TEST(PrefixTest, RandomStringsDifferByPlaceAndBatchAndRepeatForTheSameBatch) {
  const std::string_view prefix = "!{firehose:random-string}!{firehose:random-string}";
  BatchId other = batch_at(kAt);
  other.uuid[3] ^= 1;

  const std::string first = evaluate_prefix(prefix, batch_at(kAt));

  EXPECT_EQ(first, evaluate_prefix(prefix, batch_at(kAt)));
  EXPECT_NE(first.substr(0, 11), first.substr(11));
  EXPECT_NE(first, evaluate_prefix(prefix, other));
}

TEST(PrefixTest, TheNameSaysStreamVersionSecondAndUuid) {
  Configuration configuration{
      .stream_name = "clicks", .prefix = "raw/", .compression = Compression::gzip};
  EXPECT_EQ(
      object_key(configuration, batch_at(kAt)),
      "raw/2026/07/13/14/clicks-3-2026-07-13-14-09-59-00112233-4455-6677-8899-aabbccddeeff.gz");
  configuration.extension = ".log";
  EXPECT_TRUE(object_key(configuration, batch_at(kAt)).ends_with("ff.log"));
}

TEST(PrefixTest, RefusalsAreInFirehosesWords) {
  const std::string constraint(kConstraint);
  EXPECT_EQ(
      problem("e/!{timestamp:yyyy}/"),
      constraint + "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions");
  EXPECT_EQ(problem("e/!{timestamp:yyyy}/", "err/!{timestamp:yyyy}/"),
            constraint +
                "ErrorOutputPrefix must contain at least one occurrence of "
                "!{firehose:error-output-type}");
  EXPECT_EQ(problem("!{firehose:error-output-type}/", "x"),
            constraint + "Prefix must not contain any occurrence of !{firehose:error-output-type}");
  EXPECT_EQ(
      problem("!{timestamp:RR}/", "x"),
      constraint + "Invalid conversion character used in the value of the expression in Prefix");
  EXPECT_EQ(
      problem("a", "!{firehose:other}/"),
      constraint + "Invalid conversion character used in the value of the expression in Prefix");
  EXPECT_EQ(problem("my!{prefix/"),
            constraint +
                "Invalid expression usage: my!{prefix/.Must be of the form !{<namespace>:<value>}");
  EXPECT_EQ(problem("!{bogus:x}"),
            constraint + "Namespace to the left of colon (bogus) is an invalid keyword!");
  EXPECT_EQ(problem("a", "!{partitionKeyFromQuery:k}/!{firehose:error-output-type}"),
            "Dynamic Partitioning Namespaces can't be part of an error prefix expression");
  EXPECT_EQ(problem("!{partitionKeyFromQuery:k}/", "e/"),
            "Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic "
            "Partitioning is enabled.");
  EXPECT_EQ(problem("!{timestamp:" + std::string(19, 'y') + "}" + std::string(500, 'x'), "e/"),
            constraint + "Length of evaluated prefix cannot be greater than 512");
}

TEST(PrefixTest, OrdinaryPrefixesAreAllowed) {
  EXPECT_EQ(problem(""), "");
  EXPECT_EQ(problem("raw/firehose/"), "");
  EXPECT_EQ(
      problem("e/!{timestamp:yyyy/MM}/", "err/!{firehose:error-output-type}/!{timestamp:yyyy}/"),
      "");
  EXPECT_EQ(problem("e/!{timestamp:yyyy}/", "static/"), "");
}

}  // namespace
}  // namespace laketap::delivery
