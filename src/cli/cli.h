// The command line: laketap up | env | deploy | generate | query | worker.
#pragma once

namespace laketap::cli {

// Runs one command and gives the process's exit status: 0 done, 1 failed, 2 wrong usage.
int run(int argc, char** argv);

}  // namespace laketap::cli
