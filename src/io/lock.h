// The data folder's lock: two servers on one folder would destroy it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "io/process.h"

namespace laketap::io {

// Held until destroyed or the process ends, however it ends (flock on DIRECTORY/lock).
class FolderLock {
 public:
  // Creates directory and file. Errors: conflict - held by another process, whose id `what` names.
  static Result<FolderLock> acquire(const std::string& directory);

 private:
  explicit FolderLock(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace laketap::io
