#include "cli/worker_command.h"

#include <fmt/format.h>

#include <charconv>

#include "worker/worker.h"

namespace laketap::cli {

int worker_command(const std::vector<std::string>& arguments) {
  int socket = -1;
  const std::string& text = arguments.empty() ? std::string() : arguments.front();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), socket);
  if (arguments.size() != 1 || error != std::errc() || end != text.data() + text.size() ||
      socket < 3) {
    fmt::print(
        stderr,
        "laketap worker is started by `laketap up`, with a socket; it is no command for people\n");
    return 2;
  }
  return worker::run(socket);
}

}  // namespace laketap::cli
