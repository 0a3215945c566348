// After a start: counts the objects, and removes files whose row was never written or is gone.
#include <algorithm>

#include "store/local.h"

namespace laketap::store {
namespace {

constexpr size_t kChunk = 1000;

uint64_t hash_of(std::string_view path) {
  return std::hash<std::string_view>()(path);
}

// Calls `visit` for every row with the prefix. False when it was stopped or could not be read.
bool each_row(state::Transaction& snapshot, const std::string& prefix, const std::stop_token& stop,
              const std::function<void(const Row&)>& visit) {
  std::string from = prefix;
  while (!stop.stop_requested()) {
    const auto entries = snapshot.scan(from, state::prefix_end(prefix), kChunk);
    if (!entries) return false;
    for (const state::Entry& entry : *entries) {
      const Result<Row> row = read_row(entry.value);
      if (!row) return false;  // A damaged row: nothing is an orphan for sure.
      visit(*row);
    }
    if (entries->size() < kChunk) return true;
    from = entries->back().key + '\0';
  }
  return false;
}

// Does a row name this file? Errors count as yes.
bool is_named(state::Database& database, const std::string& path) {
  const auto transaction = database.begin();
  if (!transaction) return true;
  if (is_identified(path)) {
    const auto owner = (*transaction)->get(identified_key(id_in(path)));
    return !owner || owner->has_value();
  }
  const std::string bucket = path.substr(0, path.find('/'));
  const std::string key = path.substr(bucket.size() + 1);
  const auto entry = (*transaction)->get(object_key(bucket, key));
  if (!entry) return true;
  if (!*entry) return false;
  const Result<Row> row = read_row((*entry)->value);
  if (!row || row->info.path == path) return true;
  bool named = false;
  const bool whole = each_row(**transaction, versions_prefix(bucket, key), std::stop_token(),
                              [&](const Row& one) { named |= one.info.path == path; });
  return named || !whole;
}

}  // namespace

void Local::sweep(const std::stop_token& stop) {
  const std::unique_ptr<state::Transaction> snapshot = std::move(at_start_);
  std::vector<uint64_t> known;  // Of the paths that rows named at the start.
  std::vector<std::string> folders;
  const auto buckets =
      snapshot->scan(buckets_prefix(), state::prefix_end(buckets_prefix()), SIZE_MAX / 2);
  if (!buckets) return;
  for (const state::Entry& entry : *buckets) {
    const std::string bucket = state::parts_of(entry.key).at(1);
    folders.push_back(bucket);
    const bool latest = each_row(*snapshot, objects_prefix(bucket, ""), stop, [&](const Row& row) {
      if (row.info.delete_marker) return;
      ++objects_;
      bytes_ += row.info.size;
      known.push_back(hash_of(row.info.path));
    });
    const bool older = each_row(*snapshot, bucket_versions_prefix(bucket), stop,
                                [&](const Row& row) { known.push_back(hash_of(row.info.path)); });
    if (!latest || !older) return;
  }
  std::ranges::sort(known);

  // Without recursion. list() fails on a file, which tells the two apart.
  while (!folders.empty() && !stop.stop_requested()) {
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    const Result<std::vector<std::string>> names = files_.list(directory_ + "/" + folder);
    if (!names) continue;
    for (const std::string& name : *names) {
      if (stop.stop_requested()) return;
      const std::string path = folder + "/" + name;
      if (std::ranges::binary_search(known, hash_of(path))) continue;
      if (files_.list(directory_ + "/" + path)) {
        folders.push_back(path);
        continue;
      }
      if (is_named(database_, path)) continue;  // Newer than the snapshot.
      const std::unique_lock alone(changing_);
      if (!is_named(database_, path)) pins_.doom_orphan(path);
    }
  }
}

}  // namespace laketap::store
