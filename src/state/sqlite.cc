// SQLite behind state's face: readers on connections of their own, one committer thread that lets
// many transactions share one SQLite transaction and so one sync.
//
// Conflicts are found in memory: `recent_` lists the keys of the commits that a live snapshot
// cannot see, and a transaction conflicts when one of them is in what it read or wrote.
#include <fmt/format.h>
#include <sqlite3.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "state/changes.h"

namespace laketap::state {
namespace {

constexpr int kFormat = 1;                  // docs/formats/state.md
constexpr int kApplicationId = 0x4c54534b;  // "LTSK", so that `file` and we know the file again.
constexpr size_t kIdleReadersMax = 16;
constexpr size_t kGroupMax = 512;  // Transactions in one SQLite transaction.
constexpr int kBusyMs = 10'000;

ErrorKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL: return ErrorKind::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorKind::corrupt;
    default: return ErrorKind::unavailable;
  }
}

class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* database, const char* sql) {
    code_ = sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  }
  Statement(Statement&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)), code_(other.code_) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(statement_, other.statement_);
    std::swap(code_, other.code_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(statement_); }

  bool ok() const { return code_ == SQLITE_OK; }
  // Bound texts must live until reset().
  void bind(int index, std::string_view bytes) {
    sqlite3_bind_blob64(statement_, index, bytes.empty() ? "" : bytes.data(), bytes.size(),
                        SQLITE_STATIC);
  }
  void bind(int index, uint64_t number) {
    sqlite3_bind_int64(statement_, index, static_cast<sqlite3_int64>(number));
  }
  int step() { return sqlite3_step(statement_); }
  void reset() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  std::string_view bytes(int column) {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {data ? data : "", static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }
  uint64_t number(int column) {
    return static_cast<uint64_t>(sqlite3_column_int64(statement_, column));
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;
};

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const std::string& path, bool synced) {
    auto made = std::make_unique<Connection>();
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (const int code = sqlite3_open_v2(path.c_str(), &made->handle_, flags, nullptr);
        code != SQLITE_OK)
      return fail(kind_of(code), fmt::format("opening {}: {}", path, sqlite3_errstr(code)));
    sqlite3_busy_timeout(made->handle_, kBusyMs);
    sqlite3_extended_result_codes(made->handle_, 1);
    for (const char* pragma : {"PRAGMA journal_mode=WAL",
                               synced ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL",
                               "PRAGMA cache_size=-1024", "PRAGMA temp_store=MEMORY"})
      if (const Result<> done = made->run(pragma); !done) return fail(done.error());
    return made;
  }
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    statements_.clear();
    sqlite3_close_v2(handle_);
  }

  Result<> run(const char* sql) {
    const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return problem(code, sql);
    return {};
  }
  // Prepared once a connection; `sql` is a literal, so its address names it.
  Result<Statement*> prepared(const char* sql) {
    for (auto& [name, statement] : statements_)
      if (name == sql) return &statement;
    Statement made(handle_, sql);
    if (!made.ok()) return problem(sqlite3_errcode(handle_), sql);
    statements_.emplace_back(sql, std::move(made));
    return &statements_.back().second;
  }
  std::unexpected<Error> problem(int code, std::string_view doing) const {
    return fail(kind_of(code), fmt::format("{}: {}", doing, sqlite3_errmsg(handle_)));
  }

 private:
  sqlite3* handle_ = nullptr;
  std::deque<std::pair<const char*, Statement>> statements_;
};

constexpr char kGet[] = "SELECT value, version FROM entries WHERE key = ?1";
constexpr char kScan[] =
    "SELECT key, value, version FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3";
constexpr char kScanOpen[] =
    "SELECT key, value, version FROM entries WHERE key >= ?1 ORDER BY key LIMIT ?2";
constexpr char kPut[] =
    "INSERT INTO entries(key, value, version) VALUES(?1, ?2, ?3) ON CONFLICT(key) DO UPDATE SET "
    "value = ?2, version = ?3";
constexpr char kErase[] = "DELETE FROM entries WHERE key = ?1";
constexpr char kLast[] = "SELECT value FROM meta WHERE name = 'last_version'";
constexpr char kSetLast[] = "UPDATE meta SET value = ?1 WHERE name = 'last_version'";

Result<uint64_t> last_version(Connection& connection) {
  const Result<Statement*> statement = connection.prepared(kLast);
  if (!statement) return fail(statement.error());
  const int code = (*statement)->step();
  const uint64_t last = code == SQLITE_ROW ? (*statement)->number(0) : 0;
  (*statement)->reset();
  if (code != SQLITE_ROW) return connection.problem(code, "reading the last version");
  return last;
}

struct Commit {
  Changes* changes;
  Result<> result;
  bool done = false;
};

class Sqlite : public Database {
 public:
  static Result<std::unique_ptr<Database>> open(const std::string& path, SqliteOptions options);
  ~Sqlite() override {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    arrived_.notify_all();
  }

  Result<std::unique_ptr<Transaction>> begin() override;
  Result<> commit(Changes& changes);
  void give_back(std::unique_ptr<Connection> connection, uint64_t snapshot);

 private:
  void run();
  Result<> apply_all(std::vector<Commit*>& group,
                     std::vector<std::pair<uint64_t, std::string>>& keys);
  bool conflicts(const Changes& changes,
                 const std::vector<std::pair<uint64_t, std::string>>& in_group) const;
  Result<std::unique_ptr<Connection>> reader();

  std::string path_;
  SqliteOptions options_;
  std::unique_ptr<Connection> writer_;
  uint64_t last_ = 0;  // The committer's alone.

  std::mutex mutex_;
  std::condition_variable arrived_, finished_;
  std::deque<Commit*> queue_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::multiset<uint64_t> snapshots_;
  std::deque<std::pair<uint64_t, std::string>> recent_;  // Version and key, oldest first.
  std::jthread committer_;                               // Last: it ends before what it uses.
};

class SqliteTransaction : public Transaction {
 public:
  SqliteTransaction(Sqlite& database, std::unique_ptr<Connection> connection, uint64_t snapshot)
      : database_(database), connection_(std::move(connection)) {
    changes_.snapshot = snapshot;
  }
  ~SqliteTransaction() override { end(); }

  Result<std::optional<Entry>> get(std::string_view key) override {
    if (const auto own = changes_.writes.find(key); own != changes_.writes.end())
      return own->second ? std::optional(Entry{std::string(key), *own->second, 0}) : std::nullopt;
    changes_.read_keys.emplace(key);
    const Result<Statement*> statement = connection_->prepared(kGet);
    if (!statement) return fail(statement.error());
    (*statement)->bind(1, key);
    const int code = (*statement)->step();
    std::optional<Entry> found;
    if (code == SQLITE_ROW)
      found = Entry{std::string(key), std::string((*statement)->bytes(0)), (*statement)->number(1)};
    (*statement)->reset();
    if (code != SQLITE_ROW && code != SQLITE_DONE)
      return connection_->problem(code, "reading an entry");
    return found;
  }

  Result<std::vector<Entry>> scan(std::string_view first, std::string_view end,
                                  size_t limit) override {
    const size_t enough = limit + std::min(limit, changes_.writes.size());
    const Result<Statement*> statement = connection_->prepared(end.empty() ? kScanOpen : kScan);
    if (!statement) return fail(statement.error());
    (*statement)->bind(1, first);
    if (!end.empty()) (*statement)->bind(2, end);
    (*statement)->bind(end.empty() ? 2 : 3, uint64_t{enough});
    std::vector<Entry> entries;
    int code = 0;
    while ((code = (*statement)->step()) == SQLITE_ROW)
      entries.push_back({std::string((*statement)->bytes(0)), std::string((*statement)->bytes(1)),
                         (*statement)->number(2)});
    (*statement)->reset();
    if (code != SQLITE_DONE) return connection_->problem(code, "scanning entries");
    std::vector<Entry> out = overlay(std::move(entries), changes_, first, end, limit);
    if (out.size() > limit) out.resize(limit);
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
    const Result<> done = database_.commit(changes_);
    changes_.writes.clear();
    return done;
  }

 private:
  void end() {
    if (connection_) database_.give_back(std::move(connection_), changes_.snapshot);
  }

  Sqlite& database_;
  std::unique_ptr<Connection> connection_;
  Changes changes_;
};

Result<> prepare_file(Connection& connection, const std::string& path) {
  Statement version_query;
  const Result<Statement*> version = connection.prepared("PRAGMA user_version");
  if (!version) return fail(version.error());
  (*version)->step();
  const uint64_t format = (*version)->number(0);
  (*version)->reset();
  if (format > kFormat)
    return fail(ErrorKind::corrupt, fmt::format("{} has format {}, newer than this program's {}",
                                                path, format, kFormat));
  if (format == kFormat) return {};
  const std::string make = fmt::format(
      "BEGIN IMMEDIATE; CREATE TABLE entries(key BLOB PRIMARY KEY, value BLOB NOT NULL, version "
      "INTEGER NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID; INSERT INTO "
      "meta VALUES('last_version', 0);"
      "PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
      kApplicationId, kFormat);
  return connection.run(make.c_str());
}

Result<std::unique_ptr<Database>> Sqlite::open(const std::string& path, SqliteOptions options) {
  auto made = std::make_unique<Sqlite>();
  made->path_ = path;
  made->options_ = options;
  Result<std::unique_ptr<Connection>> writer = Connection::open(path, options.synced);
  if (!writer) return fail(writer.error());
  made->writer_ = std::move(*writer);
  if (const Result<> ready = prepare_file(*made->writer_, path); !ready) return fail(ready.error());
  const Result<uint64_t> last = last_version(*made->writer_);
  if (!last) return fail(last.error());
  made->last_ = *last;
  made->committer_ = std::jthread([database = made.get()] { database->run(); });
  return std::unique_ptr<Database>(std::move(made));
}

Result<std::unique_ptr<Connection>> Sqlite::reader() {
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Connection> one = std::move(idle_.back());
      idle_.pop_back();
      return one;
    }
  }
  return Connection::open(path_, options_.synced);
}

Result<std::unique_ptr<Transaction>> Sqlite::begin() {
  Result<std::unique_ptr<Connection>> connection = reader();
  if (!connection) return fail(connection.error());
  // Registered before the snapshot is taken, with a version that is surely not newer: nothing that
  // this snapshot may not see is forgotten meanwhile.
  std::multiset<uint64_t>::iterator held;
  {
    const std::scoped_lock lock(mutex_);
    held = snapshots_.insert(recent_.empty() ? 0 : recent_.front().first - 1);
  }
  Result<uint64_t> snapshot = uint64_t{0};
  if (const Result<> begun = (*connection)->run("BEGIN"); !begun)
    snapshot = fail(begun.error());
  else
    snapshot = last_version(**connection);
  const std::scoped_lock lock(mutex_);
  snapshots_.erase(held);
  if (!snapshot) return fail(snapshot.error());
  snapshots_.insert(*snapshot);
  return std::make_unique<SqliteTransaction>(*this, std::move(*connection), *snapshot);
}

void Sqlite::give_back(std::unique_ptr<Connection> connection, uint64_t snapshot) {
  const Result<> ended = connection->run("COMMIT");
  const std::scoped_lock lock(mutex_);
  snapshots_.erase(snapshots_.find(snapshot));
  if (ended && idle_.size() < kIdleReadersMax) idle_.push_back(std::move(connection));
}

Result<> Sqlite::commit(Changes& changes) {
  Commit commit{.changes = &changes, .result = {}};
  std::unique_lock lock(mutex_);
  if (stopping_) return fail(ErrorKind::cancelled, "state is closing");
  queue_.push_back(&commit);
  arrived_.notify_one();
  finished_.wait(lock, [&] { return commit.done; });
  return commit.result;
}

bool Sqlite::conflicts(const Changes& changes,
                       const std::vector<std::pair<uint64_t, std::string>>& in_group) const {
  const auto touches = [&](const std::string& key) {
    if (changes.read_keys.contains(key) || changes.writes.contains(key)) return true;
    for (const ReadRange& range : changes.read_ranges)
      if (key >= range.first && (range.end.empty() || key < range.end)) return true;
    return false;
  };
  for (auto at = recent_.rbegin(); at != recent_.rend() && at->first > changes.snapshot; ++at)
    if (touches(at->second)) return true;
  for (const auto& [version, key] : in_group)
    if (touches(key)) return true;
  return false;
}

Result<> Sqlite::apply_all(std::vector<Commit*>& group,
                           std::vector<std::pair<uint64_t, std::string>>& keys) {
  if (const Result<> begun = writer_->run("BEGIN IMMEDIATE"); !begun) return begun;
  const Result<Statement*> put = writer_->prepared(kPut);
  const Result<Statement*> erase = writer_->prepared(kErase);
  const Result<Statement*> set_last = writer_->prepared(kSetLast);
  for (const auto* statement : {&put, &erase, &set_last})
    if (!*statement) return fail(statement->error());
  uint64_t version = last_;
  for (Commit* commit : group) {
    {
      const std::scoped_lock lock(mutex_);
      if (conflicts(*commit->changes, keys)) {
        commit->result = fail(ErrorKind::conflict, "an entry was changed meanwhile");
        continue;
      }
    }
    ++version;
    for (const auto& [key, value] : commit->changes->writes) {
      Statement& statement = value ? **put : **erase;
      statement.bind(1, key);
      if (value) {
        statement.bind(2, *value);
        statement.bind(3, version);
      }
      const int code = statement.step();
      statement.reset();
      if (code != SQLITE_DONE) return writer_->problem(code, "writing an entry");
      keys.emplace_back(version, key);
    }
  }
  (*set_last)->bind(1, version);
  const int code = (*set_last)->step();
  (*set_last)->reset();
  if (code != SQLITE_DONE) return writer_->problem(code, "writing the last version");
  if (const Result<> committed = writer_->run("COMMIT"); !committed) return committed;
  last_ = version;
  return {};
}

void Sqlite::run() {
  while (true) {
    std::vector<Commit*> group;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      while (!queue_.empty() && group.size() < kGroupMax) {
        group.push_back(queue_.front());
        queue_.pop_front();
      }
    }
    std::vector<std::pair<uint64_t, std::string>> keys;
    const Result<> applied = apply_all(group, keys);
    if (!applied) (void)writer_->run("ROLLBACK");
    {
      const std::scoped_lock lock(mutex_);
      if (applied) {
        for (auto& key : keys) recent_.push_back(std::move(key));
        const uint64_t oldest = snapshots_.empty() ? last_ : *snapshots_.begin();
        while (!recent_.empty() && recent_.front().first <= oldest) recent_.pop_front();
      }
      for (Commit* commit : group) {
        if (!applied) commit->result = applied;
        commit->done = true;
      }
    }
    finished_.notify_all();
  }
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const std::string& path, SqliteOptions options) {
  return Sqlite::open(path, options);
}

}  // namespace laketap::state
