// Looking at objects: one, a page, a snapshot; and holding on to their files.
#include <algorithm>

#include "store/local.h"

namespace laketap::store {
namespace {

constexpr size_t kChunk = 5000;
constexpr int kPinTriesMax = 8;

Result<> check_bucket(state::Transaction& transaction, const std::string& bucket) {
  const auto found = transaction.get(bucket_key(bucket));
  if (!found) return fail(found.error());
  if (!*found) return fail(ErrorKind::not_found, "bucket " + bucket);
  return {};
}

// The version or, when the id is empty, the latest. The path is as stored.
Result<ObjectInfo> find_row(state::Transaction& transaction, const std::string& bucket,
                            const std::string& key, const std::string& version_id) {
  const auto entry = transaction.get(object_key(bucket, key));
  if (!entry) return fail(entry.error());
  if (!*entry)
    return fail(ErrorKind::not_found, version_id.empty() ? "key " + key : "version " + version_id);
  Result<Row> row = read_row((*entry)->value);
  if (!row) return fail(row.error());
  bool latest = true;
  if (!version_id.empty() && row->info.version_id != version_id) {
    if (!row->older) return fail(ErrorKind::not_found, "version " + version_id);
    Result<std::optional<OlderVersion>> older = older_version(transaction, bucket, key, version_id);
    if (!older) return fail(older.error());
    if (!*older) return fail(ErrorKind::not_found, "version " + version_id);
    row = std::move((*older)->row);
    latest = false;
  }
  row->info.bucket = bucket;
  row->info.key = key;
  row->info.is_latest = latest;
  return std::move(row->info);
}

}  // namespace

Result<ObjectInfo> Local::find(const std::string& bucket, const std::string& key,
                               const std::string& version_id) const {
  const uint64_t seen = pins_.dooms();  // Before the snapshot.
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  if (const Result<> there = check_bucket(**transaction, bucket); !there)
    return fail(there.error());
  Result<ObjectInfo> found = find_row(**transaction, bucket, key, version_id);
  if (!found) return found;
  found->seen = seen;
  if (!found->path.empty()) found->path = directory_ + "/" + found->path;
  return found;
}

Result<Page> Local::list(const std::string& bucket, const ListRequest& request) const {
  const uint64_t seen = pins_.dooms();  // Before the snapshot.
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  if (const Result<> there = check_bucket(**transaction, bucket); !there)
    return fail(there.error());
  Result<Page> page = list_page(**transaction, bucket, request);
  if (page)
    for (ObjectInfo& object : page->objects) {
      object.seen = seen;
      if (!object.path.empty()) object.path = directory_ + "/" + object.path;
    }
  return page;
}

Result<std::vector<ObjectInfo>> Local::snapshot(const std::string& bucket,
                                                const std::string& prefix) const {
  const uint64_t seen = pins_.dooms();  // Before the snapshot.
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  if (const Result<> there = check_bucket(**transaction, bucket); !there)
    return fail(there.error());
  std::vector<ObjectInfo> out;
  std::string from = objects_prefix(bucket, prefix);
  const std::string end = state::prefix_end(from);
  while (true) {
    const auto entries = (*transaction)->scan(from, end, kChunk);
    if (!entries) return fail(entries.error());
    for (const state::Entry& entry : *entries) {
      Result<Row> row = read_row(entry.value);
      if (!row) return fail(row.error());
      if (row->info.delete_marker) continue;
      row->info.bucket = bucket;
      row->info.key = key_of(entry.key);
      row->info.path = directory_ + "/" + row->info.path;
      row->info.seen = seen;
      out.push_back(std::move(row->info));
    }
    if (entries->size() < kChunk) return out;
    from = entries->back().key + '\0';
  }
}

Result<Pin> Local::pin(const ObjectInfo& object) {
  if (!object.path.starts_with(directory_ + "/"))
    return fail(ErrorKind::invalid, "no file of an object");
  std::string path = object.path;
  uint64_t seen = object.seen;
  for (int tries = 0; tries < kPinTriesMax; ++tries) {
    std::shared_ptr<void> held = pins_.hold(path.substr(directory_.size() + 1));
    // Held, so it will not go from now on; and nothing went since the row was read.
    if (held && seen == pins_.dooms()) return Pin(std::move(held), path);
    // Else it may have gone, and another object have taken its path, or it was moved: the row says.
    Result<ObjectInfo> now = find(object.bucket, object.key, object.version_id);
    if (!now) return fail(now.error());
    if (now->etag != object.etag || now->last_modified != object.last_modified)
      return fail(ErrorKind::not_found, "key " + object.key);
    if (held && now->path == path) return Pin(std::move(held), path);
    path = now->path;
    seen = now->seen;
  }
  return fail(ErrorKind::not_found, "key " + object.key);
}

Result<bool> Local::delivered(const std::string& plan_id) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const auto found = (*transaction)->get(plan_key(plan_id));
  if (!found) return fail(found.error());
  return found->has_value();
}

Result<> Local::forget_plan(const std::string& plan_id) {
  return state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
    transaction.erase(plan_key(plan_id));
    return {};
  });
}

}  // namespace laketap::store
