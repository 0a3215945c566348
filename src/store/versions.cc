// Writing and removing the rows of an object's versions.
#include <fmt/format.h>

#include "store/local.h"

namespace laketap::store {
namespace {

constexpr std::string_view kNull = "null";
constexpr size_t kChunk = 1000;

std::string new_version_id(io::Random& random) {
  return io::random_text(random, 32,
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._");
}

// The current row of a key; absent when it has none.
Result<std::optional<Row>> current_row(state::Transaction& transaction, const std::string& bucket,
                                       const std::string& key) {
  const auto entry = transaction.get(object_key(bucket, key));
  if (!entry) return fail(entry.error());
  if (!*entry) return std::optional<Row>();
  Result<Row> row = read_row((*entry)->value);
  if (!row) return fail(row.error());
  return std::optional(std::move(*row));
}

Result<Bucket> bucket_row(state::Transaction& transaction, const std::string& bucket) {
  const auto entry = transaction.get(bucket_key(bucket));
  if (!entry) return fail(entry.error());
  if (!*entry) return fail(ErrorKind::not_found, "bucket " + bucket);
  return read_bucket((*entry)->value);
}

// No row names the version's file any more.
void drop_file(state::Transaction& transaction, const std::string& path,
               std::vector<std::string>& old_files) {
  if (path.empty()) return;  // A delete marker.
  old_files.push_back(path);
  if (is_identified(path)) transaction.erase(identified_key(id_in(path)));
}

// Makes room for a new current row: what the old one becomes depends on the bucket's versioning.
// `next` gets order and older; `old_files` the files that no row names any more.
Result<> make_room(state::Transaction& transaction, Versioning versioning,
                   const std::string& bucket, const std::string& key,
                   const std::optional<Row>& current, Row& next,
                   std::vector<std::string>& old_files) {
  if (!current) return {};
  next.order = current->order + 1;
  next.older = current->older;
  const bool replaces_null = versioning != Versioning::enabled;
  if (replaces_null && current->info.version_id == kNull) {
    drop_file(transaction, current->info.path, old_files);
    return {};
  }
  if (replaces_null && current->older) {
    const Result<std::optional<OlderVersion>> old_null =
        older_version(transaction, bucket, key, kNull);
    if (!old_null) return fail(old_null.error());
    if (*old_null) {
      transaction.erase((*old_null)->state_key);
      drop_file(transaction, (*old_null)->row.info.path, old_files);
    }
  }
  Row moved = *current;
  moved.older = false;
  transaction.put(version_key(bucket, key, current->order), write_row(moved));
  next.older = true;
  return {};
}

// Hides the key by a marker: nothing is lost where versions are kept.
Result<> hide(state::Transaction& transaction, const std::string& bucket, const std::string& key,
              Versioning versioning, const std::optional<Row>& current, Row marker,
              Removal& removal) {
  marker.info.delete_marker = true;
  if (const Result<> room =
          make_room(transaction, versioning, bucket, key, current, marker, removal.old_files);
      !room)
    return room;
  transaction.put(object_key(bucket, key), write_row(marker));
  const bool had = current && !current->info.delete_marker;
  removal.removed = {.found = had, .delete_marker = true, .version_id = marker.info.version_id};
  removal.hid = had;
  removal.hid_bytes = had ? current->info.size : 0;
  return {};
}

// Removes the latest version for good; the next older one becomes the latest.
Result<> remove_latest(state::Transaction& transaction, const std::string& bucket,
                       const std::string& key, const Row& current, Removal& removal) {
  drop_file(transaction, current.info.path, removal.old_files);
  removal.hid = !current.info.delete_marker;
  removal.hid_bytes = current.info.size;
  Result<std::optional<OlderVersion>> next = std::optional<OlderVersion>();
  if (current.older) next = older_version(transaction, bucket, key, "");
  if (!next) return fail(next.error());
  if (!*next) {
    transaction.erase(object_key(bucket, key));
    return {};
  }
  transaction.erase((*next)->state_key);
  Row promoted = std::move((*next)->row);
  const std::string prefix = versions_prefix(bucket, key);
  const auto more = transaction.scan(prefix, state::prefix_end(prefix), 1);
  if (!more) return fail(more.error());
  promoted.older = !more->empty();
  removal.showed = !promoted.info.delete_marker;
  removal.shown_bytes = promoted.info.size;
  transaction.put(object_key(bucket, key), write_row(promoted));
  return {};
}

// Removes one version for good, whichever it is.
Result<> remove_version(state::Transaction& transaction, const std::string& bucket,
                        const std::string& key, const Row& current, const std::string& version_id,
                        Removal& removal) {
  if (current.info.version_id == version_id) {
    removal.removed = {
        .found = true, .delete_marker = current.info.delete_marker, .version_id = version_id};
    return remove_latest(transaction, bucket, key, current, removal);
  }
  if (!current.older) return {};
  const Result<std::optional<OlderVersion>> older =
      older_version(transaction, bucket, key, version_id);
  if (!older) return fail(older.error());
  if (!*older) return {};
  transaction.erase((*older)->state_key);
  drop_file(transaction, (*older)->row.info.path, removal.old_files);
  removal.removed = {
      .found = true, .delete_marker = (*older)->row.info.delete_marker, .version_id = version_id};
  return {};
}

}  // namespace

Result<std::optional<OlderVersion>> older_version(state::Transaction& transaction,
                                                  const std::string& bucket, const std::string& key,
                                                  std::string_view version_id) {
  const std::string prefix = versions_prefix(bucket, key);
  std::string from = prefix;
  while (true) {
    const auto entries = transaction.scan(from, state::prefix_end(prefix), kChunk);
    if (!entries) return fail(entries.error());
    for (const state::Entry& entry : *entries) {
      Result<Row> row = read_row(entry.value);
      if (!row) return fail(row.error());
      if (version_id.empty() || row->info.version_id == version_id)
        return std::optional(OlderVersion{entry.key, std::move(*row)});
    }
    if (entries->size() < kChunk) return std::optional<OlderVersion>();
    from = entries->back().key + '\0';
  }
}

Result<ObjectInfo> Local::write_object(ObjectInfo info, const CommitOptions& options,
                                       const Also& also, std::vector<std::string>& old_files) {
  uint64_t replaced_bytes = 0;
  bool replaced = false;
  const Result<> written =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        old_files.clear();
        const Result<Bucket> bucket = bucket_row(transaction, info.bucket);
        if (!bucket) return fail(bucket.error());
        if (!info.plan_id.empty()) {
          const auto plan = transaction.get(plan_key(info.plan_id));
          if (!plan) return fail(plan.error());
          if (*plan) return fail(ErrorKind::exists, "an object of the plan");
          transaction.put(plan_key(info.plan_id), info.bucket + "/" + info.key);
        }
        const Result<std::optional<Row>> current = current_row(transaction, info.bucket, info.key);
        if (!current) return fail(current.error());
        const bool has_object = *current && !(*current)->info.delete_marker;
        if (options.if_none_match && has_object) return fail(ErrorKind::exists, "key " + info.key);
        if (!options.if_match.empty() && !has_object)
          return fail(ErrorKind::not_found, "key " + info.key);
        if (!options.if_match.empty() && (*current)->info.etag != options.if_match)
          return fail(ErrorKind::conflict, "the object has another ETag");
        replaced = has_object;
        replaced_bytes = has_object ? (*current)->info.size : 0;
        info.version_id = bucket->versioning == Versioning::enabled ? new_version_id(random_)
                                                                    : std::string(kNull);
        info.last_modified = clock_.now();
        Row next;
        if (const Result<> room = make_room(transaction, bucket->versioning, info.bucket, info.key,
                                            *current, next, old_files);
            !room)
          return room;
        next.info = info;
        transaction.put(object_key(info.bucket, info.key), write_row(next));
        if (is_identified(info.path))
          transaction.put(identified_key(id_in(info.path)), info.bucket + "/" + info.key);
        return also ? also(transaction) : Result<>();
      });
  if (!written) return fail(written.error());
  if (!replaced) ++objects_;
  bytes_ += info.size - replaced_bytes;
  info.path = directory_ + "/" + info.path;  // `seen` is 0: a pin looks at the row.
  return info;
}

Result<Removal> Local::remove_one(state::Transaction& transaction, const Bucket& bucket,
                                  const RemoveRequest& request) {
  Removal removal;
  const Result<std::optional<Row>> current = current_row(transaction, bucket.name, request.key);
  if (!current) return fail(current.error());
  const bool has_object = *current && !(*current)->info.delete_marker;
  if (!request.if_match.empty()) {
    if (!has_object) return fail(ErrorKind::not_found, "key " + request.key);
    if ((*current)->info.etag != request.if_match)
      return fail(ErrorKind::conflict, "the object has another ETag");
  }
  if (request.version_id.empty() && bucket.versioning != Versioning::never) {
    Row marker;
    marker.info.version_id =
        bucket.versioning == Versioning::enabled ? new_version_id(random_) : std::string(kNull);
    marker.info.last_modified = clock_.now();
    const Result<> hidden = hide(transaction, bucket.name, request.key, bucket.versioning, *current,
                                 std::move(marker), removal);
    if (!hidden) return fail(hidden.error());
    return removal;
  }
  if (!*current) return removal;
  const Result<> gone = remove_version(
      transaction, bucket.name, request.key, **current,
      request.version_id.empty() ? (*current)->info.version_id : request.version_id, removal);
  if (!gone) return fail(gone.error());
  if (bucket.versioning == Versioning::never) removal.removed.version_id.clear();
  return removal;
}

Result<std::vector<Result<Removed>>> Local::remove_all(const std::string& bucket,
                                                       std::span<const RemoveRequest> requests) {
  auto removed = try_remove_all(bucket, requests);
  if (!reserve_) return removed;
  if (!removed && removed.error().kind == ErrorKind::full) {
    reserve_->release();
    removed = try_remove_all(bucket, requests);
  }
  reserve_->hold();
  return removed;
}

Result<std::vector<Result<Removed>>> Local::try_remove_all(
    const std::string& bucket, std::span<const RemoveRequest> requests) {
  std::vector<Result<Removal>> removals;
  {
    const std::shared_lock lock(changing_);
    const Result<> done =
        state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
          removals.clear();
          Result<Bucket> row = bucket_row(transaction, bucket);
          if (!row) return fail(row.error());
          row->name = bucket;
          for (const RemoveRequest& request : requests) {
            removals.push_back(remove_one(transaction, *row, request));
            // What the caller asked for may fail alone; a disk that fails, fails them all.
            if (const Result<Removal>& last = removals.back();
                !last && last.error().kind != ErrorKind::not_found &&
                last.error().kind != ErrorKind::conflict)
              return fail(last.error());
          }
          return {};
        });
    if (!done) return fail(done.error());
    for (const Result<Removal>& removal : removals)
      if (removal) doom(removal->old_files);
  }
  std::vector<Result<Removed>> answers;
  for (size_t i = 0; i < removals.size(); ++i) {
    if (!removals[i]) {
      answers.push_back(fail(removals[i].error()));
      continue;
    }
    after_removal(bucket, requests[i].key, *removals[i]);
    answers.push_back(std::move(removals[i]->removed));
  }
  return answers;
}

// After the commit: totals, the readable tree, listeners.
void Local::after_removal(const std::string& bucket, const std::string& key,
                          const Removal& removal) {
  // A version hidden by a marker is to leave the readable path, one that is shown again to come
  // there.
  if (removal.showed || removal.removed.delete_marker) settler_.add(bucket, key);
  objects_ += (removal.showed ? 1 : 0) - (removal.hid ? 1 : 0);
  bytes_ += removal.shown_bytes - removal.hid_bytes;
  if (removal.showed || removal.hid)
    tell({.bucket = bucket,
          .key = key,
          .plan_id = "",
          .created = removal.showed,
          .size = removal.shown_bytes});
}

Result<Removed> Local::remove(const std::string& bucket, const std::string& key,
                              const std::string& version_id, const std::string& if_match) {
  const RemoveRequest request{.key = key, .version_id = version_id, .if_match = if_match};
  Result<std::vector<Result<Removed>>> removed = remove_all(bucket, {&request, 1});
  if (!removed) return fail(removed.error());
  return std::move(removed->front());
}

}  // namespace laketap::store
