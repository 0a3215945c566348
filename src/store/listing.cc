// Pages of a listing, read from the ordered index.
#include "store/local.h"

namespace laketap::store {
namespace {

constexpr size_t kChunk = 1000;
constexpr size_t kDelimitedChunk =
    64;  // With a delimiter most rows of a chunk are skipped by the next jump.

class Lister {
 public:
  Lister(state::Transaction& snapshot, const std::string& bucket, const ListRequest& request)
      : snapshot_(snapshot),
        bucket_(bucket),
        request_(request),
        end_(state::prefix_end(objects_prefix(bucket, request.prefix))) {}

  Result<Page> run() {
    if (request_.limit == 0) return page_;
    std::string from = start();
    if (request_.versions && !request_.version_id_marker.empty() &&
        request_.start_after.starts_with(request_.prefix)) {
      if (const Result<> rest = rest_of_key(request_.start_after); !rest) return fail(rest.error());
    }
    const size_t chunk =
        request_.delimiter.empty() ? std::min(kChunk, request_.limit + 1) : kDelimitedChunk;
    while (!full_) {
      const auto entries = snapshot_.scan(from, end_, chunk);
      if (!entries) return fail(entries.error());
      if (entries->empty()) break;
      std::string next = entries->back().key + '\0';
      for (const state::Entry& entry : *entries) {
        Result<Row> row = read_row(entry.value);
        if (!row) return fail(row.error());
        row->info.bucket = bucket_;
        row->info.key = key_of(entry.key);
        const Result<std::optional<std::string>> jump = take(*row);
        if (!jump) return fail(jump.error());
        if (full_) break;
        if (*jump) {
          next = **jump;
          break;
        }
      }
      from = std::move(next);
    }
    page_.truncated = full_;
    return std::move(page_);
  }

 private:
  std::string start() const {
    const std::string first = objects_prefix(bucket_, request_.prefix);
    if (request_.start_after.empty()) return first;
    std::string after = object_key(bucket_, request_.start_after) + '\0';
    // A marker that is a common prefix stands for all keys below it.
    if (!request_.delimiter.empty() && common_prefix(request_.start_after) == request_.start_after)
      after = state::prefix_end(objects_prefix(bucket_, request_.start_after));
    return std::max(first, after);
  }

  std::optional<std::string> common_prefix(const std::string& key) const {
    if (request_.delimiter.empty() || key.size() < request_.prefix.size()) return std::nullopt;
    const size_t at = key.find(request_.delimiter, request_.prefix.size());
    if (at == std::string::npos) return std::nullopt;
    return key.substr(0, at + request_.delimiter.size());
  }

  size_t taken() const { return page_.objects.size() + page_.common_prefixes.size(); }

  // False when the page has no room for one more: then there is a next page.
  bool room() {
    full_ = full_ || taken() >= request_.limit;
    return !full_;
  }

  // Where to go on scanning when the row stands for more than itself.
  Result<std::optional<std::string>> take(Row& row) {
    if (row.info.delete_marker && !request_.versions) return std::optional<std::string>();
    if (const std::optional<std::string> prefix = common_prefix(row.info.key)) {
      if (!room()) return std::optional<std::string>();
      page_.common_prefixes.push_back(*prefix);
      page_.next = *prefix;
      page_.next_version_id.clear();
      return std::optional(state::prefix_end(objects_prefix(bucket_, *prefix)));
    }
    if (!room()) return std::optional<std::string>();
    const std::string key = row.info.key;
    const bool older = row.older;
    add(std::move(row.info), true);
    if (request_.versions && older)
      if (const Result<> done = older_versions(key, ""); !done) return fail(done.error());
    return std::optional<std::string>();
  }

  void add(ObjectInfo info, bool latest) {
    info.is_latest = latest;
    page_.next = info.key;
    page_.next_version_id = info.version_id;
    page_.objects.push_back(std::move(info));
  }

  // The versions of `key` after `marker`, newest first; all when it is empty.
  Result<> older_versions(const std::string& key, const std::string& marker) {
    const std::string prefix = versions_prefix(bucket_, key);
    std::string from = prefix;
    bool adding = marker.empty();
    while (true) {
      const auto entries = snapshot_.scan(from, state::prefix_end(prefix), kChunk);
      if (!entries) return fail(entries.error());
      for (const state::Entry& entry : *entries) {
        Result<Row> row = read_row(entry.value);
        if (!row) return fail(row.error());
        if (adding) {
          if (!room()) return {};
          row->info.bucket = bucket_;
          row->info.key = key;
          add(std::move(row->info), false);
        }
        adding = adding || row->info.version_id == marker;
      }
      if (entries->size() < kChunk) return {};
      from = entries->back().key + '\0';
    }
  }

  // A page that ended inside a key: the rest of its versions.
  Result<> rest_of_key(const std::string& key) {
    const auto entry = snapshot_.get(object_key(bucket_, key));
    if (!entry) return fail(entry.error());
    if (!*entry) return {};
    const Result<Row> row = read_row((*entry)->value);
    if (!row) return fail(row.error());
    return older_versions(
        key, row->info.version_id == request_.version_id_marker ? "" : request_.version_id_marker);
  }

  state::Transaction& snapshot_;
  const std::string& bucket_;
  const ListRequest& request_;
  std::string end_;
  Page page_;
  bool full_ = false;
};

}  // namespace

Result<Page> list_page(state::Transaction& snapshot, const std::string& bucket,
                       const ListRequest& request) {
  return Lister(snapshot, bucket, request).run();
}

}  // namespace laketap::store
