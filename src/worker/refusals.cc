#include "worker/refusals.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

namespace laketap::worker {
namespace {

bool refused(long result) {
  return result < 0 && (errno == EACCES || errno == EPERM);
}

// Sixteen files, so that each thread of the pool opens some; one of them opened is a failure.
bool scan_refuses(Session& session, const std::string& path) {
  engine::Statement statement;
  statement.sql = "SELECT count(*) FROM laketap_scan('secret')";
  statement.columns = {{"n", "bigint"}};
  engine::Scan scan;
  scan.name = "secret";
  scan.columns = {{"a", "string"}};
  for (int i = 0; i < 16; ++i) {
    engine::ScanFile file;
    file.path = path;
    file.name = "a secret";
    file.bytes = 1;
    scan.files.push_back(std::move(file));
  }
  statement.scans = {std::move(scan)};
  const auto outcome = session.run(std::move(statement), [](engine::RowBatch) { return true; });
  return !outcome && outcome.error().what.starts_with("HIVE_CANNOT_OPEN_SPLIT") &&
         outcome.error().what.find("Permission denied") != std::string::npos;
}

void try_calls(engine::Refusals& found, const std::string& who) {
  found[who + " makes an internet socket"] = refused(socket(AF_INET, SOCK_STREAM, 0));
  found[who + " makes a unix socket"] = refused(socket(AF_UNIX, SOCK_STREAM, 0));
  found[who + " forks"] = refused(syscall(SYS_fork));
  found[who + " traces"] = refused(syscall(SYS_ptrace, 0, 0, 0, 0));
  found[who + " signals its parent"] = refused(kill(getppid(), 0));
  found[who + " uses io_uring"] = refused(syscall(SYS_io_uring_setup, 1, nullptr));
  char program[] = "/bin/true";
  char* const arguments[] = {program, nullptr};
  char* const environment[] = {nullptr};
  found[who + " executes"] = refused(execve(program, arguments, environment));
}

}  // namespace

engine::Refusals try_what_is_closed(Session& session, const engine::WorkerSetup& setup,
                                    const std::vector<std::string>& secrets) {
  engine::Refusals found;
  for (const std::string& path : secrets) {
    found["main thread opens " + path] = refused(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    bool other = false;
    std::jthread([&] { other = refused(open(path.c_str(), O_RDONLY | O_CLOEXEC)); }).join();
    found["new thread opens " + path] = other;
    found["DuckDB's threads open " + path] = scan_refuses(session, path);
  }
  for (const std::string& folder : setup.readable_folders) {
    const std::string path = folder + "/written-by-worker";
    found["main thread writes into " + folder] =
        refused(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    found["main thread changes the mode of " + folder] = refused(chmod(folder.c_str(), 0777));
  }
  try_calls(found, "main thread");
  engine::Refusals of_thread;
  std::jthread([&] { try_calls(of_thread, "new thread"); }).join();
  found.merge(of_thread);
  found["a library is loaded"] = dlopen("libpam.so.0", RTLD_NOW) == nullptr;

  // A second DuckDB with its own switches left open: only the kernel stands in its way.
  SessionOptions open_options;
  open_options.library = setup.library;
  open_options.spill_folder = setup.spill_folder;
  open_options.hardened = false;
  const auto loose = Session::open(open_options);
  found["a loose DuckDB starts (not an attempt)"] = loose.has_value();
  if (!loose) return found;
  const auto refuses = [&](const std::string& sql) {
    return (*loose)->ask(sql).starts_with("ERROR ");
  };
  for (const std::string& path : secrets)
    found["SQL reads " + path] = refuses("SELECT length(content) FROM read_text('" + path + "')");
  for (const std::string& folder : setup.readable_folders)
    found["SQL writes into " + folder] = refuses("COPY (SELECT 1) TO '" + folder + "/evil.csv'");
  // The same statement is fine where writing is: so it is the place that is refused.
  if (!setup.spill_folder.empty())
    found["SQL writes where it may (not an attempt)"] =
        !refuses("COPY (SELECT 1) TO '" + setup.spill_folder + "/fine.csv'");
  return found;
}

}  // namespace laketap::worker
