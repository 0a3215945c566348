// Objects of one include path -> tables and their partitions. Inner header of crawler.
// Rules: Glue Developer Guide, "How does a crawler determine when to create partitions?".
#pragma once

#include <map>
#include <memory>

#include "crawler/infer.h"

namespace laketap::crawler {

// What must be equal for objects to share a table.
struct Format {
  std::string classification = "json";        // json, csv
  std::string compression = "none";           // none, gzip
  std::map<std::string, std::string> traits;  // CSV's delimiter, header, quotes: see csv.h.
  bool operator==(const Format&) const = default;
};

struct Looked {  // One object that was looked at.
  std::string key;
  uint64_t size = 0;
  Format format;
  std::shared_ptr<const Schema> schema;  // Shared by objects that look alike.
  uint64_t records = 0, record_bytes = 0;
  // Objects of the same folder that were not looked at: told once a folder.
  uint64_t others = 0, others_bytes = 0;
};

struct FoundPartition {
  std::vector<std::string> values;
  std::string folder;  // Key prefix with its last slash.
};

struct FoundTable {
  std::string name;      // Before prefix and clash rules.
  std::string location;  // Key prefix with its last slash; a key for a table of one file.
  Schema schema;
  Format format;
  std::vector<std::string> partition_keys;
  std::vector<FoundPartition> partitions;
  uint64_t objects = 0, bytes = 0;
};

struct LayoutOptions {
  bool combine_compatible = false;  // Grouping.TableGroupingPolicy CombineCompatibleSchemas.
  std::optional<int64_t> level;  // TableLevelConfiguration: depth of the tables, the bucket is 1.
};

std::vector<FoundTable> find_tables(const std::string& bucket, const std::string& include,
                                    const std::vector<Looked>& looked,
                                    const LayoutOptions& options);

// Folders below `root` (a prefix with its last slash) on the way to `folder`: the values of its
// partition, and the keys' names. NAME=VALUE folders name their key; a value's %41 is an A.
struct FolderParts {
  std::vector<std::string> values, names;
};
FolderParts folder_parts(std::string_view root, std::string_view folder);

// Lower case, [a-z0-9_], at most 128.
std::string table_name(std::string_view text);
// The name of a table at this location.
std::string name_of_location(const std::string& bucket, std::string_view location);

}  // namespace laketap::crawler
