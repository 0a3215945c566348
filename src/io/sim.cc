// The simulated randomness and clock.
#include "io/sim.h"

namespace laketap::io::sim {

// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
uint64_t Random::step() {
  uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

void Random::fill(std::span<uint8_t> target) {
  while (!target.empty()) {
    uint64_t bits = step();
    const size_t count = target.size() < 8 ? target.size() : 8;
    for (size_t i = 0; i < count; ++i, bits >>= 8) target[i] = static_cast<uint8_t>(bits);
    target = target.subspan(count);
  }
}

std::string Random::text(size_t length_max) {
  std::string result(below(length_max + 1), ' ');
  for (char& character : result) character = static_cast<char>(' ' + below('~' - ' ' + 1));
  return result;
}

Timestamp Clock::now() const {
  const std::scoped_lock lock(mutex_);
  return now_;
}

std::chrono::microseconds Clock::monotonic() const {
  const std::scoped_lock lock(mutex_);
  return monotonic_;
}

void Clock::advance(std::chrono::microseconds by) {
  const std::scoped_lock lock(mutex_);
  now_ += by;
  monotonic_ += by;
}

void Clock::jump(std::chrono::microseconds by) {
  const std::scoped_lock lock(mutex_);
  now_ += by;
}

}  // namespace laketap::io::sim
