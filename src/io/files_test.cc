// Both twins keep the same promises: one suite for the machine's files and the simulated ones.
#include "io/files.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "io/sim.h"

namespace laketap::io {
namespace {

class FilesTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam()) {
      folder_ = "/data";
      files_ = &disk_;
      ASSERT_TRUE(files_->make_directories(folder_));
      return;
    }
    char name[] = "/tmp/laketap-files-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    files_ = &real_files();
  }

  void TearDown() override {
    if (GetParam()) (void)std::system(("rm -r " + folder_).c_str());  // A folder that we made.
  }

  Result<std::string> content(const std::string& path) { return read_file(*files_, path, 1 << 20); }
  Result<> write(const std::string& path, std::string_view content) {
    const auto file = files_->open(path, kCreate);
    if (!file) return fail(file.error());
    return (*file)->write(0, view(content));
  }

  static constexpr OpenOptions kCreate{
      .write = true, .create = true, .exclusive = false, .truncate = false, .direct = false};
  sim::Disk disk_;
  Files* files_ = nullptr;
  std::string folder_;
};

TEST_P(FilesTest, BytesAreReadBackAndAReadStopsAtTheEnd) {
  const auto file = files_->open(folder_ + "/a", kCreate);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->write(3, view("hello")));
  Bytes target(100);
  const auto count = (*file)->read(1, target);
  ASSERT_TRUE(count);
  EXPECT_EQ(*count, 7U);
  EXPECT_EQ(text(ByteView(target).first(7)), std::string_view("\0\0hello", 7));
  EXPECT_EQ(*(*file)->read(8, target), 0U);
  EXPECT_TRUE((*file)->sync());
  EXPECT_TRUE((*file)->truncate(4));
  EXPECT_EQ(*(*file)->size(), 4U);
}

TEST_P(FilesTest, WhatIsAbsentIsNotFoundAndWhatIsThereExists) {
  EXPECT_EQ(files_->open(folder_ + "/a", {}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(files_->remove(folder_ + "/a").error().kind, ErrorKind::not_found);
  EXPECT_EQ(files_->rename(folder_ + "/a", folder_ + "/b").error().kind, ErrorKind::not_found);
  EXPECT_EQ(files_->list(folder_ + "/a").error().kind, ErrorKind::not_found);
  EXPECT_EQ(files_->open(folder_ + "/no/a", kCreate).error().kind, ErrorKind::not_found);
  EXPECT_FALSE(*files_->exists(folder_ + "/a"));
  ASSERT_TRUE(write(folder_ + "/a", "1"));
  EXPECT_TRUE(*files_->exists(folder_ + "/a"));
  OpenOptions exclusive = kCreate;
  exclusive.exclusive = true;
  EXPECT_EQ(files_->open(folder_ + "/a", exclusive).error().kind, ErrorKind::exists);
  EXPECT_EQ(files_->link(folder_ + "/a", folder_ + "/a").error().kind, ErrorKind::exists);
}

TEST_P(FilesTest, NamesAreListedRenamedAndLinked) {
  ASSERT_TRUE(files_->make_directories(folder_ + "/x/y"));
  ASSERT_TRUE(write(folder_ + "/b", "old"));
  ASSERT_TRUE(write(folder_ + "/a", "new"));
  EXPECT_EQ(*files_->list(folder_), (std::vector<std::string>{"a", "b", "x"}));
  ASSERT_TRUE(files_->rename(folder_ + "/a", folder_ + "/b"));
  EXPECT_EQ(*content(folder_ + "/b"), "new");
  ASSERT_TRUE(files_->link(folder_ + "/b", folder_ + "/c"));
  ASSERT_TRUE(files_->remove(folder_ + "/b"));
  EXPECT_EQ(*content(folder_ + "/c"), "new");
  EXPECT_EQ(files_->remove_directory(folder_ + "/x").error().kind, ErrorKind::exists);
  ASSERT_TRUE(files_->remove_directory(folder_ + "/x/y"));
  ASSERT_TRUE(files_->remove_directory(folder_ + "/x"));
  EXPECT_EQ(*files_->list(folder_), (std::vector<std::string>{"c"}));
}

TEST_P(FilesTest, AnOpenFileOutlivesItsName) {
  const auto file = files_->open(folder_ + "/a", kCreate);
  ASSERT_TRUE((*file)->write(0, view("kept")));
  ASSERT_TRUE(files_->remove(folder_ + "/a"));
  Bytes target(4);
  EXPECT_EQ(*(*file)->read(0, target), 4U);
  EXPECT_EQ(text(target), "kept");
}

TEST_P(FilesTest, AReadOnlyFileIsNotWritten) {
  ASSERT_TRUE(write(folder_ + "/a", "1"));
  const auto file = files_->open(folder_ + "/a", {});
  EXPECT_FALSE((*file)->write(0, view("2")));
  EXPECT_EQ(*content(folder_ + "/a"), "1");
}

TEST_P(FilesTest, ReplacingAFileLeavesNothingBeside) {
  ASSERT_TRUE(replace_file(*files_, folder_ + "/a", "one"));
  ASSERT_TRUE(replace_file(*files_, folder_ + "/a", "two"));
  EXPECT_EQ(*content(folder_ + "/a"), "two");
  EXPECT_EQ(files_->list(folder_)->size(), 1U);
  EXPECT_EQ(read_file(*files_, folder_ + "/a", 2).error().kind, ErrorKind::too_large);
}

TEST_P(FilesTest, AFolderWhereAFileStandsIsRefused) {
  ASSERT_TRUE(write(folder_ + "/a", "1"));
  EXPECT_EQ(files_->make_directories(folder_ + "/a").error().kind, ErrorKind::exists);
  EXPECT_TRUE(make_durable_directories(*files_, folder_ + "/p/q"));
  EXPECT_TRUE(*files_->exists(folder_ + "/p/q"));
  EXPECT_GT(*files_->free_bytes(folder_), 0U);
}

INSTANTIATE_TEST_SUITE_P(Machine, FilesTest, testing::Values(true));
INSTANTIATE_TEST_SUITE_P(Simulated, FilesTest, testing::Values(false));

// The twin's faults.
struct Sim {
  sim::Random random{3};
  sim::Disk disk;
  Sim() {
    EXPECT_TRUE(make_durable_directories(disk, "/d"));
    EXPECT_TRUE(disk.sync_directory("/d"));
  }
  std::unique_ptr<File> file(const std::string& path, bool direct = false) {
    auto opened = disk.open(
        path,
        {.write = true, .create = true, .exclusive = false, .truncate = false, .direct = direct});
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }
};

TEST(SimDiskTest, SyncedBytesSurviveEveryCrashAndUnsyncedOnesOnlySome) {
  int kept = 0;
  int torn = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Sim sim;
    sim.random = sim::Random(seed);
    const auto file = sim.file("/d/a");
    ASSERT_TRUE(sim.disk.sync_directory("/d"));
    ASSERT_TRUE(file->write(0, Bytes(2048, 1)));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(file->write(0, Bytes(2048, 2)));
    sim.disk.crash(sim.random);
    const Bytes left = sim.disk.contents("/d/a");
    ASSERT_EQ(left.size(), 2048U);
    const auto count = std::count(left.begin(), left.end(), 2);
    ASSERT_EQ(count % 512, 0);
    kept += count == 2048 ? 1 : 0;
    torn += count > 0 && count < 2048 ? 1 : 0;
    EXPECT_FALSE(file->sync()) << "a handle from before";
  }
  EXPECT_GT(kept, 10);
  EXPECT_LT(kept, 90);
  EXPECT_GT(torn, 10);
}

TEST(SimDiskTest, UnsyncedNamesMayVanishAndSyncedOnesDoNot) {
  int vanished = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Sim sim;
    sim.random = sim::Random(seed);
    ASSERT_TRUE(sim.file("/d/a")->sync());
    ASSERT_TRUE(sim.disk.sync_directory("/d"));
    ASSERT_TRUE(sim.file("/d/b")->sync());
    sim.disk.crash(sim.random);
    EXPECT_TRUE(*sim.disk.exists("/d/a"));
    vanished += *sim.disk.exists("/d/b") ? 0 : 1;
  }
  EXPECT_GT(vanished, 10);
  EXPECT_LT(vanished, 90);
}

TEST(SimDiskTest, AFailedSyncLosesItsBytesThoughTheNextOneSaysYes) {
  Sim sim;
  const auto file = sim.file("/d/a");
  ASSERT_TRUE(sim.disk.sync_directory("/d"));
  ASSERT_TRUE(file->write(0, view("gone")));
  sim::Faults faults;
  faults.fail_sync_at = 0;
  sim.disk.set_faults(faults);
  EXPECT_EQ(file->sync().error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(file->sync());
  sim.disk.crash(sim.random);
  EXPECT_TRUE(sim.disk.contents("/d/a").empty());
}

TEST(SimDiskTest, AKillKeepsEveryWriteUntilThePowerGoes) {
  Sim sim;
  ASSERT_TRUE(sim.disk.sync_directory("/d"));
  ASSERT_TRUE(sim.file("/d/a")->write(0, view("cached")));
  sim.disk.kill();
  EXPECT_EQ(text(sim.disk.contents("/d/a")), "cached");
}

TEST(SimDiskTest, AFullDiskTakesWhatFits) {
  Sim sim;
  sim::Faults faults;
  faults.capacity_bytes = 10;
  sim.disk.set_faults(faults);
  const auto file = sim.file("/d/a");
  EXPECT_TRUE(file->write(0, view("12345678")));
  EXPECT_EQ(file->write(8, view("12345678")).error().kind, ErrorKind::full);
  EXPECT_EQ(*sim.disk.free_bytes("/d"), 0U);
  EXPECT_TRUE(file->write(0, view("overwrite")));
}

TEST(SimDiskTest, ADirectFileRefusesWhatIsNotAligned) {
  Sim sim;
  const auto file = sim.file("/d/a", true);
  EXPECT_EQ(file->write(0, view("short")).error().kind, ErrorKind::invalid);
}

}  // namespace
}  // namespace laketap::io
