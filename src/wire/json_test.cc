#include "wire/json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "wire/athena.h"
#include "wire/firehose.h"
#include "wire/glue.h"

namespace laketap::wire {
namespace {

template <class In>
Answer<In> read(const char* service, std::string_view text) {
  return decode_json<In>(*find_service(service), text);
}

// The fault's text, or "" when the document was taken.
template <class In>
std::string refusal(const char* service, std::string_view text) {
  const Answer<In> answer = read<In>(service, text);
  return answer ? "" : answer.error().code + " " + answer.error().message;
}

std::string batch_refusal(std::string_view text) {
  return refusal<firehose::PutRecordBatchInput>("firehose", text);
}
std::string results_refusal(std::string_view text) {
  return refusal<athena::GetQueryResultsInput>("athena", text);
}

TEST(JsonDecodeTest, ABatchIsReadAsViewsIntoTheRequest) {
  const std::string text =
      R"({"DeliveryStreamName":"s","Records":[{"Data":"aGVsbG8="},{"Data":""}]})";
  const auto input = read<firehose::PutRecordBatchInput>("firehose", text);

  ASSERT_TRUE(input);
  EXPECT_EQ(input->delivery_stream_name, "s");
  ASSERT_EQ(input->records.size(), 2u);
  EXPECT_EQ(input->records[0].data.text.data(), text.data() + text.find("aGVsbG8="));
  EXPECT_EQ(laketap::text(*input->records[0].data.decode()), "hello");
  EXPECT_EQ(input->records[1].data.decoded_size(), 0u);
}

TEST(JsonDecodeTest,
     ABlobWithEscapedSlashesIsStillTheSameBytes) {  // PHP's json_encode writes "\/".
  const auto input = read<firehose::PutRecordInput>(
      "firehose", R"({"DeliveryStreamName":"s","Record":{"Data":"\/\/8\u003d"}})");
  ASSERT_TRUE(input);
  EXPECT_EQ(*input->record.data.decode(), (Bytes{0xff, 0xff}));
}

TEST(JsonDecodeTest, WhatIsNoJsonIsASerializationExceptionWithoutAText) {
  for (const char* text : {"{",
                           "[",
                           "{\"DeliveryStreamName\":\"s\",\"Records\":[}",
                           "{} {}",
                           "{}x",
                           "nul",
                           "\"text\"",
                           "5",
                           "{\"A\" 5}",
                           "{\"A\":}",
                           "{\"DeliveryStreamName\":\"s\" \"Records\":[]}",
                           "{\"Unknown\":tru}",
                           "{\"Unknown\":[1,{\"a\":01}]}",
                           "{\"Unknown\":\"\\x\"}",
                           "{\"DeliveryStreamName\":\"\\ud800\"}",
                           "{\"DeliveryStreamName\":\"a\nb\"}",
                           "{\"DeliveryStreamName\":\"s",
                           "\x01",
                           "'a'",
                           "{\"DeliveryStreamName\":\"\xff\"}",
                           "{\"Unknown\":\"\xc3\x28\"}"}) {
    EXPECT_EQ(batch_refusal(text), "SerializationException ") << text;
  }
}

TEST(JsonDecodeTest, TypeClashesAreNamedAsAthenaNamesThem) {
  EXPECT_EQ(results_refusal("[]"), "SerializationException Start of list found where not expected");
  EXPECT_EQ(results_refusal(R"({"MaxResults":"5"})"),
            "SerializationException STRING_VALUE can not be converted to an Integer");
  EXPECT_EQ(results_refusal(R"({"QueryExecutionId":5})"),
            "SerializationException NUMBER_VALUE can not be converted to a String");
  EXPECT_EQ(results_refusal(R"({"QueryExecutionId":true})"),
            "SerializationException TRUE_VALUE can not be converted to a String");
  EXPECT_EQ(results_refusal(R"({"QueryExecutionId":false})"),
            "SerializationException FALSE_VALUE can not be converted to a String");
  EXPECT_EQ(results_refusal(R"({"QueryExecutionId":[]})"),
            "SerializationException Start of list found where not expected");
  EXPECT_EQ(results_refusal(R"({"QueryExecutionId":{}})"),
            "SerializationException Start of structure or map found where not expected.");
  EXPECT_EQ(batch_refusal(R"({"Records":5})"), "SerializationException Expected list or null");
  EXPECT_EQ(batch_refusal(R"({"Records":[5]})"), "SerializationException Expected null");
  EXPECT_EQ(batch_refusal(R"({"DeliveryStreamName":"s","Records":[{"Data":5}]})"),
            "SerializationException NUMBER_VALUE can not be converted to a Blob");
  EXPECT_EQ(batch_refusal(R"({"DeliveryStreamName":"s","Records":[{"Data":"abc"}]})"),
            "SerializationException Blob value is not base64");
}

TEST(JsonDecodeTest, ATypeClashIsFoundBeforeConstraints) {
  EXPECT_EQ(results_refusal(R"({"NextToken":"","MaxResults":"5"})"),
            "SerializationException STRING_VALUE can not be converted to an Integer");
}

TEST(JsonDecodeTest, SeveralConstraintsAreJoinedInTheModelsOrder) {
  const auto answer =
      read<athena::GetQueryResultsInput>("athena", R"({"MaxResults":0,"NextToken":""})");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "InvalidRequestException");
  EXPECT_EQ(answer.error().message,
            "3 validation errors detected: Value null at 'queryExecutionId' failed to satisfy "
            "constraint: Member must not be null; "
            "Value '' at 'nextToken' failed to satisfy constraint: Member must have length greater "
            "than or equal to 1; "
            "Value '0' at 'maxResults' failed to satisfy constraint: Member must have value "
            "greater than or equal to 1");
  ASSERT_EQ(answer.error().fields.size(), 2u);
  EXPECT_EQ(answer.error().fields[0].second, "INVALID_INPUT");
}

TEST(JsonDecodeTest, ARecordOverTheLimitIsNamedByItsPlaceInTheBatch) {
  std::string big((1024000 + 3) / 3 * 4, 'A');
  const std::string refused = batch_refusal(fmt::format(
      R"({{"DeliveryStreamName":"s","Records":[{{"Data":""}},{{"Data":"{}"}}]}})", big));
  EXPECT_EQ(refused,
            "ValidationException 1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 "
            "lim=1024002 cap=1024002]' at "
            "'records.2.member.data' failed to satisfy constraint: Member must have length less "
            "than or equal to 1024000");
}

TEST(JsonDecodeTest, ListsAndMapsOfTextAreRefusedAsAWhole) {
  const std::string refused = refusal<glue::BatchDeleteTableRequest>(
      "glue", R"({"DatabaseName":"d","TablesToDelete":["a",""]})");
  EXPECT_TRUE(refused.starts_with(
      "ValidationException 1 validation error detected: Value '[a, ]' at 'tablesToDelete' failed "
      "to satisfy constraint: Member must satisfy constraint: [Member must have length less than "
      "or equal to 255, Member must have length greater than or equal to 1"))
      << refused;
  EXPECT_NE(refusal<glue::CreateDatabaseRequest>(
                "glue", R"({"DatabaseInput":{"Name":"d","Parameters":{"":"x"}}})")
                .find("Map keys must satisfy constraint: ["),
            std::string::npos);
}

TEST(JsonDecodeTest, NumbersAreCutOffOrRefusedButNeverWrapped) {
  EXPECT_EQ(
      read<athena::GetQueryResultsInput>("athena", R"({"QueryExecutionId":"a","MaxResults":1.9})")
          ->max_results,
      1);
  EXPECT_EQ(
      read<athena::GetQueryResultsInput>("athena", R"({"QueryExecutionId":"a","MaxResults":5e0})")
          ->max_results,
      5);
  for (const char* number : {"2147483648", "-2147483649", "9223372036854775808",
                             "123456789012345678901234567890", "1e300"}) {
    EXPECT_EQ(results_refusal(fmt::format(R"({{"QueryExecutionId":"a","MaxResults":{}}})", number)),
              "SerializationException NUMBER_VALUE can not be converted to an Integer")
        << number;
  }
  for (const char* number : {"1e999", "01", "1.", "-", "+1", "0x1", "NaN"})
    EXPECT_TRUE(
        results_refusal(fmt::format(R"({{"QueryExecutionId":"a","MaxResults":{}}})", number))
            .starts_with("SerializationException"))
        << number;
}

TEST(JsonDecodeTest, OfAKeyThatComesTwiceTheLastCounts) {
  const auto input = read<firehose::PutRecordBatchInput>(
      "firehose", R"({"DeliveryStreamName":"a","Records":[{"Data":""},{"Data":""}],)"
                  R"("DeliveryStreamName":"b","Records":[{"Data":"YQ=="}]})");
  ASSERT_TRUE(input);
  EXPECT_EQ(input->delivery_stream_name, "b");
  EXPECT_EQ(input->records.size(), 1u);
}

TEST(JsonDecodeTest, UnknownMembersAndNullAreAsIfAbsent) {
  const auto input = read<athena::GetQueryResultsInput>(
      "athena", R"({"QueryExecutionId":"a","NextToken":null,"Other":{"x":[1,null,"y"]}})");
  ASSERT_TRUE(input);
  EXPECT_FALSE(input->next_token);
  EXPECT_NE(
      results_refusal(R"({"QueryExecutionId":null})").find("Value null at 'queryExecutionId'"),
      std::string::npos);
}

TEST(JsonDecodeTest, DeepNestingIsRefusedAndNothingOverflows) {
  for (const size_t depth : {200u, 100'000u}) {
    std::string open = "{\"Unknown\":";
    for (size_t i = 0; i < depth; ++i) open += '[';
    EXPECT_EQ(batch_refusal(open), "SerializationException ");
    std::string closed = open;
    for (size_t i = 0; i < depth; ++i) closed += ']';
    EXPECT_EQ(batch_refusal(closed + "}"), "SerializationException ");
  }
}

TEST(JsonDecodeTest, ATypeThatHoldsItselfIsReadToALimit) {
  const auto nested = [](int depth) {
    std::string text = R"({"Name":"t"})";
    for (int i = 0; i < depth; ++i)
      text = R"({"Name":"t","Status":{"Details":{"RequestedChange":)" + text + "}}}";
    return text;
  };
  EXPECT_EQ(refusal<glue::Table>("glue", nested(30)), "");
  EXPECT_EQ(refusal<glue::Table>("glue", nested(60)), "SerializationException ");
}

TEST(JsonDecodeTest, AnyCutOffRequestIsRefusedAndTheNextOneWorks) {
  const std::string whole = R"({"DeliveryStreamName":"s","Records":[{"Data":"aGVsbG8="}]})";
  for (size_t kept = 1; kept < whole.size(); ++kept) {
    EXPECT_TRUE(batch_refusal(std::string_view(whole).substr(0, kept))
                    .starts_with("SerializationException"))
        << kept;
    ASSERT_EQ(batch_refusal(whole), "") << kept;
  }
}

TEST(JsonDecodeTest, AnEmptyBodyIsAnEmptyInput) {
  EXPECT_TRUE(read<athena::ListWorkGroupsInput>("athena", ""));
}

TEST(JsonEncodeTest, AnAnswerIsCompactAndLeavesOutWhatIsAbsent) {
  firehose::PutRecordBatchOutput output;
  output.failed_put_count = 0;
  output.request_responses.push_back(
      {.record_id = "r\"1\n", .error_code = {}, .error_message = {}});
  EXPECT_EQ(encode_json(output),
            R"({"FailedPutCount":0,"RequestResponses":[{"RecordId":"r\"1\n"}]})");
}

TEST(JsonEncodeTest, TimesAreSecondsWithMilliseconds) {
  glue::Database database;
  database.name = "d";
  database.create_time = from_epoch_micros(1764315885123456);
  EXPECT_EQ(encode_json(database), R"({"Name":"d","CreateTime":1764315885.123})");
  database.create_time = from_epoch_micros(1764315885000000);
  EXPECT_EQ(encode_json(database), R"({"Name":"d","CreateTime":1764315885})");
  database.create_time = from_epoch_micros(-500000);
  EXPECT_EQ(encode_json(database), R"({"Name":"d","CreateTime":-0.5})");
}

TEST(JsonEncodeTest, BytesThatAreNoUtf8DoNotReachAClient) {
  std::string out;
  write_json_text("a\xff\xc3\xa9\xe4\x01", out);
  EXPECT_EQ(out, "\"a\xEF\xBF\xBD\xc3\xa9\xEF\xBF\xBD\\u0001\"");
}

TEST(JsonEncodeTest, WhateverNeedsAnEscapeIsFoundWhereverItStands) {
  for (const auto& [byte, escaped] : std::vector<std::pair<char, std::string>>{
           {'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\x1f', "\\u001f"}, {'\0', "\\u0000"}}) {
    for (size_t at = 0; at < 20; ++at) {
      std::string text(20, 'x');
      text[at] = byte;
      std::string out;
      write_json_text(text, out);
      EXPECT_EQ(out, '"' + std::string(at, 'x') + escaped + std::string(19 - at, 'x') + '"');
    }
  }
}

TEST(JsonTest, WhatIsReadIsWrittenTheSame) {
  const std::string table =
      R"({"DatabaseName":"d","TableInput":{"Name":"t","Owner":"o","LastAccessTime":1764315885.5,"Retention":7,)"
      R"("StorageDescriptor":{"Columns":[{"Name":"event","Type":"struct<a:int>",)"
      R"("Parameters":{"k":"v","l":""}}],"Location":"s3://b/p/","Compressed":false,"NumberOfBuckets":-1,)"
      R"("SerdeInfo":{"SerializationLibrary":"x","Parameters":{"paths":"a,b"}},"BucketColumns":[],)"
      R"("SkewedInfo":{"SkewedColumnNames":["a"]}},"PartitionKeys":[{"Name":"p"}],"Parameters":{}}})";
  const auto input = read<glue::CreateTableRequest>("glue", table);
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(encode_json(*input), table);
}

TEST(JsonTest, ATypeThatHoldsItselfIsCopiedDeeply) {
  glue::Table table;
  table.name = "t";
  table.status.emplace().details.emplace();
  glue::Table copy = table;
  copy.name = "u";
  EXPECT_EQ(table.name, "t");
  EXPECT_NE(encode_json(copy).find("\"Status\":{"), std::string::npos);
}

TEST(JsonDecodeTest, ManyThreadsReadAtOnce) {
  const std::string text = R"({"DeliveryStreamName":"s","Records":[{"Data":"aGVsbG8="}]})";
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) ASSERT_EQ(batch_refusal(text), "");
    });
  }
}

}  // namespace
}  // namespace laketap::wire
