#include "store/local.h"

#include <fmt/format.h>

#include <algorithm>

namespace laketap::store {
namespace {

constexpr size_t kIdBytes = 16;
constexpr size_t kFoldersKnownMax = 100'000;
constexpr size_t kBucketsMax = 10'000;
constexpr size_t kSnapshotChunk = 5000;

std::string new_id(io::Random& random) {
  uint8_t bytes[kIdBytes];
  random.fill(bytes);
  return to_hex(bytes);
}

}  // namespace

bool is_bucket_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (!alphanumeric(name.front()) || !alphanumeric(name.back())) return false;
  if (!std::ranges::all_of(name, [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; }))
    return false;
  if (name.find("..") != std::string_view::npos) return false;
  for (const std::string_view prefix : {"xn--", "sthree-", "amzn-s3-demo-"})
    if (name.starts_with(prefix)) return false;
  for (const std::string_view suffix : {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"})
    if (name.ends_with(suffix)) return false;
  // Not in the form of an IPv4 address.
  const bool digits =
      std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return !(digits && std::ranges::count(name, '.') == 3);
}

// One upload: a file in .uploads until its row is written.
class LocalUpload : public Upload {
 public:
  LocalUpload(Local& store, std::string bucket, std::string key, std::string id,
              std::string temporary, std::unique_ptr<io::File> file)
      : store_(store),
        bucket_(std::move(bucket)),
        key_(std::move(key)),
        id_(std::move(id)),
        temporary_(std::move(temporary)),
        file_(std::move(file)) {}
  ~LocalUpload() override {
    file_.reset();
    (void)store_.files_.remove(temporary_);
  }

  Result<> write(ByteView bytes) override {
    const Result<> written = file_->write(size_, bytes);
    if (written) size_ += bytes.size();
    return written;
  }
  uint64_t size() const override { return size_; }

  Result<ObjectInfo> commit(const CommitOptions& options) override {
    if (const Result<> synced = file_->sync(); !synced)
      return fail(synced.error(), "syncing " + key_);
    file_.reset();
    const Result<std::string> path = store_.place(temporary_, bucket_, key_, id_);
    if (!path) return fail(path.error(), "placing " + key_);
    ObjectInfo info;
    info.bucket = bucket_;
    info.key = key_;
    info.etag = options.etag.empty() ? id_ + "-1" : options.etag;
    info.path = *path;
    info.size = size_;
    info.metadata = options.metadata;
    info.plan_id = options.plan_id;
    std::vector<std::string> old_files;
    Result<ObjectInfo> done = store_.write_object(std::move(info), options, old_files);
    if (!done) old_files = {*path};
    for (const std::string& old : old_files) store_.pins_.doom(old);
    {
      const std::scoped_lock lock(store_.mutex_);
      store_.claimed_.erase(*path);
    }
    if (!done) return done;
    store_.tell({.bucket = bucket_,
                 .key = key_,
                 .plan_id = options.plan_id,
                 .created = true,
                 .size = size_});
    return done;
  }

 private:
  Local& store_;
  std::string bucket_, key_, id_, temporary_;
  std::unique_ptr<io::File> file_;
  uint64_t size_ = 0;
};

Local::Local(std::string directory, state::Database& objects, io::Files& files, io::Clock& clock,
             io::Random& random)
    : directory_(std::move(directory)),
      database_(objects),
      files_(files),
      clock_(clock),
      random_(random),
      pins_(files, directory_) {}

Local::~Local() = default;

Result<> Local::prepare() {
  for (const std::string_view folder : {kUploadsFolder, kScratchFolder}) {
    const std::string path = directory_ + "/" + std::string(folder);
    if (const Result<> made = files_.make_directories(path); !made) return made;
  }
  const std::string uploads = directory_ + "/" + std::string(kUploadsFolder);
  const Result<std::vector<std::string>> left = files_.list(uploads);
  if (!left) return fail(left.error());
  for (const std::string& name : *left) (void)files_.remove(uploads + "/" + name);
  if (const Result<> synced = files_.sync_directory(directory_); !synced) return synced;
  sweeper_ = std::jthread([this](std::stop_token stop) { sweep(std::move(stop)); });
  return {};
}

Result<std::unique_ptr<Store>> Store::open(const std::string& directory, state::Database& objects,
                                           io::Files& files, io::Clock& clock, io::Random& random) {
  auto made = std::make_unique<Local>(directory, objects, files, clock, random);
  if (const Result<> ready = made->prepare(); !ready)
    return fail(ready.error(), "opening the store");
  return std::unique_ptr<Store>(std::move(made));
}

Result<> Local::create_bucket(const std::string& name, const std::string& region) {
  if (!is_bucket_name(name)) return fail(ErrorKind::invalid, "bucket name " + name);
  return state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
    const auto found = transaction.get(bucket_key(name));
    if (!found) return fail(found.error());
    if (*found) return fail(ErrorKind::exists, "bucket " + name);
    transaction.put(bucket_key(name),
                    write_bucket({.name = name, .region = region, .created = clock_.now()}));
    return {};
  });
}

Result<Bucket> Local::find_bucket(const std::string& name) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const auto found = (*transaction)->get(bucket_key(name));
  if (!found) return fail(found.error());
  if (!*found) return fail(ErrorKind::not_found, "bucket " + name);
  Result<Bucket> bucket = read_bucket((*found)->value);
  if (bucket) bucket->name = name;
  return bucket;
}

Result<std::vector<Bucket>> Local::list_buckets() const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const auto entries =
      (*transaction)->scan(buckets_prefix(), state::prefix_end(buckets_prefix()), kBucketsMax);
  if (!entries) return fail(entries.error());
  std::vector<Bucket> out;
  for (const state::Entry& entry : *entries) {
    Result<Bucket> bucket = read_bucket(entry.value);
    if (!bucket) return fail(bucket.error());
    bucket->name = state::parts_of(entry.key).at(1);
    out.push_back(std::move(*bucket));
  }
  return out;
}

Result<> Local::remove_bucket(const std::string& name) {
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        const auto found = transaction.get(bucket_key(name));
        if (!found) return fail(found.error());
        if (!*found) return fail(ErrorKind::not_found, "bucket " + name);
        for (const std::string& prefix : {objects_prefix(name, ""), bucket_versions_prefix(name)}) {
          const auto entries = transaction.scan(prefix, state::prefix_end(prefix), 1);
          if (!entries) return fail(entries.error());
          if (!entries->empty())
            return fail(ErrorKind::conflict, "bucket " + name + " is not empty");
        }
        transaction.erase(bucket_key(name));
        return {};
      });
  if (!done) return done;
  // Empty folders stay behind when somebody put a file of his own there; they are in nobody's way.
  (void)files_.remove_directory(directory_ + "/" + name);
  const std::scoped_lock lock(mutex_);
  std::erase_if(folders_, [&](const std::string& folder) {
    return folder == name || folder.starts_with(name + "/");
  });
  return {};
}

Result<> Local::set_versioning(const std::string& name, Versioning versioning) {
  return state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
    const auto found = transaction.get(bucket_key(name));
    if (!found) return fail(found.error());
    if (!*found) return fail(ErrorKind::not_found, "bucket " + name);
    Result<Bucket> bucket = read_bucket((*found)->value);
    if (!bucket) return fail(bucket.error());
    bucket->versioning = versioning;
    transaction.put(bucket_key(name), write_bucket(*bucket));
    return {};
  });
}

Result<std::unique_ptr<Upload>> Local::begin_upload(const std::string& bucket,
                                                    const std::string& key) {
  if (key.empty()) return fail(ErrorKind::invalid, "empty key");
  if (key.size() > kKeyBytesMax)
    return fail(ErrorKind::too_large, "key of " + std::to_string(key.size()) + " bytes");
  if (const Result<Bucket> found = find_bucket(bucket); !found) return fail(found.error());
  const std::string id = new_id(random_);
  const std::string temporary = fmt::format("{}/{}/{}", directory_, kUploadsFolder, id);
  Result<std::unique_ptr<io::File>> file =
      files_.open(temporary, {.write = true, .create = true, .exclusive = true});
  if (!file) return fail(file.error(), "opening an upload's file");
  return std::make_unique<LocalUpload>(*this, bucket, key, id, temporary, std::move(*file));
}

Result<> Local::ensure_folder(const std::string& relative) {
  {
    const std::scoped_lock lock(mutex_);
    if (folders_.contains(relative)) return {};
  }
  if (const Result<> made = files_.make_directories(directory_ + "/" + relative); !made)
    return made;
  // Each new folder's name stands in its parent, up to the store's own folder.
  for (std::string_view at = relative;;) {
    const size_t slash = at.rfind('/');
    const std::string parent = slash == std::string_view::npos
                                   ? directory_
                                   : directory_ + "/" + std::string(at.substr(0, slash));
    if (const Result<> synced = files_.sync_directory(parent); !synced) return synced;
    if (slash == std::string_view::npos) break;
    at = at.substr(0, slash);
    const std::scoped_lock lock(mutex_);
    if (folders_.contains(std::string(at))) break;
  }
  const std::scoped_lock lock(mutex_);
  if (folders_.size() >= kFoldersKnownMax) folders_.clear();
  folders_.insert(relative);
  return {};
}

Result<std::string> Local::place(const std::string& temporary, const std::string& bucket,
                                 const std::string& key, const std::string& id) {
  std::vector<std::string> wanted;
  if (const std::optional<std::string> readable = readable_path(bucket, key))
    wanted.push_back(*readable);
  wanted.push_back(identified_path(bucket, id));
  Result<> last;
  for (const std::string& path : wanted) {
    const std::string folder(folder_of(path));
    last = ensure_folder(folder);
    if (!last) continue;  // A part of the path is a file: `a` beside `a/b`.
    {
      const std::scoped_lock lock(mutex_);
      if (!claimed_.insert(path).second) continue;
    }
    last = files_.link(temporary, directory_ + "/" + path);
    if (!last && last.error().kind == ErrorKind::not_found) {
      // The folder went since we saw it.
      const std::scoped_lock lock(mutex_);
      folders_.erase(folder);
    }
    if (last) {
      last = files_.sync_directory(directory_ + "/" + folder);
      if (last) return path;
    }
    const std::scoped_lock lock(mutex_);
    claimed_.erase(path);
  }
  return fail(last ? Error{ErrorKind::unavailable, "no place for the file"} : last.error());
}

void Local::tell(const Change& change) const {
  for (const auto& listener : listeners_) listener(change);
}

Result<ObjectInfo> Local::find(const std::string& bucket, const std::string& key,
                               const std::string& version_id) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const auto found_bucket = (*transaction)->get(bucket_key(bucket));
  if (!found_bucket) return fail(found_bucket.error());
  if (!*found_bucket) return fail(ErrorKind::not_found, "bucket " + bucket);
  const auto entry = (*transaction)->get(object_key(bucket, key));
  if (!entry) return fail(entry.error());
  const auto whole = [&](Row row, bool latest) {
    row.info.bucket = bucket;
    row.info.key = key;
    row.info.is_latest = latest;
    if (!row.info.path.empty()) row.info.path = directory_ + "/" + row.info.path;
    return row.info;
  };
  if (!*entry) return fail(ErrorKind::not_found, (version_id.empty() ? "key " : "version ") + key);
  Result<Row> row = read_row((*entry)->value);
  if (!row) return fail(row.error());
  if (version_id.empty() || row->info.version_id == version_id) return whole(std::move(*row), true);
  const std::string prefix = versions_prefix(bucket, key);
  std::string from = prefix;
  while (row->older) {
    const auto entries = (*transaction)->scan(from, state::prefix_end(prefix), 1000);
    if (!entries) return fail(entries.error());
    for (const state::Entry& one : *entries) {
      Result<Row> version = read_row(one.value);
      if (!version) return fail(version.error());
      if (version->info.version_id == version_id) return whole(std::move(*version), false);
    }
    if (entries->size() < 1000) break;
    from = entries->back().key + '\0';
  }
  return fail(ErrorKind::not_found, "version " + version_id);
}

Result<Page> Local::list(const std::string& bucket, const ListRequest& request) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const auto found = (*transaction)->get(bucket_key(bucket));
  if (!found) return fail(found.error());
  if (!*found) return fail(ErrorKind::not_found, "bucket " + bucket);
  Result<Page> page = list_page(**transaction, bucket, request);
  if (page)
    for (ObjectInfo& object : page->objects)
      if (!object.path.empty()) object.path = directory_ + "/" + object.path;
  return page;
}

Result<std::vector<ObjectInfo>> Local::snapshot(const std::string& bucket,
                                                const std::string& prefix) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const auto found = (*transaction)->get(bucket_key(bucket));
  if (!found) return fail(found.error());
  if (!*found) return fail(ErrorKind::not_found, "bucket " + bucket);
  std::vector<ObjectInfo> out;
  std::string from = objects_prefix(bucket, prefix);
  const std::string end = state::prefix_end(from);
  while (true) {
    const auto entries = (*transaction)->scan(from, end, kSnapshotChunk);
    if (!entries) return fail(entries.error());
    for (const state::Entry& entry : *entries) {
      Result<Row> row = read_row(entry.value);
      if (!row) return fail(row.error());
      if (row->info.delete_marker) continue;
      row->info.bucket = bucket;
      row->info.key = key_of(entry.key);
      row->info.path = directory_ + "/" + row->info.path;
      out.push_back(std::move(row->info));
    }
    if (entries->size() < kSnapshotChunk) return out;
    from = entries->back().key + '\0';
  }
}

Result<Pin> Local::pin(const ObjectInfo& object) {
  const std::string relative = object.path.starts_with(directory_ + "/")
                                   ? object.path.substr(directory_.size() + 1)
                                   : object.path;
  std::shared_ptr<void> held = pins_.hold(relative);
  // Doomed before we held it? Then the file is gone, or its removal did not see us: ask the disk.
  const Result<bool> there = files_.exists(directory_ + "/" + relative);
  if (!there) return fail(there.error());
  if (!*there) return fail(ErrorKind::not_found, "the object's file went");
  return Pin(std::move(held), directory_ + "/" + relative);
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
