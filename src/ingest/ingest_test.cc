// Streams and their records on a simulated machine: its journal and deliveries do one round when
// told.
#include "ingest/ingest.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <set>

#include "io/sim.h"
#include "state/state.h"
#include "store/store.h"

namespace laketap::ingest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What answers a put, and whether it is there yet.
using Answer = std::shared_ptr<std::optional<Result<Receipt>>>;

class StreamsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* path : {"/data/objects", "/data/journal"})
      ASSERT_TRUE(disk_.make_directories(path));
    start();
    ASSERT_TRUE(store_->create_bucket("lake", "us-east-1"));
  }

  void start() {
    auto store = store::Store::open("/data/objects", *database_, disk_, clock_, random_);
    ASSERT_TRUE(store);
    store_ = std::move(*store);
    delivery::Options options;
    options.manual = true;
    delivery_ = std::make_unique<delivery::Delivery>(
        options, delivery::Delivery::Parts{*database_, *store_, clock_, random_});
    delivery_->on_new_prefix(
        [this](const delivery::NewPrefix& notice) { notices_.push_back(notice); });
    ASSERT_TRUE(delivery_->load());
    journal::Options journal_options;
    journal_options.directory = "/data/journal";
    journal_options.segment_bytes = 8 << 20;
    journal_options.bytes_max = journal_bytes_max_;
    journal_options.manual = true;
    journal_options.random = &random_;
    auto journal = journal::Journal::open(
        journal_options, disk_, [&](const journal::Replayed& frame) { delivery_->replay(frame); });
    ASSERT_TRUE(journal) << journal.error().what;
    journal_ = std::move(*journal);
    auto streams = Streams::open(
        {.database = *database_, .delivery = *delivery_, .clock = clock_, .random = random_});
    ASSERT_TRUE(streams);
    streams_ = std::move(*streams);
    ASSERT_TRUE(delivery_->start(*journal_));
  }

  void restart() {
    journal_.reset();
    delivery_.reset();
    streams_.reset();
    disk_.kill();
    start();
  }

  NewStream wanted(const std::string& name, seconds interval = seconds(60)) {
    NewStream stream;
    stream.name = name;
    stream.account = "000000000000";
    stream.region = "eu-central-1";
    stream.destination = "{}";
    stream.delivery.bucket = "lake";
    stream.delivery.prefix = "raw/";
    stream.delivery.size_bytes = 1 << 20;
    stream.delivery.interval = interval;
    return stream;
  }
  void create(const std::string& name, seconds interval = seconds(60)) {
    ASSERT_TRUE(streams_->create(wanted(name, interval)));
  }

  static Draft draft_of(const std::vector<std::string>& records) {
    std::vector<uint32_t> sizes;
    std::string joined;
    for (const std::string& record : records) {
      sizes.push_back(static_cast<uint32_t>(record.size()));
      joined += record;
    }
    Draft draft(sizes);
    std::ranges::copy(view(joined), draft.records().begin());
    return draft;
  }

  // Sends; the answer comes with a later round().
  Answer send(const std::string& stream, const std::vector<std::string>& records) {
    auto answer = std::make_shared<std::optional<Result<Receipt>>>();
    boost::asio::co_spawn(
        context_, streams_->accept(stream, draft_of(records)),
        [answer](std::exception_ptr, Result<Receipt> receipt) { *answer = std::move(receipt); });
    run_context();
    return answer;
  }
  void run_context() {
    context_.restart();
    context_.poll();
  }
  void round() {
    journal_->work();
    run_context();
    delivery_->work();
    journal_->work();
    delivery_->work();
  }
  void put(const std::string& stream, const std::vector<std::string>& records) {
    const Answer answer = send(stream, records);
    round();
    ASSERT_TRUE(answer->has_value() && answer->value().has_value());
  }

  std::vector<std::string> bodies() {
    std::vector<std::string> found;
    const auto objects = store_->snapshot("lake", "");
    for (const store::ObjectInfo& object : *objects)
      found.emplace_back(text(disk_.contents(object.path)));
    return found;
  }

  io::sim::Random random_{7};
  io::sim::Disk disk_;
  io::sim::Clock clock_;
  uint64_t journal_bytes_max_ = 64 << 20;
  std::unique_ptr<state::Database> database_ = state::in_memory();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<delivery::Delivery> delivery_;
  std::unique_ptr<Streams> streams_;
  std::unique_ptr<journal::Journal> journal_;  // Gone first: it answers what waits.
  std::vector<delivery::NewPrefix> notices_;
  boost::asio::io_context context_;
};

TEST_F(StreamsTest, AReceiptComesOnlyWhenTheDiskHasTheRecords) {
  create("clicks");

  const Answer answer = send("clicks", {"one\n", "two\n"});
  EXPECT_FALSE(answer->has_value());
  const uint64_t commits = journal_->synced_commits();
  journal_->work();
  EXPECT_EQ(journal_->synced_commits(), commits + 1);
  run_context();

  ASSERT_TRUE(answer->has_value() && answer->value().has_value());
  const Receipt receipt = *answer->value();
  EXPECT_EQ(receipt.record_id(0).size(), 32u);
  EXPECT_NE(receipt.record_id(0), receipt.record_id(1));
  ASSERT_EQ(streams_->undelivered("lake", "raw/").size(), 1u);
  EXPECT_EQ(streams_->undelivered("lake", "raw/")[0].bytes, 8u);
  EXPECT_TRUE(streams_->undelivered("lake", "other/").empty());
  EXPECT_TRUE(streams_->undelivered("sea", "").empty());
}

TEST_F(StreamsTest, RecordIdsAreNeverRepeatedOverRestarts) {
  create("clicks");
  std::set<std::string> ids;
  for (int life = 0; life < 3; ++life) {
    for (int i = 0; i < 5; ++i) {
      const Answer answer = send("clicks", {"x\n", "y\n"});
      round();
      for (size_t index = 0; index < 2; ++index)
        EXPECT_TRUE(ids.insert(answer->value()->record_id(index)).second);
    }
    restart();
  }
}

TEST_F(StreamsTest, RecordsAreDeliveredByAgeAndJoinedWithNothingBetween) {
  create("clicks", seconds(60));
  put("clicks", {"{\"a\":1}", "{\"b\":2}\n"});
  clock_.advance(seconds(59));
  round();
  EXPECT_TRUE(bodies().empty());

  clock_.advance(seconds(2));
  round();

  EXPECT_EQ(bodies(), std::vector<std::string>{"{\"a\":1}{\"b\":2}\n"});
  EXPECT_TRUE(streams_->undelivered("lake", "").empty());
}

TEST_F(StreamsTest, AClockSetBackDelaysNothing) {
  create("clicks", seconds(60));
  put("clicks", {"x\n"});
  clock_.jump(-seconds(86'400));
  clock_.advance(seconds(61));
  round();
  EXPECT_EQ(bodies().size(), 1u);
}

TEST_F(StreamsTest, AnIntervalOfZeroDeliversWithinASecond) {
  create("clicks", seconds(0));
  put("clicks", {"x\n"});
  clock_.advance(milliseconds(1000));
  round();
  EXPECT_EQ(bodies().size(), 1u);
}

TEST_F(StreamsTest, AFullBufferIsDeliveredAtOnce) {
  create("clicks", seconds(900));
  put("clicks", {std::string(1'000'000, 'a')});
  EXPECT_TRUE(bodies().empty());
  put("clicks", {std::string(1'000'000, 'b')});
  ASSERT_EQ(bodies().size(), 1u);
  EXPECT_EQ(bodies()[0].size(), 2'000'000u);
}

TEST_F(StreamsTest, EmptyRecordsMakeNoObject) {
  create("clicks", seconds(1));
  put("clicks", {"", ""});
  clock_.advance(seconds(2));
  round();
  EXPECT_TRUE(bodies().empty());
  EXPECT_FALSE(streams_->metrics()[0].freshness_seconds > 0);
}

TEST_F(StreamsTest, AFullJournalRefusesWholeRequestsAndRecovers) {
  journal_bytes_max_ = 48 << 20;
  restart();
  create("clicks", seconds(900));
  int accepted = 0;
  ErrorKind refusal{};
  for (int i = 0; i < 100; ++i) {
    const Answer answer = send("clicks", {std::string(1'000'000, 'a')});
    journal_->work();
    run_context();
    if (!answer->value()) {
      refusal = answer->value().error().kind;
      break;
    }
    ++accepted;
  }
  EXPECT_EQ(refusal, ErrorKind::full);
  EXPECT_GT(accepted, 10);

  for (int i = 0; i < 4; ++i) round();  // What waited is delivered, and there is room again.
  clock_.advance(seconds(1000));
  round();
  put("clicks", {"again\n"});
  size_t bytes = 0;
  for (const std::string& body : bodies()) bytes += body.size();
  EXPECT_EQ(bytes, static_cast<size_t>(accepted) * 1'000'000);
}

TEST_F(StreamsTest, AnUpdateNeedsTheCurrentVersionAndLeavesTheOpenBatchAlone) {
  create("clicks", seconds(60));
  put("clicks", {"old\n"});
  delivery::Configuration changed = streams_->describe("clicks")->delivery;
  changed.prefix = "new/";

  const auto refused = streams_->update("clicks", 7, "{}", changed);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what,
            "Cannot update firehose: clicks since the current version id: 1 and specified version "
            "id: 7 do not match");
  ASSERT_TRUE(streams_->update("clicks", 1, "{}", changed));
  EXPECT_FALSE(streams_->update("clicks", 1, "{}", changed)) << "the same version twice";
  put("clicks", {"new\n"});
  clock_.advance(seconds(61));
  round();

  const auto objects = *store_->snapshot("lake", "");
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_TRUE(objects[0].key.starts_with("new/2025/")) << objects[0].key;
  EXPECT_NE(objects[0].key.find("/clicks-2-"), std::string::npos) << objects[0].key;
  EXPECT_NE(objects[1].key.find("/clicks-1-"), std::string::npos) << objects[1].key;
  EXPECT_EQ(streams_->describe("clicks")->version, 2u);
}

TEST_F(StreamsTest, ADeletedStreamDeliversFirstWhatItAccepted) {
  create("clicks", seconds(900));
  put("clicks", {"x\n"});

  ASSERT_TRUE(streams_->remove("clicks", false));
  EXPECT_EQ(streams_->describe("clicks")->status, Status::deleting);
  const Answer late = send("clicks", {"late\n"});
  EXPECT_EQ(late->value().error().kind, ErrorKind::not_found);
  restart();  // The deletion goes on after the end of the process.
  round();
  round();

  EXPECT_EQ(bodies(), std::vector<std::string>{"x\n"});
  EXPECT_FALSE(streams_->describe("clicks"));
  restart();
  EXPECT_FALSE(streams_->describe("clicks"));
}

TEST_F(StreamsTest, ADiscardedStreamLeavesNothing) {
  create("clicks", seconds(900));
  put("clicks", {"x\n"});
  ASSERT_TRUE(streams_->remove("clicks", true));
  round();
  EXPECT_FALSE(streams_->describe("clicks"));
  create("clicks", seconds(900));  // Another of the same name has nothing of the first.
  EXPECT_TRUE(streams_->undelivered("lake", "").empty());
  restart();
  round();
  EXPECT_TRUE(bodies().empty());
  EXPECT_TRUE(streams_->undelivered("lake", "").empty());
}

TEST_F(StreamsTest, ARemovedBucketHoldsRecordsBackUntilItIsThereAgain) {
  create("clicks", seconds(1));
  ASSERT_TRUE(store_->remove_bucket("lake"));
  put("clicks", {"x\n"});
  clock_.advance(seconds(2));
  round();
  EXPECT_EQ(streams_->undelivered("lake", "").size(), 1u);
  EXPECT_GE(streams_->metrics()[0].failed_puts, 1u);

  ASSERT_TRUE(store_->create_bucket("lake", "us-east-1"));
  clock_.advance(seconds(60));
  round();

  EXPECT_EQ(bodies(), std::vector<std::string>{"x\n"});
}

TEST_F(StreamsTest, WhatABatchBeganSurvivesARestartUnderTheSameKey) {
  create("clicks", seconds(60));
  put("clicks", {"x\n"});
  const std::string key = streams_->undelivered("lake", "").at(0).key;
  clock_.advance(seconds(20));
  restart();
  put("clicks", {"y\n"});  // The open batch goes on filling.
  ASSERT_EQ(streams_->undelivered("lake", "").size(), 1u);
  EXPECT_EQ(streams_->undelivered("lake", "")[0].key, key);

  clock_.advance(seconds(41));  // Counted from the first record, over the restart.
  round();

  EXPECT_EQ(bodies(), std::vector<std::string>{"x\ny\n"});
  EXPECT_EQ(store_->snapshot("lake", "")->at(0).key, key);
}

TEST_F(StreamsTest, ANewFolderIsToldOnceWithItsFirstRecords) {
  create("clicks", seconds(900));
  put("clicks", {"{\"a\":1}\n"});
  put("clicks", {"{\"a\":2}\n"});
  clock_.advance(milliseconds(200));
  round();
  put("clicks", {"{\"a\":3}\n"});
  clock_.advance(milliseconds(200));
  round();

  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_EQ(notices_[0].bucket, "lake");
  EXPECT_EQ(notices_[0].prefix, "raw/2025/11/28/08/");
  EXPECT_EQ(text(notices_[0].sample), "{\"a\":1}\n{\"a\":2}\n");
}

TEST_F(StreamsTest, NamesAreListedInOrderAndPaged) {
  for (const char* name : {"b", "c", "a"}) create(name);
  EXPECT_EQ(streams_->create(wanted("b")).error().kind, ErrorKind::exists);
  const Names first = streams_->list("", 2);
  EXPECT_EQ(first.names, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(first.more);
  EXPECT_EQ(streams_->list("b", 2).names, std::vector<std::string>{"c"});
  EXPECT_FALSE(streams_->list("b", 2).more);
}

TEST_F(StreamsTest, DefinitionsAreTheSameAfterARestart) {
  NewStream stream = wanted("clicks");
  stream.destination = "{\"x\":\"\u00fc\"}";
  stream.tags = {{"team", "data"}};
  stream.encryption = {true, "CUSTOMER_MANAGED_CMK", "arn:k"};
  stream.throughput_mib_hint = 7;
  stream.delivery.compression = delivery::Compression::gzip;
  const Definition before = *streams_->create(stream);
  restart();
  const Definition after = *streams_->describe("clicks");
  EXPECT_EQ(after.arn, "arn:aws:firehose:eu-central-1:000000000000:deliverystream/clicks");
  EXPECT_EQ(after.id, before.id);
  EXPECT_EQ(after.created, before.created);
  EXPECT_EQ(after.destination, stream.destination);
  EXPECT_EQ(after.tags, stream.tags);
  EXPECT_EQ(after.encryption.key_arn, "arn:k");
  EXPECT_EQ(after.throughput_mib_hint, 7);
  EXPECT_EQ(after.delivery.compression, delivery::Compression::gzip);
}

}  // namespace
}  // namespace laketap::ingest
