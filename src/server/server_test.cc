// Goal: a connection does what HTTP/1.1 and AWS's clients expect of it, and a stop loses no
// request. Method: a server in this process, real sockets, bytes written out where they matter.
#include "server/server.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "server/testing.h"

namespace laketap::server {
namespace {

using namespace std::chrono_literals;
using testing::put_record;
using testing::RawClient;
using testing::Request;
using testing::s3_request;
using testing::TestServer;

TEST(ServerTest, ASignedRequestReachesItsHandler) {
  TestServer server;
  RawClient client(server.port);
  const auto answer = client.ask(put_record().sign().bytes());
  EXPECT_EQ(answer.status, 200) << answer.head << answer.body;
  EXPECT_EQ(answer.body, R"({"RecordId":"1"})");
  EXPECT_TRUE(answer.says("x-amzn-RequestId: "));
  EXPECT_EQ(server.stored(), std::vector<std::string>{"hello"});
}

TEST(ServerTest, RequestsInAPipelineAreAnsweredInOrder) {
  TestServer server;
  RawClient client(server.port);
  const Request list = s3_request("GET", "/").sign();
  ASSERT_TRUE(
      client.send(put_record().sign().bytes() + list.bytes() + put_record().sign().bytes()));
  EXPECT_TRUE(client.read().says("RecordId"));
  EXPECT_TRUE(client.read().says("ListAllMyBucketsResult"));
  EXPECT_TRUE(client.read().says("RecordId"));
  EXPECT_EQ(server.stored().size(), 2u);
}

TEST(ServerTest, ARequestMayComeByteByByte) {
  TestServer server;
  RawClient client(server.port);
  for (const char c : put_record().sign().bytes()) ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.read().status, 200);
}

TEST(ServerTest, AChunkedBodyIsTheSameBody) {
  TestServer server;
  RawClient client(server.port);
  Request request = put_record().sign();
  std::string bytes = fmt::format("POST / HTTP/1.1\r\n");
  for (const auto& header : request.head.headers)
    bytes += fmt::format("{}: {}\r\n", header.name, header.value);
  bytes += "Transfer-Encoding: chunked\r\n\r\n";
  for (size_t at = 0; at < request.body.size(); at += 7) {
    const std::string piece = request.body.substr(at, 7);
    bytes += fmt::format("{:x};name=value\r\n{}\r\n", piece.size(), piece);
  }
  bytes += "0\r\nX-Trailer: 1\r\n\r\n";
  EXPECT_EQ(client.ask(bytes).status, 200);
  EXPECT_EQ(client.ask(bytes).status, 200) << "the connection goes on behind the trailer";
  EXPECT_EQ(server.stored().size(), 2u);
}

TEST(ServerTest, ConnectionCloseIsHeeded) {
  TestServer server;
  for (const char* value : {"close", "TE, close", "Close"}) {
    RawClient client(server.port);
    Request request = put_record();
    request.header("Connection").value = value;
    EXPECT_TRUE(client.ask(request.sign().bytes()).says("Connection: close")) << value;
    EXPECT_TRUE(client.closed()) << value;
  }
}

TEST(ServerTest, AnObjectStreamsInAndItsFileOut) {
  TestServer server;
  const std::string body(3'000'000, 'x');
  RawClient client(server.port);
  EXPECT_EQ(client.ask(s3_request("PUT", "/b/k", body).sign().bytes()).status, 200);
  ASSERT_EQ(server.stored().size(), 1u);
  EXPECT_EQ(server.stored().front(), "b/k=" + body);

  server.object_path = std::filesystem::temp_directory_path() / "server-test-object";
  std::ofstream(server.object_path) << body;
  const auto answer = client.ask(s3_request("GET", "/b/3000000").sign().bytes());
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body == body);
  std::filesystem::remove(server.object_path);
}

TEST(ServerTest, ExpectIsAnsweredWhenTheHandlerReads) {
  TestServer server;
  RawClient client(server.port);
  Request request = s3_request("PUT", "/b/k", "body");
  request.header("Expect").value = "100-continue";
  const std::string bytes = request.sign().bytes();
  ASSERT_TRUE(client.send(bytes.substr(0, bytes.size() - 4)));
  EXPECT_EQ(client.read().status, 100);
  ASSERT_TRUE(client.send("body"));
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(server.stored(), std::vector<std::string>{"b/k=body"});
}

TEST(ServerTest, ABucketMayStandInTheHost) {
  TestServer server;
  RawClient client(server.port);
  Request request = s3_request("PUT", "/k", "body");
  request.header("Host").value = "my.bucket.localhost:4566";
  EXPECT_EQ(client.ask(request.sign().bytes()).status, 200);
  EXPECT_EQ(server.stored(), std::vector<std::string>{"my.bucket/k=body"});
}

// The signature of the old kind, for GET /b/5, by openssl dgst -sha1 -hmac over its five lines.
TEST(ServerTest, AnOldPresignedUrlIsServedAndAnAlteredOneIsNot) {
  TestServer server;
  server.object_path = std::filesystem::temp_directory_path() / "server-test-presigned";
  std::ofstream(server.object_path) << "12345";
  const std::string url =
      "/b/5?AWSAccessKeyId=AKIDTEST&Expires=4102444800&Signature=681O2OR0oYOXW7g6AqWscFkhVIc%3D";
  const auto get = [&](std::string_view target) {
    RawClient client(server.port);
    return client.ask(fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", target));
  };
  EXPECT_EQ(get(url).body, "12345");
  EXPECT_EQ(get(url + "&versionId=1").status, 403);
  EXPECT_EQ(get(url + "&acl").status, 403);
  EXPECT_EQ(get(url + "&legal-hold").status, 400);
  EXPECT_EQ(get("/b/4" + url.substr(4)).status, 403);
  std::filesystem::remove(server.object_path);
}

TEST(ServerTest, APreflightNeedsNoSignature) {
  TestServer server;
  RawClient client(server.port);
  const auto answer = client.ask(
      "OPTIONS / HTTP/1.1\r\nHost: h\r\nOrigin: http://kdg\r\nAccess-Control-Request-Headers: "
      "authorization,x-amz-target\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.says("Access-Control-Allow-Headers: authorization,x-amz-target\r\n"));
  const size_t first = answer.head.find("Access-Control-Allow-Origin: *");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(answer.head.find("Access-Control-Allow-Origin", first + 1), std::string::npos);
}

TEST(ServerTest, CorsHeadersComeWithSuccessAndError) {
  TestServer server;
  RawClient client(server.port);
  Request request = put_record();
  request.header("Origin").value = "http://kdg";
  EXPECT_TRUE(client.ask(request.sign().bytes()).says("Access-Control-Allow-Origin: *"));
  request.header("Authorization").value.back() ^= 1;
  const auto refused = client.ask(request.bytes());
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(refused.says("Access-Control-Allow-Origin: *"));
}

TEST(ServerTest, ABrowserIsLedToTheConsole) {
  TestServer server;
  RawClient client(server.port);
  const auto led = client.ask("GET / HTTP/1.1\r\nHost: h\r\nAccept: text/html,*/*\r\n\r\n");
  EXPECT_EQ(led.status, 302);
  EXPECT_TRUE(led.says("Location: /_console/"));
  EXPECT_EQ(client.ask("GET / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n").status, 403);
}

TEST(ServerTest, PagesAnswerWhomTheyMay) {
  const auto answer = [](std::string text) {
    return [text](const http::RequestHead&, std::string_view body) {
      http::Response response;
      response.body = text + std::string(body);
      return response;
    };
  };
  const auto token = [](const http::RequestHead& head) { return head.value("x-token") == "t"; };
  TestServer server({}, {{"/_laketap/health", answer("well")},
                         {"/_console/", answer("page")},
                         {"/_laketap/metrics", answer("counts"), Page::Access::signed_by, token}});
  RawClient client(server.port);
  EXPECT_EQ(client.ask("GET /_laketap/health HTTP/1.1\r\nHost: h\r\n\r\n").body, "well");
  EXPECT_EQ(client.ask("POST /_console/api HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n!").body,
            "page!");
  EXPECT_EQ(client.ask("GET /_laketap/healthy HTTP/1.1\r\nHost: h\r\n\r\n").status, 403);
  EXPECT_EQ(client.ask("GET /_laketap/metrics HTTP/1.1\r\nHost: h\r\n\r\n").status, 403);
  EXPECT_EQ(client.ask("GET /_laketap/metrics HTTP/1.1\r\nHost: h\r\nx-token: t\r\n\r\n").body,
            "counts");
  Request request = s3_request("GET", "/_laketap/metrics");
  request.service = "laketap";
  EXPECT_EQ(client.ask(request.sign().bytes()).body, "counts");
  request.sign(io::real_clock().now(), "another secret");
  EXPECT_EQ(client.ask(request.bytes()).status, 403);
}

TEST(ServerTest, AServiceThatWeDoNotHaveIsNamed) {
  TestServer server;
  RawClient client(server.port);
  Request request = testing::json_request("DynamoDB_20120810.ListTables", "{}", "dynamodb");
  const auto unsigned_answer = client.ask(request.bytes());
  EXPECT_TRUE(unsigned_answer.says("MissingAuthenticationToken")) << unsigned_answer.body;
  RawClient other(server.port);
  const auto answer = other.ask(request.sign().bytes());
  EXPECT_EQ(answer.status, 501);
  EXPECT_TRUE(answer.says("DynamoDB_20120810.ListTables is not implemented here"));
}

TEST(ServerTest, DrainingFinishesWhatRunsAndClosesWhatIdles) {
  TestServer server;
  server.slow_ms = 300;
  RawClient idle(server.port);
  RawClient busy(server.port);
  ASSERT_TRUE(busy.send(put_record().sign().bytes()));
  std::this_thread::sleep_for(100ms);
  const auto begin = std::chrono::steady_clock::now();
  server.server->drain(10s);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  const auto answer = busy.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.says("Connection: close"));
  EXPECT_TRUE(idle.closed(1s));
  EXPECT_EQ(server.stored().size(), 1u);
  RawClient late(server.port);
  EXPECT_FALSE(late.connected() && late.ask(put_record().sign().bytes()).status == 200);
}

TEST(ServerTest, AServerMayGoWhileRequestsRun) {
  auto server = std::make_unique<TestServer>();
  server->slow_ms = 200;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<RawClient>(server->port));
    ASSERT_TRUE(
        clients.back()->send(i % 2 ? put_record().sign().bytes() : "POST / HTTP/1.1\r\nHo"));
  }
  std::this_thread::sleep_for(50ms);
  server.reset();  // Under the address sanitizer this is where it would show.
  for (auto& client : clients) EXPECT_TRUE(client->closed(1s) || !client->unread().empty());
}

TEST(ServerTest, CountersCount) {
  TestServer server;
  RawClient client(server.port);
  (void)client.ask(put_record().sign().bytes());
  (void)client.ask(put_record().bytes());
  const Counters& counters = server.server->counters();
  for (int i = 0; i < 100 && counters.bytes_in < 500; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(counters.requests, 2u);
  EXPECT_EQ(counters.refused_signatures, 1u);
  EXPECT_EQ(counters.client_errors, 1u);
  EXPECT_GT(counters.bytes_in, 500u);
  EXPECT_GT(counters.bytes_out, 300u);
}

TEST(ServerTest, AFaultyBatchOfThousandRefusesOnlyTheFaultyOne) {
  TestServer server;
  RawClient client(server.port);
  const Request good = put_record().sign();
  for (int i = 0; i < 1000; ++i) {
    Request request = good;
    if (i == 500) request.body[request.body.size() - 8] ^= 1;
    EXPECT_EQ(client.ask(request.bytes()).status, i == 500 ? 400 : 200) << i;
  }
  EXPECT_EQ(server.stored().size(), 999u);
}

}  // namespace
}  // namespace laketap::server
