// crawler looks at objects, infers their schema and makes tables of folders: on a schedule, by
// hand, and at once when an object comes or a stream accepts its first records under a path that a
// crawler covers. Source: AWS Glue Developer Guide, "Crawlers"; API reference, "Crawler API".
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "io/clock.h"
#include "io/random.h"
#include "state/state.h"
#include "store/store.h"

namespace laketap::crawler {

struct S3Target {
  std::string path;  // As given: with or without s3://.
  std::vector<std::string> exclusions;
  std::optional<int64_t> sample_size;
  std::string connection, event_queue, dead_letter_queue;  // Kept for the caller.
};

struct Definition {
  std::string name, role, database, description, table_prefix, configuration,
      security_configuration;
  std::vector<S3Target> targets;
  std::vector<std::string> classifiers;
  std::string schedule;  // cron(...); "" for none.
  bool schedule_active = true;
  std::string update_behavior = "UPDATE_IN_DATABASE", delete_behavior = "DEPRECATE_IN_DATABASE",
              recrawl_behavior = "CRAWL_EVERYTHING", lineage = "DISABLE";
  std::map<std::string, std::string> tags;
  std::string account, region;
  Timestamp created, updated;
  int64_t version = 1;
};

struct Crawl {
  std::string id, state;  // RUNNING, COMPLETED, FAILED, STOPPED
  Timestamp started;
  std::optional<Timestamp> ended;
  std::string error;
  std::vector<std::string> tables_created, tables_updated;
  int64_t partitions_added = 0, partitions_deleted = 0, tables_deleted = 0;
  int64_t objects_opened = 0;  // New and changed ones; what was seen before is remembered.
};

struct Status {
  std::string state = "READY";  // READY, RUNNING, STOPPING
  std::optional<Crawl> last;    // The last one that ended.
  std::optional<Timestamp> running_since;
};

inline constexpr size_t kHistoryMax = 1000;  // Runs of a crawler that are kept.

// "s3://bucket/a/b", "bucket/a/b" -> bucket and key prefix, the prefix with a last slash unless it
// is empty.
struct S3Path {
  std::string bucket, prefix;
};
std::optional<S3Path> parse_path(std::string_view path);

// Errors of calls: not_found, exists, invalid, conflict (it runs, or does not); `what` is Glue's
// own text. Thread-safe. Borrows all it is given.
class Crawlers {
 public:
  struct Parts {
    state::Database& database;
    store::Store& store;
    catalog::Catalog& catalog;
    io::Clock& clock;
    io::Random& random;
  };
  static Result<std::unique_ptr<Crawlers>> open(Parts parts);
  ~Crawlers();
  // Begins schedules and arrivals. Before it nothing runs by itself.
  void start_threads();

  Result<> create(Definition wanted);
  Result<Definition> find(const std::string& name) const;
  Result<std::vector<Definition>> list() const;  // By name.
  // Runs `change` on the stored definition; the version rises. Errors: conflict - it runs.
  Result<> update(const std::string& name, const std::function<Result<>(Definition&)>& change);
  Result<> remove(const std::string& name);
  Result<> start(const std::string& name);
  Result<> stop(const std::string& name);
  Status status(const std::string& name) const;
  // Newest first.
  Result<std::vector<Crawl>> history(const std::string& name, size_t limit = kHistoryMax) const;
  Timestamp now() const { return parts_.clock.now(); }

  // Asked when a crawler is made or begins: whoever knows records that are in no object yet calls
  // on_new_prefix() for them. Thread-safe; after it returns the one before is not called any more.
  void ask_for_undelivered(
      std::function<void(const std::string& bucket, const std::string& prefix)> ask);

  // An object came or went: told to the crawlers that cover it. Cheap.
  void on_object(const store::Change& change);
  // Records were accepted for a folder that has no object yet; `sample`: the first of them, joined.
  void on_new_prefix(const std::string& bucket, const std::string& prefix, Bytes sample);

 private:
  explicit Crawlers(Parts parts) : parts_(parts) {}
  struct Arrival {
    std::string bucket, key;  // A key, or a folder with its last slash.
    uint64_t size = 0;
    Bytes sample;
    std::string folder() const { return bucket + '/' + key.substr(0, key.rfind('/') + 1); }
  };
  struct Live {
    bool running = false, stopping = false;
    Timestamp since;
    std::optional<Timestamp> next;
  };
  using Shared = std::shared_ptr<const Definition>;
  struct Covered {
    S3Path path;
    size_t target;
    Shared definition;
  };

  // runs.cc
  void run_crawls();
  void run_schedules();
  void crawl(const std::string& name);
  Result<> crawl_targets(const Definition& definition, const std::function<bool()>& stopped,
                         Crawl& crawl);
  Result<> save_crawl(const std::string& name, const Crawl& crawl);
  Result<> end_broken_crawls();
  // arrivals.cc
  void run_arrivals();
  std::optional<Arrival> next_arrival();
  void arrive(const Arrival& arrival, const Covered& covered);
  bool is_covered(const std::string& bucket, const std::string& key) const;

  Result<> save(const Definition& definition, bool is_new);
  void remember(std::vector<Shared> definitions);

  Parts parts_;
  mutable std::mutex mutex_;
  std::condition_variable crawl_wake_, schedule_wake_, arrival_wake_;
  std::map<std::string, Live> live_;
  std::deque<std::string> queue_;
  void ask(const S3Path& path);
  std::mutex asking_;
  std::function<void(const std::string&, const std::string&)> ask_;
  std::deque<Arrival> arrivals_;
  std::map<std::string, std::chrono::microseconds> looked_at_;  // Folder -> when, monotonic.
  std::map<std::string, Arrival> later_;                        // Folder -> the newest one.
  std::vector<Shared> definitions_;  // A copy, so that on_object need not ask state.
  std::vector<Covered> covered_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

// A glob of Glue's exclusions against a key's part below the include path.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace laketap::crawler
