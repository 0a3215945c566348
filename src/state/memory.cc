// The twin in memory: every version is kept while a snapshot may need it.
#include <mutex>

#include "state/changes.h"

namespace laketap::state {
namespace {

struct Version {
  uint64_t version;
  std::optional<std::string> value;  // Absent: erased.
};

struct Tables {
  std::mutex mutex;
  std::map<std::string, std::vector<Version>, std::less<>> versions;
  uint64_t last = 0;
};

const Version* visible(const std::vector<Version>& versions, uint64_t snapshot) {
  for (auto at = versions.rbegin(); at != versions.rend(); ++at)
    if (at->version <= snapshot) return at->value ? &*at : nullptr;
  return nullptr;
}

class MemoryTransaction : public Transaction {
 public:
  explicit MemoryTransaction(std::shared_ptr<Tables> tables) : tables_(std::move(tables)) {
    const std::scoped_lock lock(tables_->mutex);
    changes_.snapshot = tables_->last;
  }

  Result<std::optional<Entry>> get(std::string_view key) override {
    if (const auto own = changes_.writes.find(key); own != changes_.writes.end())
      return own->second ? std::optional(Entry{std::string(key), *own->second, 0}) : std::nullopt;
    changes_.read_keys.emplace(key);
    const std::scoped_lock lock(tables_->mutex);
    const auto found = tables_->versions.find(key);
    const Version* version =
        found == tables_->versions.end() ? nullptr : visible(found->second, changes_.snapshot);
    if (!version) return std::optional<Entry>();
    return std::optional(Entry{std::string(key), *version->value, version->version});
  }

  Result<std::vector<Entry>> scan(std::string_view first, std::string_view end,
                                  size_t limit) override {
    std::vector<Entry> entries;
    {
      const std::scoped_lock lock(tables_->mutex);
      // Own erasures may hide some, so ask for as many more.
      const size_t enough = limit + std::min(limit, changes_.writes.size());
      for (auto at = tables_->versions.lower_bound(first);
           at != tables_->versions.end() && (end.empty() || at->first < end) &&
           entries.size() < enough;
           ++at)
        if (const Version* version = visible(at->second, changes_.snapshot))
          entries.push_back({at->first, *version->value, version->version});
    }
    std::vector<Entry> out = overlay(std::move(entries), changes_, first, end, limit);
    if (out.size() > limit) out.resize(limit);
    // A page that is full was read up to its last key only.
    const bool cut = out.size() == limit && !out.empty();
    changes_.read_ranges.push_back(
        {std::string(first), cut ? out.back().key + '\0' : std::string(end)});
    return out;
  }

  void put(std::string key, std::string value) override {
    changes_.writes[std::move(key)] = std::move(value);
  }
  void erase(std::string key) override { changes_.writes[std::move(key)] = std::nullopt; }

  Result<> commit() override {
    if (changes_.writes.empty()) return {};
    const std::scoped_lock lock(tables_->mutex);
    const auto changed = [&](const std::vector<Version>& versions) {
      return versions.back().version > changes_.snapshot;
    };
    const auto changed_key = [&](const std::string& key) {
      const auto found = tables_->versions.find(key);
      return found != tables_->versions.end() && changed(found->second);
    };
    for (const std::string& key : changes_.read_keys)
      if (changed_key(key)) return fail(ErrorKind::conflict, "an entry that was read was changed");
    for (const auto& [key, value] : changes_.writes)
      if (changed_key(key))
        return fail(ErrorKind::conflict, "an entry that was written was changed");
    for (const ReadRange& range : changes_.read_ranges)
      for (auto at = tables_->versions.lower_bound(range.first);
           at != tables_->versions.end() && (range.end.empty() || at->first < range.end); ++at)
        if (changed(at->second))
          return fail(ErrorKind::conflict, "a range that was read was changed");
    ++tables_->last;
    for (const auto& [key, value] : changes_.writes)
      tables_->versions[key].push_back({tables_->last, value});
    changes_.writes.clear();
    return {};
  }

 private:
  std::shared_ptr<Tables> tables_;
  Changes changes_;
};

class Memory : public Database {
 public:
  Result<std::unique_ptr<Transaction>> begin() override {
    return std::make_unique<MemoryTransaction>(tables_);
  }

 private:
  std::shared_ptr<Tables> tables_ = std::make_shared<Tables>();
};

}  // namespace

std::unique_ptr<Database> in_memory() {
  return std::make_unique<Memory>();
}

}  // namespace laketap::state
