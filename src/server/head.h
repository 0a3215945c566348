// One request's head: llhttp in its strict mode, and rules of our own on top. Inner header of
// server.
#pragma once

#include <expected>

#include "http/message.h"

namespace laketap::server {

// Why a request is not read any further; the connection is closed after the answer.
struct BadRequest {
  int status;
  std::string message;
};

struct ParsedHead {
  http::RequestHead head;
  bool chunked = false;
  std::optional<uint64_t> content_length;
  bool keep_alive = true;
  bool expects_continue = false;
};

// How far `bytes` go towards a whole head: the size of the head with its empty line, or 0 for "read
// on". Refuses what can never become one: bare line ends, too many bytes.
std::expected<size_t, BadRequest> head_size(std::string_view bytes);

// `bytes` is exactly one head. Refuses every form that two parsers may read in two ways: two
// lengths, a length and chunks, codings but `chunked`, folded lines, two hosts, ... (docs: attack
// cases 30 to 39 in tests/attacks).
std::expected<ParsedHead, BadRequest> parse_head(std::string_view bytes);

}  // namespace laketap::server
