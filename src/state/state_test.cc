// One suite for every kind of database.
#include "state/state.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <thread>

namespace laketap::state {
namespace {

std::string fresh_folder() {
  std::string pattern = std::filesystem::temp_directory_path() / "state-test-XXXXXX";
  return mkdtemp(pattern.data());
}

class StateTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "memory") {
      database_ = in_memory();
      return;
    }
    folder_ = fresh_folder();
    auto opened = open_sqlite(folder_ + "/state.db");
    ASSERT_TRUE(opened) << opened.error().what;
    database_ = std::move(*opened);
  }
  void TearDown() override {
    database_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  std::unique_ptr<Transaction> begin() { return std::move(*database_->begin()); }
  void put(const std::string& key, const std::string& value) {
    auto transaction = begin();
    transaction->put(key, value);
    ASSERT_TRUE(transaction->commit());
  }
  std::string get(const std::string& key) {
    const auto entry = begin()->get(key);
    return *entry ? (*entry)->value : "(none)";
  }

  std::string folder_;
  std::unique_ptr<Database> database_;
};

TEST_P(StateTest, ASnapshotDoesNotSeeLaterCommits) {
  put("a", "1");
  auto old = begin();
  put("a", "2");
  put("b", "1");

  EXPECT_EQ((*old->get("a"))->value, "1");
  EXPECT_FALSE(*old->get("b"));
  EXPECT_EQ(get("a"), "2");
}

TEST_P(StateTest, OwnWritesAreSeenByGetAndScan) {
  put("a", "1");
  put("c", "3");
  auto transaction = begin();
  transaction->put("b", "2");
  transaction->erase("c");

  const auto entries = transaction->scan("", "", 10);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[1].key, "b");
  EXPECT_FALSE(*transaction->get("c"));
}

TEST_P(StateTest, TwoWritersOfOneKeyConflict) {
  auto first = begin();
  auto second = begin();
  first->put("a", "1");
  second->put("a", "2");

  EXPECT_TRUE(first->commit());
  const auto lost = second->commit();
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind, ErrorKind::conflict);
  EXPECT_EQ(get("a"), "1");
}

TEST_P(StateTest, AReaderWhoseEntryChangedMayNotWrite) {
  put("a", "1");
  auto reader = begin();
  ASSERT_TRUE(reader->get("a"));
  reader->put("b", "from a=1");
  put("a", "2");

  EXPECT_FALSE(reader->commit());
  EXPECT_EQ(get("b"), "(none)");
}

TEST_P(StateTest, AnErasedEntryIsAChangeToo) {
  put("a", "1");
  auto reader = begin();
  ASSERT_TRUE(reader->get("a"));
  reader->put("b", "x");
  auto eraser = begin();
  eraser->erase("a");
  ASSERT_TRUE(eraser->commit());

  EXPECT_FALSE(reader->commit());
}

TEST_P(StateTest, AnEntryNewInAScannedRangeConflicts) {
  put("m1", "x");
  auto reader = begin();
  ASSERT_EQ(reader->scan("m", "n", 10)->size(), 1u);
  reader->put("count", "1");
  put("m2", "x");

  EXPECT_FALSE(reader->commit());
}

TEST_P(StateTest, AnEntryPastTheScannedPageDoesNot) {
  for (const char* key : {"m1", "m2", "m3"}) put(key, "x");
  auto reader = begin();
  ASSERT_EQ(reader->scan("m", "n", 2)->size(), 2u);
  reader->put("first two", "seen");
  put("m9", "x");

  EXPECT_TRUE(reader->commit());
}

TEST_P(StateTest, ScansPageInByteOrder) {
  std::map<std::string, std::string> expected;
  std::mt19937 random(1);
  auto transaction = begin();
  for (int i = 0; i < 300; ++i) {
    std::string key;
    for (int j = 0; j < 3; ++j) key += static_cast<char>(random() % 256);
    expected[key] = std::to_string(i);
    transaction->put(key, expected[key]);
  }
  ASSERT_TRUE(transaction->commit());

  std::vector<std::string> seen;
  std::string from;
  while (true) {
    const auto page = begin()->scan(from, "", 7);
    ASSERT_TRUE(page);
    if (page->empty()) break;
    for (const Entry& entry : *page) {
      seen.push_back(entry.key);
      EXPECT_EQ(entry.value, expected[entry.key]);
    }
    from = page->back().key + '\0';
  }
  ASSERT_EQ(seen.size(), expected.size());
  EXPECT_TRUE(std::ranges::equal(seen, expected, {}, {},
                                 &std::pair<const std::string, std::string>::first));
}

TEST_P(StateTest, ManyCountersLoseNoIncrement) {
  put("counter", "0");
  std::vector<std::jthread> threads;
  std::atomic<int> failed = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 25; ++j) {
        const auto done = transact(*database_, [](Transaction& transaction) -> Result<> {
          const auto entry = transaction.get("counter");
          if (!entry) return fail(entry.error());
          transaction.put("counter", std::to_string(std::stoi((*entry)->value) + 1));
          return {};
        });
        if (!done) ++failed;
      }
    });
  threads.clear();
  EXPECT_EQ(get("counter"), std::to_string(100 - failed));
  EXPECT_EQ(failed, 0);
}

TEST_P(StateTest, LongHeldSnapshotsDoNotHideConflicts) {
  auto held = begin();
  ASSERT_TRUE(held->get("k50"));
  for (int i = 0; i < 100; ++i) put("k" + std::to_string(i), "x");
  held->put("y", "1");
  EXPECT_FALSE(held->commit());
}

INSTANTIATE_TEST_SUITE_P(Kind, StateTest, testing::Values("memory", "sqlite"),
                         [](const auto& info) { return info.param; });

// Goal: a commit that returned survives kill -9, and no commit is half there.
// Method: a child commits pairs (a, b) of equal values and reports each by a pipe; it is killed;
// the file must hold a pair at least as new as the last report.
TEST(SqliteTest, CommittedPairsSurviveKill) {
  const std::string folder = fresh_folder();
  for (int round = 0; round < 5; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      const auto database = open_sqlite(folder + "/state.db");
      if (!database) _exit(1);
      for (int i = round * 100'000; i < (round + 1) * 100'000; ++i) {
        const auto transaction = (*database)->begin();
        (*transaction)->put("a", std::to_string(i));
        (*transaction)->put("b", std::to_string(i));
        if (!(*transaction)->commit()) _exit(1);
        if (write(ends[1], &i, sizeof i) != sizeof i) _exit(1);
      }
      _exit(0);
    }
    close(ends[1]);
    int last = -1;
    for (int seen = 0; seen < 30; ++seen)
      ASSERT_EQ(read(ends[0], &last, sizeof last), ssize_t{sizeof last});
    kill(child, SIGKILL);
    while (read(ends[0], &last, sizeof last) == ssize_t{sizeof last}) {
    }
    close(ends[0]);
    waitpid(child, nullptr, 0);

    const auto database = open_sqlite(folder + "/state.db");
    ASSERT_TRUE(database) << database.error().what;
    const auto transaction = (*database)->begin();
    const auto a = (*transaction)->get("a");
    const auto b = (*transaction)->get("b");
    ASSERT_TRUE(*a && *b);
    EXPECT_EQ((*a)->value, (*b)->value);
    EXPECT_GE(std::stoi((*a)->value), last);
  }
  std::filesystem::remove_all(folder);
}

// Runs in a child that has its own mounts. 0: as promised; 77: this machine lets nobody mount; else
// the failed step.
int fill_a_small_disk(const std::string& folder) {
  const bool root = geteuid() == 0;
  if (unshare(root ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) return 77;
  mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  if (mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=2m") != 0) return 77;
  auto database = open_sqlite(folder + "/state.db");
  if (!database) return 1;
  int written = 0;
  Result<> last;
  while (last && written < 10'000) {
    const auto transaction = (*database)->begin();
    if (!transaction) return 2;
    (*transaction)->put("k" + std::to_string(written), std::string(1000, 'x'));
    last = (*transaction)->commit();
    if (last) ++written;
  }
  if (last || last.error().kind != ErrorKind::full) return 3;
  // What was there stays readable, now and when opened again; the refused entry is not there.
  database->reset();
  if (mount("tmpfs", folder.c_str(), "tmpfs", MS_REMOUNT, "size=8m") != 0) return 4;
  database = open_sqlite(folder + "/state.db");
  if (!database) return 6;
  const auto transaction = (*database)->begin();
  const auto entries = (*transaction)->scan("", "", 20'000);
  if (!entries || entries->size() != static_cast<size_t>(written)) return 7;
  (*transaction)->put("room again", "x");
  return (*transaction)->commit() ? 0 : 8;
}

TEST(SqliteTest, AFullDiskIsSaidAndLosesNothing) {
  const std::string folder = fresh_folder();
  const pid_t child = fork();
  if (child == 0) _exit(fill_a_small_disk(folder));
  int status = 0;
  waitpid(child, &status, 0);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no mounts here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// How many commits a write-ahead log holds: frames whose header says how large the database is.
// Source: "The WAL File Format" of SQLite's documentation.
size_t commits_in(const std::string& wal) {
  std::ifstream file(wal, std::ios::binary);
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  constexpr size_t kHeader = 32, kFrameHeader = 24;
  const auto number = [&](size_t at) {
    return uint32_t{bytes[at]} << 24 | uint32_t{bytes[at + 1]} << 16 |
           uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
  };
  size_t commits = 0;
  const size_t frame = kFrameHeader + number(8);
  for (size_t at = kHeader; at + frame <= bytes.size(); at += frame) commits += number(at + 4) != 0;
  return commits;
}

// Goal: many waiting transactions share a sync. Method: 32 threads; what SQLite committed, each
// with its sync, is less than what they committed.
TEST(SqliteTest, WaitingCommitsShareASync) {
  const std::string folder = fresh_folder();
  auto database = std::move(*open_sqlite(folder + "/state.db"));
  constexpr int kThreads = 32, kEach = 8;
  {
    std::vector<std::jthread> running;
    for (int i = 0; i < kThreads; ++i)
      running.emplace_back([&, i] {
        for (int j = 0; j < kEach; ++j) {
          const auto transaction = database->begin();
          (*transaction)->put(std::to_string(i * 1000 + j), "x");
          EXPECT_TRUE((*transaction)->commit());
        }
      });
  }
  EXPECT_LT(commits_in(folder + "/state.db-wal"), size_t{kThreads * kEach} / 2);
  database.reset();
  std::filesystem::remove_all(folder);
}

TEST(SqliteTest, AFileOfANewerFormatIsRefused) {
  const std::string folder = fresh_folder();
  ASSERT_TRUE(open_sqlite(folder + "/state.db"));
  const std::string command = "python3 -c \"import sqlite3; c = sqlite3.connect('" + folder +
                              "/state.db'); c.execute('PRAGMA user_version=99'); c.commit()\"";
  ASSERT_EQ(std::system(command.c_str()), 0);

  const auto refused = open_sqlite(folder + "/state.db");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().what.find("newer") != std::string::npos) << refused.error().what;
  std::filesystem::remove_all(folder);
}

TEST(KeyTest, PartsSortPartByPartWhateverTheyHold) {
  std::vector<std::vector<std::string>> keys{
      {"a"}, {"a", "b"}, {std::string("a\0b", 3)}, {"a\1"}, {"ab"}, {"a", ""}, {""}, {"b", "a"}};
  std::vector<std::string> made;
  for (const auto& parts : keys) {
    std::string one;
    for (const std::string& part : parts) append_part(one, part);
    EXPECT_EQ(parts_of(one), parts);
    made.push_back(one);
  }
  std::ranges::sort(keys);
  std::ranges::sort(made);
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(parts_of(made[i]), keys[i]) << i;
}

TEST(KeyTest, PrefixEndIsTheFirstKeyAfter) {
  EXPECT_EQ(prefix_end("ab"), "ac");
  EXPECT_EQ(prefix_end("a\xff"), "b");
  EXPECT_EQ(prefix_end("\xff"), "");
}

}  // namespace
}  // namespace laketap::state
