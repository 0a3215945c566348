#include "crawler/look.h"

#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <map>

namespace laketap::crawler {
namespace {

constexpr size_t kReadBytesMax =
    10 * kSampleBytes;  // Glue's: 1 MB, growing to 10 MB until one record parses.
constexpr size_t kFilesPerFolderWhole =
    200;  // Of a folder with more objects, the newest and a spread of these.

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

std::optional<Looked> look_at(store::Store& store, const store::ObjectInfo& object) {
  if (object.size == 0) return std::nullopt;
  const Result<store::Pin> pin = store.pin(object);
  if (!pin) return std::nullopt;
  Looked made{.object = object, .schema = {}};
  for (size_t bytes = kSampleBytes; bytes <= kReadBytesMax; bytes += kSampleBytes) {
    std::string front = read_front(pin->path(), bytes);
    bool whole = front.size() == object.size;
    if (front.starts_with("\x1f\x8b")) {
      made.compression = "gzip";
      front = inflated(front, bytes);
      whole = whole && front.size() < bytes;
    }
    if (std::optional<Schema> schema = infer_json(front, whole)) {
      made.schema = std::move(*schema);
      return made;
    }
    const size_t first = front.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    if (whole || first == std::string::npos || (front[first] != '{' && front[first] != '['))
      return std::nullopt;
  }
  return std::nullopt;
}

Result<std::vector<Looked>> look_at_all(store::Store& store, const S3Path& path,
                                        const S3Target& target,
                                        const std::function<bool()>& stopped) {
  Result<std::vector<store::ObjectInfo>> objects = store.snapshot(path.bucket, path.prefix);
  if (!objects) return fail(objects.error());
  // A path that names one object: s3://bucket/folder/file.json.
  if (objects->empty() && path.prefix.ends_with('/')) {
    const Result<store::ObjectInfo> one =
        store.find(path.bucket, path.prefix.substr(0, path.prefix.size() - 1));
    if (one && !one->delete_marker) objects->push_back(*one);
  }
  std::map<std::string, std::vector<store::ObjectInfo>> folders;
  for (store::ObjectInfo& object : *objects) {
    if (object.size == 0 || is_hidden(object.key, path.prefix) ||
        is_excluded(object.key, path, target))
      continue;
    folders[object.key.substr(0, object.key.rfind('/') + 1)].push_back(std::move(object));
  }
  const size_t whole = target.sample_size
                           ? static_cast<size_t>(std::max<int64_t>(1, *target.sample_size))
                           : kFilesPerFolderWhole;
  std::vector<Looked> out;
  for (auto& [folder, files] : folders) {
    const size_t step = std::max<size_t>(1, files.size() / whole);
    for (size_t i = 0; i < files.size(); ++i) {
      if (stopped()) return out;
      if (i % step != 0 && i + 1 != files.size()) continue;
      if (std::optional<Looked> one = look_at(store, files[i])) out.push_back(std::move(*one));
    }
  }
  return out;
}

}  // namespace laketap::crawler
