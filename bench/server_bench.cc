// What the server's own part of a request costs: CPU time per request without what a handler does.
// The handlers answer at once; clients replay requests that were signed ahead.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>

#include "server/testing.h"

namespace laketap {
namespace {

using namespace server;
using server::testing::RawClient;
using server::testing::Request;

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Task<wire::Answer<wire::firehose::PutRecordBatchOutput>> put_batch(
    wire::firehose::PutRecordBatchInput input) {
  wire::firehose::PutRecordBatchOutput output;
  output.failed_put_count = input.records.empty() ? 1 : 0;
  co_return output;
}
Task<wire::Answer<wire::s3::HeadBucketOutput>> head_bucket() {
  co_return wire::s3::HeadBucketOutput{};
}

struct Measured {
  double requests_per_second, server_us, client_us;
};

// `clients` connections, each waits for its answer before it sends again.
Measured measure(uint16_t port, const std::string& bytes, size_t clients, double seconds,
                 bool to_head) {
  std::atomic<uint64_t> requests = 0;
  std::atomic<double> client_seconds = 0;
  const double begin_cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::duration<double>(seconds);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < clients; ++i)
      threads.emplace_back([&] {
        RawClient client(port);
        uint64_t done = 0;
        while (std::chrono::steady_clock::now() < end) {
          (void)client.send(bytes);
          if (client.read(std::chrono::seconds(10), to_head).status != 200) std::abort();
          ++done;
        }
        requests += done;
        client_seconds += seconds_of(CLOCK_THREAD_CPUTIME_ID);
      });
  }
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - begin_cpu;
  const auto count = static_cast<double>(requests);
  return {count / wall, (cpu - client_seconds) / count * 1e6, client_seconds / count * 1e6};
}

Request batch_of(size_t records) {
  std::string body = R"({"DeliveryStreamName":"s","Records":[)";
  for (size_t i = 0; i < records; ++i)
    body += fmt::format(R"({}{{"Data":"{}"}})", i ? "," : "", std::string(334, 'A') + "==");
  return server::testing::json_request("Firehose_20150804.PutRecordBatch", body + "]}");
}

int run(int argc, char** argv) {
  size_t clients = 8, threads = 1;
  double seconds = 2;
  CLI::App app("The server's own CPU time per request.");
  app.add_option("--clients", clients);
  app.add_option("--threads", threads, "the server's");
  app.add_option("--seconds", seconds, "per measurement");
  CLI11_PARSE(app, argc, argv);

  wire::Operations operations;
  operations.add_async<wire::firehose::PutRecordBatchInput, wire::firehose::PutRecordBatchOutput>(
      "firehose", "PutRecordBatch",
      [](const wire::Call&, wire::firehose::PutRecordBatchInput input) {
        return put_batch(std::move(input));
      });
  operations.add_async<wire::s3::HeadBucketRequest, wire::s3::HeadBucketOutput>(
      "s3", "HeadBucket",
      [](const wire::Call&, wire::s3::HeadBucketRequest) { return head_bucket(); });
  Options options;
  options.port = 0;
  options.threads = threads;
  options.find_principal = [](std::string_view) {
    return Principal{std::string(server::testing::kSecret), "000000000000", "arn"};
  };
  Server server(options, operations, io::real_clock(), io::real_random(), {});
  const Result<uint16_t> port = server.start();
  if (!port) return 1;

  const auto print = [&](const char* name, const Request& request, bool to_head) {
    const Measured one = measure(*port, request.bytes(), clients, seconds, to_head);
    fmt::print("{:24} {:8} bytes {:9.0f} requests/s {:8.2f} us server {:8.2f} us client\n", name,
               request.bytes().size(), one.requests_per_second, one.server_us, one.client_us);
  };
  print("HeadBucket", server::testing::s3_request("HEAD", "/bucket").sign(), true);
  print("PutRecordBatch of 1", batch_of(1).sign(), false);
  print("PutRecordBatch of 500", batch_of(500).sign(), false);
  return 0;
}

}  // namespace
}  // namespace laketap

int main(int argc, char** argv) {
  return laketap::run(argc, argv);
}
