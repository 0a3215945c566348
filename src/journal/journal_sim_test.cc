// The journal on a machine that fails, from seeds. The seed is in the test's name, so that a
// failure replays exactly.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "io/sim.h"
#include "journal/journal.h"
#include "journal/layout.h"

namespace laketap::journal {
namespace {

using io::sim::Faults;

constexpr uint64_t kSegmentBytes = 64 << 10;
constexpr int kStepsMax = 60;
#ifdef __SANITIZE_ADDRESS__
constexpr uint64_t kSeedCount = 12;  // A seed costs twenty times as much there.
#else
constexpr uint64_t kSeedCount = 100;
#endif

// Runs seeded appends and releases and keeps the books on what was promised.
class Machine {
 public:
  explicit Machine(uint64_t seed) : random(seed), stamps_(seed ^ 0x5eed) {}

  // What is wrong, empty when all is right. The journal is open afterwards.
  std::string open_and_check(bool expect_corrupt = false) {
    journal_.reset();
    replayed_.clear();
    std::string wrong;
    auto opened = Journal::open({.directory = "/data/journal",
                                 .segment_bytes = kSegmentBytes,
                                 .bytes_max = 6 * kSegmentBytes,
                                 .manual = true,
                                 .random = &stamps_},
                                disk, [&](const Replayed& one) { note(one, wrong); });
    if (!opened) {
      if (expect_corrupt && opened.error().kind == ErrorKind::corrupt) return "corrupt";
      return "open failed: " + opened.error().what;
    }
    journal_ = std::move(*opened);
    if (!wrong.empty()) return wrong;
    for (const auto& [id, record] : acknowledged_) {
      if (!replayed_.contains(id) && !asked_.contains(record.group))
        return "record " + std::to_string(id) + " was acknowledged and is lost";
    }
    adopt_replayed();
    return "";
  }

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      const uint64_t draw = random.below(100);
      if (draw < 60) {
        append_some(1 + random.below(6));
      } else if (draw < 85) {
        release_one();
      } else {
        journal_->work();
      }
    }
    journal_->work();
  }

  void append_some(uint64_t count) {
    // Stable addresses: the pieces are borrowed until the answer comes.
    std::vector<std::unique_ptr<std::string>> payloads;
    std::vector<ByteView> pieces(count);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t id = next_id_++;
      if (random.chance(30)) ++group_;
      const Group group = group_;
      const size_t length_max = random.chance(10) ? 30'000 : 900;
      payloads.push_back(
          std::make_unique<std::string>(std::to_string(id) + " " + random.text(length_max)));
      sent_[id] = {group, *payloads.back()};
      pieces[i] = view(*payloads.back());
      journal_->append(group, {&pieces[i], 1}, [this, id](Result<Location> location) {
        if (location) {
          acknowledged_[id] = {sent_[id].group, sent_[id].payload};
        } else {
          refusals.insert(location.error().kind);
        }
      });
    }
    journal_->work();
  }

  void release_one() {
    if (acknowledged_.empty()) return;
    auto at = acknowledged_.begin();
    std::advance(at, static_cast<ptrdiff_t>(random.below(acknowledged_.size())));
    release(at->second.group);
  }

  void release(Group group) {
    if (group == group_) ++group_;  // Nothing is appended to a group that was let go of.
    if (!journal_->release(group)) return;
    asked_.insert(group);
    journal_->work();
  }

  void release_all() {
    std::set<Group> groups;
    for (const auto& [id, record] : acknowledged_) groups.insert(record.group);
    for (const Group group : groups) release(group);
  }

  void close() { journal_.reset(); }
  size_t acknowledged_count() const { return acknowledged_.size(); }
  std::vector<std::string> files() const {
    return *const_cast<io::sim::Disk&>(disk).list("/data/journal");
  }

  io::sim::Random random;
  io::sim::Disk disk;
  std::set<ErrorKind> refusals;

 private:
  struct Record {
    Group group = 0;
    std::string payload;
  };

  void note(const Replayed& one, std::string& wrong) {
    const std::string payload(text(one.payload));
    const uint64_t id = std::strtoull(payload.c_str(), nullptr, 10);
    const auto sent = sent_.find(id);
    if (sent == sent_.end() || sent->second.payload != payload || sent->second.group != one.group)
      wrong = "a payload was replayed that nobody sent";
    if (!replayed_.empty() && id <= last_replayed_) wrong = "replayed twice or out of order";
    last_replayed_ = id;
    replayed_.insert(id);
  }

  // What came back counts as acknowledged from here on, answered or not: it must not vanish later.
  void adopt_replayed() {
    acknowledged_.clear();
    for (const uint64_t id : replayed_) acknowledged_[id] = sent_[id];
    std::set<Group> living;
    for (const auto& [id, record] : acknowledged_) living.insert(record.group);
    asked_
        .clear();  // A release that was not written in time may be forgotten; then it is repeated.
    ++group_;
  }

  io::sim::Random stamps_;
  std::unique_ptr<Journal> journal_;
  std::map<uint64_t, Record> sent_;
  std::map<uint64_t, Record> acknowledged_;
  std::set<Group> asked_;
  std::set<uint64_t> replayed_;
  uint64_t last_replayed_ = 0;
  uint64_t next_id_ = 1;
  Group group_ = 1;
};

class JournalSimTest : public testing::TestWithParam<uint64_t> {};

// Goal: an acknowledged record is never lost, changed or reordered, and none is made up.
// Method: lives of seeded appends and releases, each ended by a power cut within an operation drawn
// from the seed; unsynced bytes are dropped, kept or torn by sector, unsynced names dropped.
TEST_P(JournalSimTest, AcknowledgedRecordsSurviveCrashes) {
  Machine machine(GetParam());
  ASSERT_EQ(machine.open_and_check(), "");
  for (int life = 0; life < 6; ++life) {
    Faults faults;
    faults.crash_at = machine.disk.operations() + 1 + machine.random.below(80);
    machine.disk.set_faults(faults);
    machine.run(kStepsMax);
    machine.close();
    machine.disk.crash(machine.random);
    ASSERT_EQ(machine.open_and_check(), "") << "life " << life;
  }
}

// Goal: recovery itself may be cut short, anywhere, any number of times.
TEST_P(JournalSimTest, ACrashWithinRecoveryLosesNothing) {
  Machine machine(GetParam());
  ASSERT_EQ(machine.open_and_check(), "");
  machine.run(kStepsMax);
  Faults faults;
  faults.crash_at = machine.disk.operations() + 1;
  machine.disk.set_faults(faults);
  machine.append_some(3);
  machine.close();
  machine.disk.crash(machine.random);
  for (uint64_t at = 1; at < 12; ++at) {
    faults.crash_at = machine.disk.operations() + at;
    machine.disk.set_faults(faults);
    (void)machine.open_and_check();
    machine.close();
    machine.disk.crash(machine.random);
    ASSERT_EQ(machine.open_and_check(), "") << "cut in operation " << at;
    machine.close();
  }
}

// Goal: kill -9 loses nothing that was acknowledged either; the page cache lives on.
TEST_P(JournalSimTest, AcknowledgedRecordsSurviveAKill) {
  Machine machine(GetParam());
  ASSERT_EQ(machine.open_and_check(), "");
  for (int life = 0; life < 4; ++life) {
    Faults faults;
    faults.crash_at = machine.disk.operations() + 1 + machine.random.below(80);
    machine.disk.set_faults(faults);
    machine.run(kStepsMax);
    machine.close();
    machine.disk.kill();
    ASSERT_EQ(machine.open_and_check(), "");
  }
}

// Goal: what a killed process left in the page cache only is not built upon: names, seals, headers.
TEST_P(JournalSimTest, AcknowledgedRecordsSurviveKillsAndCrashesInTurn) {
  Machine machine(GetParam());
  ASSERT_EQ(machine.open_and_check(), "");
  for (int life = 0; life < 8; ++life) {
    Faults faults;
    faults.crash_at = machine.disk.operations() + 1 + machine.random.below(60);
    machine.disk.set_faults(faults);
    machine.run(kStepsMax / 2);
    machine.close();
    if (machine.random.chance(60)) {
      machine.disk.kill();
    } else {
      machine.disk.crash(machine.random);
    }
    ASSERT_EQ(machine.open_and_check(), "") << "life " << life;
  }
}

// Goal: after a failed write or sync nothing more is acknowledged, and what was before is there.
TEST_P(JournalSimTest, AFailingDiskIsFinalAndLosesNothing) {
  Machine machine(GetParam());
  ASSERT_EQ(machine.open_and_check(), "");
  machine.run(20);
  Faults faults;
  const uint64_t at = machine.disk.operations() + 1 + machine.random.below(40);
  (machine.random.chance(50) ? faults.fail_write_at : faults.fail_sync_at) = at;
  machine.disk.set_faults(faults);
  machine.run(kStepsMax);
  if (machine.refusals.contains(ErrorKind::unavailable)) {
    const size_t count = machine.acknowledged_count();
    machine.append_some(3);
    EXPECT_EQ(machine.acknowledged_count(), count) << "acknowledged after a failure";
  }
  machine.close();
  machine.disk.crash(machine.random);
  ASSERT_EQ(machine.open_and_check(), "");
}

// Goal: a full disk, or a full journal, refuses whole appends, keeps what it has and goes on when
// something was released.
TEST_P(JournalSimTest, AFullDiskRefusesAndGoesOn) {
  Machine machine(GetParam());
  Faults faults;
  faults.capacity_bytes =
      (3 + machine.random.below(6)) * kSegmentBytes + 4096 * machine.random.below(16);
  machine.disk.set_faults(faults);
  ASSERT_EQ(machine.open_and_check(), "");
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 200 && !machine.refusals.contains(ErrorKind::full); ++i)
      machine.append_some(5);
    ASSERT_TRUE(machine.refusals.contains(ErrorKind::full)) << "round " << round;
    ASSERT_EQ(machine.refusals.size(), 1U) << "only full";
    if (machine.random.chance(50)) {
      machine.close();
      machine.disk.crash(machine.random);
      ASSERT_EQ(machine.open_and_check(), "");
    }
    machine.release_all();
    machine.refusals.clear();
    const size_t count = machine.acknowledged_count();
    machine.append_some(2);
    // Less than four segments of room give no second one to go on with.
    if (faults.capacity_bytes >= 5 * kSegmentBytes) {
      EXPECT_EQ(machine.acknowledged_count(), count + 2) << "round " << round;
    }
    machine.refusals.clear();
  }
  machine.close();
  ASSERT_EQ(machine.open_and_check(), "");
}

// Goal: a flipped bit never changes a record and never hides one silently. A journal that was
// closed is sealed, so that every flip in it is either found, or lies where nothing lives.
TEST_P(JournalSimTest, AFlippedBitIsFoundOrHarmless) {
  Machine machine(GetParam());
  ASSERT_EQ(machine.open_and_check(), "");
  machine.run(40);
  machine.close();
  ASSERT_EQ(machine.open_and_check(), "");
  machine.close();
  const std::vector<std::string> names = machine.files();
  const std::string path = "/data/journal/" + names[machine.random.below(names.size())];
  // Most of a file is zeroes: half of the flips go where commits are sure to be.
  const uint64_t bytes = machine.random.chance(50) ? kSegmentBytes : 24 << 10;
  machine.disk.flip_bit(path, machine.random.below(bytes * 8));
  const std::string wrong = machine.open_and_check(true);
  EXPECT_TRUE(wrong.empty() || wrong == "corrupt") << wrong;
}

INSTANTIATE_TEST_SUITE_P(Seed, JournalSimTest, testing::Range<uint64_t>(0, kSeedCount));

// Goal: the check above can fail. With a sync that does nothing it must find the loss.
TEST(JournalSimCheckTest, ASyncThatDoesNothingIsFoundOut) {
  constexpr uint64_t kSeeds = 10;
  uint64_t found = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    ASSERT_EQ(machine.open_and_check(), "");
    Faults faults;
    faults.sync_is_empty = true;
    machine.disk.set_faults(faults);
    machine.run(kStepsMax);
    machine.disk.crash(machine.random);
    machine.close();
    if (!machine.open_and_check(true).empty()) ++found;
  }
  EXPECT_EQ(found, kSeeds);
}

}  // namespace
}  // namespace laketap::journal
