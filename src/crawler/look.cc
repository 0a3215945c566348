#include "crawler/look.h"

#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "crawler/csv.h"
#include "crawler/seen.h"

namespace laketap::crawler {
namespace {

// Glue's: 1 MB, growing to 10 MB until one record parses.
constexpr size_t kReadBytesMax = 10 * kSampleBytes;
// Of a folder with more objects, the first and the last ones: names begin with the time, mostly.
constexpr size_t kFilesPerFolderMax = 200;
constexpr size_t kSeenBytesMax = 4 << 20;  // A folder with a longer memory is looked at anew.
constexpr size_t kChunk = 200;

std::string read_front(const std::string& path, size_t bytes) {
  std::ifstream file(path, std::ios::binary);
  std::string out(bytes, '\0');
  file.read(out.data(), static_cast<std::streamsize>(bytes));
  out.resize(static_cast<size_t>(file.gcount()));
  return out;
}

// At most `bytes_max` of what the gzip data holds; an error ends it where it is.
std::string inflated(std::string_view data, size_t bytes_max) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 32) != Z_OK) return {};
  std::string out(bytes_max, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  int code = Z_OK;
  while (stream.avail_in > 0 && stream.avail_out > 0) {
    code = inflate(&stream, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {  // Further members, as log shippers send them.
      if (inflateReset(&stream) != Z_OK) break;
    } else if (code != Z_OK) {
      break;
    }
  }
  out.resize(bytes_max - stream.avail_out);
  inflateEnd(&stream);
  return out;
}

}  // namespace

bool is_hidden(std::string_view key, std::string_view include) {
  std::string_view rest = key.substr(std::min(include.size(), key.size()));
  if (rest.ends_with("_$folder$")) return true;
  while (!rest.empty()) {
    if (rest.front() == '_' || rest.front() == '.') return true;
    const size_t slash = rest.find('/');
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return false;
}

bool is_excluded(std::string_view key, const S3Path& path, const S3Target& target) {
  const std::string_view rest = key.substr(std::min(path.prefix.size(), key.size()));
  return std::ranges::any_of(
      target.exclusions, [&](const std::string& pattern) { return glob_matches(pattern, rest); });
}

std::optional<Looked> look_at_bytes(std::string_view bytes, bool whole) {
  if (bytes.starts_with("\x1f\x8b")) {
    for (const size_t bytes_max : {kSampleBytes, kReadBytesMax}) {
      const std::string plain = inflated(bytes, bytes_max);
      const bool is_all = whole && plain.size() < bytes_max;
      if (plain.starts_with("\x1f\x8b")) return std::nullopt;  // Compressed twice.
      std::optional<Looked> looked = look_at_bytes(plain, is_all);
      if (looked) looked->format.compression = "gzip";
      if (looked || plain.size() < bytes_max) return looked;
    }
    return std::nullopt;
  }
  Looked made;
  std::optional<Schema> schema = infer_json(bytes, whole);
  if (!schema) {
    const size_t first = bytes.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    if (first == std::string_view::npos || bytes[first] == '{' || bytes[first] == '[')
      return std::nullopt;
    std::optional<Csv> csv = infer_csv(bytes, whole);
    if (!csv) return std::nullopt;
    made.format.classification = "csv";
    made.format.traits = std::move(csv->traits);
    schema = std::move(csv->schema);
  }
  made.records = schema->records;
  made.record_bytes = schema->bytes;
  schema->records = schema->bytes = 0;
  made.schema = std::make_shared<const Schema>(std::move(*schema));
  return made;
}

std::optional<Looked> look_at(store::Store& store, const store::ObjectInfo& object,
                              size_t sample_bytes) {
  if (object.size == 0) return std::nullopt;
  const Result<store::Pin> pin = store.pin(object);
  if (!pin) return std::nullopt;
  for (size_t bytes = sample_bytes; bytes <= kReadBytesMax; bytes += kSampleBytes) {
    const std::string front = read_front(pin->path(), bytes);
    const bool whole = front.size() == object.size;
    if (std::optional<Looked> looked = look_at_bytes(front, whole)) {
      looked->key = object.key;
      looked->size = object.size;
      return looked;
    }
    // A record longer than the sample: only JSON has them.
    const size_t first = front.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    if (whole || first == std::string::npos || (front[first] != '{' && front[first] != '['))
      return std::nullopt;
  }
  return std::nullopt;
}

Result<std::vector<Looked>> Surveyor::survey(const S3Path& path, const S3Target& target) {
  Result<std::vector<store::ObjectInfo>> objects = store_.snapshot(path.bucket, path.prefix);
  if (!objects) return fail(objects.error());
  // A path that names one object: s3://bucket/folder/file.json.
  if (objects->empty() && path.prefix.ends_with('/')) {
    const Result<store::ObjectInfo> one =
        store_.find(path.bucket, path.prefix.substr(0, path.prefix.size() - 1));
    if (one && !one->delete_marker) objects->push_back(*one);
  }
  std::map<std::string, std::vector<store::ObjectInfo>> folders;
  for (store::ObjectInfo& object : *objects) {
    if (object.size == 0 || is_hidden(object.key, path.prefix)) continue;
    if (is_excluded(object.key, path, target)) continue;
    folders[object.key.substr(0, object.key.rfind('/') + 1)].push_back(std::move(object));
  }
  const size_t files_max = target.sample_size
                               ? static_cast<size_t>(std::max<int64_t>(1, *target.sample_size))
                               : kFilesPerFolderMax;
  std::vector<Looked> out;
  for (const auto& [folder, files] : folders) {
    if (stopped_()) break;
    if (const Result<> done = survey_folder(path.bucket, folder, files, files_max, out); !done)
      return fail(done.error());
  }
  if (const Result<> done = flush(); !done) return fail(done.error());
  return out;
}

Result<> Surveyor::survey_folder(const std::string& bucket, const std::string& folder,
                                 const std::vector<store::ObjectInfo>& files, size_t files_max,
                                 std::vector<Looked>& out) {
  const std::string key = seen_key(crawler_, bucket, folder);
  met_.insert(key);
  SeenFolder before;
  if (const auto transaction = database_.begin())
    if (const auto entry = (*transaction)->get(key); entry && *entry)
      before = read_seen((*entry)->value);
  SeenFolder now;
  bool changed = false;
  const size_t first_of_table = out.size();
  uint64_t others = 0;
  uint64_t others_bytes = 0;
  for (size_t i = 0; i < files.size() && !stopped_(); ++i) {
    if (i >= (files_max + 1) / 2 && i + files_max / 2 < files.size()) {
      ++others;
      others_bytes += files[i].size;
      continue;
    }
    const std::string name = files[i].key.substr(folder.size());
    auto known = before.extract(name);
    if (known.empty() || known.mapped().etag != files[i].etag) {
      Seen seen{.etag = files[i].etag, .known = false, .looked = {}};
      ++opened_;
      changed = true;
      if (std::optional<Looked> looked = look_at(store_, files[i])) {
        seen.known = true;
        seen.looked = std::move(*looked);
      }
      now[name] = std::move(seen);
    } else {
      now.insert(std::move(known));
    }
    Seen& seen = now[name];
    if (!seen.known) continue;
    seen.looked.schema = shared(seen.looked);
    out.push_back(seen.looked);
    out.back().key = files[i].key;
  }
  if (out.size() > first_of_table) {
    out.back().others = others;
    out.back().others_bytes = others_bytes;
  }
  if (!changed && before.empty()) return {};
  std::string text = write_seen(now);
  pending_.emplace_back(key, text.size() <= kSeenBytesMax ? std::move(text) : std::string());
  return pending_.size() < kChunk ? Result<>() : flush();
}

Result<> Surveyor::flush() {
  if (pending_.empty()) return {};
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        for (const auto& [key, text] : pending_)
          if (text.empty())
            transaction.erase(key);
          else
            transaction.put(key, text);
        return {};
      });
  pending_.clear();
  return done;
}

// Objects that look alike share one schema, so that a million of them fit into memory.
std::shared_ptr<const Schema> Surveyor::shared(const Looked& looked) {
  std::string text = write_shape(looked.schema->root);
  for (const std::string& path : looked.schema->paths) text += '\n' + path;
  return schemas_.emplace(std::move(text), looked.schema).first->second;
}

Result<> Surveyor::forget_others() {
  const std::string prefix = seen_prefix(crawler_);
  std::string from = prefix;
  for (bool more = true; more;) {
    const Result<> done =
        state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
          const auto entries = transaction.scan(from, state::prefix_end(prefix), kChunk);
          if (!entries) return fail(entries.error());
          for (const state::Entry& entry : *entries)
            if (!met_.contains(entry.key)) transaction.erase(entry.key);
          more = entries->size() == kChunk;
          if (more) from = entries->back().key + '\0';
          return {};
        });
    if (!done) return done;
  }
  return {};
}

}  // namespace laketap::crawler
