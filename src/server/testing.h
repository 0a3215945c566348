// A server in a test's own process with a few operations, and a raw client that sends any bytes.
// For server_test and tests/attacks.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <thread>

#include "http/client.h"
#include "http/sigv4.h"
#include "server/server.h"
#include "wire/firehose.h"
#include "wire/s3.h"
#include "wire/sts.h"

namespace laketap::server::testing {

inline constexpr std::string_view kKey = "AKIDTEST";
inline constexpr std::string_view kSecret = "a secret of the test's own";

// One connection; sends what it is told and reads answers.
class RawClient {
 public:
  explicit RawClient(uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;

  bool connected() const { return connected_; }
  int descriptor() const { return socket_; }
  // False: the server closed meanwhile.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  struct Answer {
    int status = 0;  // 0: closed, or nothing came in time.
    std::string head, body;
    bool says(std::string_view text) const { return body.contains(text) || head.contains(text); }
  };
  // The next answer on this connection. `to_head`: of a HEAD request.
  Answer read(std::chrono::milliseconds wait = std::chrono::seconds(10), bool to_head = false) {
    Answer answer;
    size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!fill(wait)) return answer;
    answer.head = buffer_.substr(0, end + 4);
    buffer_.erase(0, end + 4);
    const int status = std::atoi(answer.head.c_str() + 9);
    size_t length = 0;
    if (const size_t at = answer.head.find("Content-Length: "); at != std::string::npos)
      length = std::strtoull(answer.head.c_str() + at + 16, nullptr, 10);
    if (to_head) length = 0;
    while (buffer_.size() < length)
      if (!fill(wait)) return answer;
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    answer.status = status;
    return answer;
  }
  Answer ask(std::string_view bytes) {
    (void)send(bytes);
    return read();
  }
  // Nothing more comes and the server has closed.
  bool closed(std::chrono::milliseconds wait = std::chrono::seconds(10)) {
    const auto end = std::chrono::steady_clock::now() + wait;
    while (std::chrono::steady_clock::now() < end)
      if (!fill(std::chrono::duration_cast<std::chrono::milliseconds>(
              end - std::chrono::steady_clock::now())))
        return closed_ && buffer_.empty();
    return false;
  }
  const std::string& unread() const { return buffer_; }

 private:
  bool fill(std::chrono::milliseconds wait) {
    pollfd one{.fd = socket_, .events = POLLIN, .revents = 0};
    if (poll(&one, 1, static_cast<int>(wait.count())) <= 0) return false;
    char block[16 << 10];
    const ssize_t got = recv(socket_, block, sizeof block, 0);
    if (got <= 0) closed_ = true;
    if (got <= 0) return false;
    buffer_.append(block, static_cast<size_t>(got));
    return true;
  }

  int socket_;
  bool connected_ = false, closed_ = false;
  std::string buffer_;
};

// A request in parts, so that a test can sign it, break it, and send it.
struct Request {
  http::RequestHead head;
  std::string body;
  std::string service;

  std::string bytes() const { return http::Client::render(head, body); }
  http::Header& header(std::string_view name) {
    for (http::Header& one : head.headers)
      if (http::same_name(one.name, name)) return one;
    head.headers.push_back({std::string(name), ""});
    return head.headers.back();
  }
  Request& sign(Timestamp at = io::real_clock().now(), std::string_view secret = kSecret,
                std::string_view key = kKey) {
    const std::string hash = http::sha256_hex(body);
    http::sign(head, {std::string(key), std::string(secret)}, "us-east-1", service, hash, at);
    return *this;
  }
};

inline Request json_request(std::string_view target, std::string body,
                            std::string service = "firehose") {
  Request made;
  made.head = {.method = "POST", .target = "/", .path = "/"};
  made.head.headers = {{"Host", "127.0.0.1"},
                       {"Content-Type", "application/x-amz-json-1.1"},
                       {"X-Amz-Target", std::string(target)}};
  made.body = std::move(body);
  made.service = std::move(service);
  return made;
}
// PutRecord of "hello".
inline Request put_record() {
  return json_request("Firehose_20150804.PutRecord",
                      R"({"DeliveryStreamName":"s","Record":{"Data":"aGVsbG8="}})");
}
inline Request s3_request(std::string method, std::string target, std::string body = "") {
  Request made;
  made.head = {.method = std::move(method), .target = std::move(target)};
  const size_t question = std::min(made.head.target.find('?'), made.head.target.size());
  made.head.path = made.head.target.substr(0, question);
  if (question < made.head.target.size()) made.head.query = made.head.target.substr(question + 1);
  made.head.headers = {{"Host", "127.0.0.1"}};
  made.body = std::move(body);
  made.service = "s3";
  return made;
}

// Serves PutRecord, ListBuckets, PutObject, GetObject and GetCallerIdentity, and notes what came
// in.
class TestServer {
  std::mutex mutex_;  // These two first: handlers use them to the end.
  std::vector<std::string> stored_;

 public:
  explicit TestServer(Options options = {}, std::vector<Page> pages = {}) {
    add_operations();
    options.port = 0;
    options.find_principal = [](std::string_view key) -> std::optional<Principal> {
      if (key != kKey) return std::nullopt;
      return Principal{std::string(kSecret), "000000000000", "arn:aws:iam::000000000000:root"};
    };
    server = std::make_unique<Server>(std::move(options), operations, io::real_clock(),
                                      io::real_random(), std::move(pages));
    port = server->start().value_or(0);
  }

  // What handlers got: records' bytes, objects as "bucket/key=bytes".
  std::vector<std::string> stored() {
    const std::scoped_lock lock(mutex_);
    return stored_;
  }
  // A correct request on a connection of its own works.
  bool works() {
    const size_t before = stored().size();
    RawClient client(port);
    return client.ask(put_record().sign().bytes()).status == 200 && stored().size() == before + 1;
  }

  wire::Operations operations{wire::Operations::Options{.threads = 2}};
  std::string object_path;       // What GetObject answers with.
  std::atomic<int> slow_ms = 0;  // PutRecord takes that long.
  uint16_t port = 0;
  std::unique_ptr<Server> server;  // The last member: it goes before what its handlers use.

 private:
  void store(std::string what) {
    const std::scoped_lock lock(mutex_);
    stored_.push_back(std::move(what));
  }

  static Task<wire::Answer<wire::s3::PutObjectOutput>> put_object(
      TestServer* self, wire::s3::PutObjectRequest input) {
    std::string all;
    Bytes block(64 << 10);
    while (true) {
      Task<Result<size_t>> reading = input.body->read(block);
      const Result<size_t> got = co_await std::move(reading);
      if (!got) co_return std::unexpected(wire::body_fault(got.error()));
      if (*got == 0) break;
      all.append(reinterpret_cast<const char*>(block.data()), *got);
    }
    self->store(input.bucket + "/" + input.key + "=" + all);
    co_return wire::s3::PutObjectOutput{};
  }

  void add_operations() {
    using namespace wire;
    operations.add<firehose::PutRecordInput, firehose::PutRecordOutput>(
        "firehose", "PutRecord",
        [this](const Call&, firehose::PutRecordInput input) -> Answer<firehose::PutRecordOutput> {
          std::this_thread::sleep_for(std::chrono::milliseconds(slow_ms));
          Bytes data(input.record.data.decoded_size());
          if (!input.record.data.decode_into(data)) return refuse("Bad", 400, "base64");
          store(std::string(text(data)));
          return firehose::PutRecordOutput{.record_id = "1"};
        });
    operations.add<s3::ListBucketsRequest, s3::ListBucketsOutput>(
        "s3", "ListBuckets",
        [](const Call&, s3::ListBucketsRequest) -> Answer<s3::ListBucketsOutput> {
          return s3::ListBucketsOutput{};
        });
    operations.add<sts::GetCallerIdentityRequest, sts::GetCallerIdentityResponse>(
        "sts", "GetCallerIdentity",
        [](const Call& call,
           sts::GetCallerIdentityRequest) -> Answer<sts::GetCallerIdentityResponse> {
          return sts::GetCallerIdentityResponse{.arn = call.caller_arn};
        });
    operations.add<s3::GetObjectRequest, s3::GetObjectOutput>(
        "s3", "GetObject",
        [this](const Call&, s3::GetObjectRequest input) -> Answer<s3::GetObjectOutput> {
          s3::GetObjectOutput output;
          auto file = http::file_range(object_path, 0, std::stoull(input.key), nullptr);
          if (!file) return refuse("NoSuchKey", 404, file.error().what);
          output.body = std::move(*file);
          return output;
        });
    operations.add_async<s3::PutObjectRequest, s3::PutObjectOutput>(
        "s3", "PutObject", [this](const Call&, s3::PutObjectRequest input) {
          return put_object(this, std::move(input));
        });
  }
};

}  // namespace laketap::server::testing
