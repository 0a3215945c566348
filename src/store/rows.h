// The index rows of buckets and objects in state. Inner header of store.
#pragma once

#include "store/store.h"

namespace laketap::store {

// What stands in state for an object or marker. `order` counts the versions of a key; `older` says
// that the key has rows under version_prefix().
struct Row {
  ObjectInfo info;  // path is relative to the store's directory; is_latest is not stored.
  uint64_t order = 0;
  bool older = false;
};

std::string write_row(const Row& row);
// Errors: corrupt.
Result<Row> read_row(std::string_view text);
std::string write_bucket(const Bucket& bucket);
Result<Bucket> read_bucket(std::string_view text);

std::string bucket_key(const std::string& name);
std::string buckets_prefix();
std::string object_key(const std::string& bucket, const std::string& key);
// All objects of the bucket whose key begins with `prefix`.
std::string objects_prefix(const std::string& bucket, const std::string& prefix);
// The key of an object row back.
std::string key_of(std::string_view state_key);
// Newest first.
std::string version_key(const std::string& bucket, const std::string& key, uint64_t order);
std::string versions_prefix(const std::string& bucket, const std::string& key);
std::string bucket_versions_prefix(const std::string& bucket);
std::string open_upload_key(const std::string& bucket, const std::string& key,
                            const std::string& upload_id);
std::string open_uploads_prefix(const std::string& bucket);
std::string part_key(const std::string& upload_id, int number);
std::string parts_prefix(const std::string& upload_id);
std::string plan_key(const std::string& plan_id);
std::string identified_key(
    const std::string& id);  // A file that has no readable path -> its object.

}  // namespace laketap::store
