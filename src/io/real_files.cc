// The machine's files.
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "base/assert.h"
#include "io/files.h"

namespace laketap::io {
namespace {

std::unexpected<Error> system_failure(int code, const std::string& what) {
  ErrorKind kind = ErrorKind::unavailable;
  switch (code) {
    case ENOENT:
    case ENOTDIR: kind = ErrorKind::not_found; break;
    case EEXIST:
    case ENOTEMPTY: kind = ErrorKind::exists; break;
    case EACCES:
    case EPERM:
    case EROFS: kind = ErrorKind::denied; break;
    case ENOSPC:
    case EDQUOT: kind = ErrorKind::full; break;
    case ENAMETOOLONG:
    case EISDIR:
    case EINVAL: kind = ErrorKind::invalid; break;
    default: break;
  }
  return fail(kind, what + ": " + std::generic_category().message(code));
}

class RealFile : public File {
 public:
  RealFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~RealFile() override { ::close(descriptor_); }

  Result<size_t> read(uint64_t offset, std::span<uint8_t> target) const override {
    size_t done = 0;
    while (done < target.size()) {
      const ssize_t count = ::pread(descriptor_, target.data() + done, target.size() - done,
                                    static_cast<off_t>(offset + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_failure(errno, "reading " + path_);
      if (count == 0) break;
      done += static_cast<size_t>(count);
    }
    return done;
  }

  Result<> write(uint64_t offset, ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t count =
          ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_failure(errno, "writing " + path_);
      if (count == 0) return system_failure(EIO, "writing " + path_);
      offset += static_cast<uint64_t>(count);
      bytes = bytes.subspan(static_cast<size_t>(count));
    }
    return {};
  }

  Result<> sync() override {
    // Not repeated on EINTR either: see the face.
    if (::fdatasync(descriptor_) != 0) return system_failure(errno, "syncing " + path_);
    return {};
  }

  Result<uint64_t> size() const override {
    struct stat status;
    if (::fstat(descriptor_, &status) != 0) return system_failure(errno, "size of " + path_);
    return static_cast<uint64_t>(status.st_size);
  }

  Result<> truncate(uint64_t bytes) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0)
      return system_failure(errno, "truncating " + path_);
    return {};
  }

  int descriptor() const override { return descriptor_; }

 private:
  int descriptor_;
  std::string path_;
};

// tmpfs accepts O_DIRECT on new kernels, so a refusal is no sign of a memory disk: ask.
bool is_memory_disk(int descriptor) {
  struct statfs status;
  return ::fstatfs(descriptor, &status) == 0 &&
         (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

// Direct I/O is set after opening: open() with O_DIRECT may create the file and then refuse.
void try_direct(int descriptor) {
  if (is_memory_disk(descriptor)) return;
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags >= 0) ::fcntl(descriptor, F_SETFL, flags | O_DIRECT);
}

class RealFiles : public Files {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenOptions options) override {
    int flags = O_CLOEXEC | (options.write ? O_RDWR : O_RDONLY);
    if (options.create) flags |= O_CREAT;
    if (options.exclusive) flags |= O_EXCL;
    if (options.truncate) flags |= O_TRUNC;
    int descriptor;
    do {
      descriptor = ::open(path.c_str(), flags, 0600);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) return system_failure(errno, "opening " + path);
    if (options.direct) try_direct(descriptor);
    return std::make_unique<RealFile>(descriptor, path);
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      return system_failure(errno, "renaming " + from + " to " + to);
    return {};
  }

  Result<> link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) != 0)
      return system_failure(errno, "linking " + from + " to " + to);
    return {};
  }

  Result<> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_failure(errno, "removing " + path);
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    DIR* const stream = ::opendir(directory.c_str());
    if (stream == nullptr) return system_failure(errno, "listing " + directory);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    const int code = errno;
    ::closedir(stream);
    if (code != 0) return system_failure(code, "listing " + directory);
    std::ranges::sort(names);
    return names;
  }

  Result<> make_directories(const std::string& path) override {
    for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
      const std::string part = path.substr(0, end);
      if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST)
        return system_failure(errno, "making the folder " + part);
      if (end == std::string::npos) break;
    }
    struct stat status;
    if (::stat(path.c_str(), &status) != 0) return system_failure(errno, "making " + path);
    if (!S_ISDIR(status.st_mode)) return fail(ErrorKind::exists, path + " is not a folder");
    return {};
  }

  Result<> remove_directory(const std::string& path) override {
    if (::rmdir(path.c_str()) != 0) return system_failure(errno, "removing the folder " + path);
    return {};
  }

  Result<> sync_directory(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return system_failure(errno, "opening the folder " + path);
    const int code = ::fsync(descriptor) == 0 ? 0 : errno;
    ::close(descriptor);
    if (code != 0) return system_failure(code, "syncing the folder " + path);
    return {};
  }

  Result<bool> exists(const std::string& path) override {
    struct stat status;
    if (::lstat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return system_failure(errno, "looking for " + path);
  }

  Result<uint64_t> free_bytes(const std::string& path) override {
    struct statvfs status;
    if (::statvfs(path.c_str(), &status) != 0)
      return system_failure(errno, "free space of " + path);
    return uint64_t{status.f_bavail} * status.f_frsize;
  }
};

}  // namespace

Files& real_files() {
  static RealFiles* const files = new RealFiles;  // Never destroyed: threads may outlive main().
  return *files;
}

}  // namespace laketap::io
