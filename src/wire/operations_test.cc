#include <gtest/gtest.h>

#include <thread>

#include "wire/ask.h"
#include "wire/athena.h"
#include "wire/cloudformation.h"
#include "wire/firehose.h"
#include "wire/glue.h"
#include "wire/iam.h"
#include "wire/s3.h"
#include "wire/shape.h"
#include "wire/sts.h"

namespace laketap::wire {
namespace {

using firehose::DeleteDeliveryStreamInput;
using firehose::DeleteDeliveryStreamOutput;

class OperationsTest : public testing::Test {
 protected:
  // Serves DeleteDeliveryStream by `handler`.
  void serve(
      Operations& operations,
      std::function<Answer<DeleteDeliveryStreamOutput>(const Call&, DeleteDeliveryStreamInput)>
          handler) {
    operations.add<DeleteDeliveryStreamInput, DeleteDeliveryStreamOutput>(
        "firehose", "DeleteDeliveryStream", std::move(handler));
  }
  static Answer<DeleteDeliveryStreamOutput> succeed(const Call&, DeleteDeliveryStreamInput) {
    return DeleteDeliveryStreamOutput{};
  }

  Asked s3(std::string method, std::string path, std::string query = "") {
    Asked asked;
    asked.head.method = std::move(method);
    asked.head.path = std::move(path);
    asked.head.query = std::move(query);
    return asked;
  }
  http::Response query(const char* service, std::string body) {
    Asked asked = s3("POST", "/");
    asked.body = std::move(body);
    return ask(operations, service, asked);
  }

  Operations operations{Operations::Options{.threads = 0}};
};

TEST_F(OperationsTest, AnAnswerWithoutMembersIsAnEmptyObject) {
  serve(operations, succeed);
  const http::Response response =
      ask_json(operations, "firehose", "DeleteDeliveryStream", R"({"DeliveryStreamName":"s"})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{}");
  EXPECT_EQ(*header(response, "Content-Type"), "application/x-amz-json-1.1");
  EXPECT_EQ(*header(response, "x-amzn-RequestId"), "request-1");
}

TEST_F(OperationsTest, WhatTheModelKnowsAndWeDoNotServeIs501AndNamed) {
  EXPECT_EQ(ask_json(operations, "firehose", "PutRecord", "{}").status,
            501);  // With types, without a handler.
  const http::Response json = ask_json(operations, "glue", "CreateJob", "{}");
  EXPECT_EQ(json.status, 501);
  EXPECT_EQ(json.body,
            R"({"__type":"NotImplemented","Message":"glue:CreateJob is not implemented here"})");
  const http::Response form = query("cloudformation", "Action=CreateStackSet&Version=2010-05-15");
  EXPECT_EQ(form.status, 501);
  EXPECT_NE(form.body.find("<Code>NotImplemented</Code><Message>cloudformation:CreateStackSet is "
                           "not implemented here</Message>"),
            std::string::npos);
  EXPECT_EQ(ask(operations, "s3", s3("PUT", "/b/k", "acl")).status, 501);
}

TEST_F(OperationsTest, WhatTheModelDoesNotKnowIsAnUnknownOperation) {
  const http::Response json = ask_json(operations, "athena", "Nonsense", "{}");
  EXPECT_EQ(json.status, 400);
  EXPECT_EQ(json.body, R"({"__type":"UnknownOperationException"})");
  EXPECT_EQ(ask_json(operations, "athena", "startqueryexecution", "{}").status, 400);

  Asked asked = s3("POST", "/");
  asked.head.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                        {"X-Amz-Target", "AWSGlue.GetTables"}};
  EXPECT_EQ(ask(operations, "athena", asked).body, R"({"__type":"UnknownOperationException"})");
  asked.head.headers[0].value = "application/x-amz-json-1.0";
  EXPECT_EQ(ask(operations, "glue", asked).status, 404);

  const http::Response form = query("sts", "Action=Nonsense&Version=2011-06-15");
  EXPECT_EQ(form.status, 400);
  EXPECT_NE(form.body.find("<Code>InvalidAction</Code><Message>Could not find operation Nonsense "
                           "for version 2011-06-15</Message>"),
            std::string::npos);
  EXPECT_NE(query("sts", "Action=GetCallerIdentity&Version=2010-05-08").body.find("InvalidAction"),
            std::string::npos);
  EXPECT_NE(query("sts", "Version=2011-06-15").body.find("MissingAction"), std::string::npos);
  EXPECT_NE(query("sts", "Action=%zz").body.find("MalformedQueryString"), std::string::npos);
}

TEST_F(OperationsTest, QueryAnswersAreWrapped) {
  operations.add<sts::GetCallerIdentityRequest, sts::GetCallerIdentityResponse>(
      "sts", "GetCallerIdentity", [](const Call& call, auto) {
        return sts::GetCallerIdentityResponse{
            .user_id = "u", .account = call.account, .arn = "arn:a<b"};
      });
  EXPECT_EQ(query("sts", "Action=GetCallerIdentity&Version=2011-06-15").body,
            "<GetCallerIdentityResponse "
            "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/"
            "\"><GetCallerIdentityResult><UserId>u</UserId>"
            "<Account>000000000000</Account><Arn>arn:a&lt;b</Arn></"
            "GetCallerIdentityResult><ResponseMetadata><RequestId>request-1</RequestId>"
            "</ResponseMetadata></GetCallerIdentityResponse>");

  operations.add<cloudformation::DeleteStackInput, Empty>(
      "cloudformation", "DeleteStack", [](const Call&, auto) { return Empty{}; });
  EXPECT_EQ(query("cloudformation", "Action=DeleteStack&StackName=s").body,
            "<DeleteStackResponse "
            "xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/"
            "\"><ResponseMetadata><RequestId>request-1</RequestId>"
            "</ResponseMetadata></DeleteStackResponse>");

  operations.add<iam::ListRolePoliciesRequest, iam::ListRolePoliciesResponse>(
      "iam", "ListRolePolicies", [](const Call&, auto) {
        return iam::ListRolePoliciesResponse{.policy_names = {"a", "b"}, .is_truncated = false};
      });
  EXPECT_NE(query("iam", "Action=ListRolePolicies&RoleName=r&Version=2010-05-08")
                .body.find("<PolicyNames><member>a</member><member>b</member></"
                           "PolicyNames><IsTruncated>false</IsTruncated>"),
            std::string::npos);
}

TEST_F(OperationsTest, AFaultIsWordedByItsProtocol) {
  serve(operations, [](const Call&, auto) -> Answer<DeleteDeliveryStreamOutput> {
    return refuse("ResourceNotFoundException", 400, "Firehose s under account a not found.",
                  {{"extra", "x\"y"}});
  });
  const http::Response json =
      ask_json(operations, "firehose", "DeleteDeliveryStream", R"({"DeliveryStreamName":"s"})");
  EXPECT_EQ(json.status, 400);
  EXPECT_EQ(
      json.body,
      R"({"__type":"ResourceNotFoundException","message":"Firehose s under account a not found.","extra":"x\"y"})");
  EXPECT_EQ(*header(json, "x-amzn-ErrorType"), "ResourceNotFoundException");

  operations.add<s3::HeadBucketRequest, s3::HeadBucketOutput>(
      "s3", "HeadBucket", [](const Call& call, auto) -> Answer<s3::HeadBucketOutput> {
        call.reply->headers.emplace_back("x-amz-bucket-region", "us-east-1");
        return refuse("NoSuchBucket", 404, "The specified bucket does not exist",
                      {{"BucketName", "b"}});
      });
  const http::Response silent = ask(operations, "s3", s3("HEAD", "/b"));
  EXPECT_EQ(silent.status, 404);
  EXPECT_EQ(silent.body, "");
  EXPECT_EQ(*header(silent, "x-amz-bucket-region"), "us-east-1");

  operations.add<s3::DeleteBucketRequest, Empty>(
      "s3", "DeleteBucket", [](const Call&, auto) -> Answer<Empty> {
        return refuse("NoSuchBucket", 404, "The specified bucket does not exist",
                      {{"BucketName", "b"}});
      });
  EXPECT_EQ(
      ask(operations, "s3", s3("DELETE", "/b")).body,
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code><Message>The "
      "specified bucket does not exist</Message>"
      "<BucketName>b</BucketName><Resource>/b</Resource><RequestId>request-1</"
      "RequestId><HostId>request-1</HostId></Error>");
}

TEST_F(OperationsTest, TheAuthorizerIsAskedForActionAndArns) {
  std::vector<std::string> asked;
  operations.authorize_with(
      [&](const Call&, std::string_view action, std::string_view arn) -> std::optional<Fault> {
        asked.push_back(std::string(action) + " " + std::string(arn));
        if (arn.ends_with("secret")) return Fault{"AccessDeniedException", 400, "no", {}};
        return std::nullopt;
      });
  int handled = 0;
  serve(operations, [&](const Call& call, auto input) { return ++handled, succeed(call, input); });
  operations.add<glue::CreateTableRequest, glue::CreateTableResponse>(
      "glue", "CreateTable", [](const Call&, auto) { return glue::CreateTableResponse{}; });
  operations.add<athena::GetWorkGroupInput, athena::GetWorkGroupOutput>(
      "athena", "GetWorkGroup", [](const Call&, auto) { return athena::GetWorkGroupOutput{}; });
  operations.add<cloudformation::DescribeStacksInput, cloudformation::DescribeStacksOutput>(
      "cloudformation", "DescribeStacks",
      [](const Call&, auto) { return cloudformation::DescribeStacksOutput{}; });

  EXPECT_EQ(
      ask_json(operations, "firehose", "DeleteDeliveryStream", R"({"DeliveryStreamName":"s"})")
          .status,
      200);
  EXPECT_EQ(
      ask_json(operations, "firehose", "DeleteDeliveryStream", R"({"DeliveryStreamName":"secret"})")
          .status,
      400);
  EXPECT_EQ(handled, 1);
  EXPECT_EQ(ask_json(operations, "firehose", "DeleteDeliveryStream", "{}").status,
            400);  // Refused before anybody is asked.
  EXPECT_EQ(ask_json(operations, "glue", "CreateTable",
                     R"({"DatabaseName":"d","TableInput":{"Name":"t"}})")
                .status,
            200);
  EXPECT_EQ(query("cloudformation", "Action=DescribeStacks").status, 200);
  EXPECT_EQ(query("cloudformation",
                  "Action=DescribeStacks&StackName=arn:aws:cloudformation:r:a:stack/x/y")
                .status,
            200);
  EXPECT_EQ(
      asked,
      (std::vector<std::string>{
          "firehose:DeleteDeliveryStream arn:aws:firehose:us-east-1:000000000000:deliverystream/s",
          "firehose:DeleteDeliveryStream "
          "arn:aws:firehose:us-east-1:000000000000:deliverystream/secret",
          "glue:CreateTable arn:aws:glue:us-east-1:000000000000:catalog",
          "glue:CreateTable arn:aws:glue:us-east-1:000000000000:database/d",
          "glue:CreateTable arn:aws:glue:us-east-1:000000000000:table/d/t",
          "cloudformation:DescribeStacks arn:aws:cloudformation:us-east-1:000000000000:stack/*/*",
          "cloudformation:DescribeStacks arn:aws:cloudformation:r:a:stack/x/y",
      }));
}

TEST_F(OperationsTest, AHandlerThatThrowsFailsOnlyItsOwnCall) {
  serve(operations,
        [](const Call&, auto) -> Answer<DeleteDeliveryStreamOutput> { throw std::bad_alloc(); });
  const http::Response response =
      ask_json(operations, "firehose", "DeleteDeliveryStream", R"({"DeliveryStreamName":"s"})");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, R"({"__type":"InternalFailure","message":"internal error"})");
}

TEST_F(OperationsTest, AHandlerMaySetStatusAndHeaders) {
  operations.add<s3::GetObjectRequest, s3::GetObjectOutput>(
      "s3", "GetObject", [](const Call& call, auto) -> Answer<s3::GetObjectOutput> {
        call.reply->status = 206;
        call.reply->headers.emplace_back("x-test", "1");
        s3::GetObjectOutput output;
        output.content_range = "bytes 0-0/1";
        auto file = http::file_range("/proc/self/exe", 0, 1, nullptr);
        output.body = std::move(*file);
        return output;
      });
  const http::Response response = ask(operations, "s3", s3("GET", "/b/k"));
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(*header(response, "x-test"), "1");
  EXPECT_EQ(*header(response, "Content-Range"), "bytes 0-0/1");
  ASSERT_NE(response.stream, nullptr);
  EXPECT_EQ(response.stream->size(), 1u);
}

// Gives "hello" in two pieces, then the end, or an error instead of it.
class Pieces : public BodyReader {
 public:
  explicit Pieces(std::optional<Error> error) : error_(std::move(error)) {}
  Task<Result<size_t>> read(std::span<uint8_t> target) override {
    const std::string_view piece = step_ == 0 ? "he" : step_ == 1 ? "llo" : "";
    if (step_++ == 2 && error_) co_return fail(*error_);
    std::ranges::copy(view(piece), target.begin());
    co_return piece.size();
  }
  std::optional<uint64_t> length() const override { return 5; }

 private:
  std::optional<Error> error_;
  int step_ = 0;
};

Task<Answer<s3::PutObjectOutput>> put_object(std::string* stored, const Call&,
                                             s3::PutObjectRequest input) {
  uint8_t buffer[16];
  std::string content;
  for (;;) {
    const Result<size_t> count = co_await input.body->read(buffer);
    if (!count) co_return std::unexpected(body_fault(count.error()));
    if (*count == 0) break;
    content += text(ByteView(buffer, *count));
  }
  *stored = input.bucket + "/" + input.key + ":" + content;
  s3::PutObjectOutput output;
  output.e_tag = "\"x\"";
  co_return output;
}

TEST_F(OperationsTest, AStreamedBodyIsReadByItsHandler) {
  std::string stored;
  operations.add_async<s3::PutObjectRequest, s3::PutObjectOutput>(
      "s3", "PutObject", [&](const Call& call, s3::PutObjectRequest input) {
        return put_object(&stored, call, std::move(input));
      });
  Pieces whole(std::nullopt);
  Asked asked = s3("PUT", "/b/k");
  asked.stream = &whole;
  EXPECT_TRUE(operations.match(*find_service("s3"), asked.head, "")->streams_body);
  EXPECT_EQ(*header(ask(operations, "s3", asked), "ETag"), "\"x\"");
  EXPECT_EQ(stored, "b/k:hello");

  Pieces broken(Error{ErrorKind::invalid,
                      "BadDigest: The Content-MD5 you specified did not match what we received."});
  asked.stream = &broken;
  const http::Response refused = ask(operations, "s3", asked);
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("<Code>BadDigest</Code>"), std::string::npos);
}

TEST_F(OperationsTest, HandlersRunOnThreadsOfTheTable) {
  Operations pooled(Operations::Options{.threads = 1});
  std::thread::id thread = std::this_thread::get_id();
  serve(pooled, [&](const Call& call, auto input) {
    thread = std::this_thread::get_id();
    return succeed(call, input);
  });
  EXPECT_EQ(
      ask_json(pooled, "firehose", "DeleteDeliveryStream", R"({"DeliveryStreamName":"s"})").status,
      200);
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST_F(OperationsTest, ACallFromInsideUsesTheModelsNamesWhateverTheProtocol) {
  std::vector<std::string> asked;
  operations.authorize_with([&](const Call&, std::string_view action, std::string_view arn) {
    asked.push_back(std::string(action) + " " + std::string(arn));
    return std::optional<Fault>();
  });
  operations.add<s3::CreateBucketRequest, s3::CreateBucketOutput>(
      "s3", "CreateBucket", [](const Call& call, auto input) -> Answer<s3::CreateBucketOutput> {
        call.reply->headers.emplace_back("x", "y");
        s3::CreateBucketOutput output;
        output.location = "/" + input.bucket + "/" + input.acl.value_or("none");
        output.bucket_arn = "arn";
        return output;
      });
  const auto answer =
      operations.call_json("s3", "CreateBucket", {}, R"({"Bucket":"b","ACL":"private"})");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, R"({"Location":"/b/private","BucketArn":"arn"})");
  EXPECT_EQ(asked, std::vector<std::string>{"s3:CreateBucket arn:aws:s3:::b"});

  EXPECT_EQ(
      operations.call_json("s3", "CreateBucket", {}, R"({"Bucket":"b","ACL":"x"})").error().code,
      "InvalidArgument");
  EXPECT_EQ(operations.call_json("s3", "CreateBucket", {}, "{").error().code, "MalformedXML");
  EXPECT_EQ(operations.call_json("s3", "DeleteBucket", {}, "{}").error().status, 501);
  EXPECT_EQ(operations.call_json("s3", "Nonsense", {}, "{}").error().status, 400);
}

TEST_F(OperationsTest, RoutesAreAllOperationsOfAllModels) {
  serve(operations, succeed);
  size_t served = 0, total = 0;
  for (const Route& route : operations.routes()) {
    ++total;
    if (!route.served) continue;
    ++served;
    EXPECT_EQ(route.operation->name, "DeleteDeliveryStream");
  }
  EXPECT_EQ(served, 1u);
  EXPECT_GT(total, 700u);
}

TEST_F(OperationsTest, ServicesSayHowTheyAreReached) {
  const Service& glue = *find_service("glue");
  EXPECT_EQ(glue.target_prefix, "AWSGlue");
  EXPECT_EQ(glue.signing_name, "glue");
  EXPECT_EQ(glue.json_version, "1.1");
  EXPECT_EQ(find_service("iam")->version, "2010-05-08");
  EXPECT_EQ(find_service("s3")->protocol, Protocol::rest_xml);
  EXPECT_EQ(find_service("nonsense"), nullptr);
}

}  // namespace
}  // namespace laketap::wire
