// Brings current objects to their readable paths after the fact, and older versions away from
// there. Inner header of store.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace laketap::store {

class Local;

// An overwritten object is put under .files first, because its path is taken until its row is
// written. Here, in the background, it gets the path that is free now. Nothing depends on it but
// people who look at the tree.
class Settler {
 public:
  explicit Settler(Local& store) : store_(store) {}

  void start();
  void stop();  // Waits for the key being settled; what waits is settled after the next start.
  void add(const std::string& bucket, const std::string& key);  // Dropped when too many wait.

 private:
  static constexpr size_t kWaitingMax = 10'000;
  void run(const std::stop_token& stop);

  Local& store_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::set<std::pair<std::string, std::string>> waiting_;
  std::jthread thread_;
};

}  // namespace laketap::store
