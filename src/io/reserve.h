// Room on the disk that is kept back, so that on a full disk things can still be removed.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace laketap::io {

// A file that holds nothing. Thread-safe.
class Reserve {
 public:
  Reserve(std::string path, uint64_t bytes) : path_(std::move(path)), bytes_(bytes) {}

  // Takes the room, as far as it is not taken yet: of what the disk has left, never more than half.
  // False when that is not all.
  bool hold();
  // Gives it to whoever writes next.
  void release();

 private:
  std::string path_;
  uint64_t bytes_;
  std::mutex mutex_;
  uint64_t held_ = 0;
};

}  // namespace laketap::io
