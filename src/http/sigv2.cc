#include "http/sigv2.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "http/url.h"

namespace laketap::http {
namespace {

constexpr std::string_view kOwnPrefix = "x-amz-";
// The query's keys that belong to the resource, and so to the signature.
constexpr std::string_view kSubresources[] = {"accelerate",
                                              "acl",
                                              "cors",
                                              "defaultObjectAcl",
                                              "delete",
                                              "lifecycle",
                                              "location",
                                              "logging",
                                              "notification",
                                              "partNumber",
                                              "policy",
                                              "replication",
                                              "requestPayment",
                                              "response-cache-control",
                                              "response-content-disposition",
                                              "response-content-encoding",
                                              "response-content-language",
                                              "response-content-type",
                                              "response-expires",
                                              "restore",
                                              "tagging",
                                              "torrent",
                                              "uploadId",
                                              "uploads",
                                              "versionId",
                                              "versioning",
                                              "versions",
                                              "website"};

// Unsigned, and harmless: they choose what a list shows.
constexpr std::string_view kListKeys[] = {"continuation-token",
                                          "delimiter",
                                          "encoding-type",
                                          "fetch-owner",
                                          "key-marker",
                                          "list-type",
                                          "marker",
                                          "max-keys",
                                          "max-parts",
                                          "max-uploads",
                                          "part-number-marker",
                                          "prefix",
                                          "start-after",
                                          "upload-id-marker",
                                          "version-id-marker",
                                          "x-id"};

bool is_of_signature(std::string_view name) {
  return name == "AWSAccessKeyId" || name == "Signature" || name == "Expires" ||
         name == "content-type" || name == "content-md5" || name.starts_with(kOwnPrefix);
}

std::unexpected<SignatureRefusal> refuse(SignatureProblem problem, std::string message) {
  return std::unexpected(SignatureRefusal{problem, std::move(message), {}});
}

// name:value\n of every x-amz-* header, sorted, repeated ones joined.
std::string own_headers(const RequestHead& head) {
  std::map<std::string, std::string> joined;
  for (const Header& header : head.headers) {
    if (!same_name(std::string_view(header.name).substr(0, kOwnPrefix.size()), kOwnPrefix))
      continue;
    std::string name = header.name;
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    });
    const auto [at, is_new] = joined.emplace(std::move(name), header.value);
    if (!is_new) at->second += "," + header.value;
  }
  std::string out;
  for (const auto& [name, value] : joined) out += fmt::format("{}:{}\n", name, value);
  return out;
}

std::string resource(const RequestHead& head, std::string_view bucket) {
  std::string out = bucket.empty() ? head.path : fmt::format("/{}{}", bucket, head.path);
  if (out.size() > 1 && out.find('/', 1) == std::string::npos) out += '/';  // A bucket's own.
  std::vector<std::string> parts;
  std::string_view query = head.query;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = pair.find('=');
    const auto name = percent_decode(pair.substr(0, equals));
    if (!name || std::ranges::find(kSubresources, *name) == std::end(kSubresources)) continue;
    if (equals == std::string_view::npos) {
      parts.push_back(*name);
      continue;
    }
    std::string blanks(pair.substr(equals + 1));
    std::ranges::replace(blanks, '+', ' ');
    parts.push_back(*name + "=" + percent_decode(blanks).value_or(blanks));
  }
  std::ranges::sort(parts);
  if (!parts.empty()) out += fmt::format("?{}", fmt::join(parts, "&"));
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

}  // namespace

bool has_query_v2(const RequestHead& head) {
  const auto query = parse_query(head.query);
  return query && std::ranges::any_of(
                      *query, [](const auto& pair) { return pair.first == "AWSAccessKeyId"; });
}

std::expected<SignatureV2, SignatureRefusal> read_query_v2(const RequestHead& head, Timestamp now) {
  SignatureV2 made;
  const auto query = parse_query(head.query);
  for (const auto& [name, value] :
       query.value_or(std::vector<std::pair<std::string, std::string>>())) {
    if (name == "x-amz-security-token")
      return refuse(SignatureProblem::unsupported, "Session tokens are not supported.");
    std::string* target = name == "AWSAccessKeyId" ? &made.access_key_id
                          : name == "Signature"    ? &made.signature
                          : name == "Expires"      ? &made.expires
                                                   : nullptr;
    if (!target && !is_of_signature(name) &&
        std::ranges::find(kSubresources, name) == std::end(kSubresources) &&
        std::ranges::find(kListKeys, name) == std::end(kListKeys))
      return refuse(SignatureProblem::malformed,
                    "Query-string authentication version 2 does not cover " + name.substr(0, 60));
    if (!target) continue;
    if (!target->empty()) return refuse(SignatureProblem::malformed, name + " was given twice.");
    *target = value;
  }
  if (made.access_key_id.empty() || made.signature.empty() || made.expires.empty())
    return refuse(SignatureProblem::incomplete,
                  "Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
                  "parameters");
  if (head.find("authorization") || head.query.contains("X-Amz-"))
    return refuse(SignatureProblem::malformed, "Only one auth mechanism allowed");
  int64_t seconds = 0;
  const char* end = made.expires.data() + made.expires.size();
  if (made.expires.size() > 12 || std::from_chars(made.expires.data(), end, seconds).ptr != end ||
      seconds < 0)
    return refuse(SignatureProblem::malformed,
                  "Invalid date (should be seconds since epoch): " + made.expires.substr(0, 60));
  if (Timestamp(std::chrono::seconds(seconds)) < now)
    return refuse(SignatureProblem::expired, "Request has expired");
  return made;
}

Comparison check_query_v2(const RequestHead& head, const SignatureV2& signature,
                          std::string_view bucket, std::string_view secret) {
  Comparison made;
  made.string_to_sign = fmt::format("{}\n{}\n{}\n{}\n{}{}", head.method, head.value("content-md5"),
                                    head.value("content-type"), signature.expires,
                                    own_headers(head), resource(head, bucket));
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(made.string_to_sign.data()),
       made.string_to_sign.size(), hash, &size);
  made.equal =
      same_secret(base64({reinterpret_cast<const char*>(hash), size}), signature.signature);
  return made;
}

std::string without_v2(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto name = percent_decode(pair.substr(0, pair.find('=')));
    if (!name || is_of_signature(*name)) continue;
    if (!out.empty()) out += '&';
    out += pair;
  }
  return out;
}

}  // namespace laketap::http
