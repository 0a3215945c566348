// generator sends rendered records to a delivery stream at a rate, and reports what became of them.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "generator/template.h"
#include "http/sigv4.h"
#include "http/url.h"

namespace laketap::generator {

struct Options {
  http::Endpoint endpoint;
  http::Credential credential;
  std::string region = "us-east-1";
  std::string stream;
  double rate = 100;       // Records a second over all connections; 0: as fast as possible.
  uint64_t count = 0;      // Records in all; 0: until stopped.
  size_t connections = 1;  // Each a thread and a socket.
  size_t batch = 500;      // 1 sends PutRecord, more PutRecordBatch.
  size_t replay =
      0;  // So many requests are made and signed ahead and sent round: 0 makes each anew.
  uint64_t seed = 1;
};

struct Report {
  uint64_t records = 0;  // Acknowledged.
  uint64_t bytes = 0;    // Of them, before base64.
  uint64_t failed = 0;   // Refused for good, or never answered.
  double seconds = 0;
  double p50_ms = 0, p99_ms = 0,
         max_ms = 0;          // Of a call, from the first byte sent to the whole answer.
  std::string first_problem;  // What the first failure said.
};

// Runs until `count` is reached or `stop` is asked. A call that is refused for lack of room (503,
// "Slow down.") or that meets no server is tried again, kTriesMax times with a growing pause; what
// an answer calls failed counts as failed. Errors: as Template::render; unavailable - no server
// from the very first call.
inline constexpr int kTriesMax = 8;
Result<Report> run(const Options& options, const Template& made, std::stop_token stop);

}  // namespace laketap::generator
