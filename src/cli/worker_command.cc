#include "cli/worker_command.h"

#include <charconv>

#include "worker/worker.h"

namespace laketap::cli {

int worker_command(const std::vector<std::string>& arguments) {
  int socket = -1;
  if (arguments.size() == 1) std::from_chars(arguments[0].data(), arguments[0].data() + arguments[0].size(), socket);
  if (socket < 3) return 2;  // Nobody but the server starts it.
  return worker::run(socket);
}

}  // namespace laketap::cli
