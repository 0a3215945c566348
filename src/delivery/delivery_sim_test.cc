// Goal: each acknowledged record ends in exactly one object, an unacknowledged one in at most one,
// and at every moment of a life queries see each acknowledged record exactly once.
// Method: lives of one machine from a seed. In each the power goes at a seeded operation of the
// disk or before or after a seeded commit of the state (so before and after plan, put, row and
// release), while records come, time passes, clocks jump, destinations are updated and a user takes
// objects away. Every record is a number. After the last life, which has no faults, the objects are
// counted.
#include <gtest/gtest.h>
#include <zlib.h>

#include <map>
#include <set>

#include "delivery/delivery.h"
#include "io/sim.h"
#include "state/state.h"
#include "store/store.h"

namespace laketap::delivery {
namespace {

using std::chrono::seconds;

// The machine's power: goes at an operation of the disk or at a commit.
struct Power {
  io::sim::Disk& disk;
  uint64_t off_at_operation = UINT64_MAX;
  uint64_t off_at_commit = UINT64_MAX;
  bool last_commit_happens = false;
  uint64_t off_after_delivery = UINT64_MAX;  // Rounds of it that did anything.
  uint64_t commits = 0;
  bool is_cut = false;

  bool is_off() const { return is_cut || disk.operations() >= off_at_operation; }
  void cut() {
    is_cut = true;
    disk.set_faults({.crash_at = disk.operations() + 1});
  }
};

// What was committed stays over a crash; nothing is committed without power.
class PoweredTransaction : public state::Transaction {
 public:
  PoweredTransaction(std::unique_ptr<state::Transaction> inner, Power& power)
      : inner_(std::move(inner)), power_(power) {}
  Result<std::optional<state::Entry>> get(std::string_view key) override {
    return inner_->get(key);
  }
  Result<std::vector<state::Entry>> scan(std::string_view first, std::string_view end,
                                         size_t limit) override {
    return inner_->scan(first, end, limit);
  }
  void put(std::string key, std::string value) override {
    inner_->put(std::move(key), std::move(value));
  }
  void erase(std::string key) override { inner_->erase(std::move(key)); }
  Result<> commit() override {
    if (power_.is_off()) return fail(ErrorKind::unavailable, "no power");
    if (++power_.commits < power_.off_at_commit) return inner_->commit();
    if (power_.last_commit_happens) {
      EXPECT_TRUE(inner_->commit());
    }
    power_.cut();
    return fail(ErrorKind::unavailable, "the power went");
  }

 private:
  std::unique_ptr<state::Transaction> inner_;
  Power& power_;
};

class PoweredDatabase : public state::Database {
 public:
  PoweredDatabase(state::Database& inner, Power& power) : inner_(inner), power_(power) {}
  Result<std::unique_ptr<state::Transaction>> begin() override {
    auto inner = inner_.begin();
    if (!inner) return fail(inner.error());
    return std::make_unique<PoweredTransaction>(std::move(*inner), power_);
  }

 private:
  state::Database& inner_;
  Power& power_;
};

std::string inflate_all(const Bytes& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string text(1 << 14, 0);  // Objects here are small.
  stream.next_in = const_cast<uint8_t*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<uint8_t*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  inflate(&stream, Z_FINISH);  // What does not come out is missed in the count.
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

using Counts = std::map<uint64_t, int>;  // Number -> in how many places it stands.
void count_numbers(std::string_view lines, Counts& counts) {
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    if (end == lines.npos) return;  // Only where sync() is empty.
    ++counts[std::strtoull(std::string(lines.substr(0, end)).c_str(), nullptr, 10)];
    lines.remove_prefix(end + 1);
  }
}

class Machine {
 public:
  explicit Machine(uint64_t seed)
      : random_(seed), code_random_(seed ^ 0x5eed), database_(state::in_memory()) {
    configuration_.stream = 77;
    configuration_.stream_name = "clicks";
    configuration_.bucket = "first";
    configuration_.prefix = "raw/";
    configuration_.size_bytes = 40 + random_.below(400);
    configuration_.interval = seconds(3);
    // The data folder is made by who starts the server, its own name durable.
    for (const char* path : {"/data/objects", "/data/journal"})
      EXPECT_TRUE(disk_.make_directories(path));
    for (const char* path : {"/", "/data"}) EXPECT_TRUE(disk_.sync_directory(path));
  }

  void live(bool with_faults) {
    Power power{.disk = disk_};
    if (with_faults) arm(power);
    PoweredDatabase database(*database_, power);
    PoweredDatabase objects(*database_, power);
    {
      auto store = store::Store::open("/data/objects", objects, disk_, clock_, code_random_);
      if (store) run(**store, database, power, with_faults);
    }
    if (sync_is_empty_ || random_.chance(50))
      disk_.crash(random_);
    else
      disk_.kill();
    disk_.set_faults({});
  }

  void check() {
    Power power{.disk = disk_};
    PoweredDatabase database(*database_, power);
    auto store = store::Store::open("/data/objects", database, disk_, clock_, code_random_);
    ASSERT_TRUE(store);
    settle_taken(**store);
    Counts counts = taken_;
    count_objects(**store, counts, nullptr);
    for (const uint64_t number : acknowledged_) {
      if (counts[number] == 1) continue;
      ++wrong_;
      if (!sync_is_empty_)
        ADD_FAILURE() << "acknowledged " << number << " stands " << counts[number] << " times";
    }
    for (const auto& [number, count] : counts)
      if (!acknowledged_.contains(number)) {
        EXPECT_LE(count, 1) << "unacknowledged " << number;
      }
    EXPECT_FALSE(acknowledged_.empty());
    if (sync_is_empty_) return;

    auto transaction = database.begin();
    const std::string plans = state::key("delivery.plan");
    EXPECT_TRUE((*transaction)->scan(plans, state::prefix_end(plans), 10)->empty())
        << "plans left behind";
  }

  int wrong() const { return wrong_; }
  void without_sync() { sync_is_empty_ = true; }
  size_t acknowledged_count() const { return acknowledged_.size(); }

 private:
  void arm(Power& power) {
    io::sim::Disk& disk = disk_;
    disk.set_faults({.sync_is_empty = sync_is_empty_});
    const uint64_t dice = random_.below(100);
    if (dice < 40) {
      power.off_at_operation = disk.operations() + 1 + random_.below(400);
      disk.set_faults({.crash_at = power.off_at_operation, .sync_is_empty = sync_is_empty_});
    } else if (dice < 70) {
      power.off_at_commit = 1 + random_.below(60);
      power.last_commit_happens = random_.chance(50);
    } else {  // When delivery did a round that the journal has not heard of.
      power.off_after_delivery = 1 + random_.below(12);
    }
  }

  void run(store::Store& store, state::Database& database, Power& power, bool with_faults) {
    for (const char* bucket : {"first", "second"})
      if (!store.find_bucket(bucket) && !store.create_bucket(bucket, "us-east-1")) return;
    settle_taken(store);
    Options options;
    options.manual = true;
    options.held_bytes_max =
        random_.chance(50) ? 200 : 1 << 20;  // Some are read back from the journal.
    Delivery delivery(options, {database, store, clock_, code_random_});
    int notices = 0;
    delivery.on_new_prefix([&](const NewPrefix& notice) {
      ++notices;
      EXPECT_TRUE(notice.prefix.ends_with("/")) << notice.prefix;
    });
    if (!delivery.load()) return;
    journal::Options journal_options;
    journal_options.directory = "/data/journal";
    journal_options.segment_bytes = 256 << 10;
    journal_options.manual = true;
    journal_options.random = &code_random_;
    auto journal = journal::Journal::open(
        journal_options, disk_, [&](const journal::Replayed& frame) { delivery.replay(frame); });
    if (!journal) {
      EXPECT_TRUE(power.is_off() || sync_is_empty_) << journal.error().what;
      return;
    }
    auto buffer = open_stream(delivery, database);
    if (!buffer || !delivery.start(**journal)) return;

    for (int step = 0; step < 100 && !power.is_off(); ++step)
      act(delivery, *buffer, **journal, store, database, power);
    if (with_faults) return;
    for (int round = 0; round < 8; ++round) {  // All that waits becomes due.
      clock_.advance(seconds(40));
      delivery.work();
      (*journal)->work();
    }
    EXPECT_TRUE(delivery.undelivered("first", "").empty());
    EXPECT_TRUE(delivery.undelivered("second", "").empty());
    journal->reset();
  }

  std::shared_ptr<Buffer> open_stream(Delivery& delivery, state::Database& database) {
    const auto written =
        state::transact(database, [&](state::Transaction& transaction) -> Result<> {
          Delivery::put_configuration(transaction, configuration_);
          return {};
        });
    return written ? delivery.open_buffer(configuration_) : nullptr;
  }

  void act(Delivery& delivery, Buffer& buffer, journal::Journal& journal, store::Store& store,
           state::Database& database, Power& power) {
    const uint64_t dice = random_.below(100);
    if (dice < 45)
      put_records(delivery, buffer);
    else if (dice < 65)
      journal.work();
    else if (dice < 85)
      deliver(delivery, power);
    else if (dice < 92)
      clock_.advance(std::chrono::milliseconds(random_.below(2500)));
    else if (dice < 94)
      clock_.jump(seconds(static_cast<int64_t>(random_.below(7200)) - 3600));
    else if (dice < 97)
      update_destination(delivery, buffer, database);
    else if (dice < 98)
      take_away(store);
    else if (!power.is_off() && !sync_is_empty_)
      see_each_once(delivery, store, power);
  }

  void deliver(Delivery& delivery, Power& power) {
    if (delivery.work() && --power.off_after_delivery == 0) power.cut();
  }

  void put_records(Delivery& delivery, Buffer& buffer) {
    std::vector<uint64_t> numbers;
    std::vector<uint32_t> sizes;
    std::string joined;
    for (uint64_t count = 1 + random_.below(4); count > 0; --count) {
      numbers.push_back(next_number_++);
      const std::string line = std::to_string(numbers.back()) + "\n";
      sizes.push_back(static_cast<uint32_t>(line.size()));
      joined += line;
    }
    Draft draft(sizes);
    std::ranges::copy(view(joined), draft.records().begin());
    delivery.append(buffer, std::move(draft), [this, numbers](Result<> kept) {
      if (kept) acknowledged_.insert(numbers.begin(), numbers.end());
    });
  }

  void update_destination(Delivery& delivery, Buffer& buffer, state::Database& database) {
    Configuration changed = configuration_;
    ++changed.version;
    changed.bucket = random_.chance(50) ? "first" : "second";
    changed.prefix = random_.chance(50) ? "raw/" : "d/!{timestamp:yyyy}/!{firehose:random-string}/";
    changed.compression = random_.chance(30) ? Compression::gzip : Compression::none;
    const auto written =
        state::transact(database, [&](state::Transaction& transaction) -> Result<> {
          Delivery::put_configuration(transaction, changed);
          return {};
        });
    if (!written) return;
    configuration_ = changed;
    delivery.reconfigure(buffer, changed);
  }

  // Pinned: the store may move a file while it is looked at.
  Result<std::string> content_of(store::Store& store, const store::ObjectInfo& object) {
    const auto pin = store.pin(object);
    if (!pin) return fail(pin.error());
    if (!*disk_.exists(pin->path())) return fail(ErrorKind::corrupt, "no file " + pin->path());
    const Bytes bytes = disk_.contents(pin->path());
    const bool packed = object.metadata.contains("content-encoding");
    EXPECT_EQ(packed, object.key.ends_with(".gz"));
    return packed ? inflate_all(bytes) : std::string(text(bytes));
  }

  // A user moves an object somewhere else: it must not come back, whatever happens next.
  void take_away(store::Store& store) {
    const auto objects = store.snapshot(random_.chance(50) ? "first" : "second", "");
    if (!objects || objects->empty() || !taking_.key.empty()) return;
    taking_ = (*objects)[random_.below(objects->size())];
    Result<std::string> content = content_of(store, taking_);
    if (!content) return taking_.key.clear();
    taking_content_ = *std::move(content);
    if (store.remove(taking_.bucket, taking_.key)) settle_taken(store);
  }
  // Where the power went within the removal, the next life knows whether it happened.
  void settle_taken(store::Store& store) {
    if (taking_.key.empty()) return;
    const auto still_there = store.find(taking_.bucket, taking_.key);
    if (!still_there && still_there.error().kind == ErrorKind::not_found)
      count_numbers(taking_content_, taken_);
    taking_.key.clear();
  }

  void count_objects(store::Store& store, Counts& counts, std::set<std::string>* plan_ids) {
    for (const char* bucket : {"first", "second"}) {
      const auto objects = store.snapshot(bucket, "");
      ASSERT_TRUE(objects);
      for (const store::ObjectInfo& object : *objects) {
        const Result<std::string> content = content_of(store, object);
        if (!content) {
          // Unavailable when the power goes in this moment: then the caller's count tells.
          if (!sync_is_empty_ && content.error().kind != ErrorKind::unavailable)
            ADD_FAILURE() << content.error().what;
          continue;
        }
        count_numbers(*content, counts);
        if (plan_ids) plan_ids->insert(object.plan_id);
      }
    }
  }

  // The rule of undelivered(): first it, then the store, without those whose object is there.
  void see_each_once(Delivery& delivery, store::Store& store, Power& power) {
    std::vector<UndeliveredBatch> fresh = delivery.undelivered("first", "");
    for (UndeliveredBatch& batch : delivery.undelivered("second", ""))
      fresh.push_back(std::move(batch));
    Counts counts = taken_;
    std::set<std::string> plan_ids;
    count_objects(store, counts, &plan_ids);
    for (const UndeliveredBatch& batch : fresh) {
      if (plan_ids.contains(batch.plan_id)) continue;
      uint64_t bytes = 0;
      for (const Piece& piece : batch.pieces) {
        bytes += piece.location.bytes;
        count_numbers(text(segment_bytes(piece)), counts);
      }
      EXPECT_EQ(bytes, batch.bytes);
    }
    if (power.is_off()) return;
    for (const uint64_t number : acknowledged_)
      EXPECT_EQ(counts[number], 1) << "seen of " << number;
  }

  // A range of a segment's file, as a query's worker would read it.
  Bytes segment_bytes(const Piece& piece) {
    const auto names = disk_.list("/data/journal");
    for (const std::string& name : names.value_or(std::vector<std::string>())) {
      const auto file = disk_.open("/data/journal/" + name, {});
      Bytes number(8), records(piece.location.bytes);
      if (!file || !(*file)->read(kSegmentNumberOffset, number)) continue;
      if (piece.location.segment != load_le<uint64_t>(number)) continue;
      EXPECT_EQ((*file)->read(piece.location.offset, records).value_or(0), records.size());
      return records;
    }
    ADD_FAILURE() << "no segment " << piece.location.segment;
    return {};
  }
  static constexpr size_t kSegmentNumberOffset = 16;  // docs/formats/journal.md

  io::sim::Random random_, code_random_;
  io::sim::Disk disk_;
  io::sim::Clock clock_;
  std::unique_ptr<state::Database> database_;
  Configuration configuration_;
  std::set<uint64_t> acknowledged_;
  uint64_t next_number_ = 1;
  Counts taken_;
  store::ObjectInfo taking_;
  std::string taking_content_;
  bool sync_is_empty_ = false;
  int wrong_ = 0;
};

class DeliveryCrashTest : public testing::TestWithParam<uint64_t> {};

TEST_P(DeliveryCrashTest, EachAcknowledgedRecordStandsInExactlyOneObject) {
  Machine machine(GetParam());
  for (int life = 0; life < 5; ++life) machine.live(true);
  machine.live(false);
  machine.check();
}
INSTANTIATE_TEST_SUITE_P(Seed, DeliveryCrashTest, testing::Range<uint64_t>(0, 150));

// The check above must be able to fail: it does when sync() does nothing.
TEST(DeliveryCrashTestItself, FindsLostRecordsWhenSyncIsEmpty) {
  int wrong = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Machine machine(seed);
    machine.without_sync();
    for (int life = 0; life < 3; ++life) machine.live(true);
    machine.live(false);
    machine.check();
    wrong += machine.wrong();
  }
  EXPECT_GT(wrong, 0);
}

}  // namespace
}  // namespace laketap::delivery
