// Closes the doors of this process, for ever: rlimits, no_new_privs, landlock, seccomp.
//
// Landlock binds the calling thread and those it starts later, so this is done while there is one
// thread: after the libraries are loaded, before DuckDB starts its pool.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace laketap::worker {

struct SandboxOptions {
  std::vector<std::string> readable_folders;
  std::string spill_folder;   // May be written.
  uint64_t memory_bytes = 0;  // What DuckDB may use; the address space is bounded well above it.
};

// Landlock's version in this kernel; 0: none.
int landlock_version();

// Errors: unsupported - the kernel lacks landlock or seccomp; what could be closed is closed.
Result<> close_sandbox(const SandboxOptions& options);

}  // namespace laketap::worker
