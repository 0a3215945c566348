#include "base/checksum.h"

#include <gtest/gtest.h>

namespace laketap {
namespace {

uint32_t one_bit_at_a_time(ByteView bytes) {
  uint32_t crc = ~0U;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

TEST(ChecksumTest, KnowsTheCheckValueOfCrc32c) {
  EXPECT_EQ(crc32c(view("123456789")), 0xE3069283U);  // RFC 3720, appendix B.4.
}

TEST(ChecksumTest, EqualsTheDefinitionAtEveryLengthClass) {
  Bytes bytes(40000);
  uint32_t x = 1;
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>((x = x * 1664525 + 1013904223) >> 24);
  for (const size_t size :
       {0UZ, 1UZ, 7UZ, 8UZ, 9UZ, 4095UZ, 12287UZ, 12288UZ, 12289UZ, 24576UZ, 40000UZ})
    EXPECT_EQ(crc32c(ByteView(bytes).first(size)), one_bit_at_a_time(ByteView(bytes).first(size)))
        << size;
}

TEST(ChecksumTest, ContinuesFromASeed) {
  const ByteView whole = view("hello, laketap");
  EXPECT_EQ(crc32c(whole.subspan(5), crc32c(whole.first(5))), crc32c(whole));
}

}  // namespace
}  // namespace laketap
