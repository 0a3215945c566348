// store keeps buckets and objects: one plain file per object version under a readable path, and an
// index of them in state. The index is the truth: a file without a row is swept at start, a row is
// written only after its file is safe.
//
//     begin_upload ── write ... ── commit: sync, rename, sync the folder, row ──▶ listeners
//
// The folder's layout: docs/formats/objects.md. Names and rules: the Amazon S3 API reference.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "io/clock.h"
#include "io/files.h"
#include "io/random.h"
#include "io/reserve.h"
#include "state/state.h"

namespace laketap::store {

enum class Versioning { never, enabled, suspended };

struct Bucket {
  std::string name, region;
  Timestamp created;
  Versioning versioning = Versioning::never;
};

// In the metadata of what a query wrote. A copy is data like any other and does not have it.
inline constexpr const char* kQueryResult = "query-result";

struct ObjectInfo {
  std::string bucket, key;
  std::string version_id = "null";
  std::string etag;  // Without quotes.
  std::string path;  // The file; empty for a delete marker.
  uint64_t size = 0;
  Timestamp last_modified;
  bool is_latest = true;
  bool delete_marker = false;
  // "content-type", "cache-control", "x-amz-meta-...", "checksum-crc32", ...: lower case, as the
  // API's headers.
  std::map<std::string, std::string> metadata;
  std::string plan_id;  // Empty unless delivery put it.
  uint64_t seen = 0;    // The store's own: what happened before this was read.
};

struct CommitOptions {
  std::map<std::string, std::string> metadata = {};
  std::string plan_id = {};    // Unique: a second object of the same plan is refused with exists.
  bool if_none_match = false;  // Only when the key has no object; else exists.
  // Only when the key's object has this ETag; else conflict, or not_found.
  std::string if_match = {};
  // Without quotes; given by who computed it. Empty: one in multipart form is made up.
  std::string etag = {};
};

// What happened to a key; told after it is durable.
struct Change {
  std::string bucket, key, plan_id;
  bool created = false;  // False: removed, or hidden by a delete marker.
  uint64_t size = 0;
};

class Store;
class Multipart;

// A new object that nobody sees before commit(). One thread at a time. Destroying it removes its
// file.
class Upload {
 public:
  virtual ~Upload() = default;
  // Errors: full - the disk; unavailable.
  virtual Result<> write(ByteView bytes) = 0;
  virtual uint64_t size() const = 0;
  // Atomic, and durable when it returns. After it the upload is over, whatever the result.
  // Errors: not_found - the bucket is gone; exists, conflict - see CommitOptions; full;
  // unavailable.
  virtual Result<ObjectInfo> commit(const CommitOptions& options) = 0;
};

// While it lives the file can be opened and read, though the object be deleted or overwritten.
// Movable.
class Pin {
 public:
  Pin() = default;
  Pin(std::shared_ptr<void> held, std::string path)
      : held_(std::move(held)), path_(std::move(path)) {}
  const std::string& path() const { return path_; }

 private:
  std::shared_ptr<void> held_;
  std::string path_;
};

struct ListRequest {
  std::string prefix = {}, delimiter = {};
  std::string start_after = {};  // Keys (or common prefixes) after this one.
  // With `versions`: first come the versions of `start_after` that are older than this one.
  std::string version_id_marker = {};
  size_t limit = 1000;
  bool versions =
      false;  // All versions and markers, newest first within a key; else latest objects.
};

struct Page {
  std::vector<ObjectInfo> objects;
  std::vector<std::string> common_prefixes;  // Sorted; counted in `limit`.
  bool truncated = false;
  std::string next;             // Key or common prefix to go on after.
  std::string next_version_id;  // With `versions`, when the page ends inside a key.
};

struct RemoveRequest {
  std::string key;
  std::string version_id = {}, if_match = {};
};

struct Removed {
  bool found = false;          // There was such an object or version.
  bool delete_marker = false;  // A marker was made, or the version removed was one.
  std::string
      version_id;  // Of the marker made, or of the version removed; empty without versioning.
};

// Thread-safe. Borrows what it is given.
class Store {
 public:
  // `directory` is ours alone. Sweeps files that have no row.
  static Result<std::unique_ptr<Store>> open(const std::string& directory, state::Database& objects,
                                             io::Files& files, io::Clock& clock,
                                             io::Random& random);
  virtual ~Store() = default;

  // Errors: invalid - no legal bucket name; exists.
  virtual Result<> create_bucket(const std::string& name, const std::string& region) = 0;
  virtual Result<Bucket> find_bucket(const std::string& name) const = 0;
  virtual Result<std::vector<Bucket>> list_buckets() const = 0;  // By name.
  // Errors: not_found; conflict - it holds objects, versions or markers.
  virtual Result<> remove_bucket(const std::string& name) = 0;
  virtual Result<> set_versioning(const std::string& name, Versioning versioning) = 0;

  // Errors: not_found - the bucket; invalid, too_large - the key.
  virtual Result<std::unique_ptr<Upload>> begin_upload(const std::string& bucket,
                                                       const std::string& key) = 0;

  // The latest (a delete marker included), or a version. Errors: not_found; `what` begins with
  // "bucket", "key" or "version".
  virtual Result<ObjectInfo> find(const std::string& bucket, const std::string& key,
                                  const std::string& version_id = "") const = 0;
  virtual Result<Page> list(const std::string& bucket, const ListRequest& request) const = 0;
  // Without a version id: the object goes, or is hidden by a marker where versions are kept.
  // if_match as in CommitOptions.
  virtual Result<Removed> remove(const std::string& bucket, const std::string& key,
                                 const std::string& version_id = "",
                                 const std::string& if_match = "") = 0;
  // The same for many in one transaction, so at the price of one; an answer for each, in order.
  // Errors of one: not_found, conflict - its ETag. Errors of all: not_found - the bucket; full;
  // unavailable.
  virtual Result<std::vector<Result<Removed>>> remove_all(
      const std::string& bucket, std::span<const RemoveRequest> requests) = 0;

  // On this very version; its path may be another than `object` says. Cheap while nothing is
  // removed. Errors: not_found - the object went, or was overwritten, since `object` was read.
  virtual Result<Pin> pin(const ObjectInfo& object) = 0;

  // The latest objects under a prefix, in key order, of one snapshot; no markers.
  virtual Result<std::vector<ObjectInfo>> snapshot(const std::string& bucket,
                                                   const std::string& prefix) const = 0;

  // Is there, or was there ever since the plan was made, an object of this plan? Forget it when the
  // plan is over.
  virtual Result<bool> delivered(const std::string& plan_id) const = 0;
  virtual Result<> forget_plan(const std::string& plan_id) = 0;

  // Removing takes from it when the disk is full, and holds it again. Before the first use only; it
  // must outlive the store.
  virtual void keep_reserve(io::Reserve& reserve) = 0;

  // Called after each commit, on the thread that made it; be short. Before the first use only.
  virtual void listen(std::function<void(const Change&)> listener) = 0;

  // Uploads in parts; lives as long as the store (store/multipart.h).
  virtual Multipart& multipart() = 0;

  struct Totals {
    uint64_t objects = 0, bytes = 0;
  };
  virtual Totals totals() const = 0;
};

// The rules of "Bucket naming rules" in the S3 User Guide.
bool is_bucket_name(std::string_view name);

inline constexpr size_t kKeyBytesMax = 1024;

}  // namespace laketap::store
