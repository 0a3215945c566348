// Runs: by hand and on a schedule, one at a time.
#include <fmt/format.h>

#include <algorithm>

#include "crawler/cron.h"
#include "crawler/look.h"
#include "crawler/rows.h"
#include "crawler/write.h"

namespace laketap::crawler {
namespace {

constexpr std::chrono::seconds kScheduleTick{1};
constexpr size_t kTrimmedPerRun = 50;

}  // namespace

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
  Result<> done = save_crawl(name, crawl);
  if (done) done = crawl_targets(*definition, stopped, crawl);
  crawl.ended = parts_.clock.now();
  crawl.state = !done ? "FAILED" : stopped() ? "STOPPED" : "COMPLETED";
  if (!done) crawl.error = done.error().what;
  if (const Result<> saved = save_crawl(name, crawl); !saved)
    fmt::print(stderr, "laketap: crawler {}: {}\n", name, saved.error().what);
}

Result<> Crawlers::crawl_targets(const Definition& definition, const std::function<bool()>& stopped,
                                 Crawl& crawl) {
  const Result<Configuration> configuration = parse_configuration(definition.configuration);
  if (!configuration) return fail(configuration.error());
  Surveyor surveyor(parts_.database, parts_.store, definition.name, stopped);
  struct Root {
    S3Path path;
    std::vector<FoundTable> tables;
  };
  std::vector<Root> roots;
  int64_t table_count = 0;
  for (const S3Target& target : definition.targets) {
    const std::optional<S3Path> path = parse_path(target.path);
    if (!path) return fail(ErrorKind::invalid, "Invalid S3 target path: " + target.path);
    ask(*path);
    const Result<std::vector<Looked>> looked = surveyor.survey(*path, target);
    if (!looked) return fail(looked.error());
    roots.push_back(
        {*path, find_tables(path->bucket, path->prefix, *looked, configuration->layout)});
    table_count += static_cast<int64_t>(roots.back().tables.size());
  }
  crawl.objects_opened = static_cast<int64_t>(surveyor.opened());
  if (stopped()) return {};
  if (configuration->table_threshold && table_count > *configuration->table_threshold)
    return fail(ErrorKind::invalid,
                fmt::format("The number of tables detected by the crawler, {}, is greater than the "
                            "table threshold value provided, {}.",
                            table_count, *configuration->table_threshold));
  const Writer::Parts parts{parts_.catalog, parts_.database, parts_.clock.now()};
  std::set<std::string> locations;
  for (const Root& root : roots) {
    Writer writer(parts, definition, *configuration, root.path.bucket, crawl);
    for (const FoundTable& found : root.tables) {
      if (stopped()) return {};
      if (const Result<> done = writer.write(found, Source::crawl); !done) return done;
      std::string location = writer.location_of(found.location);
      if (!location.ends_with('/')) location += '/';
      locations.insert(std::move(location));
    }
  }
  for (const Root& root : roots) {
    Writer writer(parts, definition, *configuration, root.path.bucket, crawl);
    if (const Result<> done = writer.retire(locations, root.path.prefix); !done) return done;
  }
  return surveyor.forget_others();
}

Result<> Crawlers::save_crawl(const std::string& name, const Crawl& crawl) {
  return state::transact(parts_.database, [&](state::Transaction& transaction) -> Result<> {
    transaction.put(crawl_key(name, crawl.started, crawl.id), write_crawl(crawl));
    if (!crawl.ended) return {};
    const std::string prefix = crawls_prefix(name);
    const auto all =
        transaction.scan(prefix, state::prefix_end(prefix), kHistoryMax + kTrimmedPerRun);
    if (!all) return fail(all.error());
    for (size_t i = kHistoryMax; i < all->size(); ++i) transaction.erase((*all)[i].key);
    return {};
  });
}

// What ran when the process ended, ended with it.
Result<> Crawlers::end_broken_crawls() {
  for (const Shared& definition : definitions_) {
    const Result<std::vector<Crawl>> newest = history(definition->name, 1);
    if (!newest) return fail(newest.error());
    if (newest->empty() || newest->front().ended) continue;
    Crawl crawl = newest->front();
    crawl.ended = parts_.clock.now();
    crawl.state = "FAILED";
    crawl.error = "Internal Service Exception: the server stopped during the run";
    if (const Result<> saved = save_crawl(definition->name, crawl); !saved) return saved;
  }
  return {};
}

void Crawlers::run_schedules() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Timestamp now = parts_.clock.now();
    for (const Shared& definition : definitions_) {
      if (definition->schedule.empty() || !definition->schedule_active) continue;
      const Result<Cron> cron = Cron::parse(definition->schedule);
      if (!cron) continue;
      Live& live = live_[definition->name];
      // A clock that was set back must not leave the next run far away: it is never further off
      // than one period from now.
      const std::optional<Timestamp> coming = cron->next(now);
      if (!live.next || (coming && *coming < *live.next)) live.next = coming;
      if (!live.next || *live.next > now) continue;
      live.next = coming;
      if (live.running) continue;  // A tick while it runs is skipped.
      live.running = true;
      live.stopping = false;
      live.since = now;
      queue_.push_back(definition->name);
      crawl_wake_.notify_one();
    }
    schedule_wake_.wait_for(lock, kScheduleTick);
  }
}

}  // namespace laketap::crawler
