// Percent coding and query strings (RFC 3986, and what SigV4 makes of it).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace laketap::http {

// Everything but A-Z a-z 0-9 - . _ ~ as %XX in upper case; '/' stays when `keep_slash`.
std::string percent_encode(std::string_view text, bool keep_slash = false);
// Absent when a '%' is not followed by two hexadecimal digits. '+' stays '+'.
std::optional<std::string> percent_decode(std::string_view text);

// The pairs of a raw query string, decoded; a key without '=' has an empty value. Absent as
// percent_decode.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

// http://HOST:PORT[/...] -> host and port; absent for anything else (https too).
struct Endpoint {
  std::string host, port;
};
std::optional<Endpoint> parse_endpoint(std::string_view url);

}  // namespace laketap::http
