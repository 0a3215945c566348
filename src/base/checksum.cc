#include "base/checksum.h"

#include <immintrin.h>

#include <array>

namespace laketap {
namespace {

// One crc32 instruction has three cycles of latency and one of throughput, so three independent
// lanes run at full rate. Joining lanes means shifting a CRC past the bytes that follow it: a
// linear map over GF(2), kept as one table per byte of the CRC.
constexpr size_t kLaneBytes = 4096;

using Shift = std::array<std::array<uint32_t, 256>, 4>;

uint32_t crc_of_zeroes(uint32_t crc, size_t count) {
  for (size_t i = 0; i < count; ++i) crc = _mm_crc32_u8(crc, 0);
  return crc;
}

Shift make_shift() {
  Shift shift{};
  std::array<uint32_t, 32> of_bit{};
  for (uint32_t bit = 0; bit < 32; ++bit) of_bit[bit] = crc_of_zeroes(1U << bit, kLaneBytes);
  for (uint32_t byte = 0; byte < 4; ++byte)
    for (uint32_t value = 0; value < 256; ++value)
      for (uint32_t bit = 0; bit < 8; ++bit)
        if (value >> bit & 1) shift[byte][value] ^= of_bit[byte * 8 + bit];
  return shift;
}

uint32_t shifted(uint32_t crc) {
  static const Shift kShift = make_shift();
  return kShift[0][crc & 255] ^ kShift[1][crc >> 8 & 255] ^ kShift[2][crc >> 16 & 255] ^
         kShift[3][crc >> 24];
}

uint64_t word_at(const uint8_t* at) {
  return load_le<uint64_t>(ByteView(at, 8));
}

}  // namespace

uint32_t crc32c(ByteView bytes, uint32_t seed) {
  uint64_t crc = ~seed;
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 3 * kLaneBytes; at += 3 * kLaneBytes, left -= 3 * kLaneBytes) {
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < kLaneBytes; i += 8) {
      crc = _mm_crc32_u64(crc, word_at(at + i));
      second = _mm_crc32_u64(second, word_at(at + kLaneBytes + i));
      third = _mm_crc32_u64(third, word_at(at + 2 * kLaneBytes + i));
    }
    crc = shifted(shifted(static_cast<uint32_t>(crc)) ^ static_cast<uint32_t>(second)) ^
          static_cast<uint32_t>(third);
  }
  for (; left >= 8; at += 8, left -= 8) crc = _mm_crc32_u64(crc, word_at(at));
  for (; left > 0; ++at, --left) crc = _mm_crc32_u8(static_cast<uint32_t>(crc), *at);
  return ~static_cast<uint32_t>(crc);
}

}  // namespace laketap
