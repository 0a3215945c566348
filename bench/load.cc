#include "load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <libbase64.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>

#include "http/client.h"
#include "http/sigv4.h"
#include "io/clock.h"

namespace laketap::bench {
namespace {

using Clock = std::chrono::steady_clock;

void check(bool holds, const char* what) {
  if (holds) return;
  fmt::print(stderr, "load: {}: {}\n", what, std::strerror(errno));
  std::exit(1);
}

struct Connection {
  int socket = -1;
  const std::string* request = nullptr;  // Null: idle.
  std::string flipped;                   // The request, when a byte of it is flipped.
  size_t sent = 0;
  Clock::time_point due;
  std::string head;        // Of the answer, with the first bytes of its body.
  uint64_t body_left = 0;  // Known once the head is whole.
  bool in_body = false, is_flipped = false, wants_write = false;
};

class Generator {
 public:
  explicit Generator(const Load& load) : load_(load), connections_(load.connections) {}

  Report run() {
    epoll_ = ::epoll_create1(0);
    check(epoll_ >= 0, "epoll");
    for (Connection& connection : connections_) open(connection);
    const double cpu_before = cpu_seconds();
    start_ = Clock::now();
    end_ = start_ + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(load_.seconds));
    for (Connection& connection : connections_) idle_.push_back(&connection);
    loop();
    report_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    report_.cpu_seconds = cpu_seconds() - cpu_before;
    for (const Connection& connection : connections_) ::close(connection.socket);
    ::close(epoll_);
    return std::move(report_);
  }

 private:
  void open(Connection& connection) {
    if (connection.socket >= 0) ::close(connection.socket);
    connection.socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(load_.port);
    ::inet_pton(AF_INET, load_.host.c_str(), &address.sin_addr);
    check(::connect(connection.socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0,
          "connect");
    ::fcntl(connection.socket, F_SETFL, O_NONBLOCK);
    const int on = 1;
    ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event) == 0, "epoll_ctl");
    connection.wants_write = false;
  }

  void loop() {
    std::vector<epoll_event> events(load_.connections);
    while (true) {
      const auto now = Clock::now();
      if (now < end_)
        send_due(now);
      else if (idle_.size() == connections_.size())
        return;
      if (now > end_ + std::chrono::seconds(20)) return;  // Answers that never come.
      const timespec wait = wait_of(now);
      const int count =
          ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
      for (int i = 0; i < count; ++i) {
        Connection& connection = *static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
        if (events[static_cast<size_t>(i)].events & EPOLLOUT) send_more(connection);
        if (events[static_cast<size_t>(i)].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
          receive(connection);
      }
    }
  }

  // To the nanosecond: a generator that spins would take the server's time.
  timespec wait_of(Clock::time_point now) const {
    constexpr std::chrono::nanoseconds kMost = std::chrono::milliseconds(100);
    std::chrono::nanoseconds wait = kMost;
    if (load_.rate > 0 && now < end_ && !idle_.empty())
      wait = std::clamp<std::chrono::nanoseconds>(due_of(sent_count_) - now,
                                                  std::chrono::nanoseconds(0), kMost);
    return {.tv_sec = 0, .tv_nsec = wait.count()};
  }
  Clock::time_point due_of(uint64_t number) const {
    return start_ + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(static_cast<double>(number) / load_.rate));
  }

  void send_due(Clock::time_point now) {
    while (!idle_.empty()) {
      const auto due = load_.rate > 0 ? due_of(sent_count_) : now;
      if (due > now) return;
      Connection& connection = *idle_.front();
      idle_.pop_front();
      begin(connection, due);
    }
  }

  void begin(Connection& connection, Clock::time_point due) {
    connection.request = &load_.requests[sent_count_ % load_.requests.size()];
    ++sent_count_;
    connection.is_flipped = load_.flip_every > 0 && sent_count_ % load_.flip_every == 0;
    if (connection.is_flipped) {
      connection.flipped = *connection.request;
      // A letter of the base64 in the middle of the body: the text stays whole, its hash does not.
      char& victim = connection.flipped[connection.flipped.size() - 40];
      victim = victim == 'A' ? 'B' : 'A';
      connection.request = &connection.flipped;
    }
    connection.sent = 0;
    connection.due = due;
    connection.head.clear();
    connection.in_body = false;
    send_more(connection);
  }

  void watch_write(Connection& connection, bool wants) {
    if (connection.wants_write == wants) return;
    connection.wants_write = wants;
    epoll_event event{.events = EPOLLIN | (wants ? uint32_t{EPOLLOUT} : 0U),
                      .data = {.ptr = &connection}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket, &event);
  }

  void send_more(Connection& connection) {
    const std::string& bytes = *connection.request;
    while (connection.sent < bytes.size()) {
      const ssize_t sent = ::send(connection.socket, bytes.data() + connection.sent,
                                  bytes.size() - connection.sent, MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return watch_write(connection, true);
      if (sent < 0) return broken(connection);
      connection.sent += static_cast<size_t>(sent);
    }
    watch_write(connection, false);
  }

  void receive(Connection& connection) {
    const ssize_t got = ::recv(connection.socket, scratch_.data(), scratch_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return broken(connection);
    std::string_view bytes(scratch_.data(), static_cast<size_t>(got));
    if (!connection.in_body) {
      connection.head += bytes;
      const size_t end = connection.head.find("\r\n\r\n");
      if (end == std::string::npos) return;
      connection.in_body = true;
      const size_t at = connection.head.find("Content-Length: ");
      check(at < end, "an answer without a length");
      connection.body_left = std::strtoull(connection.head.c_str() + at + 16, nullptr, 10);
      bytes = std::string_view(connection.head).substr(end + 4);
    }
    connection.body_left -= std::min<uint64_t>(connection.body_left, bytes.size());
    if (connection.body_left == 0) finish(connection);
  }

  void finish(Connection& connection) {
    const std::string& head = connection.head;
    const bool accepted = head.starts_with("HTTP/1.1 200") &&
                          head.find("\"FailedPutCount\":") == head.find("\"FailedPutCount\":0");
    if (connection.is_flipped) {
      ++report_.flipped;
      report_.flipped_refused += accepted ? 0 : 1;
    } else if (accepted) {
      ++report_.answered;
      const auto micros =
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - connection.due)
              .count();
      report_.latency_micros.push_back(static_cast<uint32_t>(micros));
    } else {
      if (report_.refused++ == 0) report_.first_refusal = head.substr(0, 1000);
    }
    const bool closes = head.find("Connection: close") != std::string::npos;
    connection.request = nullptr;
    if (closes) open(connection);
    idle_.push_back(&connection);
  }

  void broken(Connection& connection) {
    if (connection.request) {
      if (report_.refused++ == 0) report_.first_refusal = "the connection broke";
      connection.request = nullptr;
      idle_.push_back(&connection);
    }
    open(connection);
  }

  const Load& load_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::deque<Connection*> idle_;
  std::vector<char> scratch_ = std::vector<char>(256 << 10);
  uint64_t sent_count_ = 0;
  Clock::time_point start_, end_;
  Report report_;
};

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, 0);
  size_t size = text.size();
  base64_encode(bytes.data(), bytes.size(), text.data(), &size, 0);
  return text;
}

// Clickstream-like, so that queries and compression see something real.
std::string record(uint64_t number, size_t bytes) {
  constexpr std::string_view kCountries[] = {"US", "DE", "IN", "BR"};
  std::string line = fmt::format(
      R"({{"customerid":"{}","ipaddress":"10.{}.{}.7","countrycode":"{}","gender":"{}","event":{{"type":"checkout","product":"p{}","amount":{}}},"pad":")",
      number, number % 251, number % 241, kCountries[number % 4], number % 2 ? "F" : "M",
      number % 17, number % 1000);
  constexpr std::string_view kEnd = "\"}\n";
  if (line.size() + kEnd.size() < bytes) line.append(bytes - line.size() - kEnd.size(), 'x');
  return line + std::string(kEnd);
}

}  // namespace

double Report::latency_ms(double share) {
  if (latency_micros.empty()) return 0;
  const auto at = static_cast<ptrdiff_t>(share * static_cast<double>(latency_micros.size() - 1));
  std::nth_element(latency_micros.begin(), latency_micros.begin() + at, latency_micros.end());
  return latency_micros[static_cast<size_t>(at)] / 1000.0;
}

Report run(const Load& load) {
  return Generator(load).run();
}

std::vector<std::string> signed_puts(const Signing& signing, const std::string& stream,
                                     size_t count, size_t records, size_t record_bytes) {
  std::vector<std::string> requests;
  uint64_t number = 1;
  for (size_t i = 0; i < count; ++i) {
    std::string body = fmt::format(R"({{"DeliveryStreamName":"{}",)", stream);
    if (records == 0) {
      body += fmt::format(R"("Record":{{"Data":"{}"}}}})", base64(record(number++, record_bytes)));
    } else {
      body += "\"Records\":[";
      for (size_t r = 0; r < records; ++r)
        body += fmt::format(R"({}{{"Data":"{}"}})", r ? "," : "",
                            base64(record(number++, record_bytes)));
      body += "]}";
    }
    http::RequestHead head;
    head.method = "POST";
    head.target = head.path = "/";
    head.headers = {{"Host", signing.host_header},
                    {"Content-Type", "application/x-amz-json-1.1"},
                    {"X-Amz-Target", std::string("Firehose_20150804.") +
                                         (records ? "PutRecordBatch" : "PutRecord")}};
    http::sign(head, {signing.access_key_id, signing.secret}, signing.region, "firehose",
               http::sha256_hex(body), io::real_clock().now());
    requests.push_back(http::Client::render(head, body));
  }
  return requests;
}

double cpu_seconds() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace laketap::bench
