// `laketap worker`: the process that runs queries. It says ready once its sandbox is closed and
// DuckDB is open, then answers one query at a time until the server closes the socket.
#pragma once

namespace laketap::worker {

// Returns the process's exit status. `socket`: a connected stream socket to the server.
int run(int socket);

}  // namespace laketap::worker
