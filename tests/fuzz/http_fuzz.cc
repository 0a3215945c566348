// What comes before a request is known to be good: URLs, signatures' headers, aws-chunked framing.
#include <algorithm>

#include "base/assert.h"
#include "http/sigv4.h"
#include "http/url.h"
#include "server/aws_chunked.h"

using namespace laketap;

namespace {

// The framing gives the same content and the same verdict, however the bytes are cut.
struct Decoded {
  std::string content;
  bool whole = false;
};

Decoded decode(std::string_view framed, size_t piece) {
  server::AwsChunkedRules rules;
  rules.has_trailer = true;
  rules.trailers = {"x-amz-checksum-crc32"};
  rules.length = 5;
  server::AwsChunkedDecoder decoder(std::move(rules));
  Decoded made;
  uint8_t target[7];
  while (!decoder.ended()) {
    const auto step = decoder.decode(framed.substr(0, piece), target);
    if (!step) return made;
    made.content.append(reinterpret_cast<const char*>(target), step->given);
    if (step->taken == 0 && step->given == 0) {
      if (piece >= framed.size()) return made;  // More is needed than there is.
      piece = framed.size();
    }
    framed.remove_prefix(step->taken);
  }
  made.whole = true;
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)http::percent_decode(text);
  (void)http::parse_query(text);
  (void)http::parse_endpoint(text);

  http::RequestHead head;
  head.method = "GET";
  head.path = "/";
  const size_t line = std::min(text.find('\n'), text.size());
  head.query = text.substr(0, line);
  head.headers = {{"Host", "h"},
                  {"X-Amz-Date", "20261128T072445Z"},
                  {"Authorization", std::string(text.substr(line))}};
  for (const bool is_s3 : {false, true})
    (void)http::read_signature(head, {.service = "s3", .is_s3 = is_s3, .now = Timestamp()});

  const Decoded at_once = decode(text, size), in_bytes = decode(text, 1);
  ASSERT(at_once.whole == in_bytes.whole);
  if (at_once.whole) ASSERT(at_once.content == in_bytes.content);
  return 0;
}
