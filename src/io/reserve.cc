#include "io/reserve.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

#include "io/process.h"

namespace laketap::io {

bool Reserve::hold() {
  const std::scoped_lock lock(mutex_);
  if (held_ == bytes_) return true;
  const Descriptor file(open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  struct statvfs disk{};
  if (!file || fstatvfs(file.get(), &disk) != 0) return false;
  const uint64_t free = uint64_t{disk.f_bavail} * disk.f_frsize;
  const uint64_t wanted = std::min(bytes_, held_ + free / 2);
  if (wanted > held_ && posix_fallocate(file.get(), 0, static_cast<off_t>(wanted)) == 0)
    held_ = wanted;
  return held_ == bytes_;
}

void Reserve::release() {
  const std::scoped_lock lock(mutex_);
  unlink(path_.c_str());
  held_ = 0;
}

}  // namespace laketap::io
