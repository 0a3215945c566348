// Found tables -> the catalog, by the crawler's change policies. Inner header of crawler.
#pragma once

#include <set>

#include "crawler/configuration.h"
#include "crawler/crawler.h"
#include "crawler/layout.h"

namespace laketap::crawler {

// A crawl has seen everything under the path; an arrival one object, or a stream's first records.
enum class Source { crawl, arrival };

class Writer {
 public:
  struct Parts {
    catalog::Catalog& catalog;
    state::Database& database;
    Timestamp now;
  };
  // Borrows all but the bucket. `crawl` gets what was done.
  Writer(Parts parts, const Definition& definition, const Configuration& configuration,
         std::string bucket, Crawl& crawl)
      : parts_(parts),
        definition_(definition),
        configuration_(configuration),
        bucket_(std::move(bucket)),
        crawl_(crawl) {}

  // Makes or widens the table and adds its new partitions.
  Result<> write(const FoundTable& found, Source source);
  // What a whole crawl did not find: `locations` are those it found, in every bucket. A table that
  // an arrival made too early goes when what was found says otherwise; one whose objects are gone
  // is dealt with by the delete behaviour.
  Result<> retire(const std::set<std::string>& locations, const std::string& include);

  // The tables that this crawler may call its own, by location with its last slash.
  Result<const std::map<std::string, catalog::Table>*> tables();
  std::string location_of(const std::string& prefix) const {
    return "s3://" + bucket_ + "/" + prefix;
  }
  std::string database() const {
    return definition_.database.empty() ? "default" : definition_.database;
  }

 private:
  struct Memo {                   // What the catalog does not say of a table.
    bool is_early = false;        // No crawl has confirmed it.
    std::set<std::string> nulls;  // Columns of which nothing but null was seen.
    bool operator==(const Memo&) const = default;
  };
  std::string memo_key(const std::string& table) const;
  Memo load_memo(const std::string& table) const;
  Result<> save_memo(const std::string& table, const Memo& memo);
  Result<> drop(const std::string& table);

  Result<> ensure_database();
  Result<> create(const FoundTable& found, Source source);
  Result<> update(const FoundTable& found, Source source, catalog::Table table);
  catalog::Table make_table(const FoundTable& found, const std::string& name) const;
  catalog::StorageDescriptor make_storage(const FoundTable& found) const;
  catalog::Parameters statistics(const FoundTable& found) const;
  Result<std::string> free_name(const FoundTable& found) const;
  Result<> add_partitions(const FoundTable& found, const catalog::Table& table, Source source);
  Result<> remove_partitions(const FoundTable& found, const catalog::Table& table);
  Result<> rewrite_partitions(const catalog::Table& table);

  Parts parts_;
  const Definition& definition_;
  const Configuration& configuration_;
  std::string bucket_;
  Crawl& crawl_;
  std::optional<std::map<std::string, catalog::Table>> tables_;
};

// Makes `columns` wide enough for `seen`, new ones last; true when that changed something. A column
// of `nulls` takes the first type that comes; types that we would not have inferred stay.
bool widen(std::vector<catalog::Column>& columns, const Shape& seen, std::set<std::string>& nulls,
           bool only_add);

}  // namespace laketap::crawler
