// Goal: nothing is lost, repeated or seen twice when many threads put, query and update at once, on
// the machine's own files and with delivery's own threads. Also what the thread sanitizer looks at.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <latch>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "delivery/delivery.h"
#include "state/state.h"
#include "store/store.h"

namespace laketap::delivery {
namespace {

constexpr int kWriters = 4;
constexpr int kPutsPerWriter = 400;

std::string content_of(const std::string& path) {
  return io::read_file(io::real_files(), path, 1 << 20).value_or(std::string());
}

Draft draft_of(const std::string& line) {
  const auto size = static_cast<uint32_t>(line.size());
  Draft draft({&size, 1});
  std::ranges::copy(view(line), draft.records().begin());
  return draft;
}

Configuration configuration_of(uint64_t version) {
  Configuration configuration;
  configuration.stream = 5;
  configuration.version = version;
  configuration.stream_name = "clicks";
  configuration.bucket = "lake";
  configuration.prefix = version % 2 ? "odd/" : "even/";
  configuration.size_bytes = 500;
  configuration.interval = std::chrono::seconds(0);
  return configuration;
}

TEST(DeliveryThreadsTest, EveryAcknowledgedNumberIsSeenOnceWhateverRunsBesides) {
  const std::string folder = testing::TempDir() + "delivery_threads_test";
  std::filesystem::remove_all(folder);
  const auto database = state::in_memory();
  auto store = store::Store::open(folder + "/objects", *database, io::real_files(),
                                  io::real_clock(), io::real_random());
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->create_bucket("lake", "us-east-1"));
  Options options;
  options.zero_interval = std::chrono::milliseconds(20);
  options.held_bytes_max = 20'000;  // Some are read back.
  Delivery delivery(options, {*database, **store, io::real_clock(), io::real_random()});
  journal::Options journal_options;
  journal_options.directory = folder + "/journal";
  auto journal =
      journal::Journal::open(journal_options, io::real_files(), [](const journal::Replayed&) {});
  ASSERT_TRUE(journal);
  const auto buffer = delivery.open_buffer(configuration_of(1));
  ASSERT_TRUE(delivery.start(**journal));

  std::mutex mutex;
  std::set<uint64_t> acknowledged;
  std::latch answered(kWriters * kPutsPerWriter);
  std::vector<std::jthread> threads;
  for (int writer = 0; writer < kWriters; ++writer)
    threads.emplace_back([&, writer] {
      for (int i = 0; i < kPutsPerWriter; ++i) {
        const uint64_t number =
            static_cast<uint64_t>(writer) * 1'000'000 + static_cast<uint64_t>(i);
        delivery.append(*buffer, draft_of(std::to_string(number) + "\n"),
                        [&, number](Result<> kept) {
                          if (kept) {
                            const std::lock_guard lock(mutex);
                            acknowledged.insert(number);
                          }
                          answered.count_down();
                        });
        if (i % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  threads.emplace_back([&] {
    for (uint64_t version = 2; version < 12; ++version) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      const auto written =
          state::transact(*database, [&](state::Transaction& transaction) -> Result<> {
            Delivery::put_configuration(transaction, configuration_of(version));
            return {};
          });
      ASSERT_TRUE(written);
      delivery.reconfigure(*buffer, configuration_of(version));
    }
  });
  // What a query would see: the undelivered first, then the store.
  threads.emplace_back([&] {
    while (!answered.try_wait()) {
      std::set<uint64_t> before;
      {
        const std::lock_guard lock(mutex);
        before = acknowledged;
      }
      const auto fresh = delivery.undelivered("lake", "");
      const auto objects = (*store)->snapshot("lake", "");
      std::set<std::string> plan_ids;
      uint64_t lines = 0;
      for (const store::ObjectInfo& object : *objects) {
        plan_ids.insert(object.plan_id);
        lines += static_cast<uint64_t>(std::ranges::count(content_of(object.path), '\n'));
      }
      for (const UndeliveredBatch& batch : fresh)
        if (!plan_ids.contains(batch.plan_id)) lines += batch.pieces.size();
      EXPECT_GE(lines, before.size());
      EXPECT_LE(lines, static_cast<uint64_t>(kWriters) * kPutsPerWriter);
    }
  });
  threads.clear();
  std::latch drained(1);
  delivery.close_buffer(buffer, false, [&] { drained.count_down(); });
  drained.wait();

  std::map<uint64_t, int> counts;
  const auto objects = (*store)->snapshot("lake", "");
  for (const store::ObjectInfo& object : *objects) {
    std::istringstream lines(content_of(object.path));
    for (uint64_t number = 0; lines >> number;) ++counts[number];
  }
  EXPECT_EQ(acknowledged.size(), static_cast<size_t>(kWriters) * kPutsPerWriter);
  EXPECT_EQ(counts.size(), acknowledged.size());
  for (const auto& [number, count] : counts) EXPECT_EQ(count, 1) << number;
  EXPECT_TRUE(delivery.undelivered("lake", "").empty());
  delivery.stop();
  journal->reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace laketap::delivery
