// The folders of the readable tree: made durably when needed, removed when empty. Inner header of
// store.
#pragma once

#include <mutex>
#include <string>
#include <unordered_set>

#include "io/files.h"

namespace laketap::store {

// Thread-safe. Paths are relative to the store's directory.
class Folders {
 public:
  Folders(io::Files& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  // Gives the file `temporary` (a whole path) the second name `path`, durably: folders are made,
  // and each new name is synced. Errors: exists - the name is taken, or a part of it is a file.
  Result<> place(const std::string& temporary, const std::string& path);

  // Removes `folder` and its parents while they are empty; the bucket's own folder stays.
  void prune(std::string folder);
  // Removes the bucket's folder with all folders in it, as far as they are empty.
  void remove_bucket(const std::string& bucket);

 private:
  Result<> link(const std::string& temporary, const std::string& path);
  Result<> ensure(const std::string& folder);
  bool known(const std::string& folder) const;
  bool remove_if_empty(const std::string& folder);

  io::Files& files_;
  std::string directory_;
  mutable std::mutex mutex_;
  std::unordered_set<std::string> known_;  // There, and their names synced.
  uint64_t removals_ = 0;
};

}  // namespace laketap::store
