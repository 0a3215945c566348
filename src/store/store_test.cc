#include "store/store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

namespace laketap::store {
namespace {

const std::vector<std::string> kOddKeys{"a",
                                        "a/",
                                        "a/b",
                                        "a//b",
                                        "a+b",
                                        "a b",
                                        "a%20b",
                                        "\xc3\xa4",
                                        "a\xcc\x88",
                                        "%",
                                        "&<>\"",
                                        "a+/x",
                                        "a/x",
                                        "..",
                                        "../up",
                                        "./x",
                                        "x/../y",
                                        "/lead",
                                        "A",
                                        ".hidden",
                                        std::string("nul\0key", 7),
                                        "new\nline",
                                        "back\\slash",
                                        "bad\xff utf8",
                                        std::string(300, 's') + "/t",
                                        std::string(1024, 'k'),
                                        "a/b/c",
                                        "a/b/d",
                                        "b",
                                        "z\xf0\x9f\x8c\x8a"};

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "store-test-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    reopen();
    ASSERT_TRUE(store_->create_bucket("bucket", "us-east-1"));
  }
  void TearDown() override {
    store_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void reopen() {
    store_.reset();
    database_.reset();
    database_ = std::move(*state::open_sqlite(folder_ + "/objects.db"));
    auto opened = Store::open(folder_ + "/objects", *database_, io::real_files(), io::real_clock(),
                              io::real_random());
    ASSERT_TRUE(opened) << opened.error().what;
    store_ = std::move(*opened);
  }
  Result<ObjectInfo> put(const std::string& key, std::string_view body,
                         CommitOptions options = {}) {
    auto upload = store_->begin_upload("bucket", key);
    if (!upload) return fail(upload.error());
    if (const auto written = (*upload)->write(view(body)); !written) return fail(written.error());
    return (*upload)->commit(options);
  }
  static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return file ? text.str() : "(no file)";
  }
  std::string body(const std::string& key, const std::string& version = "") {
    const auto found = store_->find("bucket", key, version);
    if (!found) return "(" + found.error().what.substr(0, found.error().what.find(' ')) + ")";
    if (found->delete_marker) return "(marker)";
    const auto pin = store_->pin(*found);  // Its file may move in the background.
    return pin ? read(pin->path()) : "(unpinned)";
  }
  std::vector<std::string> keys(ListRequest request = {}) {
    std::vector<std::string> out;
    while (true) {
      const auto page = store_->list("bucket", request);
      if (!page) return {"error: " + page.error().what};
      for (const ObjectInfo& object : page->objects) out.push_back(object.key);
      if (!page->truncated) return out;
      request.start_after = page->next;
      request.version_id_marker = request.versions ? page->next_version_id : "";
    }
  }
  // Files in the tree; waits a little for `expected`, since some move in the background.
  size_t files_on_disk(size_t expected) {
    size_t count = 0;
    for (int i = 0; i < 300; ++i) {
      count = 0;
      std::error_code error;  // A folder may go while it is walked.
      for (std::filesystem::recursive_directory_iterator at(folder_ + "/objects", error), end;
           at != end && !error; at.increment(error))
        count += at->is_regular_file(error);
      if (count == expected && !error) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return count;
  }

  std::string folder_;
  std::unique_ptr<state::Database> database_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, EveryOddKeyKeepsItsOwnBytesAndStaysInTheBucket) {
  for (const std::string& key : kOddKeys) ASSERT_TRUE(put(key, "body of " + key)) << key;
  for (const std::string& key : kOddKeys) EXPECT_EQ(body(key), "body of " + key);
  for (const std::string& key : kOddKeys)
    EXPECT_TRUE(
        std::filesystem::canonical(store_->find("bucket", key)->path)
            .string()
            .starts_with(std::filesystem::canonical(folder_ + "/objects/bucket").string() + "/"));
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/objects/bucket/a"));
  for (const std::string& key : kOddKeys) EXPECT_TRUE(store_->remove("bucket", key));
  EXPECT_EQ(files_on_disk(0), 0u);
  EXPECT_TRUE(store_->remove_bucket("bucket"));
}

TEST_F(StoreTest, ListingsEqualASortedReferenceAtEveryPageSize) {
  std::set<std::string> all(kOddKeys.begin(), kOddKeys.end());
  for (const std::string& key : kOddKeys) ASSERT_TRUE(put(key, "x"));
  for (const std::string prefix : {"", "a", "a/", "a/b", "zzz", "x"})
    for (const std::string delimiter : {"", "/", "b"})
      for (size_t limit = 1; limit <= 5; ++limit) {
        std::vector<std::string> expected;
        for (const std::string& key : all) {
          if (!key.starts_with(prefix)) continue;
          const size_t at = delimiter.empty() ? std::string::npos
                                              : key.find(delimiter, std::string(prefix).size());
          const std::string shown = at == std::string::npos
                                        ? key
                                        : key.substr(0, at + std::string(delimiter).size()) + "*";
          if (expected.empty() || expected.back() != shown) expected.push_back(shown);
        }
        std::vector<std::string> got;
        ListRequest request{.prefix = prefix,
                            .delimiter = delimiter,
                            .start_after = "",
                            .version_id_marker = "",
                            .limit = limit};
        for (int pages = 0; pages < 100; ++pages) {
          const auto page = store_->list("bucket", request);
          ASSERT_TRUE(page);
          ASSERT_LE(page->objects.size() + page->common_prefixes.size(), limit);
          std::vector<std::string> both;
          for (const ObjectInfo& object : page->objects) both.push_back(object.key);
          for (const std::string& one : page->common_prefixes) both.push_back(one + "*");
          std::ranges::sort(both);
          got.insert(got.end(), both.begin(), both.end());
          if (!page->truncated) break;
          request.start_after = page->next;
        }
        std::ranges::sort(expected);
        std::ranges::sort(got);
        EXPECT_EQ(got, expected) << "prefix " << prefix << " delimiter " << delimiter << " limit "
                                 << limit;
      }
}

TEST_F(StoreTest, VersionsAreKeptHiddenAndBroughtBack) {
  const std::string before = put("k", "before")->version_id;
  EXPECT_EQ(before, "null");
  ASSERT_TRUE(store_->set_versioning("bucket", Versioning::enabled));
  const std::string one = put("k", "one")->version_id;
  const std::string two = put("k", "two")->version_id;
  EXPECT_EQ(body("k"), "two");
  EXPECT_EQ(body("k", one), "one");
  EXPECT_EQ(body("k", "null"), "before");

  const auto hidden = store_->remove("bucket", "k");
  ASSERT_TRUE(hidden && hidden->delete_marker);
  EXPECT_EQ(body("k"), "(marker)");
  EXPECT_TRUE(keys().empty());
  EXPECT_EQ(keys({.prefix = "",
                  .delimiter = "",
                  .start_after = "",
                  .version_id_marker = "",
                  .limit = 1,
                  .versions = true})
                .size(),
            4u);
  EXPECT_FALSE(store_->remove_bucket("bucket"));

  ASSERT_TRUE(store_->remove("bucket", "k", hidden->version_id));
  EXPECT_EQ(body("k"), "two");
  ASSERT_TRUE(store_->remove("bucket", "k", two));
  EXPECT_EQ(body("k"), "one");
  ASSERT_TRUE(store_->remove("bucket", "k", "null"));
  ASSERT_TRUE(store_->remove("bucket", "k", one));
  EXPECT_EQ(body("k"), "(key)");
  EXPECT_EQ(files_on_disk(0), 0u);
  EXPECT_TRUE(store_->remove_bucket("bucket"));
}

TEST_F(StoreTest, SuspendedVersioningReplacesTheNullVersionOnly) {
  ASSERT_TRUE(store_->set_versioning("bucket", Versioning::enabled));
  const std::string kept = put("k", "kept")->version_id;
  ASSERT_TRUE(store_->set_versioning("bucket", Versioning::suspended));
  ASSERT_TRUE(put("k", "null one"));
  ASSERT_TRUE(put("k", "null two"));
  EXPECT_EQ(body("k"), "null two");
  EXPECT_EQ(body("k", kept), "kept");
  EXPECT_EQ(keys({.prefix = "",
                  .delimiter = "",
                  .start_after = "",
                  .version_id_marker = "",
                  .limit = 1000,
                  .versions = true})
                .size(),
            2u);
  EXPECT_EQ(files_on_disk(2), 2u);
}

TEST_F(StoreTest, OfManyConditionalWritersExactlyOneWins) {
  // Many rounds: the losers' folders come and go beside each other.
  for (int round = 0; round < 60; ++round) {
    const std::string key = "one/" + std::to_string(round);
    std::atomic<int> won = 0, lost = 0;
    std::vector<std::jthread> writers;
    for (int i = 0; i < 20; ++i)
      writers.emplace_back([&, i] {
        const auto done =
            put(key, std::to_string(i), {.metadata = {}, .plan_id = "", .if_none_match = true});
        if (done)
          ++won;
        else if (done.error().kind == ErrorKind::exists)
          ++lost;
        else
          ADD_FAILURE() << done.error().what;
      });
    writers.clear();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, 19);
  }
  EXPECT_EQ(files_on_disk(60), 60u);
}

TEST_F(StoreTest, APlanHasOneObject) {
  ASSERT_TRUE(put("first", "x", {.metadata = {}, .plan_id = "plan-1"}));
  const auto second = put("second", "x", {.metadata = {}, .plan_id = "plan-1"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::exists);
  ASSERT_TRUE(store_->remove("bucket", "first"));
  EXPECT_TRUE(*store_->delivered("plan-1")) << "also when a user removed it meanwhile";
  ASSERT_TRUE(store_->forget_plan("plan-1"));
  EXPECT_FALSE(*store_->delivered("plan-1"));
}

TEST_F(StoreTest, APinnedFileOutlivesItsObject) {
  const auto object = put("k", "pinned");
  {
    const auto pin = store_->pin(*object);
    ASSERT_TRUE(pin);
    ASSERT_TRUE(store_->remove("bucket", "k"));
    EXPECT_EQ(body("k"), "(key)");
    EXPECT_EQ(read(pin->path()), "pinned");
  }
  EXPECT_EQ(files_on_disk(0), 0u);
}

TEST_F(StoreTest, APinIsOnTheVeryObjectThatWasFound) {
  const auto old = put("k", "old");
  ASSERT_TRUE(store_->remove("bucket", "k"));
  ASSERT_TRUE(put("k", "new"));  // At the same path.
  const auto pin = store_->pin(*old);
  ASSERT_FALSE(pin);
  EXPECT_EQ(pin.error().kind, ErrorKind::not_found);
  EXPECT_TRUE(store_->pin(*store_->find("bucket", "k")));
}

// Goal: no interleaving of puts, removals, pins and the sweeper takes a file from a row or from a
// pin. Method: threads do all of it on few keys while others pin what they find and read it.
TEST_F(StoreTest, RacingReadersAlwaysReadWhatTheyPinned) {
  std::atomic<bool> stop = false;
  std::atomic<int> read_count = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&, i] {
        for (int n = 0; !stop; ++n) {
          const std::string key = "r/" + std::to_string((n + i) % 3);
          if (n % 3 == 2)
            (void)store_->remove("bucket", key);
          else
            (void)put(key, key + std::string(200 + n % 50, 'x'));
        }
      });
    for (int i = 0; i < 2; ++i)
      threads.emplace_back([&] {
        for (int n = 0; !stop; ++n) {
          const auto found = store_->find("bucket", "r/" + std::to_string(n % 3));
          if (!found) continue;
          const auto pin = store_->pin(*found);
          if (!pin) continue;
          const std::string whole = read(pin->path());
          if (whole.size() != found->size || !whole.starts_with(found->key)) stop = true;
          EXPECT_EQ(whole.size(), found->size);
          ++read_count;
        }
      });
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    stop = true;
  }
  EXPECT_GT(read_count, 0);
  for (const std::string& key : keys()) EXPECT_TRUE(body(key).starts_with(key));
  EXPECT_EQ(files_on_disk(keys().size()), keys().size());
}

TEST_F(StoreTest, EmptyFoldersGoWithTheirLastObject) {
  ASSERT_TRUE(put("x/y/z", "1"));
  ASSERT_TRUE(put("x/w", "2"));
  ASSERT_TRUE(store_->remove("bucket", "x/y/z"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/objects/bucket/x/y"));
  EXPECT_EQ(body("x/w"), "2");
  ASSERT_TRUE(put("x/y/z", "3"));
  EXPECT_EQ(body("x/y/z"), "3");
}

TEST_F(StoreTest, TheReadableTreeShowsTheCurrentObjects) {
  const std::string path = folder_ + "/objects/bucket/x/k";
  const auto settles_to = [&](const std::string& wanted) {
    for (int i = 0; i < 300 && read(path) != wanted; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return read(path) == wanted;
  };
  ASSERT_TRUE(put("x/k", "one"));
  ASSERT_TRUE(put("x/k", "two"));
  EXPECT_TRUE(settles_to("two"));
  EXPECT_EQ(body("x/k"), "two");
  ASSERT_TRUE(store_->set_versioning("bucket", Versioning::enabled));
  ASSERT_TRUE(put("x/k", "three"));
  EXPECT_TRUE(settles_to("three"));
  EXPECT_EQ(body("x/k", "null"), "two");
  const auto hidden = store_->remove("bucket", "x/k");
  EXPECT_TRUE(settles_to("(no file)"));
  ASSERT_TRUE(store_->remove("bucket", "x/k", hidden->version_id));
  EXPECT_TRUE(settles_to("three"));
  EXPECT_EQ(body("x/k"), "three");
  EXPECT_EQ(files_on_disk(2), 2u);
}

TEST_F(StoreTest, TotalsAreRightAfterARestart) {
  ASSERT_TRUE(put("a", "12345"));
  ASSERT_TRUE(put("a", "123"));
  ASSERT_TRUE(put("b", "1"));
  ASSERT_TRUE(store_->remove("bucket", "b"));
  EXPECT_EQ(store_->totals().objects, 1u);
  EXPECT_EQ(store_->totals().bytes, 3u);
  reopen();
  for (int i = 0; i < 200 && store_->totals().objects != 1; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(store_->totals().objects, 1u);
  EXPECT_EQ(store_->totals().bytes, 3u);
}

TEST_F(StoreTest, OfManyRemovalsEachHasItsOwnAnswer) {
  const std::string etag = put("a", "1")->etag;
  ASSERT_TRUE(put("b", "2"));
  const std::vector<RemoveRequest> requests{{.key = "a", .if_match = "wrong"},
                                            {.key = "b"},
                                            {.key = "absent"},
                                            {.key = "a", .if_match = etag},
                                            {.key = "a"}};
  const auto removed = store_->remove_all("bucket", requests);
  ASSERT_TRUE(removed);
  ASSERT_EQ(removed->size(), 5u);
  EXPECT_EQ((*removed)[0].error().kind, ErrorKind::conflict);
  EXPECT_TRUE((*removed)[1]->found);
  EXPECT_FALSE((*removed)[2]->found);
  EXPECT_TRUE((*removed)[3]->found);
  EXPECT_FALSE((*removed)[4]->found);
  EXPECT_EQ(files_on_disk(0), 0u);
  EXPECT_EQ(store_->totals().objects, 0u);
  EXPECT_EQ(store_->remove_all("absent", requests).error().kind, ErrorKind::not_found);
}

TEST_F(StoreTest, AnAbortedUploadLeavesNothing) {
  {
    auto upload = store_->begin_upload("bucket", "k");
    ASSERT_TRUE((*upload)->write(view("half")));
  }
  EXPECT_EQ(body("k"), "(key)");
  EXPECT_EQ(files_on_disk(0), 0u);
}

TEST_F(StoreTest, ListenersHearOfWhatIsDurable) {
  std::vector<std::string> heard;
  store_->listen(
      [&](const Change& change) { heard.push_back((change.created ? "+" : "-") + change.key); });
  ASSERT_TRUE(put("k", "x"));
  ASSERT_TRUE(store_->remove("bucket", "k"));
  ASSERT_TRUE(store_->remove("bucket", "k"));
  EXPECT_EQ(heard, (std::vector<std::string>{"+k", "-k"}));
}

TEST_F(StoreTest, OrphansAreSweptAndTheRestIsKept) {
  ASSERT_TRUE(put("a/b", "kept"));
  ASSERT_TRUE(put("..", "kept too"));
  std::ofstream(folder_ + "/objects/bucket/a/orphan") << "x";
  std::filesystem::create_directories(folder_ + "/objects/bucket/.files/ab");
  std::ofstream(folder_ + "/objects/bucket/.files/ab/abcdef") << "x";
  std::ofstream(folder_ + "/objects/.uploads/left") << "x";
  reopen();
  EXPECT_EQ(files_on_disk(2), 2u);
  EXPECT_EQ(body("a/b"), "kept");
  EXPECT_EQ(body(".."), "kept too");
}

// Goal: after kill -9 each reported object reads back whole, and what is listed can be read.
// Method: a child puts, overwrites and removes and reports each finished put; it is killed; the
// parent looks.
TEST_F(StoreTest, ReportedObjectsSurviveKill) {
  for (int round = 0; round < 5; ++round) {
    store_.reset();
    database_.reset();
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      reopen();
      for (int i = 0;; ++i) {
        const int key = round * 10'000 + i;
        if (!put("r/" + std::to_string(key), std::string(1000, 'x') + std::to_string(key)))
          _exit(1);
        if (!put("same", std::string(1000, 'y') + std::to_string(key))) _exit(1);
        if (write(ends[1], &key, sizeof key) != sizeof key) _exit(1);
      }
    }
    close(ends[1]);
    std::vector<int> reported;
    int key = 0;
    while (reported.size() < 20 && ::read(ends[0], &key, sizeof key) == ssize_t{sizeof key})
      reported.push_back(key);
    kill(child, SIGKILL);
    while (::read(ends[0], &key, sizeof key) == ssize_t{sizeof key}) reported.push_back(key);
    close(ends[0]);
    waitpid(child, nullptr, 0);
    reopen();
    ASSERT_GE(reported.size(), 20u);
    for (const int one : reported)
      EXPECT_EQ(body("r/" + std::to_string(one)), std::string(1000, 'x') + std::to_string(one));
    for (const std::string& listed : keys()) EXPECT_EQ(body(listed).size() > 1000, true) << listed;
  }
}

TEST(BucketNameTest, FollowsTheRules) {
  for (const char* good :
       {"abc", "a.b-c1", "aws-athena-query-results-000000000000-us-east-1", "1234"})
    EXPECT_TRUE(is_bucket_name(good)) << good;
  for (const char* bad : {"ab", "Abc", "a_b", "-abc", "abc-", "a..b", "192.168.5.4", "xn--abc",
                          "abc-s3alias", "_laketap", ""})
    EXPECT_FALSE(is_bucket_name(bad)) << bad;
}

}  // namespace
}  // namespace laketap::store
