// The model's constraints, by cases that aws/codegen/cases.py makes from botocore's model: each is
// an input that is right but for one member, with AWS's answer.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "wire/ask.h"
#include "wire/athena.h"
#include "wire/cloudformation.h"
#include "wire/firehose.h"
#include "wire/glue.h"
#include "wire/iam.h"
#include "wire/json.h"
#include "wire/s3.h"
#include "wire/shape.h"

namespace laketap::wire {
namespace {

struct Case {
  std::vector<std::string> fields;
  const std::string& service() const { return fields[0]; }
  const std::string& operation() const { return fields[1]; }
  const std::string& what() const { return fields[2]; }
  const std::string& code() const { return fields[8]; }
  const std::string& text() const { return fields[9]; }

  Asked request() const {
    Asked asked;
    asked.head.method = fields[3];
    asked.head.path = fields[4];
    asked.head.query = fields[5];
    asked.body = fields[7];
    std::istringstream lines(fields[6]);
    for (std::string line; std::getline(lines, line);) {
      const size_t colon = line.find(": ");
      asked.head.headers.push_back({line.substr(0, colon), line.substr(colon + 2)});
    }
    return asked;
  }
};

std::vector<std::string> split(const std::string& text, char end) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == end)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::vector<Case> read_cases() {
  std::ifstream file(LAKETAP_CASES);
  std::stringstream text;
  text << file.rdbuf();
  std::vector<std::string> records = split(text.str(), '\x1e');
  records.pop_back();  // The count of constraints that have no case.
  std::vector<Case> cases;
  for (const std::string& record : records) cases.push_back({split(record, '\x1f')});
  return cases;
}

// Counts the calls that reach a handler, whatever it is.
class CasesTest : public testing::Test {
 protected:
  CasesTest() : operations(Operations::Options{.threads = 0}) {
    serve<firehose::CreateDeliveryStreamInput, firehose::CreateDeliveryStreamOutput>(
        "firehose", "CreateDeliveryStream");
    serve<firehose::PutRecordBatchInput, firehose::PutRecordBatchOutput>("firehose",
                                                                         "PutRecordBatch");
    serve<firehose::UpdateDestinationInput, firehose::UpdateDestinationOutput>("firehose",
                                                                               "UpdateDestination");
    serve<glue::CreateTableRequest, glue::CreateTableResponse>("glue", "CreateTable");
    serve<glue::GetPartitionsRequest, glue::GetPartitionsResponse>("glue", "GetPartitions");
    serve<glue::CreateCrawlerRequest, glue::CreateCrawlerResponse>("glue", "CreateCrawler");
    serve<s3::ListObjectsV2Request, s3::ListObjectsV2Output>("s3", "ListObjectsV2");
    serve<s3::PutBucketVersioningRequest, Empty>("s3", "PutBucketVersioning");
    serve<s3::DeleteObjectsRequest, s3::DeleteObjectsOutput>("s3", "DeleteObjects");
    operations.add_async<s3::PutObjectRequest, s3::PutObjectOutput>(
        "s3", "PutObject", [this](const Call&, s3::PutObjectRequest) {
          ++reached;
          return nothing();
        });
    serve<athena::StartQueryExecutionInput, athena::StartQueryExecutionOutput>(
        "athena", "StartQueryExecution");
    serve<athena::GetQueryResultsInput, athena::GetQueryResultsOutput>("athena", "GetQueryResults");
    serve<cloudformation::CreateStackInput, cloudformation::CreateStackOutput>("cloudformation",
                                                                               "CreateStack");
    serve<iam::CreateRoleRequest, iam::CreateRoleResponse>("iam", "CreateRole");
  }

  template <class In, class Out>
  void serve(const char* service, const char* operation) {
    operations.add<In, Out>(service, operation, [this](const Call&, In) -> Answer<Out> {
      ++reached;
      return Out{};
    });
  }
  static Task<Answer<s3::PutObjectOutput>> nothing() { co_return s3::PutObjectOutput{}; }

  Operations operations;
  int reached = 0;
};

TEST_F(CasesTest, InputsThatBreakTheModelAreRefusedInAwssWords) {
  std::map<std::string, int> count;
  std::set<std::string> operations_seen;
  for (const Case& one : read_cases()) {
    SCOPED_TRACE(one.service() + " " + one.operation() + ": " + one.what());
    ++count[one.service()];
    operations_seen.insert(one.service() + one.operation());
    reached = 0;
    std::string matched;
    const http::Response response = ask(operations, one.service(), one.request(), &matched);
    ASSERT_EQ(matched, one.operation());
    if (one.code().empty()) {
      EXPECT_EQ(response.status / 100, 2) << response.body;
      EXPECT_EQ(reached, 1);
      continue;
    }
    EXPECT_EQ(response.status, 400) << response.body;
    EXPECT_EQ(reached, 0);
    EXPECT_NE(response.body.find(one.code()), std::string::npos) << response.body.substr(0, 500);
    std::string text = one.text();
    if (find_service(one.service())->protocol == Protocol::json) {
      text.clear();
      write_json_text(one.text(), text);
    } else if (find_service(one.service())->protocol == Protocol::query) {
      std::string escaped;
      for (const char c : text)
        escaped += c == '&'   ? "&amp;"
                   : c == '<' ? "&lt;"
                   : c == '>' ? "&gt;"
                   : c == '"' ? "&quot;"
                              : std::string(1, c);
      text = escaped;
    }
    EXPECT_NE(response.body.find(text), std::string::npos)
        << response.body.substr(0, 800) << "\nwanted: " << text;
  }
  EXPECT_GT(count["firehose"], 500);
  EXPECT_GT(count["glue"], 50);
  EXPECT_GT(count["s3"], 15);
  EXPECT_EQ(operations_seen.size(), 14u);
}

// Goal: whatever arrives is answered: no crash, no hang, no 500.
// Method: right inputs with a few bytes changed, cut out or doubled, from a seed.
TEST_F(CasesTest, DamagedInputsAreAnsweredToo) {
  std::mt19937 random(20261128);
  const std::string_view marks = "\"\\{}[]:,<>/&%=+.0-1e\n\t\x01\xff\xc3";
  size_t refused = 0, count = 0;
  for (const Case& one : read_cases()) {
    if (one.code() == "ValidationException" && random() % 8 != 0) continue;  // They are most.
    for (int round = 0; round < 40; ++round) {
      Asked asked = one.request();
      std::string& text = asked.body.empty() ? asked.head.query : asked.body;
      for (uint32_t change = random() % 3; change < 3 && !text.empty(); ++change) {
        const size_t at = random() % text.size();
        switch (random() % 4) {
          case 0: text[at] = marks[random() % marks.size()]; break;
          case 1: text.erase(at, random() % 9); break;
          case 2: text.insert(at, text.substr(at / 2, random() % 40)); break;
          default: text.insert(at, 1, marks[random() % marks.size()]); break;
        }
        if (text.size() > 4000) text.resize(4000);
      }
      const http::Response response = ask(operations, one.service(), asked);
      ++count;
      if (response.status >= 400) ++refused;
      ASSERT_NE(response.status, 500) << one.service() << " " << one.operation() << ": " << text;
    }
  }
  EXPECT_GT(refused, count / 2);
}

}  // namespace
}  // namespace laketap::wire
