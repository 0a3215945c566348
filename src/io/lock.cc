#include "io/lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "io/files.h"

namespace laketap::io {

Result<FolderLock> FolderLock::acquire(const std::string& directory) {
  if (const Result<> made = real_files().make_directories(directory); !made)
    return fail(made.error());
  const std::string path = directory + "/lock";
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file)
    return fail(ErrorKind::denied,
                "opening " + path + ": " + std::generic_category().message(errno));

  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return fail(ErrorKind::unavailable,
                  "locking " + path + ": " + std::generic_category().message(errno));
    std::array<char, 32> holder{};
    const ssize_t count = ::pread(file.get(), holder.data(), holder.size() - 1, 0);
    std::string_view id(holder.data(), count > 0 ? static_cast<size_t>(count) : 0);
    if (id.ends_with('\n')) id.remove_suffix(1);
    return fail(ErrorKind::conflict,
                fmt::format("{} is in use by process {}", directory, id.empty() ? "unknown" : id));
  }

  // For people and for the message above; the lock itself is the kernel's.
  const std::string id = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), id.data(), id.size(), 0) < 0)
    return fail(ErrorKind::unavailable,
                "writing " + path + ": " + std::generic_category().message(errno));
  return FolderLock(std::move(file));
}

}  // namespace laketap::io
