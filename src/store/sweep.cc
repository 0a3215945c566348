// After a start: counts the objects, and removes files whose row was never written or is gone.
#include "store/local.h"

namespace laketap::store {
namespace {

// Does a row name this file?
Result<bool> is_named(state::Database& database, const std::string& relative) {
  const auto transaction = database.begin();
  if (!transaction) return fail(transaction.error());
  std::string bucket = relative.substr(0, relative.find('/'));
  std::string key = relative.substr(bucket.size() + 1);
  if (key.starts_with(std::string(kFilesFolder) + "/")) {
    const auto owner =
        (*transaction)->get(identified_key(relative.substr(relative.rfind('/') + 1)));
    if (!owner) return fail(owner.error());
    return owner->has_value();
  }
  const auto entry = (*transaction)->get(object_key(bucket, key));
  if (!entry) return fail(entry.error());
  if (!*entry) return false;
  Result<Row> row = read_row((*entry)->value);
  if (!row) return fail(row.error());
  if (row->info.path == relative) return true;
  if (!row->older) return false;
  const std::string prefix = versions_prefix(bucket, key);
  std::string from = prefix;
  while (true) {
    const auto entries = (*transaction)->scan(from, state::prefix_end(prefix), 1000);
    if (!entries) return fail(entries.error());
    for (const state::Entry& one : *entries) {
      const Result<Row> version = read_row(one.value);
      if (!version) return fail(version.error());
      if (version->info.path == relative) return true;
    }
    if (entries->size() < 1000) return false;
    from = entries->back().key + '\0';
  }
}

}  // namespace

void Local::sweep(std::stop_token stop) {
  const Result<std::vector<Bucket>> buckets = list_buckets();
  if (!buckets) return;
  for (const Bucket& bucket : *buckets) {
    std::string from = objects_prefix(bucket.name, "");
    const std::string end = state::prefix_end(from);
    while (!stop.stop_requested()) {
      const auto transaction = database_.begin();
      if (!transaction) return;
      const auto entries = (*transaction)->scan(from, end, 1000);
      if (!entries) return;
      for (const state::Entry& entry : *entries)
        if (const Result<Row> row = read_row(entry.value); row && !row->info.delete_marker) {
          ++objects_;
          bytes_ += row->info.size;
        }
      if (entries->size() < 1000) break;
      from = entries->back().key + '\0';
    }
  }
  // Depth first, without recursion. list() fails on a file, which tells the two apart.
  std::vector<std::string> folders;
  for (const Bucket& bucket : *buckets) folders.push_back(bucket.name);
  while (!folders.empty() && !stop.stop_requested()) {
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    const Result<std::vector<std::string>> names = files_.list(directory_ + "/" + folder);
    if (!names) continue;
    for (const std::string& name : *names) {
      if (stop.stop_requested()) return;
      const std::string relative = folder + "/" + name;
      if (files_.list(directory_ + "/" + relative)) {
        folders.push_back(relative);
        continue;
      }
      {
        const std::scoped_lock lock(mutex_);
        if (claimed_.contains(relative)) continue;
      }
      const Result<bool> named = is_named(database_, relative);
      if (named && !*named) pins_.doom(relative);
    }
  }
}

}  // namespace laketap::store
