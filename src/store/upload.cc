#include "store/upload.h"

#include <fmt/format.h>

namespace laketap::store {

std::string new_id(io::Random& random) {
  uint8_t bytes[16];
  random.fill(bytes);
  return to_hex(bytes);
}

Result<std::unique_ptr<Upload>> Local::begin_upload(const std::string& bucket,
                                                    const std::string& key) {
  return begin_upload(bucket, key, nullptr);
}

Result<std::unique_ptr<Upload>> Local::begin_upload(const std::string& bucket,
                                                    const std::string& key, Also also) {
  if (key.empty()) return fail(ErrorKind::invalid, "empty key");
  if (key.size() > kKeyBytesMax)
    return fail(ErrorKind::too_large, "key of " + std::to_string(key.size()) + " bytes");
  if (const Result<Bucket> found = find_bucket(bucket); !found) return fail(found.error());
  const std::string id = new_id(random_);
  const std::string temporary = fmt::format("{}/{}/{}", directory_, kUploadsFolder, id);
  Result<std::unique_ptr<io::BlockWriter>> file = io::BlockWriter::create(files_, temporary);
  if (!file) return fail(file.error(), "opening an upload's file");
  return std::make_unique<LocalUpload>(*this, bucket, key, id, temporary, std::move(*file),
                                       std::move(also));
}

Result<> LocalUpload::write(ByteView bytes) {
  const Result<> written = file_->write(bytes);
  if (written) size_ += bytes.size();
  return written;
}

Result<ObjectInfo> LocalUpload::commit(const CommitOptions& options) {
  if (const Result<> synced = file_->finish(); !synced)
    return fail(synced.error(), "syncing " + key_);
  file_.reset();
  ObjectInfo info;
  info.bucket = bucket_;
  info.key = key_;
  info.etag = options.etag.empty() ? id_ + "-1" : options.etag;
  info.size = size_;
  info.metadata = options.metadata;
  info.plan_id = options.plan_id;
  Result<ObjectInfo> done;
  std::string path;
  {
    const std::shared_lock lock(store_.changing_);
    Result<std::string> placed = store_.place(temporary_, bucket_, key_, id_);
    if (!placed) return fail(placed.error(), "placing " + key_);
    info.path = path = *placed;
    std::vector<std::string> old_files;
    done = store_.write_object(std::move(info), options, also_, old_files);
    // When the state's disk failed, the row may be there after a restart. Then the file must be,
    // too; if it is not, the file is swept.
    if (!done && done.error().kind != ErrorKind::unavailable) old_files = {path};
    store_.doom(old_files);
  }
  if (!done) return done;
  if (is_identified(path)) store_.settler_.add(bucket_, key_);
  store_.tell(
      {.bucket = bucket_, .key = key_, .plan_id = options.plan_id, .created = true, .size = size_});
  return done;
}

Result<std::string> Local::place(const std::string& temporary, const std::string& bucket,
                                 const std::string& key, const std::string& id) {
  if (std::optional<std::string> readable = readable_path(bucket, key)) {
    const Result<> placed = folders_.place(temporary, *readable);
    if (placed) return *std::move(readable);
    // Taken by an older version, or `a` beside `a/b`: anything worse fails below, too.
  }
  std::string hidden = identified_path(bucket, id);
  if (const Result<> placed = folders_.place(temporary, hidden); !placed)
    return fail(placed.error());
  return hidden;
}

void Local::doom(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    pins_.doom(path);
    folders_.prune(std::string(folder_of(path)));
  }
}

void Local::tell(const Change& change) const {
  for (const auto& listener : listeners_) listener(change);
}

}  // namespace laketap::store
