#include "wire/form.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "wire/cloudformation.h"
#include "wire/iam.h"

namespace laketap::wire {
namespace {

template <class In>
Answer<In> read(const char* service, std::string_view text) {
  const Result<Form> form = parse_form(text);
  if (!form) return refuse("bad form", 400, form.error().what);
  In input{};
  if (auto fault = read_form(*find_service(service), shape_of(&input), *form, &input))
    return std::unexpected(std::move(*fault));
  return input;
}

TEST(FormTest, AStackIsReadWithItsListsInOrder) {
  const auto input = read<cloudformation::CreateStackInput>(
      "cloudformation",
      "Action=CreateStack&Version=2010-05-15&StackName=my+stack%2B&Parameters.member.2."
      "ParameterKey=b&Parameters.member.2.ParameterValue=2"
      "&Parameters.member.10.ParameterKey=c&Parameters.member.1.ParameterKey=a&Parameters.member.1."
      "UsePreviousValue=true"
      "&Capabilities.member.1=CAPABILITY_IAM&TimeoutInMinutes=5&NotificationARNs=");
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input->stack_name, "my stack+");
  ASSERT_EQ(input->parameters->size(), 3u);
  EXPECT_EQ((*input->parameters)[0].parameter_key, "a");
  EXPECT_EQ((*input->parameters)[0].use_previous_value, true);
  EXPECT_EQ((*input->parameters)[1].parameter_value, "2");
  EXPECT_EQ((*input->parameters)[2].parameter_key, "c");
  EXPECT_EQ(input->capabilities->at(0), "CAPABILITY_IAM");
  EXPECT_EQ(input->timeout_in_minutes, 5);
  ASSERT_TRUE(input->notification_arns);  // Sent, and empty.
  EXPECT_TRUE(input->notification_arns->empty());
  EXPECT_FALSE(input->tags);
}

TEST(FormTest, WrongValuesAndShapesAreRefusedByName) {
  const auto refusal = [](std::string_view text) {
    const auto answer = read<cloudformation::CreateStackInput>("cloudformation", text);
    return answer ? "" : answer.error().code + ": " + answer.error().message;
  };
  EXPECT_EQ(refusal("StackName=s&TimeoutInMinutes=five"),
            "MalformedInput: Value (five) for parameter TimeoutInMinutes is invalid");
  EXPECT_EQ(refusal("StackName=s&DisableRollback=maybe"),
            "MalformedInput: Value (maybe) for parameter DisableRollback is invalid");
  EXPECT_EQ(refusal("StackName.x=s"), "MalformedInput: Unexpected parameters below StackName");
  EXPECT_EQ(refusal("TimeoutInMinutes=0"),
            "ValidationError: 2 validation errors detected: Value null at 'stackName' failed to "
            "satisfy constraint: Member must not be null; "
            "Value '0' at 'timeoutInMinutes' failed to satisfy constraint: Member must have value "
            "greater than or equal to 1");
  EXPECT_EQ(refusal("StackName=%zz"), "bad form: a percent sign without two hexadecimal digits");
  EXPECT_EQ(refusal("StackName=%4"), "bad form: a percent sign without two hexadecimal digits");
}

TEST(FormTest, NumbersOfAListMayHaveGapsAndNothingElse) {
  const auto input =
      read<cloudformation::CreateStackInput>("cloudformation",
                                             "StackName=s&Capabilities.member.3=CAPABILITY_IAM&"
                                             "Capabilities.member.01=x&Capabilities.member.-1=x"
                                             "&Capabilities.member.99999999999999999999999=x&"
                                             "Capabilities.member.=x&Capabilities.member.1e2=x");
  ASSERT_TRUE(input);
  EXPECT_EQ(input->capabilities->size(), 1u);
}

TEST(FormTest, TooManyParametersAreRefused) {
  std::string text;
  for (size_t i = 0; i <= kFormPairsMax; ++i) text += "a&";
  EXPECT_FALSE(parse_form(text));
}

TEST(FormTest, TagsOfARoleAreRead) {
  const auto input = read<iam::CreateRoleRequest>(
      "iam", "RoleName=r&AssumeRolePolicyDocument=%7B%7D&Tags.member.1.Key=k&Tags.member.1.Value=");
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input->tags->at(0).value, "");
}

}  // namespace
}  // namespace laketap::wire
