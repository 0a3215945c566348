#include "worker/duck.h"

#include <dlfcn.h>

#include <mutex>

namespace laketap::worker {

Result<const Duck*> load_duck(const std::string& library) {
  static std::mutex mutex;
  static Duck duck;
  static bool loaded = false;
  const std::lock_guard lock(mutex);
  if (loaded) return &duck;

  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) return fail(ErrorKind::unavailable, std::string("loading DuckDB: ") + dlerror());
#define LAKETAP_DUCK_RESOLVE(name)                                                        \
  duck.name = reinterpret_cast<decltype(&duckdb_##name)>(dlsym(handle, "duckdb_" #name)); \
  if (!duck.name) return fail(ErrorKind::unavailable, "DuckDB lacks duckdb_" #name);
  LAKETAP_DUCK_FUNCTIONS(LAKETAP_DUCK_RESOLVE)
#undef LAKETAP_DUCK_RESOLVE
  loaded = true;
  return &duck;
}

}  // namespace laketap::worker
