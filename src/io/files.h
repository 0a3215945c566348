// Files: the only door to the disk. real_files() is the machine's, sim::Disk (io/sim.h) its twin.
//
// Errors of every call, besides those it names: not_found, exists, denied, full (no space, quota),
// unavailable (any other failure of the machine); `what` names the path and the system's reason.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace laketap::io {

// Offsets, lengths and memory of a direct file are multiples of this. Holds for every disk we know.
inline constexpr size_t kDirectAlignment = 4096;

// One open file. Thread-safe for disjoint ranges. Closes on destruction, without a sync.
class File {
 public:
  virtual ~File() = default;

  // Returns the bytes read: fewer than asked for only at the end of the file.
  virtual Result<size_t> read(uint64_t offset, std::span<uint8_t> target) const = 0;
  // Writes all of it, or fails having written an unknown part. Grows the file where needed.
  virtual Result<> write(uint64_t offset, ByteView bytes) = 0;
  // Bytes and length reach the disk (fdatasync). After a failure the unsynced bytes may be gone
  // even if a second call succeeds: do not ask again.
  virtual Result<> sync() = 0;
  virtual Result<uint64_t> size() const = 0;
  virtual Result<> truncate(uint64_t bytes) = 0;
  // For sendfile or to pass to a process; -1 in the simulated twin. Lives as long as this.
  virtual int descriptor() const = 0;
};

struct OpenOptions {
  bool write = false;      // Read-only otherwise.
  bool create = false;     // Mode 0600.
  bool exclusive = false;  // With create: fails with exists.
  bool truncate = false;
  // Past the page cache: see kDirectAlignment. Falls back to buffered where the file system has no
  // direct way, or is a memory disk (tmpfs), so callers align always and never ask which it is.
  bool direct = false;
};

// Thread-safe. Paths as the system takes them. What changes a directory is durable only after
// sync_directory() of it.
class Files {
 public:
  virtual ~Files() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenOptions options) = 0;
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;  // Replaces `to`.
  virtual Result<> link(const std::string& from, const std::string& to) = 0;    // A second name.
  virtual Result<> remove(const std::string& path) = 0;                         // A file.
  virtual Result<std::vector<std::string>> list(
      const std::string& directory) = 0;                           // Names, sorted.
  virtual Result<> make_directories(const std::string& path) = 0;  // With parents; mode 0700.
  virtual Result<> remove_directory(const std::string& path) = 0;  // Empty, else exists.
  virtual Result<> sync_directory(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Result<uint64_t> free_bytes(const std::string& path) = 0;  // For us, not for root only.
};

// The machine's. Never destroyed.
Files& real_files();

// make_directories(), durable when it returns: syncs the parents of what was not there before.
Result<> make_durable_directories(Files& files, const std::string& path);

// The whole of a small file. Errors: too_large - longer than `bytes_max`.
Result<std::string> read_file(Files& files, const std::string& path, size_t bytes_max);

// Replaces `path` so that after a crash it holds the old or the new text, never a mix: writes
// `path`.new, syncs, renames, syncs the directory.
Result<> replace_file(Files& files, const std::string& path, std::string_view content);

}  // namespace laketap::io
