// What both twins can do by their own calls.
#include "io/files.h"

namespace laketap::io {
namespace {

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<> make_durable_directories(Files& files, const std::string& path) {
  std::vector<std::string> to_sync;
  for (std::string at = path; at != "." && at != "/"; at = directory_of(at)) {
    const Result<bool> is_there = files.exists(at);
    if (!is_there) return fail(is_there.error());
    if (*is_there) break;
    to_sync.push_back(directory_of(at));
  }
  if (const Result<> made = files.make_directories(path); !made) return made;
  for (const std::string& directory : to_sync)
    if (const Result<> synced = files.sync_directory(directory); !synced) return synced;
  return {};
}

Result<std::string> read_file(Files& files, const std::string& path, size_t bytes_max) {
  const auto file = files.open(path, {});
  if (!file) return fail(file.error());
  const Result<uint64_t> size = (*file)->size();
  if (!size) return fail(size.error());
  if (*size > bytes_max) return fail(ErrorKind::too_large, path + " is too large");

  std::string content(*size, '\0');
  const auto target = std::span(reinterpret_cast<uint8_t*>(content.data()), content.size());
  const Result<size_t> read = (*file)->read(0, target);
  if (!read) return fail(read.error());
  content.resize(*read);
  return content;
}

Result<> replace_file(Files& files, const std::string& path, std::string_view content) {
  const std::string fresh = path + ".new";
  {
    const auto file = files.open(fresh, {.write = true, .create = true, .truncate = true});
    if (!file) return fail(file.error());
    if (const Result<> written = (*file)->write(0, view(content)); !written) return written;
    if (const Result<> synced = (*file)->sync(); !synced) return synced;
  }
  if (const Result<> renamed = files.rename(fresh, path); !renamed) return renamed;
  return files.sync_directory(directory_of(path));
}

}  // namespace laketap::io
