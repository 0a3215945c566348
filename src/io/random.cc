#include "io/random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"

namespace laketap::io {
namespace {

void ask_kernel(std::span<uint8_t> target) {
  while (!target.empty()) {
    const ssize_t count = ::getrandom(target.data(), target.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    ASSERT(count > 0);  // Cannot fail on a kernel that we run on (3.17 or newer).
    target = target.subspan(static_cast<size_t>(count));
  }
}

// A system call for each record id would cost more than the id: 256 bytes are fetched at a time.
// Bytes handed out are wiped, so that a later look into memory does not find old keys.
class RealRandom : public Random {
 public:
  void fill(std::span<uint8_t> target) override {
    thread_local std::array<uint8_t, 256> pool;  // 256 or less comes whole and uninterrupted.
    thread_local size_t left = 0;
    if (target.size() > pool.size() / 4) return ask_kernel(target);
    if (left < target.size()) {
      ask_kernel(pool);
      left = pool.size();
    }
    left -= target.size();
    std::memcpy(target.data(), pool.data() + left, target.size());
    std::memset(pool.data() + left, 0, target.size());
  }
};

}  // namespace

uint64_t Random::next() {
  std::array<uint8_t, 8> bytes;
  fill(bytes);
  return load_le<uint64_t>(bytes);
}

uint64_t Random::below(uint64_t bound) {
  ASSERT(bound > 0);
  // Values of the last, incomplete round would come too often: draw again.
  const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  uint64_t value = next();
  while (value >= limit) value = next();
  return value % bound;
}

Random& real_random() {
  static RealRandom* const random = new RealRandom;
  return *random;
}

std::string uuid_v4(Random& random) {
  std::array<uint8_t, 16> bytes;
  random.fill(bytes);
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x40);  // RFC 4122: version 4,
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);  // variant 1.
  std::string text = to_hex(bytes);
  for (const size_t at : {8, 13, 18, 23}) text.insert(at, 1, '-');
  return text;
}

std::string random_text(Random& random, size_t length, std::string_view alphabet) {
  ASSERT(!alphabet.empty());
  std::string text(length, ' ');
  for (char& character : text) character = alphabet[random.below(alphabet.size())];
  return text;
}

}  // namespace laketap::io
