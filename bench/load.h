// A load generator for signed requests: signs bodies ahead and sends them round over many
// connections from one thread, so that it costs as little as a client can.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace laketap::bench {

struct Load {
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  size_t connections = 32;
  double seconds = 10;
  double rate =
      0;  // Requests a second, sent when due whatever the answers do; 0: as fast as they come.
  std::vector<std::string> requests;  // Whole requests, sent round.
  // Every n-th request gets one byte of its body flipped; 0: none. It must be refused.
  uint64_t flip_every = 0;
};

struct Report {
  uint64_t answered = 0;                      // 200, and no record refused.
  uint64_t refused = 0;                       // Anything else.
  uint64_t flipped = 0, flipped_refused = 0;  // Not in the two above.
  double seconds = 0;
  double cpu_seconds = 0;                // Of this process, meanwhile.
  std::vector<uint32_t> latency_micros;  // Of answered requests; with a rate, from when it was due.
  std::string first_refusal;             // Its first bytes, to know why.

  // 0..1; 0 without any.
  double latency_ms(double share);
};

Report run(const Load& load);

struct Signing {
  std::string host_header, access_key_id, secret, region = "us-east-1";
};
// PutRecordBatch of `records` records of `record_bytes` bytes (JSON lines), or PutRecord when
// `records` is 0. Each body has other content. Signed with the machine's time: good for 15 minutes.
std::vector<std::string> signed_puts(const Signing& signing, const std::string& stream,
                                     size_t count, size_t records, size_t record_bytes);

double cpu_seconds();

}  // namespace laketap::bench
