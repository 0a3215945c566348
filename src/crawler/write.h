// Found tables -> the catalog, by the crawler's change policies. Inner header of crawler.
#pragma once

#include "crawler/crawler.h"
#include "crawler/layout.h"

namespace laketap::crawler {

// What the crawler's Configuration text asks for. Errors: invalid, in Glue's words.
struct Configuration {
  bool inherit_from_table = false, merge_new_columns = false;
  LayoutOptions layout;
};
Result<Configuration> parse_configuration(const std::string& text);

class Writer {
 public:
  Writer(catalog::Catalog& catalog, const Definition& definition,
         const Configuration& configuration, std::string bucket)
      : catalog_(catalog),
        definition_(definition),
        configuration_(configuration),
        bucket_(std::move(bucket)) {}

  // Makes or widens the table and adds its new partitions.
  Result<> write(const FoundTable& found, Crawl& crawl);
  // The table that this crawler has at `location` (s3://...), if any.
  Result<std::optional<catalog::Table>> table_at(const std::string& location) const;
  std::string location_of(const std::string& prefix) const {
    return "s3://" + bucket_ + "/" + prefix;
  }
  std::string database() const {
    return definition_.database.empty() ? "default" : definition_.database;
  }

 private:
  Result<> ensure_database();
  catalog::Table make_table(const FoundTable& found, const std::string& name) const;
  Result<std::string> free_name(const FoundTable& found) const;
  Result<> add_partitions(const FoundTable& found, const catalog::Table& table, Crawl& crawl);

  catalog::Catalog& catalog_;
  const Definition& definition_;
  const Configuration& configuration_;
  std::string bucket_;
};

// `have` made wide enough for `seen`; nothing when it is already. New columns come last.
std::optional<std::vector<catalog::Column>> widened(const std::vector<catalog::Column>& have,
                                                    const Shape& seen);

}  // namespace laketap::crawler
