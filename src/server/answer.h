// The head of an answer: status line, dates, lengths, CORS. Inner header of server.
#pragma once

#include "base/time.h"
#include "http/message.h"
#include "io/random.h"

namespace laketap::server {

// `head`: of the request that is answered; null when there was none that could be read.
struct AnswerContext {
  const http::RequestHead* head = nullptr;
  Timestamp now;
  bool stays_open = false;
};
std::string render_head(const http::Response& response, const AnswerContext& context);
// Neither bytes nor a stream follow the head, whatever the response holds.
bool has_no_body(const http::Response& response, const http::RequestHead* head);

// OPTIONS of a browser. Answered without a signature: it says nothing but that we listen.
http::Response preflight(const http::RequestHead& head);
// For what no API can answer: not a request, or one too large. XML, as S3 would.
http::Response bad_request(int status, std::string_view message);

// Request ids are names for a log, no secrets: a counter mixed into a start value per thread.
std::string new_request_id(io::Random& random);

}  // namespace laketap::server
