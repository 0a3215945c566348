#include "io/clock.h"

namespace laketap::io {
namespace {

class RealClock : public Clock {
 public:
  Timestamp now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
  }
  std::chrono::microseconds monotonic() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
  }
};

}  // namespace

Clock& real_clock() {
  static RealClock* const clock = new RealClock;
  return *clock;
}

}  // namespace laketap::io
