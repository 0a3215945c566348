#include "server/server.h"

#include <sys/resource.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "server/connection.h"

namespace laketap::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kWatchEvery{500};
constexpr std::chrono::milliseconds kWatchEveryDraining{20};
constexpr size_t kOtherFiles = 512;
constexpr int kBacklog = 4096;
constexpr std::chrono::seconds kHandlersWaitMax{60};

// One core's part: its context, its thread, the sockets it serves.
struct Lane {
  Watched watched;  // First: what is destroyed with the context still takes itself out of it.
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
  asio::steady_timer watch_timer{context};
  std::jthread thread;
};

// As many files as the process may have open, beside those that everything else needs.
size_t connections_possible(size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted + kOtherFiles);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted + kOtherFiles) return wanted;
  return limit.rlim_cur > 2 * kOtherFiles ? limit.rlim_cur - kOtherFiles : limit.rlim_cur / 2;
}

}  // namespace

struct Server::Core {
  Core(Options options, const wire::Operations& operations, io::Clock& clock, io::Random& random,
       std::vector<Page> pages)
      : shared{.options = std::move(options),
               .operations = operations,
               .clock = clock,
               .random = random,
               .pages = std::move(pages)} {}

  Shared shared;
  std::vector<std::unique_ptr<Lane>> lanes;
  // Plain first, then TLS.
  struct Listener {
    std::unique_ptr<tcp::acceptor> acceptor;
    std::unique_ptr<TlsContext> tls;
  };
  std::vector<std::unique_ptr<Listener>> listeners;
  std::atomic<bool> cutting = false;  // No connection may wait any longer.
  std::atomic<bool> ending = false;   // There is none any more.
  std::mutex mutex;
  std::unordered_map<std::string, size_t> per_peer;

  bool admit(const std::string& peer) {
    const std::scoped_lock lock(mutex);
    size_t& count = per_peer[peer];
    if (shared.counters.open_connections >= shared.options.connections_max ||
        count >= shared.options.connections_per_peer_max) {
      if (count == 0) per_peer.erase(peer);
      ++shared.counters.refused_connections;
      return false;
    }
    ++count;
    ++shared.counters.open_connections;
    ++shared.counters.connections;
    return true;
  }
  void leave(const std::string& peer) {
    const std::scoped_lock lock(mutex);
    if (--per_peer[peer] == 0) per_peer.erase(peer);
    --shared.counters.open_connections;
  }

  // Owned by the lane's context; ends with the connection.
  static Task<> run_connection(Core* core, Lane* lane, const Listener* listener,
                               tcp::socket accepted, std::string peer) {
    try {
      Socket socket(std::move(accepted), lane->watched);
      bool ready = true;
      if (listener->tls)
        ready = co_await socket.begin_tls(*listener->tls, core->shared.options.head_wait_max);
      if (ready) co_await serve(socket, core->shared);
    } catch (const std::exception&) {  // Out of memory: this connection ends, no other.
    }
    core->leave(peer);
  }

  static Task<> accept_all(Core* core, Listener* listener) {
    for (size_t next = 0;; ++next) {
      Lane* lane = core->lanes[next % core->lanes.size()].get();
      tcp::socket accepted(lane->context);
      const auto [error] = co_await listener->acceptor->async_accept(accepted, kAwait);
      if (core->shared.draining || !listener->acceptor->is_open()) co_return;
      if (error) {  // Out of descriptors: wait for one to come back.
        asio::steady_timer pause(core->lanes.front()->context, std::chrono::milliseconds(50));
        (void)co_await pause.async_wait(kAwait);
        continue;
      }
      boost::system::error_code left;
      std::string peer = accepted.remote_endpoint(left).address().to_string();
      if (left || !core->admit(peer)) continue;
      asio::co_spawn(lane->context,
                     run_connection(core, lane, listener, std::move(accepted), std::move(peer)),
                     asio::detached);
    }
  }

  // Errors: unavailable - the address is taken or not ours.
  Result<> listen(const std::string& host, uint16_t port, std::unique_ptr<TlsContext> tls) {
    asio::io_context& first = lanes.front()->context;
    boost::system::error_code error;
    tcp::resolver resolver(first);
    const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
    if (error || found.empty()) return fail(ErrorKind::unavailable, "no address " + host);
    const tcp::endpoint address = found.begin()->endpoint();
    auto listener = std::make_unique<Listener>();
    listener->acceptor = std::make_unique<tcp::acceptor>(first);
    listener->tls = std::move(tls);
    tcp::acceptor& acceptor = *listener->acceptor;
    (void)acceptor.open(address.protocol(), error);
    if (!error) (void)acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) (void)acceptor.bind(address, error);
    if (!error) (void)acceptor.listen(kBacklog, error);
    if (error)
      return fail(ErrorKind::unavailable,
                  "listening on " + host + ":" + std::to_string(port) + ": " + error.message());
    listeners.push_back(std::move(listener));
    return {};
  }

  // Cuts the connections whose deadline passed; while draining also the idle ones.
  static Task<> watch(Core* core, Lane* lane) {
    while (!core->ending) {
      lane->watch_timer.expires_after(core->shared.draining ? kWatchEveryDraining : kWatchEvery);
      (void)co_await lane->watch_timer.async_wait(kAwait);
      const auto now = Socket::Clock::now();
      for (Socket* socket : lane->watched.sockets) {
        const bool idle = core->shared.draining && socket->idle;
        if (idle || core->cutting || socket->deadline() < now) socket->close();
      }
    }
  }

  uint16_t tls_port = 0;
  uint16_t port_of(size_t listener) const {
    boost::system::error_code ignored;
    return listeners[listener]->acceptor->local_endpoint(ignored).port();
  }

  bool wait_until_empty(std::chrono::seconds wait_max) {
    const auto end = std::chrono::steady_clock::now() + wait_max;
    while (shared.counters.open_connections > 0) {
      if (std::chrono::steady_clock::now() >= end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
};

Server::Server(Options options, const wire::Operations& operations, io::Clock& clock,
               io::Random& random, std::vector<Page> pages)
    : core_(std::make_unique<Core>(std::move(options), operations, clock, random,
                                   std::move(pages))) {}

Server::~Server() {
  drain(std::chrono::seconds(0));
  core_->cutting = true;
  // A handler on another thread comes back to its lane: lanes end only after the last handler. One
  // that hangs for ever keeps its memory; the process is about to end.
  if (!core_->wait_until_empty(kHandlersWaitMax)) {
    (void)core_.release();
    return;
  }
  // Not stop(): a pool's thread that came back holds on to the context for a moment more, and is
  // counted as work of it until it lets go.
  core_->ending = true;
  for (auto& lane : core_->lanes) {
    asio::post(lane->context, [one = lane.get()] { one->watch_timer.cancel(); });
    lane->work.reset();
  }
  for (auto& lane : core_->lanes)
    if (lane->thread.joinable()) lane->thread.join();
  core_->listeners.clear();
  core_->lanes.clear();
}

const Counters& Server::counters() const {
  return core_->shared.counters;
}

Result<uint16_t> Server::start() {
  Options& options = core_->shared.options;
  (void)std::signal(SIGPIPE, SIG_IGN);  // sendfile to a peer that left.
  options.connections_max = connections_possible(options.connections_max);
  for (size_t i = 0; i < std::max<size_t>(1, options.threads); ++i)
    core_->lanes.push_back(std::make_unique<Lane>());
  if (const Result<> plain = core_->listen(options.host, options.port, nullptr); !plain)
    return fail(plain.error());
  if (options.tls) {
    auto context = TlsContext::make(options.tls->chain_pem, options.tls->key_pem);
    if (!context) return fail(context.error());
    const Result<> secure =
        core_->listen(options.tls->host, options.tls->port, std::move(*context));
    if (!secure) return fail(secure.error());
  }
  const uint16_t port = core_->port_of(0);
  core_->tls_port = options.tls ? core_->port_of(1) : 0;
  for (auto& lane : core_->lanes) {
    asio::co_spawn(lane->context, Core::watch(core_.get(), lane.get()), asio::detached);
    lane->thread = std::jthread([context = &lane->context] { context->run(); });
  }
  for (auto& listener : core_->listeners)
    asio::co_spawn(core_->lanes.front()->context, Core::accept_all(core_.get(), listener.get()),
                   asio::detached);
  return port;
}

uint16_t Server::tls_port() const {
  return core_->tls_port;
}

void Server::drain(std::chrono::seconds wait_max) {
  if (core_->shared.draining.exchange(true) || core_->lanes.empty()) return;
  asio::post(core_->lanes.front()->context, [core = core_.get()] {
    boost::system::error_code ignored;
    for (auto& listener : core->listeners) (void)listener->acceptor->close(ignored);
  });
  for (auto& lane : core_->lanes)
    asio::post(lane->context, [one = lane.get()] { one->watch_timer.cancel(); });
  (void)core_->wait_until_empty(wait_max);
}

}  // namespace laketap::server
