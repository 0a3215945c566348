// Clocks: what time it is (may jump) and how long something took (never goes back).
#pragma once

#include <chrono>

#include "base/time.h"

namespace laketap::io {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;                        // UTC; an operator may set it back.
  virtual std::chrono::microseconds monotonic() const = 0;  // Since some moment before start.
};

// The machine's. Never destroyed.
Clock& real_clock();

}  // namespace laketap::io
