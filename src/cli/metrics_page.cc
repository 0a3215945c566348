#include "cli/metrics_page.h"

#include <fmt/format.h>

namespace laketap::cli {
namespace {

class Text {
 public:
  void family(std::string_view name, std::string_view kind, std::string_view help) {
    name_ = name;
    out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, kind);
  }
  template <class T>
  void value(T value) {
    out_ += fmt::format("{} {}\n", name_, value);
  }
  template <class T>
  void value(std::string_view stream,
             T value) {  // A stream's name needs no escapes: [a-zA-Z0-9_.-]+.
    out_ += fmt::format("{}{{delivery_stream=\"{}\"}} {}\n", name_, stream, value);
  }
  template <class T>
  void single(std::string_view name, std::string_view kind, std::string_view help, T one) {
    family(name, kind, help);
    value(one);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string name_, out_;
};

struct StreamFigure {
  const char *name, *kind, *help;
  double (*of)(const delivery::StreamMetrics&);
};

constexpr StreamFigure kStreamFigures[] = {
    {"laketap_incoming_requests_total", "counter", "Accepted puts",
     [](const auto& m) { return double(m.incoming_requests); }},
    {"laketap_incoming_records_total", "counter", "Accepted records",
     [](const auto& m) { return double(m.incoming_records); }},
    {"laketap_incoming_bytes_total", "counter", "Accepted bytes",
     [](const auto& m) { return double(m.incoming_bytes); }},
    {"laketap_refused_requests_total", "counter", "Puts refused for want of room",
     [](const auto& m) { return double(m.refused_requests); }},
    {"laketap_delivered_objects_total", "counter", "Objects written",
     [](const auto& m) { return double(m.delivered_objects); }},
    {"laketap_delivered_records_total", "counter", "Records in objects",
     [](const auto& m) { return double(m.delivered_records); }},
    {"laketap_failed_puts_total", "counter",
     "Tries to write an object that failed and are repeated",
     [](const auto& m) { return double(m.failed_puts); }},
    {"laketap_undelivered_bytes", "gauge", "Accepted and in no object yet",
     [](const auto& m) { return double(m.undelivered_bytes); }},
    {"laketap_data_freshness_seconds", "gauge", "Age of the oldest of these",
     [](const auto& m) { return m.freshness_seconds; }},
};

}  // namespace

http::Response metrics_page(const ingest::Streams& streams, const store::Store& store,
                            const journal::Journal& journal, const server::Counters& counters) {
  Text text;
  const std::vector<delivery::StreamMetrics> metrics = streams.metrics();
  for (const StreamFigure& figure : kStreamFigures) {
    text.family(figure.name, figure.kind, figure.help);
    for (const delivery::StreamMetrics& one : metrics) text.value(one.stream, figure.of(one));
  }
  const store::Store::Totals totals = store.totals();
  text.single("laketap_objects", "gauge", "Objects in all buckets", totals.objects);
  text.single("laketap_object_bytes", "gauge", "Their bytes", totals.bytes);
  text.single("laketap_journal_bytes", "gauge", "Journal segments that hold something",
              journal.used_bytes());
  text.single("laketap_journal_commits_total", "counter", "Group commits since start",
              journal.synced_commits());
  text.single("laketap_http_connections", "gauge", "Open connections",
              counters.open_connections.load());
  text.single("laketap_http_requests_total", "counter", "Requests", counters.requests.load());
  text.single("laketap_http_received_bytes_total", "counter", "Bytes received",
              counters.bytes_in.load());
  text.single("laketap_http_sent_bytes_total", "counter", "Bytes sent", counters.bytes_out.load());
  text.single("laketap_http_client_errors_total", "counter", "Answers 4xx",
              counters.client_errors.load());
  text.single("laketap_http_server_errors_total", "counter", "Answers 5xx",
              counters.server_errors.load());
  text.single("laketap_http_refused_signatures_total", "counter",
              "Requests whose signature did not hold", counters.refused_signatures.load());
  http::Response response;
  response.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"},
                      {"Cache-Control", "no-store"}};
  response.body = text.take();
  return response;
}

}  // namespace laketap::cli
