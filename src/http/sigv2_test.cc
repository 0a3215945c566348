// Goal: the URLs that botocore presigns by default are accepted, changed ones are refused.
// Made by botocore 1.44.8 (generate_presigned_url, us-east-1) at 2026-11-28T07:24:45Z for an hour.
#include "http/sigv2.h"

#include <gtest/gtest.h>

namespace laketap::http {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const Timestamp kNow = from_civil(2026, 11, 28, 7, 24, 50);

struct Case {
  const char* method;
  std::string target;
  std::vector<Header> headers = {};
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"GET",
       "/bucket/a%20b%2Bc/"
       "%C3%A4?AWSAccessKeyId=AKIDEXAMPLE&Signature=NnEb2aFnq7p23r6%2Fk2kKbk7fOVM%3D&Expires="
       "1795854285"},
      {"GET",
       "/bucket/"
       "k?versionId=v%2F1&response-content-type=text%2Fplain%3B%20x%3D1&AWSAccessKeyId=AKIDEXAMPLE&"
       "Signature=YD%2FA1NUHig1VOLEV6ryuba5ZCLY%3D&Expires=1795854285"},
      {"PUT",
       "/bucket/"
       "k?AWSAccessKeyId=AKIDEXAMPLE&Signature=EPyxue%2BhWCWj4irfAVyByRsNxZE%3D&content-type=text%"
       "2Fplain&x-amz-meta-note=n%201&Expires=1795854285",
       {{"Content-Type", "text/plain"}, {"X-Amz-Meta-Note", "n 1"}}},
      {"HEAD",
       "/bucket?AWSAccessKeyId=AKIDEXAMPLE&Signature=GnunA448euSo3Lfko1mjkX3ctcU%3D&Expires="
       "1795854285"},
      {"GET",
       "/bucket?list-type=2&prefix=p&encoding-type=url&AWSAccessKeyId=AKIDEXAMPLE&Signature="
       "lC1albzd75LA7IsXYjiBlBqpIIQ%3D&Expires=1795854285"},
  };
  return kCases;
}

// "" when it is accepted, else what is wrong.
std::string verify(const Case& one, Timestamp now = kNow) {
  RequestHead head{.method = one.method, .target = one.target, .headers = one.headers};
  head.path = one.target.substr(0, one.target.find('?'));
  head.query = one.target.substr(one.target.find('?') + 1);
  const auto signature = read_query_v2(head, now);
  if (!signature) return "refused: " + signature.error().message;
  return check_query_v2(head, *signature, "", kSecret).equal ? "" : "mismatch";
}

TEST(SigV2Test, WhatBotocorePresignsIsAccepted) {
  for (const Case& one : cases()) EXPECT_EQ(verify(one), "") << one.target;
}

TEST(SigV2Test, AnyChangeOfWhatIsSignedIsRefused) {
  for (const Case& good : cases()) {
    Case bad = good;
    bad.method = "DELETE";
    EXPECT_EQ(verify(bad), "mismatch") << good.target;
    bad = good;
    bad.target.insert(bad.target.find('?'), "x");
    EXPECT_EQ(verify(bad), "mismatch") << good.target;
    for (const char* more : {"&uploads", "&versionId=2", "&tagging", "&delete"}) {
      bad = good;
      bad.target += more;
      EXPECT_EQ(verify(bad), "mismatch") << bad.target;
    }
    for (const char* more : {"&legal-hold", "&encryption", "&attributes=", "&Signature=x",
                             "&X-Amz-Signature=1", "&x-amz-security-token=t"}) {
      bad = good;
      bad.target += more;
      EXPECT_TRUE(verify(bad).starts_with("refused")) << bad.target;
    }
    bad = good;
    bad.headers.push_back({"x-amz-acl", "public-read"});
    EXPECT_EQ(verify(bad), "mismatch") << good.target;
    bad = good;
    bad.target.replace(bad.target.find("Expires=179"), 11, "Expires=180");
    EXPECT_EQ(verify(bad), "mismatch") << good.target;
    EXPECT_EQ(verify(good, kNow + std::chrono::hours(2)), "refused: Request has expired");
    bad = good;
    bad.headers.push_back({"Authorization", "AWS4-HMAC-SHA256 x"});
    EXPECT_TRUE(verify(bad).starts_with("refused")) << good.target;
  }
  for (const char* query :
       {"AWSAccessKeyId=A", "AWSAccessKeyId=A&Signature=b",
        "AWSAccessKeyId=A&Signature=b&Expires=x", "AWSAccessKeyId=A&Signature=b&Expires=-1",
        "AWSAccessKeyId=A&Signature=b&Expires=9999999999999"})
    EXPECT_TRUE(verify({"GET", "/b/k?" + std::string(query)}).starts_with("refused")) << query;
}

TEST(SigV2Test, OnlyWhatIsOfTheSignatureLeavesTheQuery) {
  EXPECT_EQ(without_v2("versionId=1&AWSAccessKeyId=A&x-amz-meta-a=1&prefix=a%26b&Signature=b&"
                       "content-type=t&Expires=1"),
            "versionId=1&prefix=a%26b");
}

}  // namespace
}  // namespace laketap::http
