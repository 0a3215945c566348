// Goal: attack cases D 30-37, 39: whatever two parsers may read in two ways is refused, and nothing
// behind it is read as a request.
#include <fstream>

#include "attack.h"

namespace laketap::server {
namespace {

class AttackD : public Attack {
 protected:
  // A correct PutRecord, signed, with header lines and a body of the test's own.
  static std::string put(std::string_view framing, std::string_view body,
                         std::string_view version = "HTTP/1.1") {
    Request request = put_record().sign();
    std::string out = fmt::format("POST / {}\r\n", version);
    for (const auto& header : request.head.headers)
      out += fmt::format("{}: {}\r\n", header.name, header.value);
    out += framing;
    out += "\r\n";
    out += body;
    return out;
  }
  // Header lines alone; Host is one of them.
  static std::string get(std::string_view lines, std::string_view target = "/") {
    return fmt::format("GET {} HTTP/1.1\r\n{}\r\n", target, lines);
  }
  static std::string body() { return put_record().body; }
  static std::string chunked() {
    return fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", body().size(), body());
  }
};

#ifdef __SANITIZE_ADDRESS__
constexpr uint64_t kRiseMax = 256 << 20;  // The sanitizer keeps what was freed.
#else
constexpr uint64_t kRiseMax = 1 << 20;
#endif

uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * 4096;
}

TEST_F(AttackD, D30LengthAndChunksTogether) {
  const std::string length = fmt::format("Content-Length: {}\r\n", chunked().size());
  const std::string chunks = "Transfer-Encoding: chunked\r\n";
  EXPECT_TRUE(refused_and_closed(put(length + chunks, chunked()), {400}));
  EXPECT_TRUE(refused_and_closed(put(chunks + length, chunked()), {400}));
  EXPECT_TRUE(refused_and_closed(put(chunks + "Content-Length: 0\r\n", chunked()), {400}));
}

TEST_F(AttackD, D31LengthsThatAreNotOneNumber) {
  const size_t size = body().size();
  for (const std::string& lines : {
           fmt::format("Content-Length: {0}\r\nContent-Length: {0}\r\n", size),
           fmt::format("Content-Length: {}\r\nContent-Length: 5\r\n", size),
           fmt::format("Content-Length: {0},{0}\r\n", size),
           fmt::format("Content-Length: {0}, {0}\r\n", size),
           fmt::format("Content-Length: +{}\r\n", size),
           fmt::format("Content-Length: -{}\r\n", size),
           fmt::format("Content-Length: {} 5\r\n", size),
           fmt::format("Content-Length: 0x{:x}\r\n", size),
           fmt::format("Content-Length: {}.0\r\n", size),
           std::string("Content-Length:\r\n"),
           std::string("Content-Length: 99999999999999999999\r\n"),
           std::string("Content-Length: 18446744073709551617\r\n"),
       })
    EXPECT_TRUE(refused_and_closed(put(lines, body()), {400})) << lines;
}

TEST_F(AttackD, D32TransferCodingsButChunked) {
  for (const char* lines :
       {"Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity, chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: \"chunked\"\r\n", "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: \x0b"
        "chunked\r\n",
        "Transfer-Encoding:\r\n", "Transfer-Encoding : chunked\r\n",
        " Transfer-Encoding: chunked\r\n", "Transfer-Encoding\r\n : chunked\r\n",
        "Transfer_Encoding: chunked\r\nTransfer-Encoding: x\r\n"})
    EXPECT_TRUE(refused_and_closed(put(lines, chunked()), {400, 501})) << lines;
  EXPECT_TRUE(
      refused_and_closed(put("Transfer-Encoding: chunked\r\n", chunked(), "HTTP/1.0"), {400}));
  EXPECT_TRUE(refused_and_closed(
      put("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n", chunked(), "HTTP/1.0"),
      {400}));
}

TEST_F(AttackD, D32BlanksAroundChunkedAreNoPartOfIt) {
  EXPECT_EQ(ask(put("Transfer-Encoding: \tchunked \r\n", chunked())).status, 200);
  EXPECT_EQ(ask(put("Transfer-Encoding: Chunked\r\n", chunked())).status, 200);
  allowed_ = 2;
}

TEST_F(AttackD, D33LineEndsFoldsAndNames) {
  const std::string host = "Host: h\r\n";
  for (const std::string& bytes : {
           std::string("GET / HTTP/1.1\nHost: h\n\n"),
           std::string("GET / HTTP/1.1\r\nHost: h\n\r\n"),
           std::string("GET / HTTP/1.1\rHost: h\r\n\r\n"),
           get(host + "A: b\rc\r\n"),
           get(host + "A: b\r\r\n"),
           get(host + "A: b\r\n c\r\n"),
           get(host + "A: b\r\n\tc\r\n"),
           get(" " + host),
           get(host + "A : b\r\n"),
           get(host + "A\t: b\r\n"),
           get(host + ": b\r\n"),
           get(host + "A\r\n"),
           get(host + "A b: c\r\n"),
           get(host + "A\x80: c\r\n"),
           get(host + "A\xc3\xa4: c\r\n"),
           get(host + "A(: c\r\n"),
           get(host + std::string("A\0b: c\r\n", 8)),
           get(host + std::string("A: b\0c\r\n", 8)),
           get(host + "A: b\x01\r\n"),
           get(host + "A: b\x7f\r\n"),
           get(host, std::string("/\0", 2)),
           get(host, "/\x80"),
           get(host, "/ x"),
           get(host, "/\tx"),
           std::string("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
           std::string("GET / HTTP/1.1 \r\nHost: h\r\n\r\n"),
           std::string("GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
           std::string("GET / HTTP/1.2\r\nHost: h\r\n\r\n"),
           std::string("GET / http/1.1\r\nHost: h\r\n\r\n"),
           std::string("GET /\r\nHost: h\r\n\r\n"),
           std::string("get / HTTP/1.1\r\nHost: h\r\n\r\n"),
           std::string("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
           std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15),
           std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
       })
    EXPECT_TRUE(refused_and_closed(bytes, {400, 405, 505})) << bytes;
}

TEST_F(AttackD, D34ChunkHeadsAndTrailers) {
  const std::string size = fmt::format("{:x}", body().size());
  const std::string end = "\r\n0\r\n\r\n";
  for (const std::string& chunks : {
           size + ";a\nb\r\n" + body() + end,
           size + ";a\rb\r\n" + body() + end,
           size + "\n" + body() + end,
           size + ";" + std::string(1 << 20, 'x') + "\r\n" + body() + end,
           size + " \r\n" + body() + end,
           " " + size + "\r\n" + body() + end,
           "0x" + size + "\r\n" + body() + end,
           "+" + size + "\r\n" + body() + end,
           "-1\r\n" + body() + end,
           "ffffffffffffffff\r\n" + body() + end,
           "10000000000000000\r\n" + body() + end,
           std::string(1000, '0') + size + "\r\n" + body() + end,
           "\r\n" + body() + end,
           ";a\r\n" + body() + end,
           size + "\r\n" + body() + "x" + end,
           size + "\r\n" + body() + "\n0\r\n\r\n",
           size + "\r\n" + body() + "\r\n0\n\n",
           size + "\r\n" + body() + "\r\n0\r\nA: b\nC: d\r\n\r\n",
           size + "\r\n" + body() + "\r\n0\r\nA: " + std::string(5000, 'x') + "\r\n\r\n",
       })
    EXPECT_TRUE(refused_and_closed(put("Transfer-Encoding: chunked\r\n", chunks), {400}))
        << chunks.substr(0, 60);
  std::string flood = size + "\r\n" + body() + "\r\n0\r\n";
  for (int i = 0; i < 10'000; ++i) flood += "A: b\r\n";
  EXPECT_TRUE(refused_and_closed(put("Transfer-Encoding: chunked\r\n", flood + "\r\n"), {400}));
}

TEST_F(AttackD, D35Hosts) {
  for (const std::string& bytes : {
           get(""),
           get("Host:\r\n"),
           get("Host: h\r\nHost: h\r\n"),
           get("Host: h\r\nHost: i\r\n"),
           get("Host: user@h\r\n"),
           get("Host: h/x\r\n"),
           get("Host: h, i\r\n"),
           get("Host: h i\r\n"),
           get("Host: h?x\r\n"),
           get("Host: h#x\r\n"),
           get("Host: h\\x\r\n"),
           get("Host: h\r\n", "http://i/"),
           get("Host: h\r\n", "http://h:1/"),
           get("Host: h\r\n", "http://user@h/"),
           get("Host: h\r\n", "h:80"),
           get("Host: h\r\n", "*"),
           get("Host: h\r\n", "/#x"),
           std::string("GET / HTTP/1.0\r\n\r\n"),
           std::string("CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"),
       })
    EXPECT_TRUE(refused_and_closed(bytes, {400})) << bytes;
}

TEST_F(AttackD, D35TheAbsoluteFormOfTheSameHostIsARequest) {
  Request request = s3_request("GET", "/").sign();
  request.head.target = "http://127.0.0.1/";
  EXPECT_EQ(ask(request).status, 200);
}

TEST_F(AttackD, D36WhatFollowsABadRequestIsNeverARequest) {
  const std::string smuggled = put_record().sign().bytes();
  for (const std::string& bad : {
           put("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
           put("Transfer-Encoding: xchunked\r\n", ""),
           put("Content-Length: 0\r\nContent-Length: 200\r\n", ""),
           put("Transfer-Encoding: chunked\r\n", "zz\r\n"),
           get("Host: h\r\nHost: i\r\n"),
           get("Host: h\nA: b\r\n"),
       })
    EXPECT_TRUE(refused_and_closed(bad + smuggled, {400, 501})) << bad;
  // A refused signature with a body that looks like a request: the body is not read as one.
  Request refused_one = put_record().sign(io::real_clock().now(), kSecret, "AKIDOTHER");
  refused_one.body = smuggled;
  EXPECT_TRUE(refused_and_closed(refused_one.bytes() + smuggled, {400}));
  // More bytes than the length says are the next request's, and no request.
  RawClient client(server_.port);
  ASSERT_TRUE(client.send(put_record().sign().bytes() + "garbage\r\n\r\n" + smuggled));
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(client.read().status, 400);
  EXPECT_TRUE(client.closed());
  allowed_ = 1;
}

TEST_F(AttackD, D37NoContinueForWhoeverIsRefusedAnyway) {
  for (Request request : {s3_request("PUT", "/b/k", std::string(1000, 'x')), put_record()}) {
    request.header("Expect").value = "100-continue";
    request.sign(io::real_clock().now(), kSecret, "AKIDOTHER");
    RawClient client(server_.port);
    const std::string bytes = request.bytes();
    ASSERT_TRUE(client.send(bytes.substr(0, bytes.size() - request.body.size())));
    const Answer answer = client.read();
    EXPECT_TRUE(answer.status == 403 || answer.status == 400) << answer.head;
    EXPECT_TRUE(answer.says("Connection: close"));
    EXPECT_TRUE(client.closed());
  }
  Request wrong = s3_request("PUT", "/b/k", "body");
  wrong.header("Expect").value = "100-continue";
  wrong.sign(io::real_clock().now(), "wrong");
  RawClient client(server_.port);
  ASSERT_TRUE(client.send(wrong.bytes().substr(0, wrong.bytes().size() - 4)));
  EXPECT_EQ(client.read().status, 403) << "S3's signature needs no body";
  Request odd = put_record();
  odd.header("Expect").value = "200-ok";
  EXPECT_TRUE(refused_and_closed(odd.sign().bytes(), {417}));
}

TEST_F(AttackD, D39DeclaredAndRealMonsters) {
  const std::string terabyte = "Content-Length: 1099511627776\r\n";
  const std::string long_header = get("Host: h\r\nA: " + std::string(1 << 20, 'x') + "\r\n");
  const std::string long_target = get("Host: h\r\n", "/" + std::string(1 << 20, 'x'));
  std::string many = "Host: h\r\n";
  for (int i = 0; i < 10'001; ++i) many += "A: b\r\n";
  std::string some = "Host: h\r\n";
  for (int i = 0; i < 100; ++i) some += "A: b\r\n";
  Request object = s3_request("PUT", "/b/k");
  object.sign();
  std::string object_bytes = object.bytes();
  object_bytes.replace(object_bytes.find("Content-Length: 0\r\n"), 19, terabyte);
  const std::string record = put(terabyte, "");
  (void)server_.works();
  allowed_ = 1;

  const uint64_t before = resident_bytes();
  EXPECT_EQ(ask(record).status, 413);
  EXPECT_TRUE(ask(object_bytes).says("EntityTooLarge"));
  EXPECT_TRUE(refused_and_closed(long_header, {431}));
  EXPECT_TRUE(refused_and_closed(long_target, {414}));
  EXPECT_TRUE(refused_and_closed(get(many), {431}));
  EXPECT_TRUE(refused_and_closed(get(some), {431}));
  EXPECT_LT(resident_bytes(), before + kRiseMax);
}

TEST_F(AttackD, D39ABodyLongerThanItsServiceTakesIsRefused) {
  Request request = put_record();
  request.body = std::string(kJsonBodyBytesMax + 1, ' ');
  EXPECT_EQ(ask(request.sign()).status, 413);
  std::string chunks;
  for (int i = 0; i < 9; ++i) chunks += "100000\r\n" + std::string(1 << 20, ' ') + "\r\n";
  EXPECT_TRUE(refused_and_closed(put("Transfer-Encoding: chunked\r\n", chunks), {413}));
  Request query = json_request("", "", "sts");
  query.head.headers = {{"Host", "h"}, {"Content-Type", "application/x-www-form-urlencoded"}};
  query.body =
      "Action=GetCallerIdentity&Version=2011-06-15&x=" + std::string(kQueryBodyBytesMax, 'x');
  EXPECT_EQ(ask(query.sign()).status, 413);
}

}  // namespace
}  // namespace laketap::server
