// Where a table's files lie, and which partition each folder is. Inner header.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "query/result.h"
#include "query/snapshot.h"

namespace laketap::query {

class Folders {
 public:
  using Values = std::vector<std::optional<std::string>>;

  // Both must outlive it.
  Folders(const catalog::Table& table, const SnapshotRequest& request);

  // Errors: invalid - "ERROR_NAME: ..." of a location that is none; others of the catalog.
  Result<> read(const catalog::Catalog& catalog);

  // Each is listed once; they do not overlap. Their keys end in a slash or are empty.
  const std::vector<Place>& roots() const { return roots_; }

  // The object that the location may name, where it is no folder: crawlers make such tables.
  const std::optional<Place>& file() const { return file_; }

  // The partition of an object; absent: of none that is asked for.
  std::optional<Values> values_of(const std::string& bucket, const std::string& key) const;

 private:
  void add(const catalog::Partition& partition);
  std::optional<Values> from_path(std::string_view below) const;
  bool wanted(const Values& values) const;

  const catalog::Table& table_;
  const SnapshotRequest& request_;
  Place root_;
  std::vector<Place> roots_;
  std::optional<Place> file_;
  std::map<std::pair<std::string, std::string>, Values> known_;
  bool crawled_ = false;
};

}  // namespace laketap::query
