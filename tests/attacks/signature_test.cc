// Goal: attack cases A 1-13: whoever has no right signature for exactly this request is refused.
#include <algorithm>
#include <chrono>

#include "attack.h"
#include "base/bytes.h"
#include "http/url.h"

namespace laketap::server {
namespace {

class AttackA : public Attack {
 protected:
  // Replaces a part of the Authorization header.
  static void edit(Request& request, std::string_view from, std::string_view to) {
    std::string& value = request.header("Authorization").value;
    const size_t at = value.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    value.replace(at, from.size(), to);
  }
  // As http::sign, but with a payload hash of the test's choice.
  static Request signed_with(Request request, std::string_view payload_hash) {
    http::sign(request.head, {std::string(kKey), std::string(kSecret)}, "us-east-1",
               request.service, payload_hash, io::real_clock().now());
    return request;
  }
};

// The signature that would be right if these headers were all that need signing: by whoever holds
// the key and bends the rules.
Request sign_bent(Request request, const std::vector<std::string>& signed_headers) {
  request.sign();
  http::Signature bent;
  bent.date = request.header("X-Amz-Date").value;
  bent.scope_date = bent.date.substr(0, 8);
  bent.region = "us-east-1";
  bent.service = request.service;
  bent.signed_headers = signed_headers;
  const bool is_s3 = request.service == "s3";
  const http::Comparison made =
      http::check_signature(request.head, bent, {.service = request.service, .is_s3 = is_s3},
                            kSecret, http::sha256_hex(request.body));
  std::string key = "AWS4" + std::string(kSecret);
  http::Sha256 hash{};
  for (const std::string& part : {bent.scope_date, bent.region, bent.service,
                                  std::string("aws4_request"), made.string_to_sign}) {
    hash = http::hmac_sha256(key, part);
    key = http::view_of(hash);
  }
  request.header("Authorization").value = fmt::format(
      "AWS4-HMAC-SHA256 Credential={}/{}/us-east-1/{}/aws4_request, SignedHeaders={}, Signature={}",
      kKey, bent.scope_date, request.service, fmt::join(signed_headers, ";"), to_hex(hash));
  return request;
}

TEST_F(AttackA, A08RightSignaturesOverTheWrongHeaders) {
  const std::string target = "x-amz-target";
  EXPECT_EQ(ask(sign_bent(put_record(), {"content-type", "host", "x-amz-date", target})).status,
            200)
      << "the positive control";
  allowed_ = 1;
  EXPECT_TRUE(
      refused(ask(sign_bent(put_record(), {"content-type", "x-amz-date", target})), "'Host'"));
  EXPECT_TRUE(
      refused(ask(sign_bent(put_record(), {"content-type", "host", "x-amz-date"})), "not signed"));
  EXPECT_TRUE(refused(ask(sign_bent(put_record(), {"cookie", "host", "x-amz-date", target})),
                      "'cookie' was not sent"));
  EXPECT_TRUE(refused(ask(sign_bent(put_record(), {"host", "content-type", "x-amz-date", target})),
                      "sorted"));
  EXPECT_TRUE(
      refused(ask(sign_bent(put_record(), {"host", "host", "x-amz-date", target})), "once"));
  EXPECT_TRUE(
      refused(ask(sign_bent(put_record(), {"Host", "host", "x-amz-date", target})), "lower case"));
  Request twice = sign_bent(put_record(), {"content-type", "host", "x-amz-date", target});
  twice.head.headers.push_back({"x-amz-date", twice.header("X-Amz-Date").value});
  EXPECT_TRUE(refused(ask(twice), "Two x-amz-date headers"));
}

TEST_F(AttackA, A01CorrectRequestsWork) {
  EXPECT_EQ(ask(put_record().sign()).status, 200);
  EXPECT_EQ(ask(s3_request("PUT", "/b/k", "body").sign()).status, 200);
  EXPECT_EQ(ask(s3_request("GET", "/").sign()).status, 200);
  allowed_ = 2;
}

TEST_F(AttackA, A02OneDigitOfTheSignatureChanged) {
  for (size_t digit = 1; digit <= 64; digit += 3) {
    for (Request request : {put_record().sign(), s3_request("PUT", "/b/k", "body").sign()}) {
      std::string& value = request.header("Authorization").value;
      char& c = value[value.size() - digit];
      c = c == '0' ? '1' : '0';
      const bool s3 = request.service == "s3";
      EXPECT_TRUE(
          refused(ask(request), s3 ? "SignatureDoesNotMatch" : "InvalidSignatureException"));
    }
  }
}

TEST_F(AttackA, A03WrongSecretAndUnknownKey) {
  const Timestamp now = io::real_clock().now();
  EXPECT_TRUE(refused(ask(put_record().sign(now, "wrong")), "InvalidSignatureException"));
  EXPECT_TRUE(
      refused(ask(put_record().sign(now, kSecret, "AKIDOTHER")), "UnrecognizedClientException"));
  EXPECT_TRUE(refused(ask(s3_request("GET", "/").sign(now, "wrong")), "SignatureDoesNotMatch"));
  EXPECT_TRUE(
      refused(ask(s3_request("GET", "/").sign(now, kSecret, "AKIDOTHER")), "InvalidAccessKeyId"));
  Request sts = json_request("", "Action=GetCallerIdentity&Version=2011-06-15", "sts");
  sts.head.headers = {{"Host", "h"}, {"Content-Type", "application/x-www-form-urlencoded"}};
  EXPECT_TRUE(refused(ask(sts.sign(now, "wrong")), "SignatureDoesNotMatch"));
  EXPECT_TRUE(refused(ask(sts.sign(now, kSecret, "AKIDOTHER")), "InvalidClientTokenId"));
}

TEST_F(AttackA, A03TheTimeDoesNotTellWhetherAKeyExists) {
  const Timestamp now = io::real_clock().now();
  const std::string wrong = s3_request("GET", "/").sign(now, "wrong").bytes();
  const std::string unknown = s3_request("GET", "/").sign(now, kSecret, "AKIDOTHER").bytes();
  RawClient client(server_.port);
  const auto median = [&](const std::string& bytes) {
    std::vector<int64_t> times;
    for (int i = 0; i < 200; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_EQ(client.ask(bytes).status, 403);
      times.push_back((std::chrono::steady_clock::now() - begin).count());
    }
    std::ranges::nth_element(times, times.begin() + 100);
    return static_cast<double>(times[100]);
  };
  (void)median(wrong);
  const double ratio = median(wrong) / median(unknown);
  EXPECT_GT(ratio, 1 / 2.5);
  EXPECT_LT(ratio, 2.5);
}

TEST_F(AttackA, A04BodyChangedAfterSigning) {
  for (const Request& good : {put_record().sign(), s3_request("PUT", "/b/k", "a body").sign()}) {
    for (const size_t at : {size_t{0}, good.body.size() / 2, good.body.size() - 1}) {
      Request request = good;
      request.body[at] ^= 1;
      EXPECT_TRUE(refused(ask(request), good.service == "s3" ? "XAmzContentSHA256Mismatch"
                                                             : "InvalidSignatureException"));
    }
    Request longer = good;
    longer.body += " ";
    EXPECT_TRUE(refused(ask(longer), ""));
    Request shorter = good;
    shorter.body.pop_back();
    EXPECT_TRUE(refused(ask(shorter), ""));
  }
}

TEST_F(AttackA, A05PayloadHashAbsentInWrongCaseOrUnsigned) {
  const std::string hash = http::sha256_hex("body");
  Request absent = signed_with(s3_request("PUT", "/b/k", "body"), hash);
  std::erase_if(absent.head.headers,
                [](const http::Header& one) { return one.name == "x-amz-content-sha256"; });
  edit(absent, ";x-amz-content-sha256", "");
  EXPECT_TRUE(refused(ask(absent), "x-amz-content-sha256"));
  std::string upper = hash;
  std::ranges::transform(upper, upper.begin(), [](char c) { return std::toupper(c); });
  EXPECT_TRUE(
      refused(ask(signed_with(s3_request("PUT", "/b/k", "body"), upper)), "InvalidArgument"));
  for (const char* word : {"", "unsigned-payload", "STREAMING-NEW", "0000"})
    EXPECT_NE(ask(signed_with(s3_request("PUT", "/b/k", "body"), word)).status, 200) << word;

  Request firehose = put_record();
  firehose.header("x-amz-content-sha256").value = "UNSIGNED-PAYLOAD";
  http::RequestHead& head = firehose.head;
  http::Signature unused;
  http::sign(head, {std::string(kKey), std::string(kSecret)}, "us-east-1", "firehose",
             "UNSIGNED-PAYLOAD", io::real_clock().now());
  EXPECT_TRUE(refused(ask(firehose), "InvalidSignatureException"));
}

TEST_F(AttackA, A05AnUnsignedPayloadIsForS3Only) {
  EXPECT_EQ(ask(signed_with(s3_request("PUT", "/b/k", "body"), "UNSIGNED-PAYLOAD")).status, 200);
  allowed_ = 1;
}

TEST_F(AttackA, A06DatesOutsideTheWindow) {
  const Timestamp now = io::real_clock().now();
  for (const auto skew : {std::chrono::minutes(16), std::chrono::minutes(-16)}) {
    EXPECT_TRUE(refused(ask(put_record().sign(now + skew)), "InvalidSignatureException"));
    EXPECT_TRUE(refused(ask(s3_request("GET", "/").sign(now + skew)), "RequestTimeTooSkewed"));
  }
  EXPECT_TRUE(refused(ask(put_record().sign(from_civil(1970, 1, 1))), ""));
  EXPECT_TRUE(refused(ask(put_record().sign(from_civil(9999, 12, 31))), ""));
  Request two_dates = put_record().sign();
  two_dates.head.headers.push_back({"x-amz-date", amz_date(now)});
  EXPECT_TRUE(refused(ask(two_dates), ""));
  Request other_scope = put_record().sign();
  edit(other_scope, "/" + amz_date(now).substr(0, 8) + "/", "/20200101/");
  EXPECT_TRUE(refused(ask(other_scope), "Date in Credential scope does not match"));
  for (const char* text : {"", "now", "20261128", "2026-11-28T07:24:45Z", "99999999T999999Z"}) {
    Request request = put_record().sign();
    request.header("X-Amz-Date").value = text;
    EXPECT_TRUE(refused(ask(request), "")) << text;
  }
}

TEST_F(AttackA, A07CredentialsOfAnotherScope) {
  Request replayed = put_record();
  replayed.service = "s3";
  replayed.sign();
  EXPECT_TRUE(refused(ask(replayed), "Credential should be scoped to correct service: 'firehose'"));
  for (const auto& [from, to] : {std::pair{"/firehose/", "/glue/"},
                                 {"/us-east-1/", "/eu-west-1/"},
                                 {"aws4_request", "aws4_reques"},
                                 {"/us-east-1/", "/"}}) {
    Request request = put_record().sign();
    edit(request, from, to);
    EXPECT_TRUE(refused(ask(request), "")) << to;
  }
}

TEST_F(AttackA, A08SignedHeadersThatBreakTheRules) {
  for (const auto& [from, to] :
       {std::pair{"content-type;host;x-amz-date", "content-type;x-amz-date"},
        {"content-type;", "content-type;cookie;"},
        {"content-type;host", "host;content-type"},
        {"content-type;host", "content-type;host;host"},
        {"content-type;host", "Content-Type;Host"},
        {"content-type;host", ";content-type;host"},
        {"x-amz-target", "x-amz-target;"}}) {
    Request request = put_record().sign();
    edit(request, from, to);
    EXPECT_TRUE(refused(ask(request), "")) << to;
  }
}

TEST_F(AttackA, A09AnAmzHeaderThatNobodySigned) {
  Request target = put_record();
  std::erase_if(target.head.headers,
                [](const http::Header& one) { return one.name == "X-Amz-Target"; });
  target.sign();
  target.head.headers.push_back({"X-Amz-Target", "Firehose_20150804.PutRecord"});
  EXPECT_TRUE(refused(ask(target), "not signed"));
  Request swapped = put_record().sign();
  swapped.header("X-Amz-Target").value = "Firehose_20150804.DeleteDeliveryStream";
  EXPECT_TRUE(refused(ask(swapped), "InvalidSignatureException"));
  for (const char* name :
       {"x-amz-acl", "X-AMZ-ACL", "x-amz-tagging", "x-amz-meta-a", "x-amz-copy-source"}) {
    Request request = s3_request("PUT", "/b/k", "body").sign();
    request.head.headers.push_back({name, "public-read"});
    EXPECT_TRUE(refused(ask(request), "HeadersNotSigned")) << name;
  }
}

TEST_F(AttackA, A10BlanksAndRepeatedHeadersCountAsAwsCountsThem) {
  Request request = s3_request("PUT", "/b/k", "body");
  request.head.headers.push_back({"x-amz-meta-a", "a  b \t c"});
  request.head.headers.push_back({"x-amz-meta-b", "2"});
  request.head.headers.push_back({"X-Amz-Meta-B", "1"});
  request.sign();
  EXPECT_EQ(ask(request).status, 200) << "the positive control";
  allowed_ = 1;
  Request joined = request;  // The same canonical text, in other words.
  joined.header("x-amz-meta-a").value = "   a b   c  ";
  EXPECT_EQ(ask(joined).status, 200);
  ++allowed_;
  Request turned = request;
  std::erase_if(turned.head.headers,
                [](const http::Header& one) { return http::same_name(one.name, "x-amz-meta-b"); });
  turned.head.headers.push_back({"x-amz-meta-b", "1"});
  turned.head.headers.push_back({"x-amz-meta-b", "2"});
  EXPECT_TRUE(refused(ask(turned), "SignatureDoesNotMatch"));
}

TEST_F(AttackA, A11PathsAreNeitherDecodedTwiceNorNormalised) {
  std::vector<std::string> expected;
  for (const char* key : {"a%2Fb", "a%2fb", "/x//y/", "./x", "../x", "x/../../y", "a+b", "a%20b",
                          "%C3%A4", "a%252Fb", "%2e%2e/x"}) {
    const std::string target = fmt::format("/bucket/{}", key);
    EXPECT_EQ(ask(s3_request("PUT", target, "1").sign()).status, 200) << key;
    expected.push_back("bucket/" + *http::percent_decode(key) + "=1");
    Request moved = s3_request("PUT", target, "1").sign();
    moved.head.target += "x";
    EXPECT_TRUE(refused(ask(moved), "SignatureDoesNotMatch")) << key;
  }
  EXPECT_EQ(server_.stored(), expected);
  allowed_ = expected.size();
}

TEST_F(AttackA, A12QueriesAreSortedByTheirEncodedBytes) {
  const Request good = s3_request("GET", "/?max-buckets=5&prefix=a%20b&x-id=ListBuckets").sign();
  const auto with = [&](std::string_view target) {
    Request request = good;
    request.head.target = target;
    return ask(request);
  };
  EXPECT_EQ(with("/?max-buckets=5&prefix=a%20b&x-id=ListBuckets").status, 200);
  EXPECT_EQ(with("/?x-id=ListBuckets&prefix=a%20b&max-buckets=5").status, 200) << "another order";
  EXPECT_EQ(with("/?max%2Dbuckets=%35&prefix=a+b&x-id=ListBuckets").status, 200)
      << "coded otherwise";
  for (const char* target :
       {"/?max-buckets=6&prefix=a%20b&x-id=ListBuckets",
        "/?max-buckets=5&prefix=a%2Bb&x-id=ListBuckets",
        "/?max-buckets=5&prefix=a%20b&x-id=ListBuckets&prefix=c", "/?max-buckets=5&prefix=a%20b",
        "/?max-buckets=5&prefix=a%20b&x-id=ListBuckets&versions",
        "/?max-buckets=5&prefix=a%2520b&x-id=ListBuckets",
        "/?max-buckets=5&prefix=a%20b&x-id=ListBuckets&X-Amz-Signature=1",
        "/?max-buckets=5&prefix=%zz&x-id=ListBuckets"})
    EXPECT_NE(with(target).status, 200) << target;
}

TEST_F(AttackA, A13MonstrousAuthorizationsAreRefusedAtOnce) {
  const auto begin = std::chrono::steady_clock::now();
  Request request = put_record().sign();
  std::string& value = request.header("Authorization").value;
  const std::string good = value;
  value = good + std::string(60 << 10, 'x');
  EXPECT_TRUE(refused(ask(request), ""));
  value = good + std::string(64 << 10, 'x');
  EXPECT_TRUE(refused_and_closed(request.bytes(), {431}));
  std::string names = "SignedHeaders=";
  for (int i = 0; i < 10'000; ++i) names += "h;";
  value = fmt::format("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, {}, Signature=0", names);
  EXPECT_TRUE(refused(ask(request), ""));
  for (const std::string_view junk :
       {"", " ", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 ,,,",
        "AWS4-HMAC-SHA256 Credential=",
        "AWS4-HMAC-SHA256 Credential=////,SignedHeaders=,Signature=", "Basic YTpi", "AWS AKID:sig",
        "AWS4-ECDSA-P256-SHA256 Credential=a/b/c/d"}) {
    value = junk;
    EXPECT_TRUE(refused(ask(request), "")) << junk;
  }
  value = "AWS4-HMAC-SHA256 \xff\xfe\x80 Credential=\xc0\xaf/1/2/3/aws4_request";
  EXPECT_TRUE(refused(ask(request), ""));
  value = std::string("AWS4-HMAC-SHA256 \0", 18);
  EXPECT_TRUE(refused_and_closed(request.bytes(), {400}));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

// We give out no temporary credentials: whoever shows a token has none of ours.
TEST_F(AttackA, A14ASessionTokenOfNobody) {
  Request record = put_record();
  record.header("X-Amz-Security-Token").value = "token";
  EXPECT_TRUE(refused(ask(record.sign()), "UnrecognizedClientException"));
  Request list = s3_request("GET", "/");
  list.header("X-Amz-Security-Token").value = "token";
  EXPECT_TRUE(refused(ask(list.sign()), "InvalidAccessKeyId"));
}

}  // namespace
}  // namespace laketap::server
