// state keeps what must not be lost and is small: ordered text keys -> versioned entries, changed
// by transactions that see one snapshot and fail with a conflict when somebody else was faster.
//
// Indexes are further keys written in the same transaction. No SQL outside this room. The bytes on
// disk: docs/formats/state.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace laketap::state {

struct Entry {
  std::string key;
  std::string value;
  uint64_t version = 0;  // Of the commit that wrote it; later commits have greater ones.
};

// Reads see one snapshot and the transaction's own writes. Not thread-safe; may be used on any one
// thread at a time. Destroying it without commit() changes nothing. Must not outlive its Database.
class Transaction {
 public:
  virtual ~Transaction() = default;

  virtual Result<std::optional<Entry>> get(std::string_view key) = 0;

  // Entries with first <= key < end in key order, at most `limit`. An empty `end` is no bound.
  virtual Result<std::vector<Entry>> scan(std::string_view first, std::string_view end,
                                          size_t limit) = 0;

  virtual void put(std::string key, std::string value) = 0;
  virtual void erase(std::string key) = 0;

  // Durable when it returns. A transaction that wrote nothing commits without a conflict.
  // Errors: conflict - what this transaction got, scanned or wrote was changed since its snapshot.
  //         full - no room on the disk. unavailable - the disk failed.
  virtual Result<> commit() = 0;
};

// Thread-safe.
class Database {
 public:
  virtual ~Database() = default;
  virtual Result<std::unique_ptr<Transaction>> begin() = 0;
};

struct SqliteOptions {
  // False: a commit is durable within about a second, not when it returns. For history that may
  // lag.
  bool synced = true;
};

// A file that this process alone has open. Commits of many waiting threads share one sync.
// Errors: corrupt - no database of ours, or a newer format. unavailable - cannot be opened.
Result<std::unique_ptr<Database>> open_sqlite(const std::string& path, SqliteOptions options = {});

// The same promises but durability: for tests.
std::unique_ptr<Database> in_memory();

// Tries `body` on fresh transactions until its commit meets no conflict, at most kAttemptsMax
// times. `body` may run more than once; an error of its ends the attempts and nothing is written.
inline constexpr int kAttemptsMax = 50;
Result<> transact(Database& database, const std::function<Result<>(Transaction&)>& body);

// A key of several parts that sorts part by part, whatever bytes they hold: NUL and 0x01 are
// escaped, and a part ends in NUL. So key("a") is a prefix of key("a", "b") and of nothing else.
void append_part(std::string& key, std::string_view part);
template <class... Parts>
std::string key(const Parts&... parts) {
  std::string made;
  (append_part(made, parts), ...);
  return made;
}
// The parts of a key made by key(). A key that key() cannot have made gives what can be read.
std::vector<std::string> parts_of(std::string_view key);

// The first key after all that begin with `prefix`; empty when there is none.
std::string prefix_end(std::string_view prefix);

}  // namespace laketap::state
