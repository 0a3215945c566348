// Goal: what botocore signs is accepted, and any single change of it is refused.
// tests/data/sigv4_botocore.json was made by botocore 1.44.8 with the key below at
// 2026-11-28T07:24:45Z.
#include "http/sigv4.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "base/bytes.h"

namespace laketap::http {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const Timestamp kNow = from_civil(2026, 11, 28, 7, 24, 50);

struct Case {
  RequestHead head;
  std::string body, service;
  bool is_s3;
};

std::vector<Case> read_cases(const std::string& name, const char* service) {
  std::ifstream file(std::string(LAKETAP_SOURCE_DIR) + "/tests/data/" + name);
  std::stringstream text;
  text << file.rdbuf();
  std::vector<Case> out;
  const boost::json::value cases = boost::json::parse(text.str());
  for (const auto& one : cases.as_array()) {
    Case made;
    made.head.method = one.at("method").as_string();
    made.head.target = one.at("target").as_string();
    const size_t question = made.head.target.find('?');
    made.head.path = made.head.target.substr(0, question);
    if (question != std::string::npos) made.head.query = made.head.target.substr(question + 1);
    for (const auto& header : one.at("headers").as_array())
      made.head.headers.push_back(
          {std::string(header.at(0).as_string()), std::string(header.at(1).as_string())});
    made.body = one.at("body").as_string();
    made.service = service ? std::string(service) : std::string(one.at("service").as_string());
    made.is_s3 = made.service == "s3";
    out.push_back(std::move(made));
  }
  return out;
}

std::vector<Case> botocore_cases() {
  return read_cases("sigv4_botocore.json", nullptr);
}

// "" when it is accepted, else what is wrong.
std::string verify(const Case& one, Timestamp now = kNow, std::string_view secret = kSecret,
                   std::string_view service = "") {
  const SignatureRules rules{.service = service.empty() ? std::string_view(one.service) : service,
                             .is_s3 = one.is_s3,
                             .now = now};
  const auto signature = read_signature(one.head, rules);
  if (!signature)
    return "refused " + std::to_string(static_cast<int>(signature.error().problem)) + " " +
           signature.error().message;
  const std::string hash = one.is_s3 && signature->content_sha256 == kUnsignedPayload
                               ? std::string(kUnsignedPayload)
                               : sha256_hex(one.body);
  return check_signature(one.head, *signature, rules, secret, hash).equal ? "" : "mismatch";
}

Header& header(Case& one, std::string_view name) {
  return *std::ranges::find_if(one.head.headers,
                               [&](const Header& h) { return same_name(h.name, name); });
}

std::string first_authorization() {
  Case first = botocore_cases().front();
  return header(first, "authorization").value;
}

TEST(SigV4Test, WhatBotocoreSignsIsAccepted) {
  const std::vector<Case> cases = botocore_cases();
  ASSERT_EQ(cases.size(), 14u);
  for (const Case& one : cases)
    EXPECT_EQ(verify(one), "") << one.head.method << " " << one.head.target;
}

// The corners of AWS's own signing test suite, with its key and date
// (tests/data/make_sigv4_suite.py).
TEST(SigV4Test, TheOfficialSuitesRequestsAreAccepted) {
  const Timestamp now = from_civil(2015, 8, 30, 12, 36, 0);
  const std::vector<Case> cases = read_cases("sigv4_suite.json", "service");
  ASSERT_EQ(cases.size(), 27u);
  for (Case one : cases) {
    EXPECT_EQ(verify(one, now), "") << one.head.method << " " << one.head.target;
    one.head.path += "x";
    EXPECT_EQ(verify(one, now), "mismatch") << one.head.method << " " << one.head.target;
  }
}

TEST(SigV4Test, APlusInAQueryIsABlank) {
  Case one;
  one.head = {.method = "GET",
              .target = "/b?prefix=a%20b",
              .path = "/b",
              .query = "prefix=a%20b",
              .headers = {{"Host", "h"}}};
  one.service = "s3";
  one.is_s3 = true;
  sign(one.head, {"AKID", std::string(kSecret)}, "us-east-1", "s3", sha256_hex(""), kNow);
  one.head.query = "prefix=a+b";
  EXPECT_EQ(verify(one), "");
  one.head.query = "prefix=a%2Bb";
  EXPECT_EQ(verify(one), "mismatch");
}

// The example of the S3 API reference, "Transferring payload in multiple chunks (chunked upload)".
TEST(SigV4Test, ChunksAreSignedAsTheReferenceDoes) {
  Signature head;
  head.scope_date = "20130524";
  head.date = "20130524T000000Z";
  head.region = "us-east-1";
  head.service = "s3";
  head.signature = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
  SignatureChain chain(head, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  EXPECT_TRUE(chain.follows(sha256(std::string(65536, 'a')),
                            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"));
  EXPECT_TRUE(chain.follows(sha256(std::string(1024, 'a')),
                            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"));
  EXPECT_TRUE(chain.follows(sha256(""),
                            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"));
  EXPECT_FALSE(chain.follows(sha256(""),
                             "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"));
}

TEST(Sha256Test, HashesAndHmacsAreTheStandards) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256Stream pieces;
  pieces.add("a");
  pieces.add("bc");
  EXPECT_EQ(pieces.hex(), sha256_hex("abc"));
  // RFC 4231, cases 2 and 6 (a key longer than a block).
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'),
                               "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(SigV4Test, AnyChangeIsRefused) {
  for (const Case& good : botocore_cases()) {
    const std::string what = good.head.method + " " + good.head.target;
    EXPECT_NE(verify(good, kNow, "another secret"), "") << what;
    EXPECT_NE(verify(good, kNow, kSecret, "another"), "") << what;
    Case bad = good;
    bad.head.method = "DELETE";
    EXPECT_NE(verify(bad), "") << what;
    bad = good;
    bad.head.path += "x";
    EXPECT_NE(verify(bad), "") << what;
    bad = good;
    bad.head.query += bad.head.query.empty() ? "versionId=1" : "&versionId=1";
    EXPECT_NE(verify(bad), "") << what;
    bad = good;
    header(bad, "host").value = "evil.example";
    EXPECT_NE(verify(bad), "") << what;
    bad = good;
    bad.head.headers.push_back({"x-amz-acl", "public-read"});
    EXPECT_NE(verify(bad), "") << what;
    if (!good.body.empty() && !good.is_s3) {
      bad = good;
      bad.body.back() ^= 1;
      EXPECT_EQ(verify(bad), "mismatch") << what;
    }
  }
}

TEST(SigV4Test, OneDigitOfTheSignatureDecides) {
  const Case good = botocore_cases().front();
  for (size_t digit = 0; digit < 64; digit += 7) {
    Case bad = good;
    std::string& value = header(bad, "authorization").value;
    char& c = value[value.size() - 64 + digit];
    c = c == 'a' ? 'b' : 'a';
    EXPECT_EQ(verify(bad), "mismatch") << digit;
  }
}

TEST(SigV4Test, DatesOutsideAQuarterOfAnHourAreRefused) {
  const Case good = botocore_cases().front();
  EXPECT_EQ(verify(good, kNow + std::chrono::minutes(14)), "");
  EXPECT_TRUE(
      verify(good, kNow + std::chrono::minutes(16)).starts_with("refused 5 Signature expired"));
  EXPECT_TRUE(verify(good, kNow - std::chrono::minutes(16))
                  .starts_with("refused 5 Signature not yet current"));
  for (const char* date : {"19700101T000000Z", "99991231T235959Z", "20261128T072445", "x", ""}) {
    Case bad = good;
    header(bad, "x-amz-date").value = date;
    EXPECT_TRUE(verify(bad).starts_with("refused")) << date;
  }
  Case doubled = good;
  doubled.head.headers.push_back({"X-Amz-Date", "20261128T072445Z"});
  EXPECT_TRUE(verify(doubled).starts_with("refused"));
}

TEST(SigV4Test, SignedHeadersKeepTheirRules) {
  const Case good = botocore_cases().front();
  const auto with = [&](std::string_view from, std::string_view to) {
    Case bad = good;
    std::string& value = header(bad, "authorization").value;
    value.replace(value.find(from), from.size(), to);
    return verify(bad);
  };
  EXPECT_TRUE(with(";host;", ";").starts_with("refused")) << "without host";
  EXPECT_TRUE(with(";x-amz-target", "").starts_with("refused")) << "an x-amz header uncovered";
  EXPECT_TRUE(with("content-type;host", "host;content-type").starts_with("refused")) << "unsorted";
  EXPECT_TRUE(with("content-type;host", "content-type;content-type;host").starts_with("refused"))
      << "doubled";
  EXPECT_TRUE(with("content-type;host", "Content-Type;host").starts_with("refused"))
      << "upper case";
  EXPECT_TRUE(with("content-type;host", "content-type;cookie;host").starts_with("refused"))
      << "not sent";
  EXPECT_TRUE(with("aws4_request", "aws4_reques").starts_with("refused")) << "terminator";
  EXPECT_TRUE(with("/20261128/", "/20261127/").starts_with("refused")) << "date of the scope";
  EXPECT_TRUE(with("SignedHeaders=", "Signedheaders=").starts_with("refused")) << "part missing";
}

TEST(SigV4Test, PresignedUrlsHaveTheirTime) {
  const Case good = botocore_cases().back();
  EXPECT_EQ(verify(good, kNow + std::chrono::minutes(59)), "");
  EXPECT_EQ(verify(good, kNow + std::chrono::minutes(61)), "refused 6 Request has expired");
  for (const char* expires : {"0", "-1", "604801", "abc", "", "99999999999"}) {
    Case bad = good;
    bad.head.query.replace(bad.head.query.find("X-Amz-Expires=3600"), 18,
                           std::string("X-Amz-Expires=") + expires);
    EXPECT_TRUE(verify(bad).starts_with("refused")) << expires;
  }
  Case both = good;
  both.head.headers.push_back({"Authorization", first_authorization()});
  EXPECT_TRUE(verify(both).starts_with("refused")) << "header and query at once";
}

TEST(SigV4Test, WhatWeSignWeAccept) {
  for (const std::string service : {"firehose", "s3"}) {
    Case one;
    one.head = {.method = "POST",
                .target = "/b/k%20x?a=1",
                .path = "/b/k%20x",
                .query = "a=1",
                .headers = {{"Host", "h:1"}, {"Content-Type", "x"}}};
    one.body = "body";
    one.service = service;
    one.is_s3 = service == "s3";
    sign(one.head, {"AKID", std::string(kSecret)}, "eu-west-1", service, sha256_hex(one.body),
         kNow);
    EXPECT_EQ(verify(one), "") << service;
  }
}

TEST(SigV4Test, BlanksInsideValuesCountOnce) {
  Case one;
  one.head = {.method = "GET",
              .target = "/",
              .path = "/",
              .headers = {{"Host", "h"}, {"x-amz-meta-a", "a   b\t c"}}};
  one.service = "s3";
  one.is_s3 = true;
  sign(one.head, {"AKID", std::string(kSecret)}, "us-east-1", "s3", sha256_hex(""), kNow);
  header(one, "x-amz-meta-a").value = "a b c";
  EXPECT_EQ(verify(one), "");
}

}  // namespace
}  // namespace laketap::http
