#include "http/sigv4.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <map>

#include "base/bytes.h"
#include "http/canonical.h"
#include "http/url.h"

namespace laketap::http {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kOwnPrefix = "x-amz-";
constexpr size_t kSignedHeadersMax = 100;
constexpr size_t kKeysCachedMax = 256;

std::unexpected<SignatureRefusal> refuse(SignatureProblem problem, std::string message) {
  return std::unexpected(SignatureRefusal{problem, std::move(message), {}});
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

bool is_hex64(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// The day's signing key, cached: four HMACs a request otherwise. The cache's key holds the secret,
// so another secret is another entry.
Sha256 signing_key(std::string_view secret, std::string_view date, std::string_view region,
                   std::string_view service) {
  struct Entry {
    std::string name;
    Sha256 key;
  };
  thread_local std::list<Entry> cache;
  std::string name;
  name.reserve(secret.size() + date.size() + region.size() + service.size() + 3);
  for (const std::string_view part : {secret, date, region, service}) name.append(part) += '\n';
  for (auto at = cache.begin(); at != cache.end(); ++at)
    if (at->name == name) {
      cache.splice(cache.begin(), cache, at);
      return cache.front().key;
    }
  const Sha256 day = hmac_sha256(fmt::format("AWS4{}", secret), date);
  const Sha256 in_region = hmac_sha256(view_of(day), region);
  const Sha256 of_service = hmac_sha256(view_of(in_region), service);
  cache.push_front({std::move(name), hmac_sha256(view_of(of_service), "aws4_request")});
  if (cache.size() > kKeysCachedMax) cache.pop_back();
  return cache.front().key;
}

std::string string_to_sign(const Signature& signature, std::string_view canonical) {
  return fmt::format(FMT_COMPILE("{}\n{}\n{}/{}/{}/aws4_request\n{}"), kAlgorithm, signature.date,
                     signature.scope_date, signature.region, signature.service,
                     sha256_hex(canonical));
}

std::expected<bool, SignatureRefusal> read_credential(std::string_view credential,
                                                      Signature& made) {
  std::vector<std::string> parts;
  for (size_t from = 0; from <= credential.size();) {
    const size_t slash = std::min(credential.find('/', from), credential.size());
    parts.emplace_back(credential.substr(from, slash - from));
    from = slash + 1;
  }
  if (parts.size() != 5)
    return refuse(SignatureProblem::malformed,
                  fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                              "keyid/date/region/service/term, got '{}'",
                              credential.substr(0, 200)));
  if (parts[4] != "aws4_request")
    return refuse(SignatureProblem::wrong_scope,
                  "Credential should be scoped with a valid terminator: 'aws4_request', not '" +
                      parts[4].substr(0, 60) + "'.");
  made.access_key_id = parts[0];
  made.scope_date = parts[1];
  made.region = parts[2];
  made.service = parts[3];
  if (made.access_key_id.empty() || made.region.empty())
    return refuse(SignatureProblem::malformed, "Credential has an empty element");
  return true;
}

std::expected<bool, SignatureRefusal> read_signed_headers(std::string_view list, Signature& made) {
  for (size_t from = 0; from <= list.size();) {
    const size_t end = std::min(list.find(';', from), list.size());
    std::string name(list.substr(from, end - from));
    if (name.empty() || name != lower(name))
      return refuse(SignatureProblem::malformed, "SignedHeaders must be lower case and not empty.");
    if (!made.signed_headers.empty() && made.signed_headers.back() >= name)
      return refuse(SignatureProblem::malformed,
                    "SignedHeaders must be sorted and name each header once.");
    made.signed_headers.push_back(std::move(name));
    if (made.signed_headers.size() > kSignedHeadersMax)
      return refuse(SignatureProblem::malformed, "Too many signed headers.");
    from = end + 1;
  }
  return true;
}

// Every header that must be covered is, and every covered one was sent.
std::expected<bool, SignatureRefusal> check_coverage(const RequestHead& head,
                                                     const Signature& made) {
  // Few on both sides (kSignedHeadersMax, the server's bound on headers): comparing beats sorting.
  const auto covered = [&](std::string_view name) {
    return std::ranges::any_of(made.signed_headers,
                               [&](const std::string& one) { return same_name(one, name); });
  };
  if (!covered("host"))
    return refuse(SignatureProblem::not_signed,
                  "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  for (const std::string& name : made.signed_headers)
    if (!head.find(name))
      return refuse(SignatureProblem::not_signed,
                    fmt::format("The signed header '{}' was not sent.", name.substr(0, 100)));
  int dates = 0;
  for (const Header& header : head.headers) {
    if (!same_name(std::string_view(header.name).substr(0, kOwnPrefix.size()), kOwnPrefix))
      continue;
    dates += same_name(header.name, "x-amz-date") ? 1 : 0;
    if (covered(header.name)) continue;
    SignatureRefusal refusal{SignatureProblem::not_signed,
                             "There were headers present in the request which were not signed"};
    refusal.header = lower(header.name).substr(0, 100);
    return std::unexpected(std::move(refusal));
  }
  if (dates > 1) return refuse(SignatureProblem::malformed, "Two x-amz-date headers.");
  return true;
}

std::expected<bool, SignatureRefusal> check_scope(const Signature& made,
                                                  const SignatureRules& rules) {
  if (made.scope_date != made.date.substr(0, 8))
    return refuse(SignatureProblem::wrong_scope,
                  fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 "
                              "version of date from HTTP: '{}' != '{}', from '{}'.",
                              made.scope_date.substr(0, 20), made.date.substr(0, 8), made.date));
  if (!rules.service.empty() && made.service != rules.service)
    return refuse(
        SignatureProblem::wrong_scope,
        fmt::format("Credential should be scoped to correct service: '{}'.", rules.service));
  return true;
}

// "Name=value, Name=value": the value of one part of an Authorization header.
std::optional<std::string_view> part_of(std::string_view header, std::string_view name) {
  for (size_t from = 0; from < header.size();) {
    const size_t comma = std::min(header.find(',', from), header.size());
    std::string_view part = header.substr(from, comma - from);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (part.starts_with(name) && part.size() > name.size() && part[name.size()] == '=')
      return part.substr(name.size() + 1);
    from = comma + 1;
  }
  return std::nullopt;
}

std::expected<Signature, SignatureRefusal> read_header_form(const RequestHead& head,
                                                            const std::string& authorization,
                                                            const SignatureRules& rules) {
  if (!authorization.starts_with(std::string(kAlgorithm) + " "))
    return refuse(authorization.starts_with("AWS ") ? SignatureProblem::unsupported
                                                    : SignatureProblem::malformed,
                  "The authorization mechanism you have provided is not supported. Please use "
                  "AWS4-HMAC-SHA256.");
  const std::string_view parts = std::string_view(authorization).substr(kAlgorithm.size() + 1);
  const auto credential = part_of(parts, "Credential");
  const auto headers = part_of(parts, "SignedHeaders");
  const auto signature = part_of(parts, "Signature");
  std::string missing;
  if (!credential) missing += "Authorization header requires 'Credential' parameter. ";
  if (!signature) missing += "Authorization header requires 'Signature' parameter. ";
  if (!headers) missing += "Authorization header requires 'SignedHeaders' parameter. ";
  const std::string* date = head.find("x-amz-date");
  std::string from_http_date;
  if (!date) {
    if (const std::string* plain = head.find("date")) {
      if (parse_amz_date(*plain)) {
        from_http_date = *plain;
      } else if (const auto at = parse_http_date(*plain)) {
        from_http_date = amz_date(*at);
      }
    }
    if (from_http_date.empty())
      missing +=
          "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (!missing.empty())
    return refuse(SignatureProblem::incomplete,
                  missing + "Authorization=" + authorization.substr(0, 300));

  Signature made;
  if (const auto read = read_credential(*credential, made); !read)
    return std::unexpected(read.error());
  if (const auto read = read_signed_headers(*headers, made); !read)
    return std::unexpected(read.error());
  made.signature = *signature;
  made.date = date ? *date : from_http_date;
  made.session_token = head.value("x-amz-security-token");
  made.content_sha256 = head.value("x-amz-content-sha256");
  const std::optional<Timestamp> at = parse_amz_date(made.date);
  if (!at)
    return refuse(SignatureProblem::incomplete, "Date must be in ISO-8601 'basic format'. Got '" +
                                                    made.date.substr(0, 60) + "'.");
  made.at = *at;
  if (const auto held = check_scope(made, rules); !held) return std::unexpected(held.error());
  if (const auto held = check_coverage(head, made); !held) return std::unexpected(held.error());
  if (!is_hex64(made.signature)) return refuse(SignatureProblem::mismatch, "");
  if (made.at > rules.now + kSkewMax)
    return refuse(SignatureProblem::skewed,
                  fmt::format("Signature not yet current: {} is still later than {} ({} + 15 min.)",
                              made.date, amz_date(rules.now + kSkewMax), amz_date(rules.now)));
  if (made.at < rules.now - kSkewMax)
    return refuse(SignatureProblem::skewed,
                  fmt::format("Signature expired: {} is now earlier than {} ({} - 15 min.)",
                              made.date, amz_date(rules.now - kSkewMax), amz_date(rules.now)));
  return made;
}

std::expected<Signature, SignatureRefusal> read_presigned_form(
    const RequestHead& head, const std::vector<std::pair<std::string, std::string>>& query,
    const SignatureRules& rules) {
  std::map<std::string, std::string> parts;
  for (const auto& [name, value] : query) {
    if (!name.starts_with("X-Amz-")) continue;
    if (!parts.emplace(name, value).second)
      return refuse(SignatureProblem::malformed, name + " was given twice.");
  }
  for (const char* name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
                           "X-Amz-SignedHeaders", "X-Amz-Signature"})
    if (!parts.contains(name))
      return refuse(
          SignatureProblem::incomplete,
          "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
          "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
  if (parts["X-Amz-Algorithm"] != kAlgorithm)
    return refuse(SignatureProblem::malformed,
                  "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  const std::string& expires = parts["X-Amz-Expires"];
  if (expires.empty() || expires.size() > 7 ||
      !std::ranges::all_of(expires, [](char c) { return c >= '0' && c <= '9'; }))
    return refuse(SignatureProblem::malformed, expires.starts_with('-')
                                                   ? "X-Amz-Expires must be non-negative"
                                                   : "X-Amz-Expires should be a number");
  const int seconds = std::stoi(expires);
  if (seconds < 1 || seconds > 604'800)
    return refuse(SignatureProblem::malformed,
                  "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                  "X-Amz-Expires must be less than 604800 seconds");

  Signature made;
  made.presigned = true;
  if (const auto read = read_credential(parts["X-Amz-Credential"], made); !read)
    return std::unexpected(read.error());
  if (const auto read = read_signed_headers(parts["X-Amz-SignedHeaders"], made); !read)
    return std::unexpected(read.error());
  made.signature = parts["X-Amz-Signature"];
  made.date = parts["X-Amz-Date"];
  made.session_token = parts["X-Amz-Security-Token"];
  made.content_sha256 = kUnsignedPayload;
  if (const std::string* hash = head.find("x-amz-content-sha256"))
    made.content_sha256 = *hash;
  else if (parts.contains("X-Amz-Content-Sha256"))
    made.content_sha256 = parts["X-Amz-Content-Sha256"];
  if (made.content_sha256.starts_with("STREAMING-"))
    return refuse(SignatureProblem::malformed,
                  "X-Amz-Content-Sha256 of a presigned URL cannot be a streaming one");
  const std::optional<Timestamp> at = parse_amz_date(made.date);
  if (!at)
    return refuse(SignatureProblem::malformed,
                  "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  made.at = *at;
  if (const auto held = check_scope(made, rules); !held) return std::unexpected(held.error());
  if (const auto held = check_coverage(head, made); !held) return std::unexpected(held.error());
  if (!is_hex64(made.signature)) return refuse(SignatureProblem::mismatch, "");
  if (made.at > rules.now + kSkewMax)
    return refuse(SignatureProblem::expired, "Request is not yet valid");
  if (made.at + std::chrono::seconds(seconds) < rules.now)
    return refuse(SignatureProblem::expired, "Request has expired");
  return made;
}

}  // namespace

std::expected<Signature, SignatureRefusal> read_signature(const RequestHead& head,
                                                          const SignatureRules& rules) {
  const std::string* authorization = head.find("authorization");
  const auto query = parse_query(head.query);
  const bool in_query = query && std::ranges::any_of(*query, [](const auto& pair) {
                          return pair.first == "X-Amz-Signature" ||
                                 pair.first == "X-Amz-Algorithm" ||
                                 pair.first == "X-Amz-Credential";
                        });
  const bool old_form = query && std::ranges::any_of(*query, [](const auto& pair) {
                          return pair.first == "AWSAccessKeyId";
                        });
  if (authorization && (in_query || old_form))
    return refuse(
        SignatureProblem::malformed,
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
        "query string parameter or the Authorization header should be specified");
  if (old_form)
    return refuse(SignatureProblem::unsupported,
                  "The authorization mechanism you have provided is not supported. Please use "
                  "AWS4-HMAC-SHA256.");
  if (in_query) return read_presigned_form(head, *query, rules);
  if (!authorization) return refuse(SignatureProblem::missing, "");
  if (std::ranges::count_if(head.headers, [](const Header& header) {
        return same_name(header.name, "authorization");
      }) > 1)
    return refuse(SignatureProblem::malformed, "Two Authorization headers.");
  return read_header_form(head, *authorization, rules);
}

Comparison check_signature(const RequestHead& head, const Signature& signature,
                           const SignatureRules& rules, std::string_view secret,
                           std::string_view payload_hash) {
  Comparison made;
  made.canonical_request = canonical_request(head, signature, rules.is_s3, payload_hash);
  made.string_to_sign = string_to_sign(signature, made.canonical_request);
  const Sha256 key = signing_key(secret, signature.scope_date, signature.region, signature.service);
  made.equal =
      same_secret(to_hex(hmac_sha256(view_of(key), made.string_to_sign)), signature.signature);
  return made;
}

SignatureChain::SignatureChain(const Signature& head, std::string_view secret)
    : key_(signing_key(secret, head.scope_date, head.region, head.service)),
      date_(head.date),
      scope_(fmt::format("{}/{}/{}/aws4_request", head.scope_date, head.region, head.service)),
      previous_(head.signature) {}

std::string SignatureChain::sign(std::string_view algorithm, std::string_view middle,
                                 const Sha256& hash) const {
  return to_hex(hmac_sha256(view_of(key_), fmt::format("{}\n{}\n{}\n{}\n{}{}", algorithm, date_,
                                                       scope_, previous_, middle, to_hex(hash))));
}

std::string SignatureChain::next(const Sha256& chunk_hash) {
  static const std::string kOfNothing = sha256_hex("") + "\n";
  return previous_ = sign("AWS4-HMAC-SHA256-PAYLOAD", kOfNothing, chunk_hash);
}

std::string SignatureChain::next_as_trailer(std::string_view trailer) {
  return previous_ = sign("AWS4-HMAC-SHA256-TRAILER", "", sha256(trailer));
}

bool SignatureChain::follows(const Sha256& chunk_hash, std::string_view signature) {
  return same_secret(next(chunk_hash), signature);
}

bool SignatureChain::follows_as_trailer(std::string_view trailer, std::string_view signature) {
  return same_secret(next_as_trailer(trailer), signature);
}

void sign(RequestHead& head, const Credential& credential, std::string_view region,
          std::string_view service, std::string_view payload_hash, Timestamp now) {
  std::erase_if(head.headers, [](const Header& header) {
    return same_name(header.name, "authorization") || same_name(header.name, "x-amz-date") ||
           same_name(header.name, "x-amz-content-sha256");
  });
  Signature made;
  made.date = amz_date(now);
  made.scope_date = made.date.substr(0, 8);
  made.region = region;
  made.service = service;
  head.headers.push_back({"X-Amz-Date", made.date});
  if (service == "s3") head.headers.push_back({"x-amz-content-sha256", std::string(payload_hash)});
  for (const Header& header : head.headers) {
    const std::string name = lower(header.name);
    if (name == "host" || name == "content-type" || name.starts_with("x-amz-"))
      made.signed_headers.push_back(name);
  }
  std::ranges::sort(made.signed_headers);
  const auto doubled = std::ranges::unique(made.signed_headers);
  made.signed_headers.erase(doubled.begin(), doubled.end());
  const std::string text =
      string_to_sign(made, canonical_request(head, made, service == "s3", payload_hash));
  const Sha256 key = signing_key(credential.secret, made.scope_date, region, service);
  head.headers.push_back(
      {"Authorization",
       fmt::format("{} Credential={}/{}/{}/{}/aws4_request, SignedHeaders={}, Signature={}",
                   kAlgorithm, credential.access_key_id, made.scope_date, region, service,
                   fmt::join(made.signed_headers, ";"), to_hex(hmac_sha256(view_of(key), text)))});
}

}  // namespace laketap::http
