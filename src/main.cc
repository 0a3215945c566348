// laketap: see cli/cli.h for the commands and cli/up.cc for how the parts of the server meet.
#include "cli/cli.h"

int main(int argc, char** argv) {
  return laketap::cli::run(argc, argv);
}
