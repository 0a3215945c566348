#include "crawler/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace laketap::crawler {
namespace {

constexpr double kSimilar = 0.7;  // Of the columns; AWS re:Post on crawlers.
constexpr size_t kClustersMax = 5;

struct Folder {
  std::vector<const Looked*> files;
  std::map<std::string, Folder> folders;

  void collect(std::vector<const Looked*>& out) const {
    out.insert(out.end(), files.begin(), files.end());
    for (const auto& [name, folder] : folders) folder.collect(out);
  }
  void depths(size_t depth, std::set<size_t>& out) const {
    if (!files.empty()) out.insert(depth);
    for (const auto& [name, folder] : folders) folder.depths(depth + 1, out);
  }
};

std::set<std::string> column_names(const Schema& schema) {
  std::set<std::string> out;
  for (const catalog::Column& column : schema.columns()) out.insert(column.name);
  return out;
}

bool similar(const Schema& a, const Schema& b) {
  const std::set<std::string> x = column_names(a);
  const std::set<std::string> y = column_names(b);
  size_t common = 0;
  for (const std::string& name : x) common += y.count(name);
  // A record of few columns inside another one is the same thing with keys left out.
  const size_t larger = std::max(x.size(), y.size());
  const size_t smaller = std::min(x.size(), y.size());
  return larger == 0 || static_cast<double>(common) >= kSimilar * static_cast<double>(larger) ||
         (common == smaller && common * 2 > larger);
}

bool merges(const std::vector<const Looked*>& files, const LayoutOptions& options) {
  for (const Looked* one : files)
    if (one->compression != files.front()->compression) return false;
  if (options.combine_compatible) return true;
  std::vector<Schema> clusters;
  for (const Looked* one : files) {
    const auto found = std::ranges::find_if(
        clusters, [&](const Schema& cluster) { return similar(cluster, one->schema); });
    if (found == clusters.end()) {
      clusters.push_back(one->schema);
      if (clusters.size() > 1) break;
    } else {
      found->root.merge(one->schema.root);
    }
  }
  return clusters.size() <= 1 && clusters.size() <= kClustersMax;
}

class Finder {
 public:
  Finder(std::string bucket, const LayoutOptions& options)
      : bucket_(std::move(bucket)), options_(options) {}

  void visit(const Folder& folder, const std::string& path, size_t level) {
    std::vector<const Looked*> files;
    folder.collect(files);
    if (files.empty()) return;
    const bool at_level = !options_.level || static_cast<int64_t>(level) >= *options_.level;
    std::set<size_t> depths;
    folder.depths(0, depths);
    // Files beside folders of files are no partitions of one table.
    if (at_level && depths.size() == 1 && merges(files, options_)) {
      add(folder, path, files);
      return;
    }
    for (const auto& [name, inner] : folder.folders) visit(inner, path + name + "/", level + 1);
    if (folder.files.empty()) return;
    if (merges(folder.files, options_) && folder.folders.empty()) {
      Folder alone;
      alone.files = folder.files;
      add(alone, path, folder.files);
      return;
    }
    for (const Looked* file : folder.files) add_file(*file);
  }

  std::vector<FoundTable> found;

 private:
  void add(const Folder& folder, const std::string& path, const std::vector<const Looked*>& files) {
    FoundTable table;
    table.name = name_of_location(bucket_, path);
    table.location = path;
    table.compression = files.front()->compression;
    for (const Looked* file : files) count(table, *file);
    std::set<std::string> folders;
    for (const Looked* file : files)
      folders.insert(file->object.key.substr(0, file->object.key.rfind('/') + 1));
    for (const std::string& one : folders) {
      if (one.size() <= path.size()) continue;
      FolderParts parts = folder_parts(path, one);
      if (table.partition_keys.empty()) table.partition_keys = parts.names;
      if (parts.values.size() == table.partition_keys.size())
        table.partitions.push_back({std::move(parts.values), one});
    }
    (void)folder;
    found.push_back(std::move(table));
  }
  void add_file(const Looked& file) {
    FoundTable table;
    table.name = table_name(file.object.key.substr(file.object.key.rfind('/') + 1));
    table.location = file.object.key;
    table.compression = file.compression;
    count(table, file);
    found.push_back(std::move(table));
  }
  static void count(FoundTable& table, const Looked& file) {
    table.schema.root.merge(file.schema.root);
    table.schema.records += file.schema.records;
    table.schema.bytes += file.schema.bytes;
    for (const std::string& path : file.schema.paths)
      if (std::ranges::find(table.schema.paths, path) == table.schema.paths.end())
        table.schema.paths.push_back(path);
    ++table.objects;
    table.bytes += file.object.size;
  }

  std::string bucket_;
  const LayoutOptions& options_;
};

}  // namespace

std::string table_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += std::isalnum(byte) && byte < 0x80 ? static_cast<char>(std::tolower(byte)) : '_';
  }
  return out.substr(0, 128);
}

std::string name_of_location(const std::string& bucket, std::string_view location) {
  while (location.ends_with('/')) location.remove_suffix(1);
  if (location.empty()) return table_name(bucket);
  return table_name(
      location.substr(location.rfind('/') == std::string_view::npos ? 0 : location.rfind('/') + 1));
}

FolderParts folder_parts(std::string_view root, std::string_view folder) {
  FolderParts parts;
  std::string_view rest = folder.substr(std::min(root.size(), folder.size()));
  std::set<std::string> used;
  for (size_t index = 0; !rest.empty(); ++index) {
    const size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    const size_t equals = part.find('=');
    if (equals != std::string_view::npos && equals > 0) {
      parts.names.push_back(catalog::folded(part.substr(0, equals)));
      parts.values.emplace_back(part.substr(equals + 1));
    } else {
      parts.names.push_back(fmt::format("partition_{}", index));
      parts.values.emplace_back(part);
    }
  }
  return parts;
}

std::vector<FoundTable> find_tables(const std::string& bucket, const std::string& include,
                                    const std::vector<Looked>& looked,
                                    const LayoutOptions& options) {
  Folder root;
  for (const Looked& one : looked) {
    Folder* at = &root;
    std::string_view rest =
        std::string_view(one.object.key).substr(std::min(include.size(), one.object.key.size()));
    for (size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
      at = &at->folders[std::string(rest.substr(0, slash))];
      rest.remove_prefix(slash + 1);
    }
    at->files.push_back(&one);
  }
  Finder finder(bucket, options);
  finder.visit(root, include, 1 + static_cast<size_t>(std::ranges::count(include, '/')));
  return std::move(finder.found);
}

}  // namespace laketap::crawler
