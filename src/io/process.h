// Child processes of our own executable, and messages with file descriptors between them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace laketap::io {

// Owns a descriptor. -1 is none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { reset(); }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  explicit operator bool() const { return number_ >= 0; }
  void reset();

 private:
  int number_ = -1;
};

// Two connected stream sockets, close-on-exec.
Result<std::pair<Descriptor, Descriptor>> socket_pair();

// Writes all bytes; the descriptors travel with the first of them, at most kDescriptorsMax.
// Blocking. Errors: unavailable - the peer is gone.
inline constexpr size_t kDescriptorsMax = 250;  // The kernel's SCM_MAX_FD is 253.
Result<> send_all(int socket, ByteView bytes, std::span<const int> descriptors = {});

// Reads exactly target.size() bytes; descriptors that came along are appended.
// Errors: cancelled - the peer closed before the first byte; unavailable - in the middle.
Result<> receive_all(int socket, std::span<uint8_t> target, std::vector<Descriptor>& descriptors);

// The path of the program that runs.
std::string own_executable();

struct SpawnOptions {
  std::string executable;                        // own_executable() as a rule.
  std::vector<std::string> arguments;            // Without the program's name.
  std::vector<std::pair<int, int>> descriptors;  // {ours, number in the child}, besides 0, 1, 2.
  std::vector<std::string> environment;          // "NAME=value"; nothing is inherited.
};

// A running child. Not thread-safe, but kill() is. Destroying kills and reaps it.
class Process {
 public:
  static Result<std::unique_ptr<Process>> spawn(const SpawnOptions& options);
  explicit Process(pid_t id) : id_(id) {}  // Of a child of ours; spawn() is the way to one.
  ~Process();

  pid_t id() const { return id_; }
  void kill();       // SIGKILL; nothing when it is over already.
  void terminate();  // SIGTERM.
  // How it ended: the exit status, or -signal. Absent when it still runs after `wait_max`.
  std::optional<int> wait(std::chrono::milliseconds wait_max);

 private:
  pid_t id_;
  int pid_descriptor_ = -1;
  std::optional<int> ended_;
};

}  // namespace laketap::io
