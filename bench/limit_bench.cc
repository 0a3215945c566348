// What this machine could do at all: the CPU seconds of every stage that a put must pass, each by
// itself in its fastest form we know, and the rate of synced writes. The limit is the smaller one:
//
//     limit = min(cores / sum of CPU seconds a request, synced bytes a second / bytes a request)
//
// Stages: generator and server sockets (a bare responder on loopback), SHA-256, signature, JSON
// walk with base64, CRC32C, journal write (direct, prezeroed) with its sync, object write with its
// sync, ids and answer.
#include <fcntl.h>
#include <fmt/core.h>
#include <libbase64.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <simdjson.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <thread>

#include "base/checksum.h"
#include "http/sigv4.h"
#include "io/clock.h"
#include "load.h"

namespace laketap::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kRecordBytes = 250;
constexpr size_t kBlock = 4096;
constexpr int kWindows = 10;  // The best of them counts: others use the disk and the cores, too.

void check(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::exit(1);
}

// CPU microseconds (user and system, of the whole process) of one call, best of kWindows runs.
double cpu_micros(double seconds, const std::function<void()>& once) {
  double best = 1e18;
  for (int run = 0; run < kWindows; ++run) {
    const auto end = Clock::now() + std::chrono::duration<double>(seconds / kWindows);
    const double before = cpu_seconds();
    uint64_t calls = 0;
    while (Clock::now() < end)
      for (int i = 0; i < 8; ++i, ++calls) once();
    best = std::min(best, (cpu_seconds() - before) * 1e6 / static_cast<double>(calls));
  }
  return best;
}

// Answers every request with the same bytes and does nothing else.
class BareResponder {
 public:
  explicit BareResponder(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0, "bind");
    check(::listen(listener_, 1024) == 0, "listen");
    socklen_t size = sizeof(address);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~BareResponder() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }
  uint16_t port() const { return port_; }

 private:
  struct Peer {
    int socket;
    std::string head;
    uint64_t body_left = 0;
    bool in_body = false;
  };

  void serve() {
    const int epoll = ::epoll_create1(0);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener_, &event);
    std::vector<char> scratch(256 << 10);
    std::vector<std::unique_ptr<Peer>> peers;
    std::array<epoll_event, 64> events;
    while (!stopping_) {
      const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 50);
      for (int i = 0; i < count; ++i) {
        auto* const peer = static_cast<Peer*>(events[static_cast<size_t>(i)].data.ptr);
        if (peer) {
          receive(*peer, scratch);
          continue;
        }
        auto fresh = std::make_unique<Peer>();
        fresh->socket = ::accept(listener_, nullptr, nullptr);
        const int on = 1;
        ::setsockopt(fresh->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        epoll_event added{.events = EPOLLIN, .data = {.ptr = fresh.get()}};
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, fresh->socket, &added);
        peers.push_back(std::move(fresh));
      }
    }
    for (const auto& peer : peers) ::close(peer->socket);
    ::close(epoll);
  }

  void receive(Peer& peer, std::vector<char>& scratch) {
    const ssize_t got = ::recv(peer.socket, scratch.data(), scratch.size(), 0);
    if (got <= 0) {
      ::shutdown(peer.socket, SHUT_RDWR);
      return;
    }
    std::string_view bytes(scratch.data(), static_cast<size_t>(got));
    if (!peer.in_body) {
      peer.head += bytes;
      const size_t end = peer.head.find("\r\n\r\n");
      if (end == std::string::npos) return;
      const size_t at = peer.head.find("Content-Length: ");
      peer.body_left = std::strtoull(peer.head.c_str() + at + 16, nullptr, 10);
      peer.in_body = true;
      bytes = std::string_view(peer.head).substr(end + 4);
    }
    peer.body_left -= std::min<uint64_t>(peer.body_left, bytes.size());
    if (peer.body_left > 0) return;
    peer.head.clear();
    peer.in_body = false;
    check(::send(peer.socket, answer_.data(), answer_.size(), MSG_NOSIGNAL) ==
              static_cast<ssize_t>(answer_.size()),
          "send");
  }

  const std::string answer_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

std::string answer_of(size_t records) {
  std::string body = R"({"FailedPutCount":0,"Encrypted":false,"RequestResponses":[)";
  for (size_t i = 0; i < records; ++i)
    body += R"({"RecordId":"0123456789abcdef0123456789abcdef"},)";
  body += "]}";
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: keep-alive\r\n\r\n{}",
                     body.size(), body);
}

// Generator and server sockets together: both run in this process.
double socket_micros(const std::vector<std::string>& requests, size_t records, size_t connections,
                     double seconds) {
  BareResponder responder(answer_of(records));
  Load load;
  load.port = responder.port();
  load.connections = connections;
  load.seconds = seconds;
  load.requests = requests;
  const double before = cpu_seconds();
  const Report report = run(load);
  check(report.refused == 0, "the bare responder");
  return (cpu_seconds() - before) * 1e6 / static_cast<double>(report.answered);
}

double sha256_micros(std::string_view body, double seconds) {
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  const double micros = cpu_micros(seconds, [&] {
    unsigned char digest[32];
    EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
    EVP_DigestUpdate(context, body.data(), body.size());
    EVP_DigestFinal_ex(context, digest, nullptr);
  });
  EVP_MD_CTX_free(context);
  return micros;
}

double signature_micros(std::string_view request, const std::string& secret, double seconds) {
  http::RequestHead head;
  head.method = "POST";
  head.target = head.path = "/";
  std::string_view rest = request.substr(request.find("\r\n") + 2);
  while (!rest.starts_with("\r\n")) {
    const size_t colon = rest.find(": "), end = rest.find("\r\n");
    head.headers.push_back(
        {std::string(rest.substr(0, colon)), std::string(rest.substr(colon + 2, end - colon - 2))});
    rest.remove_prefix(end + 2);
  }
  const std::string hash = http::sha256_hex(rest.substr(2));
  const http::SignatureRules rules{.service = "firehose", .now = io::real_clock().now()};
  return cpu_micros(seconds, [&] {
    const auto signature = http::read_signature(head, rules);
    check(
        signature.has_value() && http::check_signature(head, *signature, rules, secret, hash).equal,
        "signature");
  });
}

double json_micros(std::string_view body, double seconds) {
  const simdjson::padded_string padded(body);
  simdjson::ondemand::parser parser;
  std::vector<char> target(body.size());
  return cpu_micros(seconds, [&] {
    char* at = target.data();
    const auto decode = [&](simdjson::ondemand::object record) {
      const std::string_view text = record["Data"].get_string().value();
      size_t size = 0;
      base64_decode(text.data(), text.size(), at, &size, 0);
      at += size;
    };
    simdjson::ondemand::document document = parser.iterate(padded);
    for (auto field : document.get_object()) {
      const std::string_view key = field.unescaped_key();
      if (key == "Record") decode(field.value().get_object());
      if (key != "Records") continue;
      for (auto record : field.value().get_array()) decode(record.get_object());
    }
  });
}

double answer_micros(size_t records, double seconds) {
  std::string answer;
  uint64_t number = 0;
  return cpu_micros(seconds, [&] {
    answer.clear();
    for (size_t i = 0; i < std::max<size_t>(records, 1); ++i) {
      char id[32];
      for (int digit = 0; digit < 32; ++digit)
        id[digit] = "0123456789abcdef"[(++number >> (digit & 15)) & 15];
      answer += R"({"RecordId":")";
      answer.append(id, sizeof(id));
      answer += "\"},";
    }
  });
}

struct Disk {
  double cpu_micros = 0;        // A request.
  double bytes_per_second = 0;  // Synced.
};

// `group` payloads, one direct write, one sync, over and over in a prezeroed file.
Disk journal_of(const std::string& directory, size_t payload_bytes, size_t group, double seconds) {
  const std::string path = directory + "/limit-journal";
  constexpr size_t kFileBytes = 256 << 20;
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0600);
  if (file < 0) file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  check(file >= 0, "open");
  void* memory = nullptr;
  const size_t bytes = (payload_bytes * group + kBlock - 1) / kBlock * kBlock;
  check(::posix_memalign(&memory, kBlock, std::max<size_t>(bytes, 4 << 20)) == 0, "memory");
  std::memset(memory, 0, std::max<size_t>(bytes, 4 << 20));
  for (size_t at = 0; at < kFileBytes; at += 4 << 20)
    check(::pwrite(file, memory, 4 << 20, static_cast<off_t>(at)) == 4 << 20, "zeroing");
  check(::fdatasync(file) == 0, "sync");
  std::memset(memory, 'x', bytes);

  const std::vector<char> payload(payload_bytes * group, 'y');
  Disk best{.cpu_micros = 1e18};
  size_t at = 0;
  for (int window = 0; window < kWindows; ++window) {
    const double before = cpu_seconds();
    const auto start = Clock::now();
    uint64_t commits = 0;
    for (; Clock::now() < start + std::chrono::duration<double>(seconds / kWindows);
         ++commits, at += bytes) {
      if (at + bytes > kFileBytes) at = 0;
      std::memcpy(memory, payload.data(), payload.size());
      check(::pwrite(file, memory, bytes, static_cast<off_t>(at)) == static_cast<ssize_t>(bytes),
            "write");
      check(::fdatasync(file) == 0, "sync");
    }
    const double wall = std::chrono::duration<double>(Clock::now() - start).count();
    const auto requests = static_cast<double>(commits * group);
    best.cpu_micros = std::min(best.cpu_micros, (cpu_seconds() - before) * 1e6 / requests);
    best.bytes_per_second =
        std::max(best.bytes_per_second, requests * static_cast<double>(payload_bytes) / wall);
  }
  ::close(file);
  ::unlink(path.c_str());
  std::free(memory);
  return best;
}

// Objects of 5 MiB, copied together and written past the page cache in large blocks, then synced.
Disk objects_of(const std::string& directory, size_t payload_bytes, double seconds) {
  constexpr size_t kObjectBytes = 5 << 20, kWriteBytes = 1 << 20;
  void* memory = nullptr;
  check(::posix_memalign(&memory, kBlock, kWriteBytes) == 0, "memory");
  const std::vector<char> records(kWriteBytes, 'z');
  Disk best{.cpu_micros = 1e18};
  uint64_t number = 0;
  for (int window = 0; window < kWindows; ++window) {
    const double before = cpu_seconds();
    const auto start = Clock::now();
    uint64_t objects = 0;
    for (; Clock::now() < start + std::chrono::duration<double>(seconds / kWindows);
         ++objects, ++number) {
      const std::string path = fmt::format("{}/limit-object-{}", directory, number % 64);
      ::unlink(path.c_str());
      int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_DIRECT, 0600);
      if (file < 0) file = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
      check(file >= 0, "open");
      for (size_t at = 0; at < kObjectBytes; at += kWriteBytes) {
        std::memcpy(memory, records.data(), kWriteBytes);
        check(::write(file, memory, kWriteBytes) == kWriteBytes, "write");
      }
      check(::fdatasync(file) == 0, "sync");
      ::close(file);
    }
    const double wall = std::chrono::duration<double>(Clock::now() - start).count();
    const double bytes = static_cast<double>(objects) * kObjectBytes;
    best.cpu_micros = std::min(best.cpu_micros, (cpu_seconds() - before) * 1e6 / bytes *
                                                    static_cast<double>(payload_bytes));
    best.bytes_per_second = std::max(best.bytes_per_second, bytes / wall);
  }
  for (int i = 0; i < 64; ++i) ::unlink(fmt::format("{}/limit-object-{}", directory, i).c_str());
  std::free(memory);
  return best;
}

void measure(std::string_view name, size_t records, size_t connections,
             const std::string& directory, double seconds, bool is_last) {
  const Signing signing{"127.0.0.1:4566", "AKIALIMIT",
                        "a secret of forty characters, more or less"};
  const auto requests = signed_puts(signing, "bench", 16, records, kRecordBytes);
  const std::string_view request = requests[0];
  const std::string_view body = request.substr(request.find("\r\n\r\n") + 4);
  const size_t payload_bytes = std::max<size_t>(records, 1) * kRecordBytes;
  const std::string payload(payload_bytes, 'p');
  const Disk journal = journal_of(directory, payload_bytes, records ? 16 : 64, seconds);
  const Disk objects = objects_of(directory, payload_bytes, seconds);

  const std::map<std::string, double> stages{
      {"sockets", socket_micros(requests, records, connections, seconds)},
      {"sha256", sha256_micros(body, seconds)},
      {"signature", signature_micros(request, signing.secret, seconds)},
      {"json_base64", json_micros(body, seconds)},
      {"crc32c", cpu_micros(seconds, [&] { (void)crc32c(view(payload)); })},
      {"journal", journal.cpu_micros},
      {"object", objects.cpu_micros},
      {"answer", answer_micros(records, seconds)}};
  double sum = 0;
  std::string listed;
  for (const auto& [stage, micros] : stages) {
    sum += micros;
    listed += fmt::format(R"({}"{}":{:.2f})", listed.empty() ? "" : ",", stage, micros);
  }
  const auto cores = static_cast<double>(std::thread::hardware_concurrency());
  const double by_cpu = cores * 1e6 / sum;
  const double by_disk = journal.bytes_per_second / static_cast<double>(payload_bytes);
  fmt::print(
      R"("{}":{{"micros":{{{}}},"sum_micros":{:.2f},"cpu_requests_per_second":{:.0f},"disk_requests_per_second":{:.0f},)"
      R"("limit_requests_per_second":{:.0f}}}{})",
      name, listed, sum, by_cpu, by_disk, std::min(by_cpu, by_disk), is_last ? "" : ",");
}

}  // namespace
}  // namespace laketap::bench

int main(int count, char** arguments) {
  CLI::App app("the physical limit of signed, synced, delivered puts on this machine");
  std::string directory = "/var/tmp/laketap-limit";
  double seconds = 2;
  app.add_option("--directory", directory, "on the disk to measure");
  app.add_option("--seconds", seconds, "for each stage");
  CLI11_PARSE(app, count, arguments);
  std::filesystem::create_directories(directory);
  fmt::print("{{");
  laketap::bench::measure("batch", 500, 32, directory, seconds, false);
  laketap::bench::measure("single", 0, 64, directory, seconds, true);
  fmt::print("}}\n");
  std::filesystem::remove_all(directory);
}
