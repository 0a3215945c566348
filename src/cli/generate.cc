// laketap generate: the data generator on the command line.
#include <fmt/format.h>
#include <signal.h>

#include <boost/json.hpp>
#include <random>
#include <thread>

#include "cli/api_client.h"
#include "generator/generator.h"
#include "io/files.h"

namespace laketap::cli {
namespace {

constexpr size_t kTemplateBytesMax = 1 << 20;

Result<generator::Template> read_template(const std::string& name) {
  if (const std::string_view builtin = generator::builtin_template(name); !builtin.empty())
    return generator::Template::parse(builtin);
  if (name.starts_with("builtin:"))
    return fail(ErrorKind::not_found,
                "there is no template " + name + "; there is builtin:clickstream");
  const Result<std::string> text = io::read_file(io::real_files(), name, kTemplateBytesMax);
  if (!text) return fail(text.error(), name);
  return generator::Template::parse(*text);
}

void print_text(const generator::Report& report) {
  fmt::print("{} records ({} bytes) in {:.2f} s: {:.0f} a second; {} failed\n", report.records,
             report.bytes, report.seconds,
             report.seconds > 0 ? static_cast<double>(report.records) / report.seconds : 0,
             report.failed);
  fmt::print("a call took {:.2f} ms (p50), {:.2f} ms (p99), {:.2f} ms at most\n", report.p50_ms,
             report.p99_ms, report.max_ms);
}

void print_json(const generator::Report& report) {
  const boost::json::object object{
      {"records", report.records},
      {"bytes", report.bytes},
      {"failed", report.failed},
      {"seconds", report.seconds},
      {"records_per_second",
       report.seconds > 0 ? static_cast<double>(report.records) / report.seconds : 0.0},
      {"latency_ms", {{"p50", report.p50_ms}, {"p99", report.p99_ms}, {"max", report.max_ms}}}};
  fmt::print("{}\n", boost::json::serialize(object));
}

}  // namespace

int generate(const GenerateOptions& options) {
  const Result<Address> address = find_server(options.target);
  if (!address) return complain(address.error());
  const Result<generator::Template> made = read_template(options.template_name);
  if (!made) return complain(made.error());
  const generator::Options run_options{.endpoint = address->endpoint,
                                       .credential = address->credential,
                                       .stream = options.stream,
                                       .rate = options.rate,
                                       .count = options.count,
                                       .connections = options.connections,
                                       .batch = options.batch,
                                       .replay = options.replay,
                                       .seed = options.seed.value_or(std::random_device()())};
  // SIGINT and SIGTERM end it with a report.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::stop_source stop;
  const std::jthread waiter([&](std::stop_token done) {
    const timespec pause{.tv_sec = 0, .tv_nsec = 100'000'000};
    while (!done.stop_requested())
      if (sigtimedwait(&signals, nullptr, &pause) > 0) stop.request_stop();
  });
  const Result<generator::Report> report = generator::run(run_options, *made, stop.get_token());
  if (!report) return complain(report.error());
  if (options.report == "json")
    print_json(*report);
  else
    print_text(*report);
  if (!report->first_problem.empty())
    fmt::print(stderr, "laketap: the first failure: {}\n", report->first_problem);
  return report->failed == 0 ? 0 : 1;
}

}  // namespace laketap::cli
