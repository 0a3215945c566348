// laketap worker: what the server starts to run queries. Inner header of cli.
#pragma once

#include <string>
#include <vector>

namespace laketap::cli {

int worker_command(const std::vector<std::string>& arguments);

}  // namespace laketap::cli
