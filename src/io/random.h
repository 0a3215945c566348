// Random bytes. real_random() is fit for keys and tokens; sim::Random (io/sim.h) replays from a
// seed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace laketap::io {

// Thread-safety: real_random() from any thread; sim::Random from one.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<uint8_t> target) = 0;  // Cannot fail.
  uint64_t next();                                   // All 64 bits.
  uint64_t below(uint64_t bound);                    // Even over [0, bound); bound > 0.
};

// The kernel's (getrandom), buffered per thread. Never destroyed.
Random& real_random();

std::string uuid_v4(Random& random);  // 01234567-89ab-4def-8123-456789abcdef
// `length` characters, each evenly from `alphabet` (not empty).
std::string random_text(Random& random, size_t length, std::string_view alphabet);

}  // namespace laketap::io
