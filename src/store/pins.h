// Files that somebody reads stay on the disk after their object went. Inner header of store.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "io/files.h"

namespace laketap::store {

// Thread-safe. Paths are relative to the store's directory. What hold() gives may outlive this.
class Pins {
 public:
  Pins(io::Files& files, std::string directory);

  // Keeps the file until the handle is destroyed. Null when the file is doomed already.
  std::shared_ptr<void> hold(const std::string& path);

  // Removes the file: now, or when its last handle goes. Once for each file, when no row names it
  // any more.
  void doom(const std::string& path);
  // The same for an orphan; nothing when it is doomed already.
  void doom_orphan(const std::string& path);

  // How many were doomed so far, from 1. While it stands still, every path is the same file.
  uint64_t dooms() const;

 private:
  struct Held;
  struct Slot {
    std::weak_ptr<Held> held;
    bool doomed = false, removing = false;
    bool again = false;  // While its file was removed, another took the path and was doomed.
  };
  struct Shared {
    Shared(io::Files& its_files, std::string its_directory)
        : files(its_files), directory(std::move(its_directory)) {}
    void let_go(const std::string& path);
    void doom(const std::string& path, bool orphan);
    void remove(std::unique_lock<std::mutex> lock, const std::string& path);

    io::Files& files;
    std::string directory;
    std::mutex mutex;
    std::atomic<uint64_t> dooms = 1;
    std::unordered_map<std::string, Slot> slots;  // Held or doomed ones.
  };
  struct Held {
    std::shared_ptr<Shared> shared;
    std::string path;
    ~Held() { shared->let_go(path); }
  };

  std::shared_ptr<Shared> shared_;
};

}  // namespace laketap::store
