// Whose API a request is for, and whether its signature holds: all that a head decides, without
// waiting. Inner header of server.
#pragma once

#include "http/sigv2.h"
#include "http/sigv4.h"
#include "server/head.h"
#include "server/server.h"
#include "wire/shape.h"

namespace laketap::server {

// By contracts of the clients: target prefix, else the scope's service, else the host, else Action
// and Version, else S3 by path. Of an API that we do not have: one of foreign_service()'s.
const wire::Service& find_service(const http::RequestHead& head);
// True: no API of ours. It has a protocol to answer in, no signing name and no operations.
bool is_foreign(const wire::Service& service);
// What our own pages under /_... are refused with: JSON, signed for whatever service.
const wire::Service& page_service();
wire::Fault foreign_fault(const http::RequestHead& head);

// The bucket that a Host names (bucket.localhost, bucket.s3.eu-west-1.amazonaws.com).
std::optional<std::string> bucket_of_host(std::string_view host,
                                          const std::vector<std::string>& bucket_hosts);

// How the body that follows a head is vouched for.
enum class BodyForm {
  hashed_by_signature,  // The signature covers its hash: held only when the body was read.
  hashed_by_header,     // S3: the header names the hash, and the signature covers the header.
  unsigned_payload,     // S3: UNSIGNED-PAYLOAD.
  chunks,               // S3: aws-chunked, see aws_chunked.h.
};

struct Admitted {
  http::Signature signature;
  http::SignatureRules rules;
  Principal principal;
  BodyForm form = BodyForm::hashed_by_signature;
  bool version_2 = false;  // A presigned URL of the old kind: of the signature only key and region.
};

// Everything that can be refused before a body is read. For S3 that is the signature itself.
std::expected<Admitted, wire::Fault> admit(const Options& options, const wire::Service& service,
                                           const http::RequestHead& head, Timestamp now);
// The rest, once the whole body's hash is known. Nothing: it holds.
std::optional<wire::Fault> check_body(const wire::Service& service, const http::RequestHead& head,
                                      const Admitted& admitted, const std::string& hash);

wire::Fault too_large_fault(const wire::Service& service, uint64_t bytes_max);
wire::Fault busy_fault(const wire::Service& service);

}  // namespace laketap::server
