#include "stacks/template.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "stacks/evaluate.h"

namespace laketap::stacks {
namespace {

namespace json = boost::json;

std::string guide() {
  std::ifstream file(std::string(LAKETAP_SOURCE_DIR) + "/tests/data/guide.yaml");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string message(std::string_view body) {
  const auto made = parse_template(body);
  if (!made) return made.error().message;
  const auto order = creation_order(*made);
  return order ? "" : order.error().message;
}

// The value of {"X": ...} as an expression over a small stack with a bucket B whose physical id is
// "b-1".
std::string value_of(std::string_view expression) {
  static const Template kMade = *parse_template(
      R"({"Mappings": {"M": {"a": {"b": "found"}}}, "Conditions": {"Yes": {"Fn::Equals": ["1", 1]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
          "Parameters": {"P": {"Type": "String"}, "L": {"Type": "CommaDelimitedList"}}, "Resources": {"B": {"Type": "AWS::S3::Bucket"}}})");
  Scope scope;
  scope.made = &kMade;
  scope.parameters = {{"P", json::string("text")}, {"L", json::array{"x", "y", "z"}}};
  scope.pseudo = {{"AWS::Region", json::string("us-east-1")}};
  scope.ref = [](const std::string&) -> Outcome<json::value> { return json::value("b-1"); };
  scope.attribute = [](const std::string&, const std::string& name) -> Outcome<json::value> {
    if (name == "Arn") return json::value("arn:aws:s3:::b-1");
    return refuse("no attribute " + name);
  };
  scope.conditions = *evaluate_conditions(kMade, scope);
  const auto read = read_document("X: " + std::string(expression));
  if (!read) return "ERROR " + read.error().message;
  const auto made = evaluate(read->at("X"), scope);
  if (!made) return "ERROR " + made.error().message;
  return *made ? json::serialize(**made) : "(nothing)";
}

TEST(TemplateTest, ReadsTheGuidesHabits) {
  const auto made = parse_template(guide());

  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->version, "2010-09-09");
  const auto seconds =
      std::ranges::find(made->parameters, "rawDataBatchSizeInSeconds", &Parameter::name);
  EXPECT_EQ(seconds->default_value, "60");
  const json::object& role = made->find("deliveryRole")->properties;
  EXPECT_EQ(role.at("AssumeRolePolicyDocument").at("Version"), "2012-10-17");
  EXPECT_EQ(made->find("deliveryStream")->depends_on, std::vector<std::string>{"deliveryPolicy"});
}

TEST(TemplateTest, EachResourceComesAfterWhatItNeeds) {
  const auto order = creation_order(*parse_template(guide()));

  ASSERT_TRUE(order);
  const auto place = [&](const char* id) { return std::ranges::find(*order, id) - order->begin(); };
  EXPECT_LT(place("s3bucket"), place("deliveryPolicy"));
  EXPECT_LT(place("deliveryPolicy"), place("deliveryStream"));
  EXPECT_LT(place("glueDatabase"), place("MyCrawler"));
}

TEST(TemplateTest, APatternMatchesTheWholeValue) {
  const Template made = *parse_template(guide());
  std::vector<GivenParameter> given{
      {"s3BucketName", "b"}, {"databaseName", "d"}, {"rawDataBatchSizeInSeconds", "1000"}};

  const auto refused = resolve_parameters(made, given, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "Parameter rawDataBatchSizeInSeconds failed to satisfy constraint: Must be a value "
            "between 60 and 900 (inclusive).");

  given[2].value = "900";
  EXPECT_TRUE(resolve_parameters(made, given, {}));
}

TEST(TemplateTest, ParametersAreNamedInTheRefusal) {
  const Template made = *parse_template(guide());
  EXPECT_EQ(resolve_parameters(made, {{"databaseName", "d"}}, {}).error().message,
            "Parameters: [s3BucketName] must have values");
  EXPECT_EQ(resolve_parameters(made, {{"nosuch", "d"}}, {}).error().message,
            "Parameters: [nosuch] do not exist in the template");
}

TEST(TemplateTest, RefusalsAreCloudFormationsTexts) {
  EXPECT_EQ(message("{}"), "Template format error: At least one Resources member must be defined.");
  EXPECT_EQ(
      message("{\"Resources\": {\"A\": {}}}"),
      "Template format error: [/Resources/A] Every Resources object must contain a Type member.");
  EXPECT_EQ(message("{\"Resources\": {"),
            "Template format error: JSON not well-formed. (line 1, column 16)");
  EXPECT_TRUE(message("a: [b").starts_with("Template format error: YAML not well-formed."));
  EXPECT_EQ(message("Resources: {A: {Type: T, Properties: {X: !Ref Nobody}}}"),
            "Template format error: Unresolved resource dependencies [Nobody] in the Resources "
            "block of the template");
  EXPECT_EQ(message("Resources: {A: {Type: T, DependsOn: B}, B: {Type: T, DependsOn: A}}"),
            "Circular dependency between resources: [A, B]");
  EXPECT_EQ(message("Resources: {A: {Type: T, Propertys: {}}}"),
            "Invalid template resource property 'Propertys'");
}

TEST(TemplateTest, HostileTextsAreRefusedInBoundedTime) {
  std::string deep(20'000, '[');
  EXPECT_TRUE(message(deep).starts_with("Template format error")) << "YAML";
  EXPECT_TRUE(message("{\"a\":" + deep).starts_with("Template format error")) << "JSON";
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) bomb += "*a" + std::to_string(i - 1) + ",";
    bomb += "x]\n";
  }
  EXPECT_TRUE(message(bomb).starts_with("Template format error")) << "aliases that multiply";
}

TEST(EvaluateTest, FunctionsInLongAndShortForm) {
  EXPECT_EQ(value_of("!Ref P"), "\"text\"");
  EXPECT_EQ(value_of("{Ref: B}"), "\"b-1\"");
  EXPECT_EQ(value_of("!GetAtt B.Arn"), "\"arn:aws:s3:::b-1\"");
  EXPECT_EQ(value_of("{'Fn::GetAtt': [B, Arn]}"), "\"arn:aws:s3:::b-1\"");
  EXPECT_EQ(value_of("!Join ['-', [a, !Ref P, 1]]"), "\"a-text-1\"");
  EXPECT_EQ(value_of("!Sub '${B.Arn}/${P}/${!P}/!{timestamp:yyyy}/${AWS::Region}'"),
            "\"arn:aws:s3:::b-1/text/${P}/!{timestamp:yyyy}/us-east-1\"");
  EXPECT_EQ(value_of("!Sub ['${x}${P}', {x: !Ref B}]"), "\"b-1text\"");
  EXPECT_EQ(value_of("!Select ['1', !Ref L]"), "\"y\"");
  EXPECT_EQ(value_of("!Split [',', 'a,,b']"), "[\"a\",\"\",\"b\"]");
  EXPECT_EQ(value_of("!FindInMap [M, a, b]"), "\"found\"");
  EXPECT_EQ(value_of("!If [Yes, 1, 2]"), "1");
  EXPECT_EQ(value_of("!If [No, 1, !Ref AWS::NoValue]"), "(nothing)");
  EXPECT_EQ(value_of("{a: 1, b: !If [No, 1, !Ref 'AWS::NoValue']}"), "{\"a\":1}");
  EXPECT_EQ(value_of("!Base64 ab"), "\"YWI=\"");
}

TEST(EvaluateTest, ErrorsNameWhatIsWrong) {
  EXPECT_EQ(value_of("!FindInMap [M, a, c]"),
            "ERROR Template error: Unable to get mapping for M::a::c");
  EXPECT_EQ(value_of("!If [Nobody, 1, 2]"),
            "ERROR Template error: unresolved condition dependency Nobody in Fn::If");
  EXPECT_EQ(value_of("!Select [9, !Ref L]"),
            "ERROR Template error: Fn::Select cannot select nonexistent value at index 9");
  EXPECT_TRUE(
      value_of("!Cidr [a, 1, 2]").starts_with("ERROR Template error: Fn::Cidr is not served"));
}

std::string conditions_error(const std::string& conditions) {
  const auto made = parse_template("{\"Conditions\": {" + conditions +
                                   "}, \"Resources\": {\"B\": {\"Type\": \"AWS::S3::Bucket\"}}}");
  if (!made) return made.error().message;
  const auto order = creation_order(*made);
  return order ? "" : order.error().message;
}

TEST(EvaluateTest, ConditionsAreEvaluatedOnceAndGoInNoCircle) {
  std::string chain = "\"C0\": {\"Fn::Equals\": [\"a\", \"a\"]}";
  for (int i = 1; i < 60; ++i)
    chain += fmt::format(
        ", \"C{0}\": {{\"Fn::And\": [{{\"Condition\": \"C{1}\"}}, {{\"Condition\": \"C{1}\"}}]}}",
        i, i - 1);
  EXPECT_EQ(conditions_error(chain), "");
  const auto made = parse_template("{\"Conditions\": {" + chain +
                                   "}, \"Resources\": {\"B\": {\"Type\": \"AWS::S3::Bucket\"}}}");
  Scope scope;
  scope.made = &*made;
  const auto held = evaluate_conditions(*made, scope);  // 2^59 steps, if each were done anew.
  ASSERT_TRUE(held);
  EXPECT_TRUE(held->at("C59"));
  EXPECT_EQ(conditions_error("\"A\": {\"Fn::Not\": [{\"Condition\": \"B\"}]}, "
                             "\"B\": {\"Fn::Not\": [{\"Condition\": \"A\"}]}"),
            "Template error: Circular dependency between conditions: [A, B]");
  EXPECT_EQ(conditions_error("\"A\": {\"Fn::Not\": [{\"Condition\": \"Z\"}]}"),
            "Template format error: Unresolved condition dependency Z in the Conditions block of "
            "the template");
  EXPECT_EQ(conditions_error("\"A\": {\"Fn::Equals\": [{\"Fn::If\": [\"A\", 1, 2]}, 1]}"),
            "Template error: Condition A holds a function that is not supported in the Conditions "
            "block");
}

TEST(TemplateTest, OddDocumentsAreRefusedAtOnce) {
  for (const std::string body : {",**", "", "a: b\n---\nc: d\n", "*a", "&a *a", "- ,**"})
    EXPECT_FALSE(parse_template(body)) << body;
  EXPECT_EQ(parse_template("{\"Resources\": {\"B\": {\"Type\": \"a\\u0000b\"}}}").error().message,
            "Template format error: a text holds a control character.");
}

TEST(CapabilitiesTest, ANameOfOnesOwnNeedsTheStrongerOne) {
  EXPECT_EQ(needed_capabilities(*parse_template(guide())).needed,
            std::vector<std::string>{"CAPABILITY_IAM"});
  const auto named =
      parse_template("Resources: {R: {Type: 'AWS::IAM::Role', Properties: {RoleName: r}}}");
  EXPECT_EQ(needed_capabilities(*named).needed, std::vector<std::string>{"CAPABILITY_NAMED_IAM"});
}

}  // namespace
}  // namespace laketap::stacks
