// Goal: attack cases B 20 and C 24-29: chunks and trailers are what was signed and declared, or no
// object comes of them.
#include "attack.h"

namespace laketap::server {
namespace {

constexpr std::string_view kUnsigned = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
constexpr std::string_view kSigned = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
constexpr std::string_view kSignedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";

class AttackC : public Attack {
 protected:
  struct Chunked {
    Request request;
    std::vector<std::string> chunks;  // Framed, the last of size 0 among them.
    std::string trailer;              // With its empty line.
    std::string bytes() {
      request.body.clear();
      for (const std::string& chunk : chunks) request.body += chunk;
      request.body += trailer;
      return request.bytes();
    }
  };
  static Request head_for(std::string_view form, size_t length) {
    Request request = s3_request("PUT", "/b/k");
    request.header("Content-Encoding").value = "aws-chunked";
    request.header("x-amz-decoded-content-length").value = std::to_string(length);
    if (form.ends_with("-TRAILER")) request.header("x-amz-trailer").value = "x-amz-checksum-crc32";
    return request;
  }
  static http::Signature sign_head(Request& request, std::string_view form) {
    const Timestamp now = io::real_clock().now();
    http::sign(request.head, {std::string(kKey), std::string(kSecret)}, "us-east-1", "s3", form,
               now);
    return *http::read_signature(request.head, {.service = "s3", .is_s3 = true, .now = now});
  }

  static Chunked unsigned_object(const std::string& content, size_t length) {
    Chunked made{.request = head_for(kUnsigned, length)};
    (void)sign_head(made.request, kUnsigned);
    if (!content.empty())
      made.chunks.push_back(fmt::format("{:x}\r\n{}\r\n", content.size(), content));
    made.chunks.push_back("0\r\n");
    made.trailer = "x-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    return made;
  }
  static Chunked unsigned_object(const std::string& content) {
    return unsigned_object(content, content.size());
  }
  static Chunked signed_object(std::string_view form, const std::vector<std::string>& contents) {
    size_t length = 0;
    for (const std::string& content : contents) length += content.size();
    Chunked made{.request = head_for(form, length)};
    http::SignatureChain chain(sign_head(made.request, form), kSecret);
    for (const std::string& content : contents)
      made.chunks.push_back(fmt::format("{:x};chunk-signature={}\r\n{}\r\n", content.size(),
                                        chain.next(http::sha256(content)), content));
    made.chunks.push_back(fmt::format("0;chunk-signature={}\r\n", chain.next(http::sha256(""))));
    made.trailer = "\r\n";
    if (form == kSignedTrailer) {
      const std::string line = "x-amz-checksum-crc32:AAAAAA==";
      made.trailer = fmt::format("{}\r\nx-amz-trailer-signature:{}\r\n\r\n", line,
                                 chain.next_as_trailer(line + "\n"));
    }
    return made;
  }
  static std::vector<std::string> three() {
    return {std::string(8192, 'a'), std::string(9000, 'b'), "the end"};
  }
  static void flip_signature(std::string& framed) {
    char& digit = framed[framed.find('=') + 10];
    digit = digit == '0' ? '1' : '0';
  }
  // Refused by a fault of S3's.
  ::testing::AssertionResult is_refused(std::string_view bytes) {
    const Answer answer = ask(bytes);
    if (answer.status >= 400 && answer.status < 500) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << answer.status << answer.body;
  }
};

TEST_F(AttackC, C24CorrectChunksBecomeTheObject) {
  const std::string whole = three()[0] + three()[1] + three()[2];
  EXPECT_EQ(ask(unsigned_object(whole).bytes()).status, 200);
  EXPECT_EQ(ask(unsigned_object("").bytes()).status, 200);
  EXPECT_EQ(ask(signed_object(kSigned, three()).bytes()).status, 200);
  EXPECT_EQ(ask(signed_object(kSignedTrailer, three()).bytes()).status, 200);
  EXPECT_EQ(server_.stored(),
            (std::vector<std::string>{"b/k=" + whole, "b/k=", "b/k=" + whole, "b/k=" + whole}));
  allowed_ = 4;
}

TEST_F(AttackC, C24SignaturesOfChunks) {
  for (const std::string_view form : {kSigned, kSignedTrailer}) {
    const Chunked good = signed_object(form, three());
    for (size_t i = 0; i < good.chunks.size(); ++i) {
      Chunked bad = good;
      flip_signature(bad.chunks[i]);
      EXPECT_TRUE(is_refused(bad.bytes())) << "signature " << i;
      bad = good;
      if (i + 1 < good.chunks.size()) {
        bad.chunks[i][bad.chunks[i].size() - 3] ^= 1;
        EXPECT_TRUE(is_refused(bad.bytes())) << "bytes " << i;
      }
      bad = good;
      bad.chunks.erase(bad.chunks.begin() + static_cast<ptrdiff_t>(i));
      EXPECT_TRUE(is_refused(bad.bytes())) << "missing " << i;
      bad = good;
      bad.chunks[i].erase(bad.chunks[i].find(';'), 17 + 64);
      EXPECT_TRUE(is_refused(bad.bytes())) << "unsigned " << i;
    }
    Chunked swapped = good;
    std::swap(swapped.chunks[0], swapped.chunks[1]);
    EXPECT_TRUE(is_refused(swapped.bytes()));
    Chunked cut = good;
    cut.trailer.clear();
    EXPECT_TRUE(is_refused(cut.bytes())) << "without an end";
    Chunked more = good;
    more.trailer += "x";
    EXPECT_TRUE(is_refused(more.bytes())) << "bytes behind the end";
  }
  Chunked small = signed_object(kSigned, {"tiny", "tiny"});
  EXPECT_TRUE(is_refused(small.bytes())) << "a small chunk that is not the last";
}

TEST_F(AttackC, C25NoOtherOperationTakesChunks) {
  Request request = s3_request("GET", "/");
  (void)sign_head(request, kUnsigned);
  EXPECT_TRUE(is_refused(request.bytes()));
  Request forged = unsigned_object("body").request;
  forged.header("Authorization").value.back() ^= 1;
  EXPECT_TRUE(refused(ask(forged), "SignatureDoesNotMatch"));
  Request firehose = put_record();
  firehose.header("x-amz-content-sha256").value = kUnsigned;
  http::sign(firehose.head, {std::string(kKey), std::string(kSecret)}, "us-east-1", "firehose",
             kUnsigned, io::real_clock().now());
  EXPECT_TRUE(is_refused(firehose.bytes()));
}

TEST_F(AttackC, C26Trailers) {
  const std::string line = "x-amz-checksum-crc32:AAAAAA==\r\n";
  for (const std::string& trailer :
       {std::string("\r\n"), line + line + "\r\n", std::string("x-amz-meta-a:1\r\n\r\n"),
        line + "x-amz-checksum-crc32c:AAAAAA==\r\n\r\n",
        line + "x:" + std::string(5000, 'x') + "\r\n\r\n",
        std::string("x-amz-checksum-crc32\r\n\r\n"), line + "x-amz-trailer-signature:00\r\n\r\n",
        std::string("x-amz-checksum-crc32:AAAAAA==\n\n")}) {
    Chunked bad = unsigned_object("body");
    bad.trailer = trailer;
    EXPECT_TRUE(is_refused(bad.bytes())) << trailer;
  }
  Chunked altered = signed_object(kSignedTrailer, three());
  altered.trailer.replace(altered.trailer.find("AAAAAA"), 6, "AAAAAB");
  EXPECT_TRUE(is_refused(altered.bytes()));
  Chunked without = signed_object(kSignedTrailer, three());
  without.trailer = line + "\r\n";
  EXPECT_TRUE(is_refused(without.bytes()));
}

TEST_F(AttackC, C27DecodedLengths) {
  for (const size_t length : {3, 5, 0})
    EXPECT_TRUE(is_refused(unsigned_object("body", length).bytes()));
  for (const char* text : {"", "-4", "+4", "4 4", "0x4", "99999999999999999999", "6000000000"}) {
    Chunked bad = unsigned_object("body");
    bad.request.header("x-amz-decoded-content-length").value = text;
    (void)sign_head(bad.request, kUnsigned);
    EXPECT_TRUE(is_refused(bad.bytes())) << text;
  }
  Chunked absent = unsigned_object("body");
  std::erase_if(absent.request.head.headers,
                [](const http::Header& one) { return one.name == "x-amz-decoded-content-length"; });
  (void)sign_head(absent.request, kUnsigned);
  EXPECT_TRUE(is_refused(absent.bytes()));
}

TEST_F(AttackC, C28SizesThatAreNoSizes) {
  for (const std::string& size :
       {std::string("ffffffffffffffff"), std::string("10000000000000004"),
        std::string(1000, '0') + "4", std::string("0x4"), std::string("+4"), std::string("-4"),
        std::string(" 4"), std::string("4 "), std::string(""),
        std::string("4;") + std::string(1 << 20, 'x'), std::string("4\n4")}) {
    Chunked bad = unsigned_object("body");
    bad.chunks[0] = size + "\r\nbody\r\n";
    EXPECT_TRUE(is_refused(bad.bytes())) << size.substr(0, 40);
  }
}

TEST_F(AttackC, C29AFormOfTomorrowIsRefused) {
  for (const char* form :
       {"STREAMING-", "STREAMING-UNSIGNED-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-NEW"}) {
    Request request = head_for(kUnsigned, 4);
    (void)sign_head(request, form);
    request.body = "4\r\nbody\r\n0\r\n\r\n";
    EXPECT_GE(ask(request).status, 400) << form;
  }
}

TEST_F(AttackC, C24ASignedFormInsideHttpChunksIsUnwrappedTwice) {
  Chunked made = signed_object(kSigned, three());
  std::string bytes = made.bytes();
  bytes = bytes.substr(0, bytes.size() - made.request.body.size());
  const size_t length = bytes.find("Content-Length");
  bytes.replace(length, bytes.find("\r\n", length) - length, "Transfer-Encoding: chunked");
  for (size_t at = 0; at < made.request.body.size(); at += 1000) {
    const std::string piece = made.request.body.substr(at, 1000);
    bytes += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
  }
  EXPECT_EQ(ask(bytes + "0\r\n\r\n").status, 200);
  allowed_ = 1;
}

}  // namespace
}  // namespace laketap::server
