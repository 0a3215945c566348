#include "wire/rest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "wire/ask.h"
#include "wire/s3.h"
#include "wire/shape.h"
#include "wire/xml.h"

namespace laketap::wire {
namespace {

const Service& s3_service() {
  return *find_service("s3");
}

http::RequestHead head(std::string method, std::string path, std::string query = "",
                       std::vector<http::Header> headers = {}) {
  http::RequestHead head;
  head.method = std::move(method);
  head.path = std::move(path);
  head.query = std::move(query);
  head.headers = std::move(headers);
  return head;
}

std::string matched(const http::RequestHead& head) {
  const auto found = match_rest(s3_service(), head);
  return found ? std::string((*found)->name) : found.error().code;
}

TEST(RestMatchTest, EveryOperationOfTheModelIsFoundByWhatItRequires) {
  size_t count = 0;
  for (const Operation& operation : s3_service().operations) {
    if (operation.method.empty()) continue;  // On an endpoint of its own.
    const auto found = match_rest(s3_service(), request_for(s3_service(), operation).head);
    ASSERT_TRUE(found) << operation.name;
    // Two of the model's operations may look the same (GetBucketLifecycle and ...Configuration):
    // then either.
    if ((*found)->name == operation.name)
      ++count;
    else
      EXPECT_EQ((*found)->query.size(), operation.query.size())
          << operation.name << " was taken for " << (*found)->name;
  }
  EXPECT_GT(count, 100u);
}

TEST(RestMatchTest, ClientsRequestsAreFound) {
  EXPECT_EQ(matched(head("GET", "/")), "ListBuckets");
  EXPECT_EQ(matched(head("GET", "/b", "list-type=2&prefix=&delimiter=%2F&encoding-type=url")),
            "ListObjectsV2");
  EXPECT_EQ(matched(head("GET", "/b/", "prefix=x")), "ListObjects");
  EXPECT_EQ(matched(head("GET", "/b", "versions&max-keys=5")), "ListObjectVersions");
  EXPECT_EQ(matched(head("PUT", "/b/k", "x-id=PutObject")), "PutObject");
  EXPECT_EQ(matched(head("PUT", "/b/k", "", {{"X-Amz-Copy-Source", "/a/b"}})), "CopyObject");
  EXPECT_EQ(matched(head("PUT", "/b/k", "uploadId=u&partNumber=1")), "UploadPart");
  EXPECT_EQ(
      matched(head("PUT", "/b/k", "uploadId=u&partNumber=1", {{"x-amz-copy-source", "/a/b"}})),
      "UploadPartCopy");
  EXPECT_EQ(matched(head("POST", "/b/k", "uploads=")), "CreateMultipartUpload");
  EXPECT_EQ(matched(head("POST", "/b/k", "uploads")), "CreateMultipartUpload");
  EXPECT_EQ(matched(head("POST", "/b/k", "uploadId=u")), "CompleteMultipartUpload");
  EXPECT_EQ(matched(head("DELETE", "/b/k", "uploadId=u")), "AbortMultipartUpload");
  EXPECT_EQ(matched(head("DELETE", "/b/k", "versionId=v")), "DeleteObject");
  EXPECT_EQ(matched(head("GET", "/b/k", "uploadId=u")), "ListParts");
  EXPECT_EQ(matched(head("GET", "/b/k", "response-content-type=text%2Fplain&versionId=v")),
            "GetObject");
  EXPECT_EQ(matched(head("GET", "/b/k",
                         "X-Amz-Algorithm=A&X-Amz-Credential=c&X-Amz-Date=d&X-Amz-Expires=5&X-Amz-"
                         "SignedHeaders=host&X-Amz-Signature=s")),
            "GetObject");
  EXPECT_EQ(matched(head("HEAD", "/b")), "HeadBucket");
  EXPECT_EQ(matched(head("POST", "/b", "delete")), "DeleteObjects");
  EXPECT_EQ(matched(head("GET", "/b", "acl")), "GetBucketAcl");
}

TEST(RestMatchTest, AnUnknownSubresourceIsNeverAnObjectWrite) {
  EXPECT_EQ(matched(head("PUT", "/b/k", "nonsense")), "NotImplemented");
  EXPECT_EQ(matched(head("PUT", "/b/k", "partNumber=1")), "NotImplemented");
  EXPECT_EQ(matched(head("PUT", "/b/k", "versionId=1")), "NotImplemented");
  EXPECT_EQ(matched(head("DELETE", "/b/k", "nonsense")), "NotImplemented");
  EXPECT_EQ(matched(head("GET", "/b/k", "nonsense=1")), "NotImplemented");
  EXPECT_EQ(matched(head("POST", "/b")), "NotImplemented");
  EXPECT_EQ(matched(head("PUT", "/b/k", "acl")), "PutObjectAcl");
}

TEST(RestMatchTest, OtherMethodsAndBrokenTargetsAreRefused) {
  EXPECT_EQ(matched(head("PATCH", "/b/k")), "MethodNotAllowed");
  EXPECT_EQ(matched(head("DELETE", "/")), "MethodNotAllowed");
  EXPECT_EQ(matched(head("GET", "/b", "prefix=%zz")), "InvalidURI");
  EXPECT_EQ(matched(head("GET", "b")), "InvalidURI");
}

template <class In>
Answer<In> read(const char* operation, const http::RequestHead& head, std::string_view body = "") {
  In input{};
  RequestBody whole;
  whole.bytes = body;
  const auto fault = read_rest(s3_service(), *s3_service().find(operation), head, whole, &input);
  if (fault) return std::unexpected(*fault);
  return input;
}

TEST(RestReadTest, PathQueryAndHeadersBecomeMembers) {
  const auto input = read<s3::GetObjectRequest>(
      "GetObject", head("GET", "/b/a%20b//..%2F%E4%BD%A0+c/", "versionId=v%2B1&partNumber=3",
                        {{"RANGE", "bytes=0-1"},
                         {"if-modified-since", "Sat, 28 Nov 2026 07:24:45 GMT"},
                         {"If-Unmodified-Since", "yesterday"},
                         {"if-match", ""}}));
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input->bucket, "b");
  EXPECT_EQ(input->key, "a b//../\xe4\xbd\xa0+c/");  // Decoded once, never normalised.
  EXPECT_EQ(input->version_id, "v+1");
  EXPECT_EQ(input->part_number, 3);
  EXPECT_EQ(input->range, "bytes=0-1");
  EXPECT_EQ(iso8601(*input->if_modified_since), "2026-11-28T07:24:45Z");
  EXPECT_FALSE(input->if_unmodified_since);  // A date that is none counts as absent.
  EXPECT_FALSE(input->if_match);
}

TEST(RestReadTest, MetadataIsReadByItsPrefixInSmallLetters) {
  const auto input = read<s3::CreateMultipartUploadRequest>("CreateMultipartUpload",
                                                            head("POST", "/b/k", "uploads",
                                                                 {{"X-Amz-Meta-Color", "red"},
                                                                  {"x-amz-meta-size", "1"},
                                                                  {"X-AMZ-META-COLOR", "blue"},
                                                                  {"x-amz-meta-", "x"}}));
  ASSERT_TRUE(input);
  EXPECT_EQ(*input->metadata,
            (std::map<std::string, std::string>{{"color", "red,blue"}, {"size", "1"}}));
}

TEST(RestReadTest, ANumberThatIsNoneIsNamed) {
  const auto input = read<s3::ListObjectsV2Request>("ListObjectsV2",
                                                    head("GET", "/b", "list-type=2&max-keys=many"));
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().code, "InvalidArgument");
  EXPECT_EQ(input.error().message, "Provided max-keys not an integer or within integer range");
  EXPECT_EQ(input.error().fields[1].second, "many");
}

std::string delete_refusal(std::string_view body) {
  const auto input =
      read<s3::DeleteObjectsRequest>("DeleteObjects", head("POST", "/b", "delete"), body);
  return input ? "" : input.error().code;
}

TEST(RestReadTest, AnXmlBodyIsReadWhateverItsNamespaces) {
  const auto input = read<s3::DeleteObjectsRequest>(
      "DeleteObjects", head("POST", "/b", "delete"),
      "<?xml version=\"1.0\"?>\n<x:Delete "
      "xmlns:x=\"http://s3.amazonaws.com/doc/2006-03-01/\"><x:Object><x:Key>a &amp; "
      "<![CDATA[<b> & c]]>&#x41;&#66;</x:Key></x:Object>"
      "<!-- - --><Other><Object/></Other><Object><Key> "
      "</Key><VersionId>v</VersionId></Object><Quiet>true</Quiet></x:Delete>");
  ASSERT_TRUE(input) << input.error().message;
  ASSERT_EQ(input->delete_.objects.size(), 2u);
  EXPECT_EQ(input->delete_.objects[0].key, "a & <b> & cAB");
  EXPECT_EQ(input->delete_.objects[1].key, " ");
  EXPECT_EQ(input->delete_.objects[1].version_id, "v");
  EXPECT_EQ(input->delete_.quiet, true);
}

TEST(RestReadTest, BadXmlIsMalformedXml) {
  EXPECT_EQ(delete_refusal(""), "MissingRequestBodyError");
  for (const std::string& body :
       {std::string("{}"), std::string("<Delete>"), std::string("<Other/>"),
        std::string("<Delete/>"), std::string("<Delete><Object/></Delete>"),
        std::string("<Delete><Object><Key></Key></Object></Delete>"),
        std::string("<Delete><Object><Key>a</Key></Object><Quiet>maybe</Quiet></Delete>"),
        std::string("<!DOCTYPE Delete [<!ENTITY x "
                    "\"y\">]><Delete><Object><Key>&x;</Key></Object></Delete>"),
        std::string("<Delete><Object><Key>\xff</Key></Object></Delete>"),
        std::string("<Delete><Object><Key>victim&#0;zzz</Key></Object></Delete>"),
        std::string("<Delete><Object><Key>&#xD800;</Key></Object></Delete>"),
        std::string("<Delete><Object><Key>&#x110000;</Key></Object></Delete>"),
        std::string("<Delete><Object><Key>&foo;</Key></Object></Delete>"),
        std::string("<Delete><Object><Key>a & b</Key></Object></Delete>"),
        std::string("<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>"),
        std::string("<Delete><Object><Key>a</Key></Object></Delete>\0<", 48)}) {
    EXPECT_EQ(delete_refusal(body), "MalformedXML") << body;
  }
  std::string deep;
  for (int i = 0; i < 50'000; ++i) deep += "<Delete>";
  EXPECT_EQ(delete_refusal(deep), "MalformedXML");
}

http::Response written(const char* operation, void* value, std::string_view method = "GET") {
  http::Response response;
  write_rest(s3_service(), *s3_service().find(operation), method, value, response);
  return response;
}

TEST(RestWriteTest, AListingHasS3sNames) {
  s3::ListObjectsV2Output output;
  output.name = "b";
  output.is_truncated = false;
  output.key_count = 1;
  output.request_charged = "requester";
  s3::Object object;
  object.key = "a<b>\x01";
  object.e_tag = "\"0123\"";
  object.last_modified = from_epoch_micros(1764315885120000);
  object.size = 5;
  output.contents.emplace().push_back(object);
  output.common_prefixes.emplace().push_back({.prefix = "p/"});
  const http::Response response = written("ListObjectsV2", &output);
  EXPECT_EQ(response.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
            "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>false</IsTruncated>"
            "<Contents><Key>a&lt;b&gt;&#x1;</Key><LastModified>2025-11-28T07:44:45.120Z</"
            "LastModified><ETag>&quot;0123&quot;</ETag><Size>5</Size></Contents>"
            "<Name>b</Name><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes><KeyCount>1</"
            "KeyCount></ListBucketResult>");
  EXPECT_EQ(*header(response, "x-amz-request-charged"), "requester");
}

TEST(RestWriteTest, NestedListsAndBareRootsAreWrittenAsS3Does) {
  s3::ListBucketsOutput buckets;
  buckets.buckets.emplace().push_back(
      {.name = "b", .creation_date = from_epoch_micros(0), .bucket_region = {}, .bucket_arn = {}});
  EXPECT_NE(written("ListBuckets", &buckets)
                .body.find("<Buckets><Bucket><Name>b</Name><CreationDate>1970-01-01T00:00:00.000Z</"
                           "CreationDate></Bucket></Buckets>"),
            std::string::npos);

  s3::GetBucketLocationOutput location;
  EXPECT_TRUE(written("GetBucketLocation", &location)
                  .body.ends_with(
                      "<LocationConstraint "
                      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></LocationConstraint>"));
  location.location_constraint = "eu-west-1";
  EXPECT_TRUE(
      written("GetBucketLocation", &location).body.ends_with(">eu-west-1</LocationConstraint>"));

  s3::CopyObjectOutput copied;
  copied.copy_object_result.emplace().e_tag = "\"x\"";
  copied.version_id = "v";
  const http::Response response = written("CopyObject", &copied);
  EXPECT_TRUE(
      response.body.ends_with("<CopyObjectResult "
                              "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/"
                              "\"><ETag>&quot;x&quot;</ETag></CopyObjectResult>"))
      << response.body;
  EXPECT_EQ(*header(response, "x-amz-version-id"), "v");
}

TEST(RestWriteTest, HeadTellsALengthAndGetLeavesItToTheBody) {
  s3::HeadObjectOutput output;
  output.content_length = 7;
  output.e_tag = "\"x\"";
  output.last_modified = from_epoch_micros(1764315885120000);
  output.metadata.emplace()["color"] = "red";
  const http::Response response = written("HeadObject", &output, "HEAD");
  EXPECT_EQ(response.content_length, 7u);
  EXPECT_EQ(header(response, "Content-Length"), nullptr);
  EXPECT_EQ(*header(response, "ETag"), "\"x\"");
  EXPECT_EQ(*header(response, "Last-Modified"), "Fri, 28 Nov 2025 07:44:45 GMT");
  EXPECT_EQ(*header(response, "x-amz-meta-color"), "red");
  EXPECT_EQ(response.body, "");
}

TEST(RestWriteTest, StatusesAreTheModels) {
  Empty nothing;
  EXPECT_EQ(written("DeleteBucket", &nothing).status, 204);
  EXPECT_EQ(written("PutBucketVersioning", &nothing).status, 200);
}

}  // namespace
}  // namespace laketap::wire
