// One connection from accept to close. Inner header of server.
#pragma once

#include "server/body.h"
#include "server/gate.h"
#include "server/server.h"
#include "server/socket.h"
#include "wire/pool.h"

namespace laketap::server {

inline constexpr size_t kPagesQueuedMax = 64;

// What all connections of a server share. Outlives them.
struct Shared {
  Options options;
  const wire::Operations& operations;
  io::Clock& clock;
  io::Random& random;
  std::vector<Page> pages;
  Counters counters{};
  std::atomic<bool> draining = false;
  std::atomic<uint64_t> body_bytes = 0;  // Held in memory now, see kBodiesBytesMax.
  // The last member: it waits for its threads before anything else goes.
  wire::Pool page_pool{options.page_threads, kPagesQueuedMax};
};

// Serves until the peer leaves, a request is bad, or the server drains.
Task<> serve(Socket& socket, Shared& shared);

}  // namespace laketap::server
