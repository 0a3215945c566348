#include "crawler/crawler.h"

#include <fmt/format.h>

#include <algorithm>

#include "crawler/configuration.h"
#include "crawler/cron.h"
#include "crawler/rows.h"
#include "crawler/seen.h"

namespace laketap::crawler {
namespace {

constexpr size_t kChunk = 200;
constexpr size_t kCrawlsToFindTheLast = 3;  // One runs at most.
constexpr size_t kCrawlersMax = 1000;       // Glue's quota.

std::unexpected<Error> no_crawler(const std::string& name) {
  return fail(ErrorKind::not_found, fmt::format("Crawler entry with name {} does not exist", name));
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
  if (definition.recrawl_behavior == "CRAWL_EVENT_MODE")
    return fail(
        ErrorKind::unsupported,
        "CRAWL_EVENT_MODE reads an SQS queue, which is not served; objects are seen as they "
        "arrive anyway");
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
  std::vector<Shared> definitions;
  for (Definition& one : *all)
    definitions.push_back(std::make_shared<const Definition>(std::move(one)));
  made->remember(std::move(definitions));
  if (const Result<> done = made->end_broken_crawls(); !done)
    return fail(done.error(), "opening the crawlers");
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
  std::unique_lock lock(mutex_);
  std::vector<Shared> definitions = definitions_;
  std::erase_if(definitions, [&](const Shared& one) { return one->name == definition.name; });
  definitions.push_back(std::make_shared<const Definition>(definition));
  remember(std::move(definitions));
  live_[definition.name].next.reset();
  looked_at_.clear();
  schedule_wake_.notify_all();
  lock.unlock();
  for (const S3Target& target : definition.targets)
    if (const std::optional<S3Path> path = parse_path(target.path)) ask(*path);
  return {};
}

void Crawlers::ask_for_undelivered(
    std::function<void(const std::string& bucket, const std::string& prefix)> ask) {
  const std::scoped_lock lock(asking_);
  ask_ = std::move(ask);
}

void Crawlers::ask(const S3Path& path) {
  const std::scoped_lock lock(asking_);
  if (ask_) ask_(path.bucket, path.prefix);
}

void Crawlers::remember(std::vector<Shared> definitions) {
  definitions_ = std::move(definitions);
  covered_.clear();
  for (const Shared& one : definitions_)
    for (size_t i = 0; i < one->targets.size(); ++i)
      if (std::optional<S3Path> path = parse_path(one->targets[i].path))
        covered_.push_back({std::move(*path), i, one});
}

Result<> Crawlers::create(Definition wanted) {
  if (const Result<> good = check(wanted); !good) return good;
  {
    const std::scoped_lock lock(mutex_);
    if (definitions_.size() >= kCrawlersMax)
      return fail(ErrorKind::too_large, fmt::format("No more than {} crawlers.", kCrawlersMax));
  }
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
    if (const auto live = live_.find(name); live != live_.end() && live->second.running)
      return fail(ErrorKind::conflict,
                  fmt::format("Cannot delete crawler with name {}: it is running", name));
  }
  const Result<> done =
      state::transact(parts_.database, [&](state::Transaction& transaction) -> Result<> {
        const auto found = transaction.get(crawler_key(name));
        if (!found) return fail(found.error());
        if (!*found) return no_crawler(name);
        transaction.erase(crawler_key(name));
        for (const std::string& prefix :
             {crawls_prefix(name), seen_prefix(name), memos_prefix(name)}) {
          std::string from = prefix;
          for (bool more = true; more;) {
            const auto entries = transaction.scan(from, state::prefix_end(prefix), kChunk);
            if (!entries) return fail(entries.error());
            for (const state::Entry& entry : *entries) transaction.erase(entry.key);
            more = entries->size() == kChunk;
            if (more) from = entries->back().key + '\0';
          }
        }
        return {};
      });
  if (!done) return done;
  const std::scoped_lock lock(mutex_);
  std::vector<Shared> definitions = definitions_;
  std::erase_if(definitions, [&](const Shared& one) { return one->name == name; });
  remember(std::move(definitions));
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
  {  // First the state: whoever sees READY must see the run that ended, too.
    const std::scoped_lock lock(mutex_);
    const auto found = live_.find(name);
    if (found != live_.end() && found->second.running) {
      made.state = found->second.stopping ? "STOPPING" : "RUNNING";
      made.running_since = found->second.since;
    }
  }
  if (const Result<std::vector<Crawl>> crawls = history(name, kCrawlsToFindTheLast))
    for (const Crawl& crawl : *crawls)
      if (crawl.ended) {
        made.last = crawl;
        break;
      }
  return made;
}

Result<std::vector<Crawl>> Crawlers::history(const std::string& name, size_t limit) const {
  const auto transaction = parts_.database.begin();
  if (!transaction) return fail(transaction.error());
  const std::string prefix = crawls_prefix(name);
  const auto entries =
      (*transaction)->scan(prefix, state::prefix_end(prefix), std::min(limit, kHistoryMax));
  if (!entries) return fail(entries.error());
  std::vector<Crawl> out;
  for (const state::Entry& entry : *entries) {
    Result<Crawl> one = read_crawl(entry.value);
    if (!one) return fail(one.error());
    out.push_back(std::move(*one));
  }
  return out;
}

}  // namespace laketap::crawler
