// Puts to a running Laketap, as fast as it answers or at a rate.
//
//     load_bench --port 4566 --stream s --records 500 --connections 32 --seconds 60
//     load_bench --port 4566 --stream s --records 0 --connections 64      single records
//
// Prints one JSON line. The key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "load.h"

int main(int count, char** arguments) {
  using namespace laketap::bench;
  CLI::App app("puts to a running Laketap");
  Load load;
  std::string stream = "bench";
  size_t records = 500, record_bytes = 250, bodies = 64;
  app.add_option("--host", load.host);
  app.add_option("--port", load.port)->required();
  app.add_option("--stream", stream);
  app.add_option("--records", records, "0: PutRecord");
  app.add_option("--record-bytes", record_bytes);
  app.add_option("--bodies", bodies, "signed ahead and sent round");
  app.add_option("--connections", load.connections);
  app.add_option("--seconds", load.seconds);
  app.add_option("--rate", load.rate, "requests a second; 0: as fast as possible");
  app.add_option("--flip-every", load.flip_every, "one byte of every n-th body is flipped");
  CLI11_PARSE(app, count, arguments);

  const char* const key = std::getenv("AWS_ACCESS_KEY_ID");
  const char* const secret = std::getenv("AWS_SECRET_ACCESS_KEY");
  if (!key || !secret)
    return fmt::print(stderr, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set\n"), 2;
  const Signing signing{fmt::format("{}:{}", load.host, load.port), key, secret};
  load.requests = signed_puts(signing, stream, bodies, records, record_bytes);
  Report report = run(load);

  const double requests_per_second = static_cast<double>(report.answered) / report.seconds;
  const double per_request = static_cast<double>(records ? records : 1);
  fmt::print(
      R"({{"requests":{},"refused":{},"flipped":{},"flipped_refused":{},"seconds":{:.3f},"requests_per_second":{:.1f},)"
      R"("records_per_second":{:.0f},"p50_ms":{:.3f},"p99_ms":{:.3f},"max_ms":{:.3f},"generator_cpu_micros":{:.2f}}})"
      "\n",
      report.answered, report.refused, report.flipped, report.flipped_refused, report.seconds,
      requests_per_second, requests_per_second * per_request, report.latency_ms(0.5),
      report.latency_ms(0.99), report.latency_ms(1),
      report.cpu_seconds * 1e6 / static_cast<double>(std::max<uint64_t>(report.answered, 1)));
  if (report.refused) fmt::print(stderr, "first refusal: {}\n", report.first_refusal);
  return report.refused || report.flipped != report.flipped_refused;
}
