// A table as bytes at one moment: the objects of its folders, and what of its records is still in
// the journal. Everything named is pinned: it can be read as long as the snapshot lives.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "ingest/ingest.h"
#include "store/store.h"

namespace laketap::query {

struct Snapshot {
  engine::Scan scan;  // Without a name.
  std::vector<store::Pin> objects;
  std::vector<std::shared_ptr<const journal::Pin>> segments;
  uint64_t undelivered_bytes = 0;
};

struct SnapshotRequest {
  std::string database, table;
  std::set<std::string> columns;  // That the query reads.
  std::map<std::string, std::set<std::string>>
      partition_equals;  // Other partitions need not be looked at.
};

class Snapshots {
 public:
  Snapshots(store::Store& store, const catalog::Catalog& catalog, const ingest::Streams& streams)
      : store_(store), catalog_(catalog), streams_(streams) {}

  // Errors: invalid - "ERROR_NAME: ..." of a table that cannot be read; others of the rooms below.
  Result<Snapshot> take(const SnapshotRequest& request) const;

 private:
  store::Store& store_;
  const catalog::Catalog& catalog_;
  const ingest::Streams& streams_;
};

}  // namespace laketap::query
