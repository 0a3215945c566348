// Threads for work that blocks, with a bounded queue: handlers here, pages in server.
#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <functional>

#include "base/task.h"

namespace laketap::wire {

// Thread-safety: every method, from any thread.
class Pool {
 public:
  // No threads: run() runs its work at once, where it is called.
  Pool(size_t threads, size_t queued_max);
  ~Pool();  // Waits for all work that was taken.

  // Runs `work` on a thread of the pool and comes back to the caller's executor.
  // False, and nothing was run: queued_max calls are waiting already.
  Task<bool> run(std::function<void()> work);

 private:
  const size_t threads_;
  const size_t queued_max_;
  std::atomic<size_t> queued_{0};
  boost::asio::thread_pool pool_;
};

}  // namespace laketap::wire
