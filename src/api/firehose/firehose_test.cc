// The doors by their wire: JSON in, status and JSON out, on a simulated machine.
#include "api/firehose/firehose.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include "http/message.h"
#include "io/sim.h"
#include "state/state.h"
#include "store/store.h"

namespace laketap::api::firehose {
namespace {

namespace json = boost::json;

constexpr std::string_view kConstraint =
    "The supplied prefix(es) do not satisfy the following constraint: ";

struct Reply {
  int status = 0;
  std::string body;
  json::value parsed() const { return json::parse(body); }
  std::string code() const { return std::string(parsed().at("__type").as_string()); }
  std::string message() const { return std::string(parsed().at("message").as_string()); }
};

std::string base64_of(size_t zero_bytes) {  // Of that many zero bytes.
  std::string text((zero_bytes + 2) / 3 * 4, 'A');
  for (size_t pad = (3 - zero_bytes % 3) % 3; pad > 0; --pad) text[text.size() - pad] = '=';
  return text;
}

class FirehoseTest : public testing::Test {
 protected:
  FirehoseTest() : operations_({.threads = 0, .queued_max = 16}) {
    for (const char* path : {"/data/objects", "/data/journal"}) (void)disk_.make_directories(path);
    store_ = std::move(*store::Store::open("/data/objects", *database_, disk_, clock_, random_));
    (void)store_->create_bucket("lake", "us-east-1");
    delivery::Options options;
    options.manual = true;
    delivery_ = std::make_unique<delivery::Delivery>(
        options, delivery::Delivery::Parts{*database_, *store_, clock_, random_});
    (void)delivery_->load();
    journal::Options journal_options;
    journal_options.directory = "/data/journal";
    journal_options.segment_bytes = 16 << 20;
    journal_options.manual = true;
    journal_options.random = &random_;
    journal_ =
        std::move(*journal::Journal::open(journal_options, disk_, [](const journal::Replayed&) {}));
    streams_ = std::move(*ingest::Streams::open(
        {.database = *database_, .delivery = *delivery_, .clock = clock_, .random = random_}));
    (void)delivery_->start(*journal_);
    register_firehose(operations_, *streams_, clock_);
  }

  Reply post(const std::string& operation, std::string body) {
    const wire::Service& service = *wire::find_service("firehose");
    http::RequestHead head;
    head.method = "POST";
    head.target = head.path = "/";
    head.headers = {{"X-Amz-Target", "Firehose_20150804." + operation},
                    {"Content-Type", "application/x-amz-json-1.1"}};
    const auto route = operations_.match(service, head, "");
    EXPECT_TRUE(route.has_value()) << operation;
    wire::Call call;
    call.request_id = "r";
    call.region = "us-east-1";
    call.account = "000000000000";
    call.head = &head;
    Reply reply;
    wire::RequestBody request;
    request.bytes = body;
    boost::asio::co_spawn(context_, operations_.run(*route, call, request),
                          [&](std::exception_ptr, http::Response response) {
                            reply = {response.status, std::move(response.body)};
                          });
    for (int round = 0; round < 3; ++round) {
      context_.restart();
      context_.poll();
      journal_->work();
    }
    return reply;
  }

  static std::string s3(const std::string& more = "") {
    return R"({"RoleARN":"arn:aws:iam::000000000000:role/r","BucketARN":"arn:aws:s3:::lake")" +
           (more.empty() ? "" : "," + more) + "}";
  }
  Reply create(const std::string& name, const std::string& more = "") {
    return post("CreateDeliveryStream", R"({"DeliveryStreamName":")" + name +
                                            R"(","ExtendedS3DestinationConfiguration":)" +
                                            s3(more) + "}");
  }
  json::object description(const std::string& name) {
    const Reply reply = post("DescribeDeliveryStream", R"({"DeliveryStreamName":")" + name + "\"}");
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.parsed().at("DeliveryStreamDescription").as_object();
  }
  void expect_refusal(const Reply& reply, int status, const std::string& code,
                      const std::string& message) {
    ASSERT_EQ(reply.status, status) << reply.body;
    EXPECT_EQ(reply.code(), code);
    EXPECT_EQ(reply.message(), message);
  }

  io::sim::Random random_{3};
  io::sim::Disk disk_;
  io::sim::Clock clock_;
  std::unique_ptr<state::Database> database_ = state::in_memory();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<delivery::Delivery> delivery_;
  std::unique_ptr<ingest::Streams> streams_;
  std::unique_ptr<journal::Journal> journal_;
  wire::Operations operations_;
  boost::asio::io_context context_;
};

TEST_F(FirehoseTest, CreateDeliveryStream_fillsInFirehosesDefaults) {
  const Reply created = create("clicks");
  ASSERT_EQ(created.status, 200) << created.body;
  EXPECT_EQ(
      created.body,
      R"({"DeliveryStreamARN":"arn:aws:firehose:us-east-1:000000000000:deliverystream/clicks"})");

  const json::object shown = description("clicks");
  EXPECT_EQ(shown.at("DeliveryStreamStatus"), "ACTIVE");
  EXPECT_EQ(shown.at("DeliveryStreamType"), "DirectPut");
  EXPECT_EQ(shown.at("VersionId"), "1");
  EXPECT_FALSE(shown.contains("LastUpdateTimestamp"));
  EXPECT_EQ(json::serialize(shown.at("DeliveryStreamEncryptionConfiguration")),
            R"({"Status":"DISABLED"})");
  const json::value& destination = shown.at("Destinations").at(0);
  EXPECT_EQ(destination.at("DestinationId"), "destinationId-000000000001");
  for (const char* kind : {"S3DestinationDescription", "ExtendedS3DestinationDescription"}) {
    const json::object& s3 = destination.at(kind).as_object();
    EXPECT_EQ(json::serialize(s3.at("BufferingHints")),
              R"({"SizeInMBs":5,"IntervalInSeconds":300})");
    EXPECT_EQ(s3.at("CompressionFormat"), "UNCOMPRESSED");
    EXPECT_EQ(json::serialize(s3.at("EncryptionConfiguration")),
              R"({"NoEncryptionConfig":"NoEncryption"})");
    EXPECT_EQ(json::serialize(s3.at("CloudWatchLoggingOptions")), R"({"Enabled":false})");
    EXPECT_FALSE(s3.contains("Prefix"));
  }
  EXPECT_EQ(destination.at("ExtendedS3DestinationDescription").at("S3BackupMode"), "Disabled");
}

TEST_F(FirehoseTest, CreateDeliveryStream_aPlainS3DestinationIsShownAsOne) {
  ASSERT_EQ(post("CreateDeliveryStream",
                 R"({"DeliveryStreamName":"old","S3DestinationConfiguration":)" + s3() + "}")
                .status,
            200);
  const json::object shown = description("old");
  EXPECT_TRUE(shown.at("Destinations").at(0).as_object().contains("S3DestinationDescription"));
  EXPECT_FALSE(
      shown.at("Destinations").at(0).as_object().contains("ExtendedS3DestinationDescription"));
}

TEST_F(FirehoseTest, CreateDeliveryStream_refusesInFirehosesWords) {
  const std::string constraint(kConstraint);
  const auto invalid = [&](const std::string& more, const std::string& message) {
    SCOPED_TRACE(more);
    expect_refusal(create("x", more), 400, "InvalidArgumentException", message);
  };
  invalid(
      R"("Prefix":"e/!{timestamp:yyyy}/")",
      constraint + "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions");
  invalid(R"("Prefix":"e/!{timestamp:yyyy}/","ErrorOutputPrefix":"f/!{timestamp:yyyy}/")",
          constraint +
              "ErrorOutputPrefix must contain at least one occurrence of "
              "!{firehose:error-output-type}");
  invalid(
      R"("Prefix":"!{timestamp:'open}/","ErrorOutputPrefix":"f/")",
      constraint + "Invalid conversion character used in the value of the expression in Prefix");
  invalid(R"("S3BackupMode":"Enabled","ProcessingConfiguration":{"Enabled":true})",
          "S3 backup destination configuration is required when enabling S3 backup.");
  invalid(R"("ProcessingConfiguration":{"Enabled":true,"Processors":[]})",
          "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is "
          "enabled.");
  expect_refusal(post("CreateDeliveryStream", R"({"DeliveryStreamName":"x"})"), 400,
                 "InvalidArgumentException",
                 "Exactly one destination configuration is supported for a Firehose");
  expect_refusal(
      post(
          "CreateDeliveryStream",
          R"({"DeliveryStreamName":"x","DeliveryStreamType":"KinesisStreamAsSource","ExtendedS3DestinationConfiguration":)" +
              s3() + "}"),
      400, "InvalidArgumentException",
      "KinesisSourceStreamConfig is mandatory for KinesisStreamAsSource stream type.");
  ASSERT_EQ(create("twice").status, 200);
  expect_refusal(create("twice"), 400, "ResourceInUseException",
                 "Firehose twice under accountId 000000000000 already exists");
  EXPECT_EQ(post("ListDeliveryStreams", "{}").body,
            R"({"DeliveryStreamNames":["twice"],"HasMoreDeliveryStreams":false})");
}

TEST_F(FirehoseTest, CreateDeliveryStream_whatIsNotBuiltSaysSo) {
  for (
      const char* more :
      {R"("CompressionFormat":"Snappy")", R"("CompressionFormat":"ZIP")",
       R"("DynamicPartitioningConfiguration":{"Enabled":true})",
       R"("ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"AppendDelimiterToRecord"}]})",
       R"("CustomTimeZone":"Europe/Berlin")"}) {
    const Reply reply = create("x", more);
    EXPECT_EQ(reply.status, 501) << more;
    EXPECT_EQ(reply.code(), "NotImplemented") << more;
  }
  // Switched off is as good as absent.
  EXPECT_EQ(
      create(
          "y",
          R"("ProcessingConfiguration":{"Enabled":false},"DynamicPartitioningConfiguration":{"Enabled":false},"CompressionFormat":"GZIP","CustomTimeZone":"UTC")")
          .status,
      200);
}

TEST_F(FirehoseTest, PutRecord_anUnknownStreamIsNotFound) {
  expect_refusal(post("PutRecord", R"({"DeliveryStreamName":"nobody","Record":{"Data":"eAo="}})"),
                 400, "ResourceNotFoundException",
                 "Firehose nobody under account 000000000000 not found.");
}

TEST_F(FirehoseTest, PutRecordBatch_answersEachRecordInCompactJson) {
  create("clicks");
  const Reply reply = post(
      "PutRecordBatch",
      R"({"DeliveryStreamName":"clicks","Records":[{"Data":"eAo="},{"Data":""},{"Data":"eQo="}]})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_NE(reply.body.find(R"("FailedPutCount":0)"), std::string::npos)
      << "Fluent Bit looks for these bytes";
  EXPECT_EQ(reply.body.find(": "), std::string::npos);
  const json::array answers = reply.parsed().at("RequestResponses").as_array();
  ASSERT_EQ(answers.size(), 3u);
  for (const json::value& answer : answers)
    EXPECT_EQ(answer.as_object().size(), 1u) << "only a RecordId";
  ASSERT_EQ(streams_->undelivered("lake", "").size(), 1u);
  EXPECT_EQ(streams_->undelivered("lake", "")[0].bytes, 4u);
}

TEST_F(FirehoseTest, PutRecordBatch_boundsAreExact) {
  create("clicks");
  const auto batch = [&](size_t count, size_t bytes) {
    std::string body = R"({"DeliveryStreamName":"clicks","Records":[)";
    for (size_t i = 0; i < count; ++i)
      body += (i ? "," : "") + (R"({"Data":")" + base64_of(bytes) + "\"}");
    return post("PutRecordBatch", body + "]}");
  };
  EXPECT_EQ(batch(500, 0).status, 200);
  const Reply too_many = batch(501, 0);
  EXPECT_EQ(too_many.status, 400);
  EXPECT_NE(too_many.message().find("500"), std::string::npos) << too_many.message();

  EXPECT_EQ(batch(1, 1'024'000).status, 200);
  const Reply too_long = batch(1, 1'024'001);
  EXPECT_EQ(too_long.status, 400);
  EXPECT_NE(too_long.message().find("1024000"), std::string::npos) << too_long.message();

  EXPECT_EQ(batch(8, 524'288).status, 200);  // Exactly 4 MiB, decoded.
  std::string body = R"({"DeliveryStreamName":"clicks","Records":[)";
  for (int i = 0; i < 8; ++i) body += R"({"Data":")" + base64_of(524'288) + "\"},";
  expect_refusal(post("PutRecordBatch", body + R"({"Data":"AA=="}]})"), 400,
                 "InvalidArgumentException", "Records size exceeds 4 MB limit");
}

TEST_F(FirehoseTest, PutRecord_badInputIsRefusedAndTheNextWorks) {
  create("clicks");
  EXPECT_EQ(post("PutRecord", R"({"DeliveryStreamName":"clicks","Record":{"Data":"not base64!"}})")
                .code(),
            "SerializationException");
  EXPECT_EQ(post("PutRecord", R"({"DeliveryStreamName":"clicks","Record":{"Data":"eAo"}})").code(),
            "SerializationException");
  EXPECT_EQ(post("PutRecord", R"({"DeliveryStreamName":"clicks","Record":)").code(),
            "SerializationException");
  EXPECT_EQ(post("PutRecord", R"({"DeliveryStreamName":"clicks"})").status, 400);
  EXPECT_TRUE(streams_->undelivered("lake", "").empty());
  EXPECT_EQ(post("PutRecord", R"({"DeliveryStreamName":"clicks","Record":{"Data":"eAo="}})").status,
            200);
}

TEST_F(FirehoseTest, UpdateDestination_keepsWhatIsAbsentAndLocksByVersion) {
  create("clicks", R"("Prefix":"a/","BufferingHints":{"SizeInMBs":1,"IntervalInSeconds":60})");
  const auto update = [&](const std::string& version, const std::string& id,
                          const std::string& more) {
    return post("UpdateDestination",
                R"({"DeliveryStreamName":"clicks","CurrentDeliveryStreamVersionId":")" + version +
                    R"(","DestinationId":")" + id + R"(","ExtendedS3DestinationUpdate":)" + more +
                    "}");
  };
  ASSERT_EQ(update("1", "destinationId-000000000001", R"({"CompressionFormat":"GZIP"})").status,
            200);
  expect_refusal(update("1", "destinationId-000000000001", "{}"), 400,
                 "ConcurrentModificationException",
                 "Cannot update firehose: clicks since the current version id: 2 and specified "
                 "version id: 1 do not match");
  expect_refusal(update("2", "destinationId-7", "{}"), 400, "InvalidArgumentException",
                 "Destination Id destinationId-7 not found");
  expect_refusal(
      update("2", "destinationId-000000000001", R"({"Prefix":"!{bogus:x}"})"), 400,
      "InvalidArgumentException",
      std::string(kConstraint) + "Namespace to the left of colon (bogus) is an invalid keyword!");

  const json::object shown = description("clicks");
  EXPECT_EQ(shown.at("VersionId"), "2");
  EXPECT_TRUE(shown.contains("LastUpdateTimestamp"));
  const json::value& s3 = shown.at("Destinations").at(0).at("ExtendedS3DestinationDescription");
  EXPECT_EQ(s3.at("Prefix"), "a/");
  EXPECT_EQ(s3.at("CompressionFormat"), "GZIP");
  EXPECT_EQ(s3.at("BufferingHints").at("IntervalInSeconds"), 60);
  EXPECT_EQ(streams_->describe("clicks")->delivery.compression, delivery::Compression::gzip);
}

TEST_F(FirehoseTest, ListDeliveryStreams_isSortedAndPagedByTen) {
  for (int i = 11; i >= 0; --i) create("s" + std::to_string(100 + i));
  const json::value first = post("ListDeliveryStreams", "{}").parsed();
  EXPECT_EQ(first.at("DeliveryStreamNames").as_array().size(), 10u);
  EXPECT_EQ(first.at("DeliveryStreamNames").at(0), "s100");
  EXPECT_TRUE(first.at("HasMoreDeliveryStreams").as_bool());
  EXPECT_EQ(
      post("ListDeliveryStreams", R"({"ExclusiveStartDeliveryStreamName":"s109","Limit":100})")
          .body,
      R"({"DeliveryStreamNames":["s110","s111"],"HasMoreDeliveryStreams":false})");
  EXPECT_EQ(post("ListDeliveryStreams", R"({"DeliveryStreamType":"KinesisStreamAsSource"})")
                .parsed()
                .at("DeliveryStreamNames")
                .as_array()
                .size(),
            0u);
}

TEST_F(FirehoseTest, TagsAndEncryption_areKeptAndShown) {
  create("clicks");
  ASSERT_EQ(post("TagDeliveryStream",
                 R"({"DeliveryStreamName":"clicks","Tags":[{"Key":"a","Value":"1"},{"Key":"b"}]})")
                .status,
            200);
  ASSERT_EQ(post("TagDeliveryStream",
                 R"({"DeliveryStreamName":"clicks","Tags":[{"Key":"a","Value":"2"}]})")
                .body,
            "{}");
  EXPECT_EQ(post("ListTagsForDeliveryStream", R"({"DeliveryStreamName":"clicks"})").body,
            R"({"Tags":[{"Key":"a","Value":"2"},{"Key":"b","Value":""}],"HasMoreTags":false})");
  EXPECT_EQ(post("ListTagsForDeliveryStream", R"({"DeliveryStreamName":"clicks","Limit":1})")
                .parsed()
                .at("HasMoreTags"),
            true);
  ASSERT_EQ(
      post("UntagDeliveryStream", R"({"DeliveryStreamName":"clicks","TagKeys":["a","absent"]})")
          .status,
      200);

  ASSERT_EQ(post("StartDeliveryStreamEncryption", R"({"DeliveryStreamName":"clicks"})").status,
            200);
  EXPECT_EQ(json::serialize(description("clicks").at("DeliveryStreamEncryptionConfiguration")),
            R"({"KeyType":"AWS_OWNED_CMK","Status":"ENABLED"})");
  EXPECT_EQ(post("PutRecord", R"({"DeliveryStreamName":"clicks","Record":{"Data":"eAo="}})")
                .parsed()
                .at("Encrypted"),
            true);
  ASSERT_EQ(post("StopDeliveryStreamEncryption", R"({"DeliveryStreamName":"clicks"})").status, 200);
  EXPECT_EQ(description("clicks").at("DeliveryStreamEncryptionConfiguration").at("Status"),
            "DISABLED");
}

TEST_F(FirehoseTest, DeleteDeliveryStream_showsDeletingUntilItsRecordsAreDelivered) {
  create("clicks");
  post("PutRecord", R"({"DeliveryStreamName":"clicks","Record":{"Data":"eAo="}})");
  ASSERT_EQ(post("DeleteDeliveryStream", R"({"DeliveryStreamName":"clicks"})").body, "{}");
  EXPECT_EQ(description("clicks").at("DeliveryStreamStatus"), "DELETING");
  EXPECT_EQ(post("PutRecord", R"({"DeliveryStreamName":"clicks","Record":{"Data":"eAo="}})").code(),
            "ResourceNotFoundException");

  for (int round = 0; round < 3; ++round) {
    delivery_->work();
    journal_->work();
  }

  EXPECT_EQ(post("DescribeDeliveryStream", R"({"DeliveryStreamName":"clicks"})").code(),
            "ResourceNotFoundException");
  EXPECT_EQ(store_->snapshot("lake", "")->size(), 1u);
}

}  // namespace
}  // namespace laketap::api::firehose
