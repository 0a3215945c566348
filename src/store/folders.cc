#include "store/folders.h"

#include "store/paths.h"

namespace laketap::store {
namespace {

constexpr size_t kKnownMax = 100'000;

}  // namespace

Result<> Folders::link(const std::string& temporary, const std::string& path) {
  const std::string folder(folder_of(path));
  Result<> linked = ensure(folder);
  if (linked) linked = files_.link(temporary, directory_ + "/" + path);
  if (linked || linked.error().kind != ErrorKind::not_found) return linked;
  // Somebody else removed the folder, or one above it, because it was empty. With many writers that
  // may happen again and again, so now nobody may remove one before the link is there.
  const std::scoped_lock lock(mutex_);
  known_.erase(folder);
  if (const Result<> made = files_.make_directories(directory_ + "/" + folder); !made) return made;
  linked = files_.link(temporary, directory_ + "/" + path);
  // What the caller asked for is there; it is the disk that misses something.
  if (!linked && linked.error().kind == ErrorKind::not_found)
    return fail(ErrorKind::unavailable, linked.error().what);
  return linked;
}

Result<> Folders::place(const std::string& temporary, const std::string& path) {
  const std::string folder(folder_of(path));
  if (const Result<> linked = link(temporary, path); !linked) return linked;
  // It may have been removed, and made anew by somebody who has not synced its name yet. From now
  // on it stays.
  if (const Result<> made = ensure(folder); !made) return made;
  return files_.sync_directory(directory_ + "/" + folder);
}

bool Folders::known(const std::string& folder) const {
  const std::scoped_lock lock(mutex_);
  return known_.contains(folder);
}

Result<> Folders::ensure(const std::string& folder) {
  uint64_t removals = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (known_.contains(folder)) return {};
    removals = removals_;
  }
  if (const Result<> made = files_.make_directories(directory_ + "/" + folder); !made) return made;
  // Each new folder's name stands in its parent, up to the store's own folder.
  for (std::string at = folder;;) {
    const size_t slash = at.rfind('/');
    const bool top = slash == std::string::npos;
    const std::string parent = top ? directory_ : directory_ + "/" + at.substr(0, slash);
    if (const Result<> synced = files_.sync_directory(parent); !synced) {
      // A parent went meanwhile: whoever places a file there will see it, and try again.
      if (synced.error().kind == ErrorKind::not_found) return {};
      return synced;
    }
    if (top) break;
    at.resize(slash);
    if (known(at)) break;
  }
  const std::scoped_lock lock(mutex_);
  if (removals != removals_) return {};  // Perhaps of this very folder: better synced once more.
  if (known_.size() >= kKnownMax) known_.clear();
  known_.insert(folder);
  return {};
}

bool Folders::remove_if_empty(const std::string& folder) {
  const std::scoped_lock lock(mutex_);
  // Most are not empty, and then it is still there as it was known.
  if (!files_.remove_directory(directory_ + "/" + folder)) return false;
  ++removals_;
  known_.erase(folder);
  return true;
}

void Folders::prune(std::string folder) {
  while (folder.contains('/') && remove_if_empty(folder)) folder.resize(folder.rfind('/'));
}

void Folders::remove_bucket(const std::string& bucket) {
  // Parents before children, so the children go first when it is walked backwards.
  std::vector<std::string> folders{bucket};
  for (size_t at = 0; at < folders.size(); ++at) {
    const auto names = files_.list(directory_ + "/" + folders[at]);
    if (!names) continue;
    for (const std::string& name : *names) {
      std::string inner = folders[at] + "/" + name;
      if (files_.list(directory_ + "/" + inner)) folders.push_back(std::move(inner));
    }
  }
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) remove_if_empty(*folder);
}

}  // namespace laketap::store
