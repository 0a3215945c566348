// The simulated machine: everything comes from a seed, so a failure replays exactly.
//
//     sim::Random random(seed);
//     sim::Disk disk;
//     ... run the code under test on `disk` ...
//     disk.crash(random);   // Power cut: unsynced bytes are dropped, kept or torn.
//     ... open it again and see what is left ...
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "io/clock.h"
#include "io/files.h"
#include "io/random.h"

namespace laketap::io::sim {

// SplitMix64. Thread-safe; what each of several threads gets depends on their order.
class Random : public io::Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  Random(const Random& other) : state_(other.state_.load()) {}
  Random& operator=(const Random& other) {
    state_ = other.state_.load();
    return *this;
  }
  void fill(std::span<uint8_t> target) override;
  bool chance(unsigned percent) { return below(100) < percent; }
  std::string text(size_t length_max);  // 0 to length_max printable characters.

 private:
  uint64_t step();
  std::atomic<uint64_t> state_;
};

// Stands still until told. Thread-safe.
class Clock : public io::Clock {
 public:
  explicit Clock(Timestamp start = from_epoch_micros(1'764'316'800'000'000)) : now_(start) {}
  Timestamp now() const override;
  std::chrono::microseconds monotonic() const override;
  void advance(std::chrono::microseconds by);  // Both.
  void jump(std::chrono::microseconds by);     // now() only, either way: an operator set the clock.

 private:
  mutable std::mutex mutex_;
  Timestamp now_;
  std::chrono::microseconds monotonic_{0};
};

// What goes wrong, and when. Operations are counted from 1: those that change something (open with
// create or truncate, write, sync, truncate, rename, link, remove, make and sync directories).
struct Faults {
  std::optional<uint64_t> crash_at;  // This operation half happens; it and all later ones fail.
  std::optional<uint64_t> fail_write_at;  // The first write from here on fails, half written.
  std::optional<uint64_t> fail_sync_at;   // The first sync from here on fails; its bytes are lost.
  uint64_t capacity_bytes = UINT64_MAX;   // Of all files together; beyond it `full`.
  bool sync_is_empty = false;             // sync() says yes and does nothing.
};

// A disk in memory. Thread-safe. Files and handles may be used after crash(): they fail.
class Disk : public io::Files {
 public:
  Disk();
  ~Disk() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenOptions options) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> link(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<> make_directories(const std::string& path) override;
  Result<> remove_directory(const std::string& path) override;
  Result<> sync_directory(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<uint64_t> free_bytes(const std::string& path) override;

  void set_faults(Faults faults);
  uint64_t operations() const;  // So far, across crashes.

  // The power goes and comes back. Every unsynced write is dropped, kept, or kept in part, sector
  // by sector (512 bytes); of each directory's unsynced changes a prefix is kept. Handles opened
  // before are dead. Faults are cleared, but for the capacity.
  void crash(Random& random);
  // Only the process dies: every write is kept.
  void kill();

  // One bit of `path` as it lies on the disk is flipped. Precondition: the file reaches that far.
  void flip_bit(const std::string& path, uint64_t bit);
  // A file as it is now, and putting one there, durable at once: for recorded bytes.
  Bytes contents(const std::string& path) const;
  void put(const std::string& path, ByteView bytes);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace laketap::io::sim
