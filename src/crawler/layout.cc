#include "crawler/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace laketap::crawler {
namespace {

constexpr double kSimilar = 0.7;  // Of the columns; AWS re:Post on crawlers.
constexpr size_t kNameCharsMax = 128;

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

// Glue's measure is not published. Ours: 70 % of the larger one's columns are common, or one has
// nothing that the other lacks (a record with keys left out, a column that was added).
bool is_similar(const Shape& a, const Shape& b) {
  const Shape& small = a.fields.size() < b.fields.size() ? a : b;
  const Shape& large = &small == &a ? b : a;
  size_t common = 0;
  for (const auto& [name, shape] : small.fields) common += large.find(name) ? 1 : 0;
  return common == small.fields.size() ||
         static_cast<double>(common) >= kSimilar * static_cast<double>(large.fields.size());
}

bool are_alike(const std::vector<const Looked*>& files) {
  return std::ranges::all_of(
      files, [&](const Looked* one) { return one->format == files.front()->format; });
}

bool merges(const std::vector<const Looked*>& files) {
  Shape together;
  std::set<const Schema*> known;
  for (const Looked* one : files) {
    if (!known.insert(one->schema.get()).second) continue;
    if (known.size() > 1 && !is_similar(together, one->schema->root)) return false;
    together.merge(one->schema->root);
  }
  return true;
}

class Finder {
 public:
  Finder(std::string bucket, const LayoutOptions& options)
      : bucket_(std::move(bucket)), options_(options) {}

  void visit(const Folder& folder, const std::string& path, int64_t level) {
    std::vector<const Looked*> files;
    folder.collect(files);
    if (files.empty()) return;
    if (is_table(folder, files, level)) return add(path, files);
    for (const auto& [name, inner] : folder.folders) visit(inner, path + name + "/", level + 1);
    for (const Looked* file : folder.files) add_file(*file);
  }

  void add_file(const Looked& file) {
    FoundTable table;
    table.name = table_name(file.key.substr(file.key.rfind('/') + 1));
    table.location = file.key;
    table.format = file.format;
    count(table, file);
    found.push_back(std::move(table));
  }

  std::vector<FoundTable> found;

 private:
  bool is_table(const Folder& folder, const std::vector<const Looked*>& files,
                int64_t level) const {
    if (!are_alike(files) || (options_.level && level < *options_.level)) return false;
    if (options_.combine_compatible || level == options_.level) return true;
    // Files beside folders of files are no partitions of one table.
    std::set<size_t> depths;
    folder.depths(0, depths);
    return depths.size() == 1 && merges(files);
  }

  void add(const std::string& path, const std::vector<const Looked*>& files) {
    FoundTable table;
    table.name = name_of_location(bucket_, path);
    table.location = path;
    table.format = files.front()->format;
    std::set<std::string> folders;
    for (const Looked* file : files) {
      count(table, *file);
      folders.insert(file->key.substr(0, file->key.rfind('/') + 1));
    }
    add_partitions(table, folders);
    found.push_back(std::move(table));
  }

  // As many keys as the shallowest folder has: deeper ones lie in its partitions. Keys whose names
  // differ from folder to folder have none.
  static void add_partitions(FoundTable& table, const std::set<std::string>& folders) {
    std::vector<std::pair<FolderParts, std::string>> all;
    size_t depth = SIZE_MAX;
    for (const std::string& folder : folders) {
      all.emplace_back(folder_parts(table.location, folder), folder);
      depth = std::min(depth, all.back().first.values.size());
    }
    if (depth == 0 || all.empty()) return;
    table.partition_keys.assign(all.front().first.names.begin(),
                                all.front().first.names.begin() + static_cast<long>(depth));
    std::map<std::vector<std::string>, std::string> partitions;
    for (auto& [parts, folder] : all) {
      for (size_t i = 0; i < depth; ++i)
        if (parts.names[i] != table.partition_keys[i])
          table.partition_keys[i] = fmt::format("partition_{}", i);
      size_t end = table.location.size();
      for (size_t i = 0; i < depth; ++i) end = folder.find('/', end) + 1;
      parts.values.resize(depth);
      partitions.emplace(std::move(parts.values), folder.substr(0, end));
    }
    for (auto& [values, folder] : partitions) table.partitions.push_back({values, folder});
  }

  static void count(FoundTable& table, const Looked& file) {
    table.schema.merge(*file.schema);
    table.schema.records += file.records;
    table.schema.bytes += file.record_bytes;
    table.objects += 1 + file.others;
    table.bytes += file.size + file.others_bytes;
  }

  std::string bucket_;
  const LayoutOptions& options_;
};

}  // namespace

std::string table_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += plain ? c : '_';
  }
  return catalog::folded(out).substr(0, kNameCharsMax);
}

std::string name_of_location(const std::string& bucket, std::string_view location) {
  while (location.ends_with('/')) location.remove_suffix(1);
  if (location.empty()) return table_name(bucket);
  const size_t slash = location.rfind('/');
  return table_name(location.substr(slash == std::string_view::npos ? 0 : slash + 1));
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
    std::string name = fmt::format("partition_{}", index);
    if (equals != std::string_view::npos && equals > 0) {
      if (std::string own = catalog::folded(catalog::unescaped(part.substr(0, equals)));
          !used.contains(own))
        name = std::move(own);
      parts.values.push_back(catalog::unescaped(part.substr(equals + 1)));
    } else {
      parts.values.emplace_back(part);
    }
    used.insert(name);
    parts.names.push_back(std::move(name));
  }
  return parts;
}

std::vector<FoundTable> find_tables(const std::string& bucket, const std::string& include,
                                    const std::vector<Looked>& looked,
                                    const LayoutOptions& options) {
  Finder finder(bucket, options);
  Folder root;
  for (const Looked& one : looked) {
    if (one.key.size() < include.size()) {  // The include path is this object.
      finder.add_file(one);
      continue;
    }
    Folder* at = &root;
    std::string_view rest = std::string_view(one.key).substr(include.size());
    for (size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
      at = &at->folders[std::string(rest.substr(0, slash))];
      rest.remove_prefix(slash + 1);
    }
    at->files.push_back(&one);
  }
  finder.visit(root, include, 1 + std::ranges::count(include, '/'));
  return std::move(finder.found);
}

}  // namespace laketap::crawler
