#include "journal/journal.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "io/sim.h"

namespace laketap::journal {
namespace {

constexpr uint64_t kSmall = 64 << 10;

struct Kept {
  Group group;
  Location location;
  std::string payload;
};

// A journal without threads on a simulated disk.
struct Bench {
  io::sim::Random random{7};
  io::sim::Disk disk;
  Options options{.directory = "/data/journal",
                  .segment_bytes = kSmall,
                  .bytes_max = 8 * kSmall,
                  .manual = true,
                  .random = &random};
  std::unique_ptr<Journal> journal;
  std::vector<Kept> replayed;

  Result<> open() {
    journal.reset();
    replayed.clear();
    auto opened = Journal::open(options, disk, [this](const Replayed& one) {
      replayed.push_back({one.group, one.location, std::string(text(one.payload))});
    });
    if (!opened) return fail(opened.error());
    journal = std::move(*opened);
    return {};
  }

  Result<Location> append(Group group, std::string_view payload) {
    Result<Location> answer = fail(ErrorKind::unavailable, "no answer");
    const ByteView piece = view(payload);
    journal->append(group, {&piece, 1}, [&](Result<Location> got) { answer = std::move(got); });
    journal->work();
    return answer;
  }
};

TEST(JournalTest, WhatWasAppendedIsReplayedInOrderUntilItIsReleased) {
  Bench bench;
  ASSERT_TRUE(bench.open());
  ASSERT_TRUE(bench.append(1, "one"));
  ASSERT_TRUE(bench.append(2, "two"));
  ASSERT_TRUE(bench.append(1, ""));
  ASSERT_TRUE(bench.open());
  ASSERT_EQ(bench.replayed.size(), 3U);
  EXPECT_EQ(bench.replayed[0].payload, "one");
  EXPECT_EQ(bench.replayed[1].payload, "two");
  EXPECT_EQ(bench.replayed[2].payload, "");
  EXPECT_EQ(bench.replayed[2].group, 1U);

  ASSERT_TRUE(bench.journal->release(1));
  bench.journal->work();
  ASSERT_TRUE(bench.open());
  ASSERT_EQ(bench.replayed.size(), 1U);
  EXPECT_EQ(bench.replayed[0].payload, "two");
}

TEST(JournalTest, PiecesAreJoinedAndReadBackFromTheirLocation) {
  Bench bench;
  ASSERT_TRUE(bench.open());
  const std::array<ByteView, 3> pieces{view("ab"), view(""), view("cde")};
  Result<Location> location = fail(ErrorKind::unavailable, "no answer");
  bench.journal->append(9, pieces, [&](Result<Location> got) { location = std::move(got); });
  bench.journal->work();
  ASSERT_TRUE(location);
  std::string target(5, ' ');
  const auto bytes = std::span(reinterpret_cast<uint8_t*>(target.data()), target.size());
  ASSERT_TRUE(bench.journal->read(*location, bytes));
  EXPECT_EQ(target, "abcde");
  ASSERT_TRUE(bench.journal->read_part(location->segment, location->offset + 1, bytes.first(2)));
  EXPECT_EQ(target, "bccde");
  EXPECT_EQ(bench.journal->read(*location, bytes.first(4)).error().kind, ErrorKind::invalid);
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(bench.replayed[0].location, *location);
}

TEST(JournalTest, ALargePayloadIsReadPastThePageCacheAndChecked) {
  Bench bench;
  ASSERT_TRUE(bench.open());
  ASSERT_TRUE(bench.append(1, "before"));
  std::string payload;
  for (int i = 0; i < 40'000; ++i) payload += static_cast<char>(i * 7);
  const auto location = bench.append(2, payload);
  ASSERT_TRUE(location);
  Bytes target(payload.size());
  ASSERT_TRUE(bench.journal->read(*location, target));
  EXPECT_EQ(text(target), payload);

  bench.disk.flip_bit("/data/journal/segment-000001", 8 * (location->offset + 39'999));
  EXPECT_EQ(bench.journal->read(*location, target).error().kind, ErrorKind::corrupt);
  Location wrong = *location;
  wrong.offset += kSmall;
  EXPECT_EQ(bench.journal->read(wrong, target).error().kind, ErrorKind::invalid);
}

TEST(JournalTest, AppendsThatArriveTogetherShareOneCommit) {
  Bench bench;
  ASSERT_TRUE(bench.open());
  int answers = 0;
  const ByteView piece = view("x");
  for (Group group = 1; group <= 20; ++group)
    bench.journal->append(group, {&piece, 1},
                          [&](Result<Location> got) { answers += got ? 1 : 0; });
  bench.journal->work();
  EXPECT_EQ(answers, 20);
  EXPECT_EQ(bench.journal->synced_commits(), 1U);
}

TEST(JournalTest, MoreThanACommitHoldsWaitsInOrder) {
  Bench bench;
  ASSERT_TRUE(bench.open());
  std::vector<std::string> payloads;
  for (int i = 0; i < 20; ++i) payloads.push_back(std::string(10'000, static_cast<char>('a' + i)));
  std::vector<ByteView> pieces;
  for (const std::string& payload : payloads) pieces.push_back(view(payload));
  int answers = 0;
  for (const ByteView& piece : pieces)
    bench.journal->append(1, {&piece, 1}, [&](Result<Location> got) { answers += got ? 1 : 0; });
  bench.journal->work();
  EXPECT_EQ(answers, 20);
  ASSERT_TRUE(bench.open());
  ASSERT_EQ(bench.replayed.size(), 20U);
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(bench.replayed[i].payload, payloads[i]);
}

TEST(JournalTest, ReleasedSegmentsAreUsedAgainForEver) {
  Bench bench;
  ASSERT_TRUE(bench.open());
  const std::string payload(20'000, 'p');
  for (Group group = 1; group <= 500; ++group) {
    ASSERT_TRUE(bench.append(group, payload)) << group;
    ASSERT_TRUE(bench.journal->release(group));
    bench.journal->work();
  }
  EXPECT_LE(bench.journal->used_bytes(), 3 * kSmall);
  const auto names = bench.disk.list("/data/journal");
  EXPECT_LE(names->size(), 5U);
  ASSERT_TRUE(bench.open());
  EXPECT_TRUE(bench.replayed.empty());
}

TEST(JournalTest, AReleaseOutlivesTheSegmentItWasWrittenInto) {
  Bench bench;
  ASSERT_TRUE(bench.open());
  const std::string payload(20'000, 'p');
  ASSERT_TRUE(bench.append(1, payload));  // Keeps the first segment.
  ASSERT_TRUE(bench.append(2, payload));
  for (Group group = 3; group <= 6; ++group) ASSERT_TRUE(bench.append(group, payload));
  ASSERT_TRUE(bench.journal->release(2));  // Written into a later segment than the first...
  for (Group group = 7; group <= 100; ++group) {
    ASSERT_TRUE(bench.append(group, payload));
    for (Group old = 3; old < group; ++old) ASSERT_TRUE(bench.journal->release(old));
  }
  ASSERT_TRUE(bench.open());  // ...which has been recycled many times since.
  ASSERT_EQ(bench.replayed.size(), 2U);
  EXPECT_EQ(bench.replayed[0].group, 1U);
  EXPECT_EQ(bench.replayed[1].group, 100U);
}

TEST(JournalTest, AFullJournalRefusesWholeAppendsAndGoesOnAfterARelease) {
  Bench bench;
  ASSERT_TRUE(bench.open());
  const std::string payload(20'000, 'p');
  std::vector<Group> accepted;
  for (Group group = 1; group <= 100; ++group) {
    const auto answer = bench.append(group, payload);
    if (answer) {
      accepted.push_back(group);
    } else {
      ASSERT_EQ(answer.error().kind, ErrorKind::full);
    }
  }
  EXPECT_GE(accepted.size(), 12U);
  EXPECT_LT(accepted.size(), 25U);
  ASSERT_TRUE(bench.open());
  ASSERT_EQ(bench.replayed.size(), accepted.size());

  // One by one: the releases themselves need room, though there is none.
  for (const Group group : accepted) {
    ASSERT_TRUE(bench.journal->release(group));
    bench.journal->work();
  }
  for (Group group = 200; group < 210; ++group) ASSERT_TRUE(bench.append(group, payload)) << group;
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(bench.replayed.size(), 10U);
}

TEST(JournalTest, APinKeepsTheSegmentAndItsEndLetsItGo) {
  Bench bench;
  ASSERT_TRUE(bench.open());
  const std::string payload(20'000, 'p');
  const auto location = bench.append(1, payload);
  ASSERT_TRUE(location);
  auto pin = bench.journal->pin(*location);
  ASSERT_TRUE(pin);
  for (Group group = 2; group <= 50; ++group) {
    ASSERT_TRUE(bench.append(group, payload));
    for (Group old = 1; old <= group; ++old) ASSERT_TRUE(bench.journal->release(old));
    bench.journal->work();
  }
  Bytes target(payload.size());
  EXPECT_TRUE(bench.journal->read(*location, target));
  EXPECT_EQ(text(target), payload);
  *pin = Pin();
  bench.journal->work();
  EXPECT_EQ(bench.journal->read(*location, target).error().kind, ErrorKind::not_found);
  EXPECT_EQ(bench.journal->pin(*location).error().kind, ErrorKind::not_found);
}

TEST(JournalTest, APayloadLargerThanACommitIsRefused) {
  Bench bench;
  ASSERT_TRUE(bench.open());
  EXPECT_EQ(bench.append(1, std::string(60'000, 'x')).error().kind, ErrorKind::too_large);
  EXPECT_TRUE(bench.append(1, "fits"));
}

TEST(JournalTest, AFailedSyncIsFinal) {
  Bench bench;
  ASSERT_TRUE(bench.open());
  ASSERT_TRUE(bench.append(1, "before"));
  io::sim::Faults faults;
  faults.fail_sync_at = 0;
  bench.disk.set_faults(faults);
  EXPECT_EQ(bench.append(2, "lost").error().kind, ErrorKind::unavailable);
  EXPECT_EQ(bench.append(3, "refused").error().kind, ErrorKind::unavailable);
  EXPECT_EQ(bench.journal->release(1).error().kind, ErrorKind::unavailable);
  bench.journal.reset();
  bench.disk.crash(bench.random);
  ASSERT_TRUE(bench.open());
  ASSERT_EQ(bench.replayed.size(), 1U);
  EXPECT_EQ(bench.replayed[0].payload, "before");
}

// A killed journal has no seal: only a whole commit behind a damaged one tells damage from a torn
// tail.
TEST(JournalTest, DamageBeforeAWholeCommitIsRefusedAndATornTailIsCutOff) {
  for (const uint64_t damaged : {0, 1, 2}) {
    Bench bench;
    ASSERT_TRUE(bench.open());
    for (Group group = 1; group <= 3; ++group) ASSERT_TRUE(bench.append(group, "payload"));
    bench.disk.kill();
    bench.disk.flip_bit("/data/journal/segment-000001", 8 * (8192 + 4096 * damaged + 64) + 3);
    const Bytes before = bench.disk.contents("/data/journal/segment-000001");
    const Result<> opened = bench.open();
    if (damaged < 2) {
      ASSERT_FALSE(opened) << damaged;
      EXPECT_EQ(opened.error().kind, ErrorKind::corrupt);
      EXPECT_EQ(bench.disk.contents("/data/journal/segment-000001"), before) << "changed";
    } else {
      ASSERT_TRUE(opened);
      EXPECT_EQ(bench.replayed.size(), 2U);
    }
  }
}

TEST(JournalTest, OneDamagedHeaderIsRepairedAndTwoAreRefused) {
  Bench bench;
  const std::string path = "/data/journal/segment-000001";
  ASSERT_TRUE(bench.open());
  ASSERT_TRUE(bench.append(1, "payload"));
  bench.journal.reset();
  for (const uint64_t copy : {0, 1}) {
    bench.disk.flip_bit(path, 8 * (4096 * copy + 20));
    ASSERT_TRUE(bench.open()) << "copy " << copy;
    EXPECT_EQ(bench.replayed.size(), 1U);
    bench.journal.reset();
  }
  bench.disk.flip_bit(path, 8 * 20);
  bench.disk.flip_bit(path, 8 * 4116);
  EXPECT_EQ(bench.open().error().kind, ErrorKind::corrupt);
}

TEST(JournalTest, OptionsThatCannotWorkAreRefused) {
  Bench bench;
  bench.options.segment_bytes = 5000;
  EXPECT_EQ(bench.open().error().kind, ErrorKind::invalid);
  bench.options.segment_bytes = kSmall;
  bench.options.bytes_max = kSmall;
  EXPECT_EQ(bench.open().error().kind, ErrorKind::invalid);
}

// With its threads, on the machine's disk.
TEST(JournalTest, ManyThreadsAppendReleaseAndReadOnARealDisk) {
  char folder[] = "/tmp/laketap-journal-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const Options options{
      .directory = folder, .segment_bytes = 1 << 20, .bytes_max = 64 << 20, .manual = false};
  constexpr int kThreads = 4;
  constexpr int kAppends = 400;
  std::map<Group, std::string> kept;
  {
    auto journal = Journal::open(options, io::real_files(), [](const Replayed&) { FAIL(); });
    ASSERT_TRUE(journal);
    std::mutex mutex;
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < kAppends; ++i) {
          const Group group = static_cast<Group>(thread * kAppends + i + 1);
          const std::string payload(static_cast<size_t>(i * 37 % 30'000), static_cast<char>(i));
          const ByteView piece = view(payload);
          std::promise<Result<Location>> promise;
          (*journal)->append(group, {&piece, 1},
                             [&](Result<Location> got) { promise.set_value(std::move(got)); });
          const Result<Location> location = promise.get_future().get();
          ASSERT_TRUE(location);
          Bytes target(payload.size());
          ASSERT_TRUE((*journal)->read(*location, target));
          ASSERT_EQ(text(target), payload);
          if (i % 10 != 0) {
            ASSERT_TRUE((*journal)->release(group));
          } else {
            const std::scoped_lock lock(mutex);
            kept[group] = payload;
          }
        }
      });
    }
  }
  std::map<Group, std::string> replayed;
  auto journal = Journal::open(options, io::real_files(), [&](const Replayed& one) {
    replayed[one.group] = std::string(text(one.payload));
  });
  ASSERT_TRUE(journal);
  EXPECT_EQ(replayed, kept);
  journal->reset();
  const auto names = io::real_files().list(folder);
  for (const std::string& name : *names)
    ASSERT_TRUE(io::real_files().remove(std::string(folder) + "/" + name));
  ASSERT_TRUE(io::real_files().remove_directory(folder));
}

}  // namespace
}  // namespace laketap::journal
