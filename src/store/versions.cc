// Writing and removing the rows of an object's versions.
#include <fmt/format.h>

#include "store/local.h"

namespace laketap::store {
namespace {

constexpr std::string_view kNull = "null";

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

struct Found {
  std::string state_key;
  Row row;
};
// The older version with this id; absent when there is none.
Result<std::optional<Found>> older_version(state::Transaction& transaction,
                                           const std::string& bucket, const std::string& key,
                                           std::string_view version_id) {
  const std::string prefix = versions_prefix(bucket, key);
  std::string from = prefix;
  while (true) {
    const auto entries = transaction.scan(from, state::prefix_end(prefix), 1000);
    if (!entries) return fail(entries.error());
    for (const state::Entry& entry : *entries) {
      Result<Row> row = read_row(entry.value);
      if (!row) return fail(row.error());
      if (version_id.empty() || row->info.version_id == version_id)
        return std::optional(Found{entry.key, std::move(*row)});
    }
    if (entries->size() < 1000) return std::optional<Found>();
    from = entries->back().key + '\0';
  }
}

Result<Bucket> bucket_row(state::Transaction& transaction, const std::string& bucket) {
  const auto entry = transaction.get(bucket_key(bucket));
  if (!entry) return fail(entry.error());
  if (!*entry) return fail(ErrorKind::not_found, "bucket " + bucket);
  return read_bucket((*entry)->value);
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
    if (!current->info.path.empty()) old_files.push_back(current->info.path);
    return {};
  }
  if (replaces_null && current->older) {
    const Result<std::optional<Found>> old_null = older_version(transaction, bucket, key, kNull);
    if (!old_null) return fail(old_null.error());
    if (*old_null) {
      transaction.erase((*old_null)->state_key);
      if (!(*old_null)->row.info.path.empty()) old_files.push_back((*old_null)->row.info.path);
    }
  }
  Row moved = *current;
  moved.older = false;
  transaction.put(version_key(bucket, key, current->order), write_row(moved));
  next.older = true;
  return {};
}

}  // namespace

Result<ObjectInfo> Local::write_object(ObjectInfo info, const CommitOptions& options,
                                       std::vector<std::string>& old_files) {
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
        if (info.path.contains("/.files/"))
          transaction.put(identified_key(info.path.substr(info.path.rfind('/') + 1)),
                          info.bucket + "/" + info.key);
        return {};
      });
  if (!written) return fail(written.error());
  if (!replaced) ++objects_;
  bytes_ += info.size - replaced_bytes;
  info.path = directory_ + "/" + info.path;
  return info;
}

Result<Removed> Local::remove(const std::string& bucket, const std::string& key,
                              const std::string& version_id, const std::string& if_match) {
  Removed removed;
  std::vector<std::string> old_files;
  uint64_t removed_bytes = 0;
  bool hid_object = false;
  bool showed_object = false;
  uint64_t shown_bytes = 0;
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        removed = {};
        old_files.clear();
        hid_object = showed_object = false;
        removed_bytes = shown_bytes = 0;
        const Result<Bucket> row = bucket_row(transaction, bucket);
        if (!row) return fail(row.error());
        const Result<std::optional<Row>> found = current_row(transaction, bucket, key);
        if (!found) return fail(found.error());
        const std::optional<Row>& current = *found;
        const bool has_object = current && !current->info.delete_marker;
        if (!if_match.empty() && !has_object) return fail(ErrorKind::not_found, "key " + key);
        if (!if_match.empty() && current->info.etag != if_match)
          return fail(ErrorKind::conflict, "the object has another ETag");

        if (version_id.empty() && row->versioning != Versioning::never) {
          // Hidden by a marker; nothing is lost where versions are kept.
          Row marker;
          marker.info.version_id =
              row->versioning == Versioning::enabled ? new_version_id(random_) : std::string(kNull);
          marker.info.delete_marker = true;
          marker.info.last_modified = clock_.now();
          if (const Result<> room =
                  make_room(transaction, row->versioning, bucket, key, current, marker, old_files);
              !room)
            return room;
          transaction.put(object_key(bucket, key), write_row(marker));
          removed = {
              .found = has_object, .delete_marker = true, .version_id = marker.info.version_id};
          hid_object = has_object;
          removed_bytes = has_object ? current->info.size : 0;
          return {};
        }
        if (!current) return {};
        const std::string wanted = version_id.empty() ? current->info.version_id : version_id;
        if (current->info.version_id == wanted) {
          removed = {.found = true,
                     .delete_marker = current->info.delete_marker,
                     .version_id = row->versioning == Versioning::never ? "" : wanted};
          if (!current->info.path.empty()) old_files.push_back(current->info.path);
          hid_object = has_object;
          removed_bytes = has_object ? current->info.size : 0;
          // The next older version becomes the latest.
          Result<std::optional<Found>> next = std::optional<Found>();
          if (current->older) next = older_version(transaction, bucket, key, "");
          if (!next) return fail(next.error());
          if (!*next) {
            transaction.erase(object_key(bucket, key));
            return {};
          }
          transaction.erase((*next)->state_key);
          Row promoted = (*next)->row;
          const std::string prefix = versions_prefix(bucket, key);
          const auto more = transaction.scan(prefix, state::prefix_end(prefix), 1);
          if (!more) return fail(more.error());
          promoted.older = !more->empty();
          showed_object = !promoted.info.delete_marker;
          shown_bytes = promoted.info.size;
          transaction.put(object_key(bucket, key), write_row(promoted));
          return {};
        }
        const Result<std::optional<Found>> older =
            current->older ? older_version(transaction, bucket, key, wanted)
                           : std::optional<Found>();
        if (!older) return fail(older.error());
        if (!*older) return {};
        transaction.erase((*older)->state_key);
        if (!(*older)->row.info.path.empty()) old_files.push_back((*older)->row.info.path);
        removed = {
            .found = true, .delete_marker = (*older)->row.info.delete_marker, .version_id = wanted};
        return {};
      });
  if (!done) return fail(done.error());
  for (const std::string& path : old_files) {
    pins_.doom(path);
    if (path.contains("/.files/"))
      (void)state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        transaction.erase(identified_key(path.substr(path.rfind('/') + 1)));
        return {};
      });
  }
  objects_ += (showed_object ? 1 : 0) - (hid_object ? 1 : 0);
  bytes_ += shown_bytes - removed_bytes;
  if (hid_object && !showed_object)
    tell({.bucket = bucket, .key = key, .plan_id = "", .created = false, .size = 0});
  if (showed_object)
    tell({.bucket = bucket, .key = key, .plan_id = "", .created = true, .size = shown_bytes});
  return removed;
}

}  // namespace laketap::store
