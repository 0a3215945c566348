// Asking an Operations table as the server would, without a server: for tests of wire and of the
// doors.
#pragma once

#include <string>

#include "http/message.h"
#include "wire/wire.h"

namespace laketap::wire {

struct Asked {
  http::RequestHead head;
  std::string body;
  BodyReader* stream = nullptr;
};

// match() and run() on an event loop of its own. `matched` is the operation that was found, "" for
// none.
http::Response ask(const Operations& operations, std::string_view service, const Asked& asked,
                   std::string* matched = nullptr);

// A JSON call of `service` and `operation`.
http::Response ask_json(const Operations& operations, std::string_view service,
                        std::string_view operation, std::string body);

// A request that match() takes for this operation, with nothing in it but what that needs. Not for
// an operation that has an endpoint of its own (no method).
Asked request_for(const Service& service, const Operation& operation);

const std::string* header(const http::Response& response, std::string_view name);

}  // namespace laketap::wire
