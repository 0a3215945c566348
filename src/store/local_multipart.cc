#include "store/local_multipart.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <set>

#include "store/local.h"

namespace laketap::store {
namespace {
namespace json = boost::json;

constexpr size_t kCopyBytes = 1024 * 1024;
constexpr size_t kChunk = 1000;

json::object from_map(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [name, value] : map) object[name] = value;
  return object;
}
std::map<std::string, std::string> to_map(const json::value& value) {
  std::map<std::string, std::string> map;
  for (const auto& member : value.as_object())
    map[std::string(member.key())] = std::string(member.value().as_string());
  return map;
}

Result<OpenUpload> read_upload(const state::Entry& entry) {
  const std::vector<std::string> names = state::parts_of(entry.key);
  try {
    const json::object object = json::parse(entry.value).as_object();
    OpenUpload upload;
    upload.bucket = names.at(1);
    upload.key = names.at(2);
    upload.upload_id = names.at(3);
    upload.initiated = from_epoch_micros(object.at("at").to_number<int64_t>());
    upload.metadata = to_map(object.at("metadata"));
    return upload;
  } catch (const std::exception& exception) {
    return fail(ErrorKind::corrupt, std::string("reading an upload's row: ") + exception.what());
  }
}

struct PartRow {
  Part part;
  std::string file;
};

std::string write_part(const PartRow& row) {
  return json::serialize(json::object{{"file", row.file},
                                      {"size", row.part.size},
                                      {"etag", row.part.etag},
                                      {"at", row.part.last_modified.time_since_epoch().count()},
                                      {"metadata", from_map(row.part.metadata)}});
}
Result<PartRow> read_part(const state::Entry& entry) {
  try {
    const json::object object = json::parse(entry.value).as_object();
    PartRow row;
    row.file = std::string(object.at("file").as_string());
    row.part.number = std::stoi(state::parts_of(entry.key).at(2));
    row.part.size = object.at("size").to_number<uint64_t>();
    row.part.etag = std::string(object.at("etag").as_string());
    row.part.last_modified = from_epoch_micros(object.at("at").to_number<int64_t>());
    row.part.metadata = to_map(object.at("metadata"));
    return row;
  } catch (const std::exception& exception) {
    return fail(ErrorKind::corrupt, std::string("reading a part's row: ") + exception.what());
  }
}

Result<std::vector<PartRow>> read_parts(state::Transaction& transaction,
                                        const std::string& upload_id, int after, size_t limit) {
  const auto entries = transaction.scan(part_key(upload_id, after + 1),
                                        state::prefix_end(parts_prefix(upload_id)), limit);
  if (!entries) return fail(entries.error());
  std::vector<PartRow> rows;
  for (const state::Entry& entry : *entries) {
    Result<PartRow> row = read_part(entry);
    if (!row) return fail(row.error());
    rows.push_back(std::move(*row));
  }
  return rows;
}

Result<state::Entry> upload_entry(state::Transaction& transaction, const std::string& bucket,
                                  const std::string& key, const std::string& upload_id) {
  const auto there = transaction.get(bucket_key(bucket));
  if (!there) return fail(there.error());
  if (!*there) return fail(ErrorKind::not_found, "bucket " + bucket);
  auto entry = transaction.get(open_upload_key(bucket, key, upload_id));
  if (!entry) return fail(entry.error());
  if (!*entry) return fail(ErrorKind::not_found, "upload " + upload_id);
  return std::move(**entry);
}

// Erases an upload's rows; `files` gets its parts' files.
Result<> erase_upload(state::Transaction& transaction, const OpenUpload& upload,
                      std::vector<std::string>& files) {
  const Result<std::vector<PartRow>> parts =
      read_parts(transaction, upload.upload_id, 0, kPartNumberMax);
  if (!parts) return fail(parts.error());
  for (const PartRow& part : *parts) {
    transaction.erase(part_key(upload.upload_id, part.part.number));
    files.push_back(part.file);
  }
  transaction.erase(open_upload_key(upload.bucket, upload.key, upload.upload_id));
  return {};
}

}  // namespace

// One part: a file in .parts until its row is written.
class LocalPart : public PartUpload {
 public:
  LocalPart(LocalMultipart& multipart, OpenUpload upload, int number, std::string file_name,
            std::unique_ptr<io::File> file)
      : multipart_(multipart),
        upload_(std::move(upload)),
        number_(number),
        file_name_(std::move(file_name)),
        file_(std::move(file)) {}
  ~LocalPart() override {
    file_.reset();
    if (!kept_) multipart_.remove_files({file_name_});
  }

  Result<> write(ByteView bytes) override {
    const Result<> written = file_->write(size_, bytes);
    if (written) size_ += bytes.size();
    return written;
  }
  uint64_t size() const override { return size_; }

  Result<Part> commit(const std::string& etag,
                      const std::map<std::string, std::string>& metadata) override {
    Local& store = multipart_.store_;
    if (const Result<> synced = file_->sync(); !synced) return fail(synced.error());
    file_.reset();
    if (const Result<> synced =
            store.files_.sync_directory(fmt::format("{}/{}", store.directory_, kScratchFolder));
        !synced)
      return fail(synced.error());
    PartRow row{.part = {.number = number_,
                         .size = size_,
                         .etag = etag,
                         .last_modified = store.clock_.now(),
                         .metadata = metadata},
                .file = file_name_};
    std::string replaced;
    const Result<> done =
        state::transact(store.database_, [&](state::Transaction& transaction) -> Result<> {
          replaced.clear();
          const auto open =
              upload_entry(transaction, upload_.bucket, upload_.key, upload_.upload_id);
          if (!open) return fail(open.error());
          const std::string key = part_key(upload_.upload_id, number_);
          const auto old = transaction.get(key);
          if (!old) return fail(old.error());
          if (*old) {
            const Result<PartRow> old_row = read_part(**old);
            if (!old_row) return fail(old_row.error());
            replaced = old_row->file;
          }
          transaction.put(key, write_part(row));
          return {};
        });
    // After a failed disk the row may be there: keep the file, the next start looks for its row.
    kept_ = done || done.error().kind == ErrorKind::unavailable;
    if (!done) return fail(done.error());
    if (!replaced.empty()) multipart_.remove_files({replaced});
    return row.part;
  }

 private:
  LocalMultipart& multipart_;
  OpenUpload upload_;
  int number_;
  std::string file_name_;
  std::unique_ptr<io::File> file_;
  uint64_t size_ = 0;
  bool kept_ = false;
};

std::string LocalMultipart::path_of(const std::string& file) const {
  return fmt::format("{}/{}/{}", store_.directory_, kScratchFolder, file);
}

void LocalMultipart::remove_files(const std::vector<std::string>& files) const {
  for (const std::string& file : files) (void)store_.files_.remove(path_of(file));
}

Result<> LocalMultipart::prepare() {
  const auto files = store_.files_.list(fmt::format("{}/{}", store_.directory_, kScratchFolder));
  if (!files) return fail(files.error());
  if (files->empty()) return {};
  std::set<std::string> named;
  const auto transaction = store_.database_.begin();
  if (!transaction) return fail(transaction.error());
  std::string from = state::key("part");
  const std::string end = state::prefix_end(from);
  while (true) {
    const auto entries = (*transaction)->scan(from, end, kChunk);
    if (!entries) return fail(entries.error());
    for (const state::Entry& entry : *entries) {
      const Result<PartRow> row = read_part(entry);
      if (!row) return fail(row.error());
      named.insert(row->file);
    }
    if (entries->size() < kChunk) break;
    from = entries->back().key + '\0';
  }
  for (const std::string& file : *files)
    if (!named.contains(file)) remove_files({file});
  return {};
}

Result<OpenUpload> LocalMultipart::create(const std::string& bucket, const std::string& key,
                                          const std::map<std::string, std::string>& metadata) {
  if (key.empty()) return fail(ErrorKind::invalid, "empty key");
  if (key.size() > kKeyBytesMax)
    return fail(ErrorKind::too_large, "key of " + std::to_string(key.size()) + " bytes");
  OpenUpload upload{.bucket = bucket,
                    .key = key,
                    .upload_id = new_id(store_.random_) + new_id(store_.random_),
                    .initiated = store_.clock_.now(),
                    .metadata = metadata};
  const Result<> done =
      state::transact(store_.database_, [&](state::Transaction& transaction) -> Result<> {
        const auto there = transaction.get(bucket_key(bucket));
        if (!there) return fail(there.error());
        if (!*there) return fail(ErrorKind::not_found, "bucket " + bucket);
        transaction.put(
            open_upload_key(bucket, key, upload.upload_id),
            json::serialize(json::object{{"at", upload.initiated.time_since_epoch().count()},
                                         {"metadata", from_map(metadata)}}));
        return {};
      });
  if (!done) return fail(done.error());
  return upload;
}

Result<OpenUpload> LocalMultipart::find(const std::string& bucket, const std::string& key,
                                        const std::string& upload_id) const {
  const auto transaction = store_.database_.begin();
  if (!transaction) return fail(transaction.error());
  const Result<state::Entry> entry = upload_entry(**transaction, bucket, key, upload_id);
  if (!entry) return fail(entry.error());
  return read_upload(*entry);
}

Result<std::unique_ptr<PartUpload>> LocalMultipart::begin_part(const std::string& bucket,
                                                               const std::string& key,
                                                               const std::string& upload_id,
                                                               int number) {
  if (number < 1 || number > kPartNumberMax) return fail(ErrorKind::invalid, "part number");
  Result<OpenUpload> upload = find(bucket, key, upload_id);
  if (!upload) return fail(upload.error());
  std::string name = new_id(store_.random_);
  auto file = store_.files_.open(path_of(name), {.write = true, .create = true, .exclusive = true});
  if (!file) return fail(file.error(), "opening a part's file");
  return std::make_unique<LocalPart>(*this, std::move(*upload), number, std::move(name),
                                     std::move(*file));
}

Result<std::vector<Part>> LocalMultipart::parts(const OpenUpload& upload, int after,
                                                size_t limit) const {
  const auto transaction = store_.database_.begin();
  if (!transaction) return fail(transaction.error());
  Result<std::vector<PartRow>> rows = read_parts(**transaction, upload.upload_id, after, limit);
  if (!rows) return fail(rows.error());
  std::vector<Part> out;
  for (PartRow& row : *rows) out.push_back(std::move(row.part));
  return out;
}

Result<OpenUploadsPage> LocalMultipart::list(const std::string& bucket,
                                             const OpenUploadsRequest& request) const {
  const auto transaction = store_.database_.begin();
  if (!transaction) return fail(transaction.error());
  const auto there = (*transaction)->get(bucket_key(bucket));
  if (!there) return fail(there.error());
  if (!*there) return fail(ErrorKind::not_found, "bucket " + bucket);
  const std::string all = open_uploads_prefix(bucket);
  std::string from = all;
  if (!request.key_marker.empty())
    from = request.upload_id_marker.empty()
               ? state::prefix_end(state::key("upload", bucket, request.key_marker))
               : open_upload_key(bucket, request.key_marker, request.upload_id_marker) + '\0';
  OpenUploadsPage page;
  while (true) {
    const auto entries = (*transaction)->scan(from, state::prefix_end(all), kChunk);
    if (!entries) return fail(entries.error());
    for (const state::Entry& entry : *entries) {
      Result<OpenUpload> upload = read_upload(entry);
      if (!upload) return fail(upload.error());
      if (!upload->key.starts_with(request.prefix)) continue;
      std::string common;
      if (!request.delimiter.empty())
        if (const size_t at = upload->key.find(request.delimiter, request.prefix.size());
            at != std::string::npos)
          common = upload->key.substr(0, at + request.delimiter.size());
      if (!common.empty() &&
          (request.key_marker == common ||
           (!page.common_prefixes.empty() && page.common_prefixes.back() == common)))
        continue;
      if (page.uploads.size() + page.common_prefixes.size() >= request.limit) {
        page.truncated = request.limit > 0;
        return page;
      }
      page.next_key = common.empty() ? upload->key : common;
      page.next_upload_id = common.empty() ? upload->upload_id : "";
      if (common.empty())
        page.uploads.push_back(std::move(*upload));
      else
        page.common_prefixes.push_back(std::move(common));
    }
    if (entries->size() < kChunk) return page;
    from = entries->back().key + '\0';
  }
}

Result<ObjectInfo> LocalMultipart::complete(const OpenUpload& upload,
                                            const std::vector<Part>& parts,
                                            const CommitOptions& options) {
  std::map<int, PartRow> stored;
  {
    const auto transaction = store_.database_.begin();
    if (!transaction) return fail(transaction.error());
    Result<std::vector<PartRow>> rows =
        read_parts(**transaction, upload.upload_id, 0, kPartNumberMax);
    if (!rows) return fail(rows.error());
    for (PartRow& row : *rows) stored[row.part.number] = std::move(row);
  }
  std::vector<std::string> files;
  // In the object's own transaction: the upload is still open, and no part was replaced since it
  // was copied.
  const Also also = [&upload, &parts, &stored,
                     &files](state::Transaction& transaction) -> Result<> {
    files.clear();
    const auto open = upload_entry(transaction, upload.bucket, upload.key, upload.upload_id);
    if (!open) return fail(open.error());
    for (const Part& part : parts) {
      const auto entry = transaction.get(part_key(upload.upload_id, part.number));
      if (!entry) return fail(entry.error());
      const Result<PartRow> row =
          *entry ? read_part(**entry) : Result<PartRow>(fail(ErrorKind::conflict, "a part went"));
      if (!row) return fail(row.error());
      if (row->file != stored[part.number].file)
        return fail(ErrorKind::conflict, "a part was replaced");
    }
    return erase_upload(transaction, upload, files);
  };
  Result<std::unique_ptr<Upload>> whole = store_.begin_upload(upload.bucket, upload.key, also);
  if (!whole) return fail(whole.error());
  Bytes block(kCopyBytes);
  for (const Part& part : parts) {
    const auto row = stored.find(part.number);
    if (row == stored.end() || row->second.part.etag != part.etag)
      return fail(ErrorKind::conflict, "part " + std::to_string(part.number) + " was replaced");
    const auto file = store_.files_.open(path_of(row->second.file), {});
    if (!file) return fail(file.error(), "opening a part");
    for (uint64_t offset = 0; offset < part.size;) {
      const Result<size_t> read = (*file)->read(offset, block);
      if (!read) return fail(read.error(), "reading a part");
      if (*read == 0) return fail(ErrorKind::corrupt, "a part's file is short");
      if (const Result<> written = (*whole)->write(ByteView(block).first(*read)); !written)
        return fail(written.error());
      offset += *read;
    }
  }
  Result<ObjectInfo> done = (*whole)->commit(options);
  if (done) remove_files(files);
  return done;
}

Result<> LocalMultipart::abort(const OpenUpload& upload) {
  std::vector<std::string> files;
  const Result<> done =
      state::transact(store_.database_, [&](state::Transaction& transaction) -> Result<> {
        files.clear();
        const auto open = upload_entry(transaction, upload.bucket, upload.key, upload.upload_id);
        if (!open) return fail(open.error());
        return erase_upload(transaction, upload, files);
      });
  if (done) remove_files(files);
  return done;
}

Result<> LocalMultipart::erase_all(state::Transaction& transaction, const std::string& bucket,
                                   std::vector<std::string>& files) const {
  const std::string all = open_uploads_prefix(bucket);
  const auto entries = transaction.scan(all, state::prefix_end(all), SIZE_MAX / 2);
  if (!entries) return fail(entries.error());
  for (const state::Entry& entry : *entries) {
    const Result<OpenUpload> upload = read_upload(entry);
    if (!upload) return fail(upload.error());
    if (const Result<> erased = erase_upload(transaction, *upload, files); !erased) return erased;
  }
  return {};
}

}  // namespace laketap::store
