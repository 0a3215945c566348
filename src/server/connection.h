// One connection from accept to close. Inner header of server.
#pragma once

#include "server/body.h"
#include "server/gate.h"
#include "server/server.h"
#include "server/socket.h"

namespace laketap::server {

// What all connections of a server share. Outlives them.
struct Shared {
  Options options;
  const wire::Operations& operations;
  io::Clock& clock;
  io::Random& random;
  std::vector<Page> pages;
  Counters counters;
  std::atomic<bool> draining = false;
};

// Serves until the peer leaves, a request is bad, or the server drains.
Task<> serve(Socket& socket, Shared& shared);

}  // namespace laketap::server
