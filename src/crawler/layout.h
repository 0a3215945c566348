// Objects of one include path -> tables and their partitions. Inner header of crawler.
// Rules: Glue Developer Guide, "How does a crawler determine when to create partitions?".
#pragma once

#include "crawler/infer.h"
#include "store/store.h"

namespace laketap::crawler {

struct Looked {  // One object that was looked at.
  store::ObjectInfo object;
  Schema schema;
  std::string compression = "none";  // none, gzip
};

struct FoundPartition {
  std::vector<std::string> values;
  std::string folder;  // Key prefix with its last slash.
};

struct FoundTable {
  std::string name;      // Before prefix and clash rules.
  std::string location;  // Key prefix with its last slash; a key for a table of one file.
  Schema schema;
  std::string compression = "none";
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
// partition, and the keys' names.
struct FolderParts {
  std::vector<std::string> values, names;
};
FolderParts folder_parts(std::string_view root, std::string_view folder);

// Lower case, [a-z0-9_], at most 128.
std::string table_name(std::string_view text);
// The name of a table at this location.
std::string name_of_location(const std::string& bucket, std::string_view location);

}  // namespace laketap::crawler
