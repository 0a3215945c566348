#include "crawler/crawler.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "crawler/cron.h"
#include "crawler/look.h"
#include "crawler/rows.h"
#include "crawler/write.h"

namespace laketap::crawler {
namespace {

constexpr std::chrono::seconds kScheduleTick{1};
constexpr std::chrono::seconds kLookAgain{
    1};  // A folder's schema is looked at once a second at most while objects pour in.
constexpr size_t kArrivalsMax = 10'000;  // Beyond it, arrivals wait for the next crawl.
constexpr size_t kFoldersKnownMax = 100'000;
constexpr size_t kCrawlersMax = 1000;  // Glue's quota.

std::unexpected<Error> no_crawler(const std::string& name) {
  return fail(ErrorKind::not_found, fmt::format("Crawler with name {} does not exist", name));
}

Result<> check(const Definition& definition) {
  if (definition.targets.empty())
    return fail(ErrorKind::invalid, "Crawler must have at least one target.");
  for (const S3Target& target : definition.targets)
    if (!parse_path(target.path))
      return fail(ErrorKind::invalid, fmt::format("Invalid S3 target path: {}", target.path));
  if (!definition.schedule.empty())
    if (const Result<Cron> cron = Cron::parse(definition.schedule); !cron)
      return fail(ErrorKind::invalid, "Invalid schedule expression: " + cron.error().what);
  if (definition.recrawl_behavior == "CRAWL_NEW_FOLDERS_ONLY" &&
      (definition.update_behavior != "LOG" || definition.delete_behavior != "LOG"))
    return fail(ErrorKind::invalid,
                "The SchemaChangePolicy for a Crawler with RecrawlBehavior set to "
                "CRAWL_NEW_FOLDERS_ONLY must have UpdateBehavior LOG and DeleteBehavior LOG.");
  if (const Result<Configuration> configuration = parse_configuration(definition.configuration);
      !configuration)
    return fail(configuration.error());
  return {};
}

}  // namespace

std::optional<S3Path> parse_path(std::string_view path) {
  for (const std::string_view scheme : {"s3://", "s3a://", "s3n://"})
    if (path.starts_with(scheme)) path.remove_prefix(scheme.size());
  const size_t slash = std::min(path.find('/'), path.size());
  S3Path made{std::string(path.substr(0, slash)),
              std::string(path.substr(std::min(slash + 1, path.size())))};
  if (!store::is_bucket_name(made.bucket)) return std::nullopt;
  if (!made.prefix.empty() && !made.prefix.ends_with('/')) made.prefix += '/';
  return made;
}

Result<std::unique_ptr<Crawlers>> Crawlers::open(Parts parts) {
  std::unique_ptr<Crawlers> made(new Crawlers(parts));  // The constructor is private.
  Result<std::vector<Definition>> all = made->list();
  if (!all) return fail(all.error(), "opening the crawlers");
  made->definitions_ = std::move(*all);
  return made;
}

void Crawlers::start_threads() {
  threads_.emplace_back([this] { run_crawls(); });
  threads_.emplace_back([this] { run_schedules(); });
  threads_.emplace_back([this] { run_arrivals(); });
}

Crawlers::~Crawlers() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  crawl_wake_.notify_all();
  schedule_wake_.notify_all();
  arrival_wake_.notify_all();
  threads_.clear();
}

Result<> Crawlers::save(const Definition& definition, bool is_new) {
  const Result<> done =
      state::transact(parts_.database, [&](state::Transaction& transaction) -> Result<> {
        const auto found = transaction.get(crawler_key(definition.name));
        if (!found) return fail(found.error());
        if (is_new && *found) return fail(ErrorKind::exists, "Crawler already exists");
        if (!is_new && !*found) return no_crawler(definition.name);
        transaction.put(crawler_key(definition.name), write_definition(definition));
        return {};
      });
  if (!done) return done;
  const std::scoped_lock lock(mutex_);
  std::erase_if(definitions_, [&](const Definition& one) { return one.name == definition.name; });
  definitions_.push_back(definition);
  live_[definition.name].next.reset();
  known_folders_.clear();
  schedule_wake_.notify_all();
  return {};
}

Result<> Crawlers::create(Definition wanted) {
  if (const Result<> good = check(wanted); !good) return good;
  wanted.created = wanted.updated = parts_.clock.now();
  wanted.version = 1;
  return save(wanted, true);
}

Result<Definition> Crawlers::find(const std::string& name) const {
  const auto transaction = parts_.database.begin();
  if (!transaction) return fail(transaction.error());
  const auto found = (*transaction)->get(crawler_key(name));
  if (!found) return fail(found.error());
  if (!*found) return no_crawler(name);
  return read_definition((*found)->value);
}

Result<std::vector<Definition>> Crawlers::list() const {
  const auto transaction = parts_.database.begin();
  if (!transaction) return fail(transaction.error());
  const std::string prefix = state::key("crawler");
  const auto entries = (*transaction)->scan(prefix, state::prefix_end(prefix), kCrawlersMax);
  if (!entries) return fail(entries.error());
  std::vector<Definition> out;
  for (const state::Entry& entry : *entries) {
    Result<Definition> one = read_definition(entry.value);
    if (!one) return fail(one.error());
    out.push_back(std::move(*one));
  }
  return out;
}

Result<> Crawlers::update(const std::string& name,
                          const std::function<Result<>(Definition&)>& change) {
  Result<Definition> definition = find(name);
  if (!definition) return fail(definition.error());
  {
    const std::scoped_lock lock(mutex_);
    if (live_[name].running)
      return fail(ErrorKind::conflict,
                  fmt::format("Cannot update crawler with name {}: it is running", name));
  }
  if (const Result<> changed = change(*definition); !changed) return changed;
  if (const Result<> good = check(*definition); !good) return good;
  definition->updated = parts_.clock.now();
  ++definition->version;
  return save(*definition, false);
}

Result<> Crawlers::remove(const std::string& name) {
  {
    const std::scoped_lock lock(mutex_);
    if (live_[name].running)
      return fail(ErrorKind::conflict,
                  fmt::format("Cannot delete crawler with name {}: it is running", name));
  }
  const Result<> done =
      state::transact(parts_.database, [&](state::Transaction& transaction) -> Result<> {
        const auto found = transaction.get(crawler_key(name));
        if (!found) return fail(found.error());
        if (!*found) return no_crawler(name);
        transaction.erase(crawler_key(name));
        const std::string prefix = crawls_prefix(name);
        const auto crawls = transaction.scan(prefix, state::prefix_end(prefix), 10 * kHistoryMax);
        if (!crawls) return fail(crawls.error());
        for (const state::Entry& entry : *crawls) transaction.erase(entry.key);
        return {};
      });
  if (!done) return done;
  const std::scoped_lock lock(mutex_);
  std::erase_if(definitions_, [&](const Definition& one) { return one.name == name; });
  live_.erase(name);
  return {};
}

Result<> Crawlers::start(const std::string& name) {
  if (const Result<Definition> definition = find(name); !definition)
    return fail(definition.error());
  const std::scoped_lock lock(mutex_);
  Live& live = live_[name];
  if (live.running)
    return fail(ErrorKind::conflict, fmt::format("Crawler with name {} has already started", name));
  live.running = true;  // Before the answer, so that nobody sees a stale READY.
  live.stopping = false;
  live.since = parts_.clock.now();
  queue_.push_back(name);
  crawl_wake_.notify_one();
  return {};
}

Result<> Crawlers::stop(const std::string& name) {
  if (const Result<Definition> definition = find(name); !definition)
    return fail(definition.error());
  const std::scoped_lock lock(mutex_);
  Live& live = live_[name];
  if (!live.running)
    return fail(ErrorKind::conflict, fmt::format("Crawler with name {} isn't running", name));
  if (live.stopping)
    return fail(ErrorKind::conflict, fmt::format("Crawler with name {} is already stopping", name));
  live.stopping = true;
  return {};
}

Status Crawlers::status(const std::string& name) const {
  Status made;
  if (const Result<std::vector<Crawl>> crawls = history(name))
    for (const Crawl& crawl : *crawls)
      if (crawl.ended) {
        made.last = crawl;
        break;
      }
  const std::scoped_lock lock(mutex_);
  const auto found = live_.find(name);
  if (found == live_.end() || !found->second.running) return made;
  made.state = found->second.stopping ? "STOPPING" : "RUNNING";
  made.running_since = found->second.since;
  return made;
}

Result<std::vector<Crawl>> Crawlers::history(const std::string& name) const {
  const auto transaction = parts_.database.begin();
  if (!transaction) return fail(transaction.error());
  const std::string prefix = crawls_prefix(name);
  const auto entries = (*transaction)->scan(prefix, state::prefix_end(prefix), kHistoryMax);
  if (!entries) return fail(entries.error());
  std::vector<Crawl> out;
  for (const state::Entry& entry : *entries) {
    Result<Crawl> one = read_crawl(entry.value);
    if (!one) return fail(one.error());
    out.push_back(std::move(*one));
  }
  return out;
}

void Crawlers::run_crawls() {
  while (true) {
    std::string name;
    {
      std::unique_lock lock(mutex_);
      crawl_wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      name = std::move(queue_.front());
      queue_.pop_front();
    }
    crawl(name);
    const std::scoped_lock lock(mutex_);
    Live& live = live_[name];
    live.running = live.stopping = false;
  }
}

void Crawlers::crawl(const std::string& name) {
  const Result<Definition> definition = find(name);
  if (!definition) return;
  Crawl crawl{.id = io::uuid_v4(parts_.random), .state = "RUNNING", .started = parts_.clock.now()};
  const auto stopped = [&] {
    const std::scoped_lock lock(mutex_);
    return stopping_ || live_[name].stopping;
  };
  Result<> done;
  const Result<Configuration> configuration = parse_configuration(definition->configuration);
  if (!configuration) done = fail(configuration.error());
  for (const S3Target& target : definition->targets) {
    if (!done || stopped()) break;
    const std::optional<S3Path> path = parse_path(target.path);
    const Result<std::vector<Looked>> looked = look_at_all(parts_.store, *path, target, stopped);
    if (!looked) {
      done = fail(looked.error());
      break;
    }
    Writer writer(parts_.catalog, *definition, *configuration, path->bucket);
    for (const FoundTable& found :
         find_tables(path->bucket, path->prefix, *looked, configuration->layout)) {
      if (!done || stopped()) break;
      done = writer.write(found, crawl);
    }
  }
  crawl.ended = parts_.clock.now();
  crawl.state = !done ? "FAILED" : stopped() ? "STOPPED" : "COMPLETED";
  if (!done) crawl.error = done.error().what;
  const Result<> saved =
      state::transact(parts_.database, [&](state::Transaction& transaction) -> Result<> {
        transaction.put(crawl_key(name, crawl.started, crawl.id), write_crawl(crawl));
        return {};
      });
  if (!saved) fmt::print(stderr, "laketap: crawler {}: {}\n", name, saved.error().what);
}

void Crawlers::run_schedules() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Timestamp now = parts_.clock.now();
    for (const Definition& definition : definitions_) {
      if (definition.schedule.empty() || !definition.schedule_active) continue;
      Live& live = live_[definition.name];
      const Result<Cron> cron = Cron::parse(definition.schedule);
      if (!cron) continue;
      // A clock that was set back must not leave the next run far away: never further than one
      // period from now.
      const std::optional<Timestamp> coming = cron->next(now);
      if (!live.next || (coming && *coming < *live.next)) live.next = coming;
      if (!live.next || *live.next > now) continue;
      live.next = coming;
      if (live.running) continue;  // A tick while it runs is skipped.
      live.running = true;
      live.since = now;
      queue_.push_back(definition.name);
      crawl_wake_.notify_one();
    }
    schedule_wake_.wait_for(lock, kScheduleTick);
  }
}

void Crawlers::on_object(const store::Change& change) {
  if (!change.created) return;
  const std::scoped_lock lock(mutex_);
  bool covered = false;
  for (const Definition& definition : definitions_)
    for (const S3Target& target : definition.targets)
      if (const std::optional<S3Path> path = parse_path(target.path))
        covered =
            covered || (path->bucket == change.bucket && change.key.starts_with(path->prefix));
  if (!covered || arrivals_.size() >= kArrivalsMax) return;
  arrivals_.push_back({.bucket = change.bucket, .key = change.key, .sample = {}});
  arrival_wake_.notify_one();
}

void Crawlers::on_new_prefix(const std::string& bucket, const std::string& prefix, Bytes sample) {
  const std::scoped_lock lock(mutex_);
  if (arrivals_.size() >= kArrivalsMax) return;
  arrivals_.push_back({.bucket = bucket, .key = prefix, .sample = std::move(sample)});
  arrival_wake_.notify_one();
}

void Crawlers::run_arrivals() {
  while (true) {
    Arrival arrival;
    std::vector<Definition> covering;
    {
      std::unique_lock lock(mutex_);
      arrival_wake_.wait(lock, [this] { return stopping_ || !arrivals_.empty(); });
      if (stopping_) return;
      arrival = std::move(arrivals_.front());
      arrivals_.pop_front();
      const auto now = parts_.clock.monotonic();
      for (const Definition& definition : definitions_) {
        if (definition.recrawl_behavior == "CRAWL_EVENT_MODE") continue;
        const bool covers = std::ranges::any_of(definition.targets, [&](const S3Target& target) {
          const std::optional<S3Path> path = parse_path(target.path);
          return path && path->bucket == arrival.bucket && arrival.key.starts_with(path->prefix);
        });
        if (!covers) continue;
        const std::string folder = definition.name + '\0' + arrival.bucket + '/' +
                                   arrival.key.substr(0, arrival.key.rfind('/') + 1);
        const auto known = known_folders_.find(folder);
        if (known != known_folders_.end() && now - known->second < kLookAgain) continue;
        if (known_folders_.size() >= kFoldersKnownMax) known_folders_.clear();
        known_folders_[folder] = now;
        covering.push_back(definition);
      }
    }
    for (const Definition& definition : covering) arrive(arrival, definition);
  }
}

// One object or sample: its table is there, wide enough, and has its folder as a partition.
void Crawlers::arrive(const Arrival& arrival, const Definition& definition) {
  const Result<Configuration> configuration = parse_configuration(definition.configuration);
  if (!configuration) return;
  for (const S3Target& target : definition.targets) {
    const std::optional<S3Path> path = parse_path(target.path);
    if (!path || path->bucket != arrival.bucket || !arrival.key.starts_with(path->prefix)) continue;
    if (is_hidden(arrival.key, path->prefix) || is_excluded(arrival.key, *path, target)) continue;
    Looked looked;
    if (!arrival.sample.empty()) {
      std::optional<Schema> schema = infer_json(text(arrival.sample), false);
      if (!schema) continue;
      looked.schema = std::move(*schema);
    } else {
      const Result<store::ObjectInfo> object = parts_.store.find(arrival.bucket, arrival.key);
      if (!object || object->delete_marker) continue;
      std::optional<Looked> one = look_at(parts_.store, *object);
      if (!one) continue;
      looked = std::move(*one);
    }
    const std::string folder = arrival.key.substr(0, arrival.key.rfind('/') + 1);
    Writer writer(parts_.catalog, definition, *configuration, arrival.bucket);
    // An own table above the folder: the deepest one wins; else a new one at the include path.
    std::string root = path->prefix;
    bool there = false;
    for (std::string at = folder;; at = at.substr(0, at.rfind('/', at.size() - 2) + 1)) {
      const auto table = writer.table_at(writer.location_of(at));
      if (table && *table) {
        root = at;
        there = true;
        const size_t depth = folder_parts(root, folder).values.size();
        if ((*table)->partition_keys.size() != depth)
          return;  // Another depth: a crawl must decide.
        break;
      }
      if (at.size() <= path->prefix.size() || at.empty()) break;
    }
    if (!there && configuration->layout.level) return;
    FolderParts parts = folder_parts(root, folder);
    FoundTable found{.name = name_of_location(arrival.bucket, root),
                     .location = root,
                     .schema = looked.schema,
                     .compression = looked.compression};
    found.partition_keys = parts.names;
    if (!parts.values.empty()) found.partitions.push_back({parts.values, folder});
    found.objects = arrival.sample.empty() ? 1 : 0;
    found.bytes = looked.object.size;
    Crawl unused;
    if (const Result<> done = writer.write(found, unused); !done)
      fmt::print(stderr, "laketap: crawler {}: {}\n", definition.name, done.error().what);
    return;
  }
}

}  // namespace laketap::crawler
