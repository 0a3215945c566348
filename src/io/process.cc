#include "io/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/assert.h"

namespace laketap::io {
namespace {

std::unexpected<Error> system_failure(const std::string& what) {
  return fail(ErrorKind::unavailable, what + ": " + std::generic_category().message(errno));
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    number_ = other.release();
  }
  return *this;
}

void Descriptor::reset() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

Result<std::pair<Descriptor, Descriptor>> socket_pair() {
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return system_failure("making a socket pair");
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

Result<> send_all(int socket, ByteView bytes, std::span<const int> descriptors) {
  ASSERT(descriptors.size() <= kDescriptorsMax);
  ASSERT(descriptors.empty() || !bytes.empty());
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kDescriptorsMax)> control{};
  while (!bytes.empty()) {
    iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
      cmsghdr* const head = CMSG_FIRSTHDR(&message);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
      std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size_bytes());
    }
    const ssize_t count = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("sending to a process");
    bytes = bytes.subspan(static_cast<size_t>(count));
    descriptors = {};  // They went with the first bytes.
  }
  return {};
}

Result<> receive_all(int socket, std::span<uint8_t> target, std::vector<Descriptor>& descriptors) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kDescriptorsMax)> control;
  const size_t wanted = target.size();
  while (!target.empty()) {
    iovec part{target.data(), target.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("receiving from a process");
    for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr;
         head = CMSG_NXTHDR(&message, head)) {
      if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
      const size_t number_count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t i = 0; i < number_count; ++i) {
        int number;
        std::memcpy(&number, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
        descriptors.emplace_back(number);
      }
    }
    if (message.msg_flags & MSG_CTRUNC)
      return fail(ErrorKind::unavailable, "receiving from a process: too many descriptors");
    if (count == 0)
      return target.size() == wanted
                 ? fail(ErrorKind::cancelled, "the process closed its end")
                 : fail(ErrorKind::unavailable, "the process closed its end within a message");
    target = target.subspan(static_cast<size_t>(count));
  }
  return {};
}

std::string own_executable() {
  std::array<char, 4096> path;
  const ssize_t count = ::readlink("/proc/self/exe", path.data(), path.size());
  ASSERT(count > 0);
  std::string_view text(path.data(), static_cast<size_t>(count));
  // A running program that was replaced: the link itself still opens the old one.
  if (text.ends_with(" (deleted)")) return "/proc/self/exe";
  return std::string(text);
}

Result<std::unique_ptr<Process>> Process::spawn(const SpawnOptions& options) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Two steps, so that no target overwrites a source that is still needed: first out of the way.
  std::vector<Descriptor> moved;
  int above = 3;
  for (const auto& [ours, target] : options.descriptors) above = std::max(above, target + 1);
  for (const auto& [ours, target] : options.descriptors) {
    Descriptor& copy = moved.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, above));
    if (!copy) {
      posix_spawn_file_actions_destroy(&actions);
      return system_failure("spawning " + options.executable);
    }
    posix_spawn_file_actions_adddup2(&actions, copy.get(), target);
  }
  // What somebody opened without close-on-exec, or our own parent left open, is not passed on.
  for (int number = 3; number < above; ++number) {
    const auto is_target = [number](const auto& entry) { return entry.second == number; };
    if (std::ranges::none_of(options.descriptors, is_target))
      posix_spawn_file_actions_addclose(&actions, number);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, above);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t defaults;
  sigemptyset(&none);
  sigfillset(&defaults);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> arguments{options.executable};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  pid_t id = -1;
  errno = ::posix_spawn(&id, options.executable.c_str(), &actions, &attributes,
                        pointers(arguments).data(), pointers(options.environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (errno != 0) return system_failure("spawning " + options.executable);

  auto process = std::make_unique<Process>(id);
  process->pid_descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, id, 0));
  if (process->pid_descriptor_ < 0) return system_failure("watching " + options.executable);
  return process;
}

Process::~Process() {
  kill();
  if (!ended_) {
    int status;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (pid_descriptor_ >= 0) ::close(pid_descriptor_);
}

// By the descriptor where there is one: a number may belong to someone else once it was reaped.
void Process::kill() {
  if (pid_descriptor_ >= 0) {
    ::syscall(SYS_pidfd_send_signal, pid_descriptor_, SIGKILL, nullptr, 0);
  } else {
    ::kill(id_, SIGKILL);
  }
}

void Process::terminate() {
  ::syscall(SYS_pidfd_send_signal, pid_descriptor_, SIGTERM, nullptr, 0);
}

std::optional<int> Process::wait(std::chrono::milliseconds wait_max) {
  if (ended_) return ended_;
  const auto deadline = std::chrono::steady_clock::now() + wait_max;
  pollfd watched{pid_descriptor_, POLLIN, 0};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    const int ready = ::poll(&watched, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    break;
  }
  int status = 0;
  while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
  ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return ended_;
}

}  // namespace laketap::io
