// Arrivals: an object came, or a stream accepted its first records for a folder. The table is there
// at once, wide enough, and has the folder as a partition; what is not plain waits for a crawl.
#include <fmt/format.h>

#include <algorithm>

#include "crawler/look.h"
#include "crawler/write.h"

namespace laketap::crawler {
namespace {

// A folder is looked at again after this time while large objects pour in: each costs a read and a
// parse, and they come of one stream. The newest of those skipped is looked at then.
constexpr std::chrono::seconds kLookAgain{1};
constexpr std::chrono::milliseconds kLaterTick{250};
constexpr uint64_t kSmallBytes = 64 << 10;  // Cheap enough to look at each.
constexpr size_t kBacklog = 100;            // Unless so many wait.
constexpr size_t kArrivalsMax = 10'000;     // Beyond it, arrivals wait for the next crawl.
constexpr size_t kFoldersMax = 100'000;
constexpr size_t kArrivalSampleBytes = 256 << 10;

// The place of the table for what lies in `folder`: an own table above it; else beside the tables
// that a crawl made below the include path; else the include path. Absent: a crawl must decide.
std::optional<std::string> root_for(const std::map<std::string, catalog::Table>& tables,
                                    const std::string& scheme, const std::string& include,
                                    const std::string& folder, std::optional<int64_t> level) {
  std::string best;
  size_t common_most = 0;
  bool has_siblings = false;
  for (const auto& [location, table] : tables) {
    if (!location.starts_with(scheme + include)) continue;
    const std::string prefix = location.substr(scheme.size());
    if (folder.starts_with(prefix)) {
      if (prefix.size() >= best.size()) best = prefix;
      continue;
    }
    has_siblings = true;
    const auto [own, other] = std::ranges::mismatch(folder, prefix);
    const std::string_view common(folder.data(), static_cast<size_t>(own - folder.begin()));
    common_most = std::max(common_most, common.rfind('/') + 1);
  }
  const bool has_own = !best.empty() || tables.contains(scheme + include);
  if (has_own) return best.empty() ? include : best;
  size_t end = include.size();
  if (has_siblings && !level) {
    const size_t slash = folder.find('/', std::max(common_most, include.size()));
    if (slash == std::string::npos) return std::nullopt;
    end = slash + 1;
  } else if (level) {
    end = 0;
    for (int64_t depth = 1; depth < *level; ++depth) {
      const size_t slash = folder.find('/', end);
      if (slash == std::string::npos) return std::nullopt;
      end = slash + 1;
    }
    if (end < include.size()) return std::nullopt;
  }
  return folder.substr(0, end);
}

}  // namespace

bool Crawlers::is_covered(const std::string& bucket, const std::string& key) const {
  return std::ranges::any_of(covered_, [&](const Covered& one) {
    return one.path.bucket == bucket && key.starts_with(one.path.prefix);
  });
}

void Crawlers::on_object(const store::Change& change) {
  if (!change.created) return;
  const std::scoped_lock lock(mutex_);
  if (arrivals_.size() >= kArrivalsMax || !is_covered(change.bucket, change.key)) return;
  arrivals_.push_back(
      {.bucket = change.bucket, .key = change.key, .size = change.size, .sample = {}});
  arrival_wake_.notify_one();
}

void Crawlers::on_new_prefix(const std::string& bucket, const std::string& prefix, Bytes sample) {
  const std::scoped_lock lock(mutex_);
  if (arrivals_.size() >= kArrivalsMax || !is_covered(bucket, prefix)) return;
  arrivals_.push_back({.bucket = bucket, .key = prefix, .sample = std::move(sample)});
  arrival_wake_.notify_one();
}

// With the lock held: one that is to be looked at now.
std::optional<Crawlers::Arrival> Crawlers::next_arrival() {
  const auto now = parts_.clock.monotonic();
  for (auto one = later_.begin(); one != later_.end(); ++one) {
    if (now - looked_at_[one->first] < kLookAgain) continue;
    Arrival due = std::move(one->second);
    looked_at_[one->first] = now;
    later_.erase(one);
    return due;
  }
  while (!arrivals_.empty()) {
    Arrival arrival = std::move(arrivals_.front());
    arrivals_.pop_front();
    const std::string folder = arrival.folder();
    const bool is_cheap =
        !arrival.sample.empty() || (arrival.size <= kSmallBytes && arrivals_.size() < kBacklog);
    const auto known = looked_at_.find(folder);
    if (!is_cheap && known != looked_at_.end() && now - known->second < kLookAgain) {
      if (later_.size() < kArrivalsMax || later_.contains(folder))
        later_[folder] = std::move(arrival);
      continue;
    }
    if (looked_at_.size() >= kFoldersMax) looked_at_.clear();
    looked_at_[folder] = now;
    return arrival;
  }
  return std::nullopt;
}

void Crawlers::run_arrivals() {
  while (true) {
    std::optional<Arrival> arrival;
    std::vector<Covered> covering;
    {
      std::unique_lock lock(mutex_);
      while (!stopping_ && !(arrival = next_arrival())) {
        if (later_.empty())
          arrival_wake_.wait(lock);
        else
          arrival_wake_.wait_for(lock, kLaterTick);
      }
      if (stopping_) return;
      for (const Covered& one : covered_)
        if (one.path.bucket == arrival->bucket && arrival->key.starts_with(one.path.prefix))
          covering.push_back(one);
    }
    for (const Covered& one : covering) arrive(*arrival, one);
  }
}

void Crawlers::arrive(const Arrival& arrival, const Covered& covered) {
  const Definition& definition = *covered.definition;
  const S3Path& path = covered.path;
  const Result<Configuration> configuration = parse_configuration(definition.configuration);
  if (!configuration || is_hidden(arrival.key, path.prefix) ||
      is_excluded(arrival.key, path, definition.targets[covered.target]))
    return;
  std::optional<Looked> looked;
  if (!arrival.sample.empty()) {
    looked = look_at_bytes(text(arrival.sample), false);
    // The first record alone, without a line's end.
    if (!looked) looked = look_at_bytes(text(arrival.sample), true);
  } else if (const auto object = parts_.store.find(arrival.bucket, arrival.key);
             object && !object->delete_marker) {
    looked = look_at(parts_.store, *object, kArrivalSampleBytes);
  }
  if (!looked) return;
  Crawl unused;
  Writer writer({parts_.catalog, parts_.database, parts_.clock.now()}, definition, *configuration,
                arrival.bucket, unused);
  const auto tables = writer.tables();
  if (!tables) return;
  const std::string folder = arrival.key.substr(0, arrival.key.rfind('/') + 1);
  const std::optional<std::string> root =
      root_for(**tables, writer.location_of(""), path.prefix, folder, configuration->layout.level);
  if (!root) return;
  FolderParts parts = folder_parts(*root, folder);
  FoundTable found{.name = name_of_location(arrival.bucket, *root),
                   .location = *root,
                   .schema = *looked->schema,
                   .format = looked->format};
  found.schema.records = looked->records;
  found.schema.bytes = looked->record_bytes;
  found.partition_keys = parts.names;
  if (!parts.values.empty()) found.partitions.push_back({parts.values, folder});
  found.objects = arrival.sample.empty() ? 1 : 0;
  found.bytes = looked->size;
  if (const Result<> done = writer.write(found, Source::arrival); !done)
    fmt::print(stderr, "laketap: crawler {}: {}\n", definition.name, done.error().what);
}

}  // namespace laketap::crawler
