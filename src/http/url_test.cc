#include "http/url.h"

#include <gtest/gtest.h>

namespace laketap::http {
namespace {

TEST(UrlTest, EncodingKeepsOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a b/c+\xc3\xa4%"), "a%20b%2Fc%2B%C3%A4%25");
  EXPECT_EQ(percent_encode("a/b", true), "a/b");
}

TEST(UrlTest, DecodingUndoesEncodingOfEveryByte) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_decode("a+b%2f"), "a+b/");
}

TEST(UrlTest, BrokenEscapesAreRefused) {
  for (const char* text : {"%", "%4", "a%zz", "%g0", "%%41"})
    EXPECT_FALSE(percent_decode(text)) << text;
  EXPECT_FALSE(parse_query("a=%"));
}

TEST(UrlTest, QueriesKeepOrderAndRepeats) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(parse_query("b=1&a=&a&&c=x=y&%61=2"),
            (Pairs{{"b", "1"}, {"a", ""}, {"a", ""}, {"c", "x=y"}, {"a", "2"}}));
  EXPECT_EQ(parse_query(""), Pairs{});
}

TEST(UrlTest, EndpointsArePlainHttp) {
  EXPECT_EQ(parse_endpoint("http://127.0.0.1:4566")->port, "4566");
  EXPECT_EQ(parse_endpoint("http://h/path")->port, "80");
  for (const char* text : {"https://h", "h:1", "http://", "http://:1", "http://h:"})
    EXPECT_FALSE(parse_endpoint(text)) << text;
}

}  // namespace
}  // namespace laketap::http
