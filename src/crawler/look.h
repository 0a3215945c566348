// Looking at objects: which count, and what their first bytes say. Inner header of crawler.
#pragma once

#include <functional>
#include <set>

#include "crawler/crawler.h"
#include "crawler/layout.h"

namespace laketap::crawler {

// Names that Athena does not read, from the include path down: _SUCCESS, .hidden, x_$folder$.
bool is_hidden(std::string_view key, std::string_view include);
bool is_excluded(std::string_view key, const S3Path& path, const S3Target& target);

// What these first bytes of an object say. `whole`: they are all of it. Absent: empty, or of no
// format that we know.
std::optional<Looked> look_at_bytes(std::string_view bytes, bool whole);
// Reads the object's first MiB and, while it holds no whole record, up to ten.
std::optional<Looked> look_at(store::Store& store, const store::ObjectInfo& object,
                              size_t sample_bytes = kSampleBytes);

// Looks at a path's objects, keeping in state what was seen, so that the next run of the same
// crawler opens new and changed objects only.
class Surveyor {
 public:
  Surveyor(state::Database& database, store::Store& store, std::string crawler,
           std::function<bool()> stopped)
      : database_(database),
        store_(store),
        crawler_(std::move(crawler)),
        stopped_(std::move(stopped)) {}

  // Every object under the path that counts. Errors: not_found - the bucket.
  Result<std::vector<Looked>> survey(const S3Path& path, const S3Target& target);
  // Forgets folders that no survey of this run met.
  Result<> forget_others();

  uint64_t opened() const { return opened_; }

 private:
  Result<> survey_folder(const std::string& bucket, const std::string& folder,
                         const std::vector<store::ObjectInfo>& files, size_t files_max,
                         std::vector<Looked>& out);
  Result<> flush();
  std::shared_ptr<const Schema> shared(const Looked& looked);

  state::Database& database_;
  store::Store& store_;
  std::string crawler_;
  std::function<bool()> stopped_;
  std::map<std::string, std::shared_ptr<const Schema>> schemas_;  // By their text.
  std::set<std::string> met_;                                     // Keys in state.
  std::vector<std::pair<std::string, std::string>> pending_;      // Not yet written to state.
  uint64_t opened_ = 0;
};

}  // namespace laketap::crawler
