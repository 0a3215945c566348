// server reads requests from sockets and answers them: strict HTTP/1.1, signatures, limits, drain.
//
//     accept ▶ head (llhttp, strict, and own rules) ▶ whose API? ▶ signature ▶ body, hashed while
//            ▶ read ▶ signature's hash ▶ wire::Operations ▶ answer
//
// One io_context a core; a connection stays on its own. Nothing is handled before its signature
// held.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "io/clock.h"
#include "io/random.h"
#include "wire/wire.h"

namespace laketap::server {

// Who owns an access key: what the server needs of identity, which it cannot see.
struct Principal {
  std::string secret, account, arn;
};

// A second listener, for clients that cannot do plain HTTP.
struct TlsListener {
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  std::string chain_pem, key_pem;  // See authority.h for one of our own.
};

struct Options {
  std::string host = "127.0.0.1";
  uint16_t port = 4566;  // 0: any free one.
  size_t threads = 2;    // io_contexts.
  std::optional<TlsListener> tls;
  std::function<std::optional<Principal>(std::string_view access_key_id)> find_principal;
  std::string default_region = "us-east-1";  // Of the rare signature that names none.
  // Hosts below which a name is a bucket's: bucket.localhost. AWS's own are known.
  std::vector<std::string> bucket_hosts = {"localhost"};
  size_t page_threads = 2;          // For pages: they may block.
  size_t connections_max = 20'000;  // Less when the process may not open so many files.
  size_t connections_per_peer_max = 10'000;
  std::chrono::seconds head_wait_max{20};   // From the first byte of a head to its last.
  std::chrono::seconds idle_wait_max{120};  // Between requests.
  // Of waiting for a body, or for room for an answer; a second more for each KiB that moved.
  std::chrono::seconds body_wait_max{30};
};

// A page of our own under /_..., outside AWS's APIs.
struct Page {
  enum class Access {
    open,       // Anybody; it looks at cookies and the like itself.
    signed_by,  // Who signed the request with a key of ours, for whatever service.
  };

  std::string prefix;  // "/_console/": all below it; without a last slash: this path only.
  // Called with the whole body (at most kPageBodyBytesMax), on a thread that may block.
  std::function<http::Response(const http::RequestHead& head, std::string_view body)> handle;
  Access access = Access::open;
  // signed_by: also who this lets in (by a token, say). May be empty.
  std::function<bool(const http::RequestHead& head)> lets_in = nullptr;
};

struct Counters {
  std::atomic<uint64_t> connections = 0, open_connections = 0, refused_connections = 0;
  std::atomic<uint64_t> requests = 0, bytes_in = 0, bytes_out = 0;
  std::atomic<uint64_t> client_errors = 0, server_errors = 0;  // Answers 4xx, 5xx.
  std::atomic<uint64_t> refused_signatures = 0, bad_requests = 0;
};

inline constexpr size_t kHeadBytesMax = 64 << 10;
inline constexpr size_t kHeadersMax = 100;
inline constexpr size_t kTargetBytesMax = 16 << 10;
inline constexpr size_t kJsonBodyBytesMax = 8 << 20;  // A batch of 4 MiB is about 5.6 MiB of JSON.
inline constexpr size_t kQueryBodyBytesMax = 2 << 20;
inline constexpr size_t kXmlBodyBytesMax = 2 << 20;
inline constexpr size_t kPageBodyBytesMax = 1 << 20;
inline constexpr uint64_t kObjectBytesMax = uint64_t{5} << 30;  // S3: one PutObject.
// What all bodies that are held in memory may take together; beyond it 503.
inline constexpr uint64_t kBodiesBytesMax = uint64_t{512} << 20;

// Thread-safety: start, drain and counters from any one thread at a time. Borrows operations, clock
// and random: they outlive it.
class Server {
 public:
  Server(Options options, const wire::Operations& operations, io::Clock& clock, io::Random& random,
         std::vector<Page> pages);
  // Cuts the connections that are left and waits for the handlers that run.
  ~Server();

  // Listens and serves. Returns the port. Errors: unavailable - the address is taken or not ours.
  // Ignores SIGPIPE and raises the soft limit on open files, for the whole process.
  // Errors: invalid - a certificate that is none.
  Result<uint16_t> start();
  uint16_t tls_port() const;  // 0 without a TLS listener.
  // No new connections; requests that are being handled are finished, idle connections closed.
  // Returns when all are gone, or after `wait_max` without waiting longer.
  void drain(std::chrono::seconds wait_max);

  const Counters& counters() const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace laketap::server
