#include "server/gate.h"

#include <fmt/format.h>

#include "http/url.h"
#include "wire/shape.h"

namespace laketap::server {
namespace {

using http::SignatureProblem;

// BUCKET.localhost, BUCKET.s3.REGION.amazonaws.com, firehose.us-east-1.amazonaws.com: the first
// label that is a service.
const wire::Service* by_host(std::string_view host) {
  host = host.substr(0, host.rfind(':') == std::string_view::npos ? host.size() : host.rfind(':'));
  if (!host.ends_with(".amazonaws.com")) return nullptr;
  const std::string_view first = host.substr(0, host.find('.'));
  for (const wire::Service* service : wire::services())
    if (service->signing_name == first || service->name == first) return service;
  return host.contains(".s3.") || host.starts_with("s3.") || host.contains(".s3-")
             ? wire::find_service("s3")
             : nullptr;
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

}  // namespace

Destination find_destination(const http::RequestHead& head, std::string_view form) {
  if (const std::string* target = head.find("x-amz-target")) {
    const std::string_view prefix = std::string_view(*target).substr(0, target->find('.'));
    for (const wire::Service* service : wire::services())
      if (!service->target_prefix.empty() && service->target_prefix == prefix) return {service};
  }
  if (const std::string name = scope_service(head); !name.empty())
    for (const wire::Service* service : wire::services())
      if (service->signing_name == name) return {service};
  if (const wire::Service* service = by_host(head.value("host"))) return {service};
  if (head.path == "/" && head.method == "POST" && is_form(head)) {
    if (form.empty()) return {nullptr, true};
    if (const wire::Service* service = by_action(form)) return {service};
  }
  if (head.path == "/" && head.method == "GET")
    if (const wire::Service* service = by_action(head.query)) return {service};
  return {wire::find_service("s3")};
}

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
      case SignatureProblem::not_signed: return {"AccessDenied", 403, text, {}};
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

wire::Fault mismatch_fault(const wire::Service& service, const http::Signature& signature,
                           const http::Comparison& made) {
  wire::Fault fault = signature_fault(service, {SignatureProblem::mismatch, ""}, {}, {});
  if (service.protocol == wire::Protocol::rest_xml)
    fault.fields = {{"AWSAccessKeyId", signature.access_key_id},
                    {"StringToSign", made.string_to_sign},
                    {"SignatureProvided", signature.signature},
                    {"CanonicalRequest", made.canonical_request}};
  return fault;
}

}  // namespace laketap::server
