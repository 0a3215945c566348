// What tests start as a worker: `laketap worker` without the rest of laketap.
#include "worker/worker.h"

int main() {
  return laketap::worker::run(3);
}
