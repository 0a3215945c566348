#include "generator/generator.h"

#include <fmt/format.h>
#include <libbase64.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "http/client.h"
#include "io/clock.h"

namespace laketap::generator {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::minutes kSignatureAgeMax{10};  // A signature counts for fifteen.

struct Request {
  std::string bytes;
  uint64_t records = 0, record_bytes = 0;
  SteadyClock::time_point signed_at;
  std::string body;
};

void append_base64(std::string& out, std::string_view bytes) {
  const size_t before = out.size();
  out.resize(before + (bytes.size() + 2) / 3 * 4);
  size_t size = 0;
  base64_encode(bytes.data(), bytes.size(), out.data() + before, &size, 0);
}

// One connection's work.
class Sender {
 public:
  Sender(const Options& options, const Template& made, uint64_t seed, std::atomic<uint64_t>& taken)
      : options_(options), template_(made), draw_(seed), taken_(taken), client_(options.endpoint) {}

  Result<> run(std::stop_token stop) {
    const double share = options_.rate / static_cast<double>(options_.connections);
    if (options_.replay > 0)
      if (const Result<> ready = prepare_replay(); !ready) return ready;
    const auto begin = SteadyClock::now();
    uint64_t sent = 0;
    while (!stop.stop_requested()) {
      const size_t wanted = take(share);
      if (wanted == 0) return {};
      if (share > 0) {  // The schedule, not the pause: a slow call is caught up with.
        const auto due =
            begin + std::chrono::duration_cast<SteadyClock::duration>(
                        std::chrono::duration<double>(static_cast<double>(sent) / share));
        while (SteadyClock::now() < due && !stop.stop_requested())
          std::this_thread::sleep_for(std::min<SteadyClock::duration>(
              due - SteadyClock::now(), std::chrono::milliseconds(50)));
      }
      const Result<Request*> request = next(wanted);
      if (!request) return fail(request.error());
      if (const Result<> done = send(**request, stop); !done) return done;
      sent += (*request)->records;
    }
    return {};
  }

  Report report;
  std::vector<double> latencies_ms;

 private:
  // How many records the next call takes; 0 when all are taken. At a low rate small calls, so that
  // records come evenly.
  size_t take(double share) {
    size_t wanted = options_.batch;
    if (share > 0) wanted = std::clamp<size_t>(static_cast<size_t>(share), 1, options_.batch);
    if (options_.count == 0) return wanted;
    const uint64_t before = taken_.fetch_add(wanted);
    return before >= options_.count ? 0 : std::min<uint64_t>(wanted, options_.count - before);
  }

  Result<> prepare_replay() {
    for (size_t i = 0; i < options_.replay; ++i) {
      Request request;
      if (const Result<> made = fill(request, options_.batch); !made) return made;
      sign(request);
      ring_.push_back(std::move(request));
    }
    return {};
  }

  Result<Request*> next(size_t wanted) {
    if (!ring_.empty() && wanted == options_.batch) {
      Request& request = ring_[position_++ % ring_.size()];
      if (SteadyClock::now() - request.signed_at > kSignatureAgeMax) sign(request);
      return &request;
    }
    if (const Result<> made = fill(single_, wanted); !made) return fail(made.error());
    sign(single_);
    return &single_;
  }

  Result<> fill(Request& request, size_t wanted) {
    const Timestamp now = io::real_clock().now();
    request.records = wanted;
    request.record_bytes = 0;
    request.body = fmt::format("{{\"DeliveryStreamName\":\"{}\",\"{}", options_.stream,
                               options_.batch == 1 ? "Record\":" : "Records\":[");
    for (size_t i = 0; i < wanted; ++i) {
      record_.clear();
      if (const Result<> made = template_.render_onto(record_, draw_, now); !made) return made;
      record_ += '\n';  // As the original: each record ends in one line break.
      request.record_bytes += record_.size();
      request.body += i > 0 ? ",{\"Data\":\"" : "{\"Data\":\"";
      append_base64(request.body, record_);
      request.body += "\"}";
    }
    request.body += options_.batch == 1 ? "}" : "]}";
    return {};
  }

  void sign(Request& request) {
    const char* operation =
        options_.batch == 1 ? "Firehose_20150804.PutRecord" : "Firehose_20150804.PutRecordBatch";
    http::RequestHead head{.method = "POST",
                           .target = "/",
                           .path = "/",
                           .headers = {{"Host", client_.host_header()},
                                       {"Content-Type", "application/x-amz-json-1.1"},
                                       {"X-Amz-Target", operation}}};
    http::sign(head, options_.credential, options_.region, "firehose",
               http::sha256_hex(request.body), io::real_clock().now());
    request.bytes = http::Client::render(head, request.body);
    request.signed_at = SteadyClock::now();
  }

  Result<> send(Request& request, std::stop_token stop) {
    for (int attempt = 1;; ++attempt) {
      const auto begin = SteadyClock::now();
      const Result<http::ClientResponse> response = client_.send(request.bytes);
      latencies_ms.push_back(
          std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count());
      if (response && response->status == 200) {
        count(request, response->body);
        return {};
      }
      const bool again = !response || response->status >= 500 ||
                         response->body.find("ServiceUnavailable") != std::string::npos;
      if (!response && report.records == 0 && attempt >= 3) return fail(response.error());
      if (!again || attempt == kTriesMax || stop.stop_requested()) {
        report.failed += request.records;
        note(response ? response->body.substr(0, 300) : response.error().what);
        return {};
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20 << attempt));
      sign(request);
    }
  }

  void count(const Request& request, const std::string& body) {
    static constexpr std::string_view kCount = "\"FailedPutCount\":";
    const size_t at = body.find(kCount);
    const uint64_t failed =
        at == std::string::npos ? 0 : std::strtoull(body.c_str() + at + kCount.size(), nullptr, 10);
    report.failed += failed;
    report.records += request.records - failed;
    report.bytes += failed == 0 ? request.record_bytes : 0;
    if (failed > 0) note(body.substr(0, 300));
  }

  void note(std::string problem) {
    if (report.first_problem.empty()) report.first_problem = std::move(problem);
  }

  const Options& options_;
  const Template& template_;
  Draw draw_;
  std::atomic<uint64_t>& taken_;
  http::Client client_;
  std::vector<Request> ring_;
  size_t position_ = 0;
  Request single_;
  std::string record_;
};

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1,
                         static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

}  // namespace

Result<Report> run(const Options& options, const Template& made, std::stop_token stop) {
  std::atomic<uint64_t> taken = 0;
  std::vector<std::unique_ptr<Sender>> senders;
  std::vector<Result<>> results(options.connections);
  for (size_t i = 0; i < options.connections; ++i)
    senders.push_back(std::make_unique<Sender>(options, made, options.seed * 1'000'003 + i, taken));
  const auto begin = SteadyClock::now();
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < options.connections; ++i)
      threads.emplace_back([&, i] { results[i] = senders[i]->run(stop); });
  }
  Report report;
  report.seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  std::vector<double> latencies;
  for (size_t i = 0; i < senders.size(); ++i) {
    if (!results[i]) return fail(results[i].error());
    const Report& one = senders[i]->report;
    report.records += one.records;
    report.bytes += one.bytes;
    report.failed += one.failed;
    if (report.first_problem.empty()) report.first_problem = one.first_problem;
    latencies.insert(latencies.end(), senders[i]->latencies_ms.begin(),
                     senders[i]->latencies_ms.end());
  }
  std::ranges::sort(latencies);
  report.p50_ms = percentile(latencies, 0.5);
  report.p99_ms = percentile(latencies, 0.99);
  report.max_ms = latencies.empty() ? 0 : latencies.back();
  return report;
}

}  // namespace laketap::generator
