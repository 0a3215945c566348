// Whose API a request is for, and whether its signature holds. Inner header of server.
#pragma once

#include "http/sigv4.h"
#include "server/head.h"
#include "server/server.h"

namespace laketap::wire {
struct Service;
}

namespace laketap::server {

// By contracts of the clients: target prefix, else the scope's service, else the host, else Action
// and Version (then the body must be read first: null with `needs_body`), else S3 by path.
struct Destination {
  const wire::Service* service = nullptr;
  bool needs_body = false;
};
Destination find_destination(const http::RequestHead& head, std::string_view form);

// The fault for a refused signature in the words of the API.
wire::Fault signature_fault(const wire::Service& service, const http::SignatureRefusal& refusal,
                            const http::RequestHead& head, Timestamp now);
wire::Fault unknown_key_fault(const wire::Service& service, const std::string& access_key_id);
wire::Fault mismatch_fault(const wire::Service& service, const http::Signature& signature,
                           const http::Comparison& made);

}  // namespace laketap::server
