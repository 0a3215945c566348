// Power cuts and full disks, from seeds. The index is in memory here and outlives the cut, as a
// durable one does: so a row without its file, which is what must never be, shows.
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "io/sim.h"
#include "store/multipart.h"

namespace laketap::store {
namespace {

class StoreFaultTest : public testing::TestWithParam<uint64_t> {
 protected:
  StoreFaultTest() : random_(GetParam()) {}

  void open() {
    auto opened = Store::open("/objects", *database_, disk_, clock_, ids_);
    ASSERT_TRUE(opened) << opened.error().what;
    store_ = std::move(*opened);
  }
  Result<ObjectInfo> put(const std::string& key, const std::string& body) {
    auto upload = store_->begin_upload("bucket", key);
    if (!upload) return fail(upload.error());
    if (const auto written = (*upload)->write(view(body)); !written) return fail(written.error());
    return (*upload)->commit({});
  }
  // Every version that the index names is there, whole.
  void check() {
    const auto page = store_->list("bucket", {.limit = 100'000, .versions = true});
    ASSERT_TRUE(page);
    for (const ObjectInfo& object : page->objects) {
      if (object.delete_marker) continue;
      ASSERT_TRUE(bodies_.contains(object.etag)) << object.key;
      const auto pin = store_->pin(object);  // It may be about to move.
      ASSERT_TRUE(pin) << object.path;
      ASSERT_TRUE(*disk_.exists(pin->path())) << pin->path() << " of " << object.etag;
      EXPECT_EQ(text(disk_.contents(pin->path())), bodies_[object.etag]) << pin->path();
    }
  }

  io::sim::Random random_;
  io::sim::Random ids_{GetParam() + 1000};
  io::sim::Clock clock_;
  io::sim::Disk disk_;
  std::unique_ptr<state::Database> database_ = state::in_memory();
  std::unique_ptr<Store> store_;
  std::map<std::string, std::string> bodies_;  // By ETag.
};

// Goal: what a listing names can be read, whatever was going on when the power went.
// Method: seeded puts, overwrites and removals in a versioned or plain bucket; the disk dies at a
// random operation and loses unsynced bytes and names; the store opens again on what is left, and
// goes on.
TEST_P(StoreFaultTest, EveryRowHasItsFileAfterAPowerCut) {
  open();
  ASSERT_TRUE(store_->create_bucket("bucket", "us-east-1"));
  if (random_.chance(50)) {
    ASSERT_TRUE(store_->set_versioning("bucket", Versioning::enabled));
  }
  const std::vector<std::string> keys{"a", "a/b", "a/b/c", "x/y/z", "..", "x//y", "deep/er/still"};
  for (int round = 0; round < 4; ++round) {
    disk_.set_faults({.crash_at = disk_.operations() + 1 + random_.below(120)});
    for (int step = 0; step < 40; ++step) {
      const std::string& key = keys[random_.below(keys.size())];
      if (random_.chance(70)) {
        const std::string body = random_.text(3000);
        auto upload = store_->begin_upload("bucket", key);
        if (!upload) continue;
        if (!(*upload)->write(view(body))) continue;
        // The ETag names the body, also of a put whose answer never came.
        const std::string etag = std::to_string(GetParam()) + "-" + std::to_string(bodies_.size());
        bodies_[etag] = body;
        (void)(*upload)->commit({.etag = etag});
      } else {
        (void)store_->remove("bucket", key);
      }
    }
    store_.reset();
    disk_.crash(random_);
    open();
    check();
  }
}

TEST_P(StoreFaultTest, AFullDiskIsSaidAndHarmsNothing) {
  open();
  ASSERT_TRUE(store_->create_bucket("bucket", "us-east-1"));
  disk_.set_faults({.capacity_bytes = 50'000});
  int stored = 0;
  Result<ObjectInfo> last;
  for (int i = 0; i < 100; ++i) {
    last = put("k" + std::to_string(i), std::string(2000 + random_.below(3000), 'x'));
    if (!last) break;
    ++stored;
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().kind, ErrorKind::full) << last.error().what;
  disk_.set_faults({});
  EXPECT_TRUE(put("room again", "x"));
  EXPECT_EQ(store_->snapshot("bucket", "")->size(), static_cast<size_t>(stored) + 1);
}
INSTANTIATE_TEST_SUITE_P(Seed, StoreFaultTest, testing::Range<uint64_t>(0, 60));

}  // namespace
}  // namespace laketap::store
