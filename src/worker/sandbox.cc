#include "worker/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/process.h"

namespace laketap::worker {
namespace {

// Debian 12's <linux/landlock.h> stops at version 2, so newer members and bits are written out.
struct Ruleset {
  uint64_t files, net, scoped;  // 8, 16, 24 bytes: versions 1, 4, 6.
};
struct __attribute__((packed)) PathRule {
  uint64_t allowed;
  int32_t parent;
};
constexpr uint64_t kReadFile = 1 << 2,
                   kReadFolder = kReadFile | 1 << 3;  // A file's rule may not have the second.
constexpr uint64_t kWriteFile = 1 << 1, kRemoveFolder = 1 << 4, kRemoveFile = 1 << 5,
                   kMakeFolder = 1 << 7, kMakeFile = 1 << 8, kTruncate = 1 << 14;
constexpr uint64_t kWrite =
    kWriteFile | kRemoveFolder | kRemoveFile | kMakeFolder | kMakeFile | kTruncate;
[[maybe_unused]] constexpr uint64_t kAddressSpaceAbove =
    uint64_t{4} << 30;  // Measured: 4 GiB above memory_limit works, 1 GiB does not.
// What one value holds, a text of a gigabyte say, DuckDB does not count against its memory_limit.
[[maybe_unused]] constexpr uint64_t kDataAbove = uint64_t{256} << 20;
constexpr uint64_t kFilesMax = 1024;

std::unexpected<Error> lacking(const char* what) {
  return fail(ErrorKind::unsupported,
              std::string("the sandbox: ") + what + ": " + std::strerror(errno));
}

// Never above what the process may have already: an operator's own limit stays.
bool set_limit(__rlimit_resource_t what, rlim_t value) {
  rlimit both{};
  if (getrlimit(what, &both) != 0) return false;
  both.rlim_max = std::min(both.rlim_max, value);
  both.rlim_cur = both.rlim_max;
  return setrlimit(what, &both) == 0;
}

bool close_resources([[maybe_unused]] const SandboxOptions& options) {
  bool ok = set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_NOFILE, kFilesMax);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // They reserve terabytes.
  ok = ok && set_limit(RLIMIT_AS, options.memory_bytes * 2 + kAddressSpaceAbove) &&
       set_limit(RLIMIT_DATA, options.memory_bytes + options.memory_bytes / 2 + kDataAbove);
#endif
  return ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0;
}

bool allow(int ruleset, const std::string& path, uint64_t rights) {
  const io::Descriptor parent(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!parent) return errno == ENOENT;  // Nothing there: nothing to allow.
  const PathRule rule{rights, parent.get()};
  return syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0) == 0;
}

bool close_files(const SandboxOptions& options) {
  const int version = landlock_version();
  const Ruleset all{version >= 5   ? 0xffffU
                    : version >= 3 ? 0x7fffU
                    : version >= 2 ? 0x3fffU
                                   : 0x1fffU,
                    version >= 4 ? 3U : 0U, version >= 6 ? 3U : 0U};
  const size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const io::Descriptor ruleset(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &all, size, 0)));
  if (!ruleset) return false;

  bool ok = true;
  for (const std::string& folder : options.readable_folders)
    ok = ok && allow(ruleset.get(), folder, kReadFolder);
  if (!options.spill_folder.empty())
    ok = ok && allow(ruleset.get(), options.spill_folder, (kReadFolder | kWrite) & all.files);
  // DuckDB 2.0.0 finds these with stat(); a refused open() then is a null dereference that ends the
  // process.
  ok = ok && allow(ruleset.get(), "/proc/self/cgroup", kReadFile) &&
       allow(ruleset.get(), "/sys/fs/cgroup", kReadFolder);
  return ok && syscall(SYS_landlock_restrict_self, ruleset.get(), 0) == 0;
}

// What reading files and computing never needs.
constexpr int kRefusedCalls[] = {SCMP_SYS(socket),
                                 SCMP_SYS(socketpair),
                                 SCMP_SYS(connect),
                                 SCMP_SYS(bind),
                                 SCMP_SYS(listen),
                                 SCMP_SYS(accept),
                                 SCMP_SYS(accept4),
                                 SCMP_SYS(execve),
                                 SCMP_SYS(execveat),
                                 SCMP_SYS(fork),
                                 SCMP_SYS(vfork),
                                 SCMP_SYS(ptrace),
                                 SCMP_SYS(process_vm_readv),
                                 SCMP_SYS(process_vm_writev),
                                 SCMP_SYS(kill),
                                 SCMP_SYS(tkill),
                                 SCMP_SYS(rt_sigqueueinfo),
                                 SCMP_SYS(rt_tgsigqueueinfo),
                                 SCMP_SYS(pidfd_open),
                                 SCMP_SYS(pidfd_getfd),
                                 SCMP_SYS(pidfd_send_signal),
                                 SCMP_SYS(prlimit64),
                                 SCMP_SYS(setrlimit),
                                 SCMP_SYS(unshare),
                                 SCMP_SYS(setns),
                                 SCMP_SYS(mount),
                                 SCMP_SYS(umount2),
                                 SCMP_SYS(pivot_root),
                                 SCMP_SYS(chroot),
                                 SCMP_SYS(open_by_handle_at),
                                 SCMP_SYS(bpf),
                                 SCMP_SYS(io_uring_setup),
                                 SCMP_SYS(userfaultfd),
                                 SCMP_SYS(perf_event_open),
                                 SCMP_SYS(keyctl),
                                 SCMP_SYS(add_key),
                                 SCMP_SYS(request_key),
                                 SCMP_SYS(chmod),
                                 SCMP_SYS(fchmod),
                                 SCMP_SYS(fchmodat),
                                 SCMP_SYS(chown),
                                 SCMP_SYS(fchown),
                                 SCMP_SYS(lchown),
                                 SCMP_SYS(fchownat),
                                 SCMP_SYS(utimensat),
                                 SCMP_SYS(setxattr),
                                 SCMP_SYS(fsetxattr),
                                 452 /* fchmodat2, newer than the headers */,
                                 SCMP_SYS(truncate),
                                 SCMP_SYS(init_module),
                                 SCMP_SYS(finit_module),
                                 SCMP_SYS(delete_module),
                                 SCMP_SYS(kexec_load),
                                 SCMP_SYS(reboot),
                                 SCMP_SYS(swapon),
                                 SCMP_SYS(swapoff),
                                 SCMP_SYS(settimeofday),
                                 SCMP_SYS(clock_settime),
                                 SCMP_SYS(sethostname)};

bool close_calls() {
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (!filter) return false;
  bool ok = true;
  for (const int call : kRefusedCalls)
    ok = ok && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0) == 0;
  // abort() signals its own process; no other may be.
  ok = ok && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill), 1,
                              SCMP_A0(SCMP_CMP_NE, static_cast<scmp_datum_t>(getpid()))) == 0;
  // A filter cannot read clone3's flags: ENOSYS makes glibc fall back to clone, where only threads
  // pass.
  ok = ok && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
       seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                        SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0 &&
       seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return ok;
}

}  // namespace

int landlock_version() {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, 1);
  return version > 0 ? static_cast<int>(version) : 0;
}

Result<> close_sandbox(const SandboxOptions& options) {
  const bool resources = close_resources(options);
  const bool files = landlock_version() >= 1 && close_files(options);
  if (!close_calls()) return lacking("seccomp");
  if (!files) return lacking("landlock");
  if (!resources) return lacking("limits");
  return {};
}

}  // namespace laketap::worker
