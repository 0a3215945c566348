#include "server/gate.h"

#include <fmt/format.h>

#include "http/url.h"

namespace laketap::server {
namespace {

using http::SignatureProblem;

constexpr std::string_view kAmazon = ".amazonaws.com";

// APIs of AWS's that we do not have: refused and answered in the protocol that the client speaks.
constexpr wire::Service kForeignJson{
    .name = "foreign",
    .protocol = wire::Protocol::json,
    .json_version = "1.1",
    .error_header = true,
    .message = "message",
};
constexpr wire::Service kForeignQuery{.name = "foreign", .protocol = wire::Protocol::query};

std::string_view without_port(std::string_view host) {
  return host.ends_with(']') ? host : host.substr(0, host.rfind(':'));
}

// firehose.us-east-1.amazonaws.com, bucket.s3.eu-west-1.amazonaws.com.
const wire::Service* by_host(std::string_view host) {
  host = without_port(host);
  if (!host.ends_with(kAmazon)) return nullptr;
  const std::string_view first = host.substr(0, host.find('.'));
  for (const wire::Service* service : wire::services())
    if (service->signing_name == first || service->name == first) return service;
  return nullptr;
}

// The service of the credential scope, without checking anything.
std::string scope_service(const http::RequestHead& head) {
  std::string credential;
  const std::string_view authorization = head.value("authorization");
  if (const size_t at = authorization.find("Credential="); at != std::string_view::npos) {
    credential =
        authorization.substr(at + 11, authorization.find_first_of(", ", at + 11) - at - 11);
  } else if (const auto query = http::parse_query(head.query)) {
    for (const auto& [name, value] : *query)
      if (name == "X-Amz-Credential") credential = value;
  }
  int slashes = 0;
  size_t from = 0;
  for (size_t i = 0; i < credential.size(); ++i) {
    if (credential[i] != '/') continue;
    if (++slashes == 3) from = i + 1;
    if (slashes == 4) return credential.substr(from, i - from);
  }
  return {};
}

const wire::Service* by_action(std::string_view form) {
  const auto pairs = http::parse_query(form);
  if (!pairs) return nullptr;
  std::string action, version;
  for (const auto& [name, value] : *pairs) {
    if (name == "Action") action = value;
    if (name == "Version") version = value;
  }
  if (action.empty()) return nullptr;
  for (const wire::Service* service : wire::services())
    if (service->protocol == wire::Protocol::query && service->version == version) return service;
  return nullptr;
}

bool is_form(const http::RequestHead& head) {
  return head.value("content-type").starts_with("application/x-www-form-urlencoded");
}

// The fault for a refused signature in the words of the API.
wire::Fault signature_fault(const wire::Service& service, const http::SignatureRefusal& refusal,
                            const http::RequestHead& head, Timestamp now) {
  const std::string& text = refusal.message;
  if (service.protocol == wire::Protocol::rest_xml) {
    switch (refusal.problem) {
      case SignatureProblem::missing: return {"AccessDenied", 403, "Access Denied", {}};
      case SignatureProblem::incomplete:
        return {"AccessDenied",
                403,
                text.starts_with("Query")
                    ? text
                    : "AWS authentication requires a valid Date or x-amz-date header",
                {}};
      case SignatureProblem::malformed:
        return {text.starts_with("X-Amz") || text.starts_with("Query")
                    ? "AuthorizationQueryParametersError"
                    : "AuthorizationHeaderMalformed",
                400,
                text,
                {}};
      case SignatureProblem::wrong_scope: return {"SignatureDoesNotMatch", 403, text, {}};
      case SignatureProblem::not_signed:
        if (refusal.header.empty()) return {"AccessDenied", 403, text, {}};
        return {"AccessDenied", 403, text, {{"HeadersNotSigned", refusal.header}}};
      case SignatureProblem::skewed:
        return {"RequestTimeTooSkewed",
                403,
                "The difference between the request time and the current time is too large.",
                {{"RequestTime", std::string(head.value("x-amz-date"))},
                 {"ServerTime", iso8601(now)},
                 {"MaxAllowedSkewMilliseconds", "900000"}}};
      case SignatureProblem::expired: return {"AccessDenied", 403, text, {}};
      case SignatureProblem::unsupported: return {"InvalidRequest", 400, text, {}};
      case SignatureProblem::mismatch: break;
    }
    return {"SignatureDoesNotMatch",
            403,
            "The request signature we calculated does not match the signature you provided. Check "
            "your key and signing method.",
            {}};
  }
  const bool json = service.protocol == wire::Protocol::json;
  switch (refusal.problem) {
    case SignatureProblem::missing:
      return json ? wire::Fault{"MissingAuthenticationTokenException",
                                400,
                                "Missing Authentication Token",
                                {}}
                  : wire::Fault{"MissingAuthenticationToken",
                                403,
                                "Request is missing Authentication Token",
                                {}};
    case SignatureProblem::incomplete:
    case SignatureProblem::malformed:
    case SignatureProblem::unsupported:
      return {json ? "IncompleteSignatureException" : "IncompleteSignature", 400, text, {}};
    case SignatureProblem::wrong_scope:
    case SignatureProblem::not_signed:
    case SignatureProblem::skewed:
    case SignatureProblem::expired:
      return {
          json ? "InvalidSignatureException" : "SignatureDoesNotMatch", json ? 400 : 403, text, {}};
    case SignatureProblem::mismatch: break;
  }
  return {
      json ? "InvalidSignatureException" : "SignatureDoesNotMatch",
      json ? 400 : 403,
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key and signing method. Consult the service documentation for details.",
      {}};
}

wire::Fault unknown_key_fault(const wire::Service& service, const std::string& access_key_id) {
  switch (service.protocol) {
    case wire::Protocol::rest_xml:
      return {"InvalidAccessKeyId",
              403,
              "The AWS Access Key Id you provided does not exist in our records.",
              {{"AWSAccessKeyId", access_key_id}}};
    case wire::Protocol::json:
      return {"UnrecognizedClientException",
              400,
              "The security token included in the request is invalid.",
              {}};
    case wire::Protocol::query: break;
  }
  return {
      "InvalidClientTokenId", 403, "The security token included in the request is invalid.", {}};
}

std::string spaced_hex(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += fmt::format("{}{:02x}", out.empty() ? "" : " ", static_cast<unsigned char>(c));
  return out;
}

wire::Fault mismatch_fault(const wire::Service& service, const http::Signature& signature,
                           const http::Comparison& made) {
  wire::Fault fault = signature_fault(service, {SignatureProblem::mismatch, ""}, {}, {});
  if (service.protocol == wire::Protocol::rest_xml)
    fault.fields = {{"AWSAccessKeyId", signature.access_key_id},
                    {"StringToSign", made.string_to_sign},
                    {"StringToSignBytes", spaced_hex(made.string_to_sign)},
                    {"SignatureProvided", signature.signature},
                    {"CanonicalRequest", made.canonical_request}};
  return fault;
}

// Of an S3 request: what its x-amz-content-sha256 says of the body.
std::expected<BodyForm, wire::Fault> read_body_form(const std::string& declared) {
  if (declared.empty())
    return wire::refuse("InvalidRequest", 400,
                        "Missing required header for this request: x-amz-content-sha256");
  if (declared == http::kUnsignedPayload) return BodyForm::unsigned_payload;
  if (declared.size() == 64 && declared.find_first_not_of("0123456789abcdef") == std::string::npos)
    return BodyForm::hashed_by_header;
  if (declared.starts_with("STREAMING-")) return BodyForm::chunks;
  return wire::refuse(
      "InvalidArgument", 400,
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid "
      "sha256 value.",
      {{"ArgumentName", "x-amz-content-sha256"}, {"ArgumentValue", declared.substr(0, 100)}});
}

}  // namespace

const wire::Service& find_service(const http::RequestHead& head) {
  const bool form = is_form(head);
  if (const std::string* target = head.find("x-amz-target")) {
    const std::string_view prefix = std::string_view(*target).substr(0, target->find('.'));
    for (const wire::Service* service : wire::services())
      if (!service->target_prefix.empty() && service->target_prefix == prefix) return *service;
    return kForeignJson;
  }
  if (const std::string name = scope_service(head); !name.empty()) {
    for (const wire::Service* service : wire::services())
      if (service->signing_name == name) return *service;
    return form ? kForeignQuery : kForeignJson;
  }
  if (const wire::Service* service = by_host(head.value("host"))) return *service;
  if (head.path == "/" && head.method == "POST" && form) return kForeignQuery;
  if (head.path == "/" && head.method == "GET")
    if (const wire::Service* service = by_action(head.query)) return *service;
  return *wire::find_service("s3");
}

bool is_foreign(const wire::Service& service) {
  return &service == &kForeignJson || &service == &kForeignQuery;
}

const wire::Service& page_service() {
  return kForeignQuery;
}

wire::Fault foreign_fault(const http::RequestHead& head) {
  const std::string_view target = head.value("x-amz-target");
  const std::string name = target.empty() ? scope_service(head) : std::string(target);
  return {"NotImplemented", 501, name.substr(0, 100) + " is not implemented here", {}};
}

std::optional<std::string> bucket_of_host(std::string_view host,
                                          const std::vector<std::string>& bucket_hosts) {
  host = without_port(host);
  for (const std::string& base : bucket_hosts) {
    if (host.size() <= base.size() + 1 || !host.ends_with(base)) continue;
    const std::string_view before = host.substr(0, host.size() - base.size());
    if (before.ends_with('.')) return std::string(before.substr(0, before.size() - 1));
  }
  if (!host.ends_with(kAmazon)) return std::nullopt;
  for (const std::string_view mark : {".s3.", ".s3-"})  // The last: a bucket may be named a.s3.b.
    if (const size_t at = host.rfind(mark); at != std::string_view::npos && at > 0)
      return std::string(host.substr(0, at));
  return std::nullopt;
}

namespace {

// A URL presigned by Signature Version 2: S3 only.
std::expected<Admitted, wire::Fault> admit_v2(const Options& options, const wire::Service& service,
                                              const http::RequestHead& head, Timestamp now) {
  const auto signature = http::read_query_v2(head, now);
  if (!signature) return std::unexpected(signature_fault(service, signature.error(), head, now));
  Admitted made;
  made.form = BodyForm::unsigned_payload;
  made.version_2 = true;
  made.signature.access_key_id = signature->access_key_id;
  made.signature.signature = signature->signature;
  made.signature.region = options.default_region;
  const auto principal = options.find_principal(signature->access_key_id);
  const std::string bucket =
      bucket_of_host(head.value("host"), options.bucket_hosts).value_or(std::string());
  const http::Comparison compared = http::check_query_v2(
      head, *signature, bucket, principal ? principal->secret : "an unknown key's secret");
  if (!principal) return std::unexpected(unknown_key_fault(service, signature->access_key_id));
  if (!compared.equal) return std::unexpected(mismatch_fault(service, made.signature, compared));
  // Chunks would be stored as they are framed.
  if (head.value("x-amz-content-sha256").starts_with("STREAMING-"))
    return wire::refuse("InvalidRequest", 400, "A presigned URL takes no chunked payload");
  made.principal = *principal;
  return made;
}

}  // namespace

std::expected<Admitted, wire::Fault> admit(const Options& options, const wire::Service& service,
                                           const http::RequestHead& head, Timestamp now) {
  const bool is_s3 = service.protocol == wire::Protocol::rest_xml;
  if (is_s3 && http::has_query_v2(head)) return admit_v2(options, service, head, now);
  Admitted made;
  made.rules = {.service = service.signing_name, .is_s3 = is_s3, .now = now};
  auto signature = http::read_signature(head, made.rules);
  if (!signature) return std::unexpected(signature_fault(service, signature.error(), head, now));
  made.signature = std::move(*signature);
  auto principal = options.find_principal(made.signature.access_key_id);
  if (!principal || !made.signature.session_token.empty()) {
    // The same work as for a known key, so that the time tells nothing.
    (void)http::check_signature(head, made.signature, made.rules, "an unknown key's secret",
                                made.signature.content_sha256);
    return std::unexpected(unknown_key_fault(service, made.signature.access_key_id));
  }
  made.principal = std::move(*principal);
  if (!is_s3) return made;

  const auto form = read_body_form(made.signature.content_sha256);
  if (!form) return std::unexpected(form.error());
  made.form = *form;
  const http::Comparison compared = http::check_signature(
      head, made.signature, made.rules, made.principal.secret, made.signature.content_sha256);
  if (!compared.equal) return std::unexpected(mismatch_fault(service, made.signature, compared));
  return made;
}

std::optional<wire::Fault> check_body(const wire::Service& service, const http::RequestHead& head,
                                      const Admitted& admitted, const std::string& hash) {
  const std::string& declared = admitted.signature.content_sha256;
  switch (admitted.form) {
    case BodyForm::unsigned_payload:
    case BodyForm::chunks: return std::nullopt;
    case BodyForm::hashed_by_header:
      if (hash == declared) return std::nullopt;
      return wire::Fault{
          "XAmzContentSHA256Mismatch",
          400,
          "The provided 'x-amz-content-sha256' header does not match what was computed.",
          {{"ClientComputedContentSHA256", declared}, {"S3ComputedContentSHA256", hash}}};
    case BodyForm::hashed_by_signature: break;
  }
  const http::Comparison compared = http::check_signature(head, admitted.signature, admitted.rules,
                                                          admitted.principal.secret, hash);
  if (compared.equal) return std::nullopt;
  return mismatch_fault(service, admitted.signature, compared);
}

wire::Fault too_large_fault(const wire::Service& service, uint64_t bytes_max) {
  switch (service.protocol) {
    case wire::Protocol::json:
      return {"RequestEntityTooLargeException",
              413,
              fmt::format("The request body is longer than {} bytes", bytes_max),
              {}};
    case wire::Protocol::query:
      return {"RequestEntityTooLarge",
              413,
              fmt::format("The request body is longer than {} bytes", bytes_max),
              {}};
    case wire::Protocol::rest_xml: break;
  }
  return {"MaxMessageLengthExceeded",
          400,
          "Your request was too big.",
          {{"MaxMessageLengthBytes", std::to_string(bytes_max)}}};
}

wire::Fault busy_fault(const wire::Service& service) {
  if (service.protocol == wire::Protocol::rest_xml)
    return {"SlowDown", 503, "Please reduce your request rate.", {}};
  return {service.protocol == wire::Protocol::json ? "ServiceUnavailableException"
                                                   : "ServiceUnavailable",
          503,
          "Too many request bodies are held. Try again.",
          {}};
}

}  // namespace laketap::server
