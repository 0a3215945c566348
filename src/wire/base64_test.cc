#include "wire/base64.h"

#include <gtest/gtest.h>

namespace laketap::wire {
namespace {

TEST(Base64Test, EveryLengthComesBackAndStaysInItsPlace) {
  for (size_t size = 0; size < 200; ++size) {
    Bytes bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 37 + size);
    std::string encoded;
    write_base64(bytes, encoded);
    const Base64View view{encoded, nullptr};
    ASSERT_EQ(view.decoded_size(), size);
    Bytes target(size + 8, 0xEE);
    const Result<size_t> written = view.decode_into(std::span(target).first(size));
    ASSERT_TRUE(written) << size;
    EXPECT_EQ(*written, size);
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), target.begin())) << size;
    for (size_t i = size; i < target.size(); ++i)
      ASSERT_EQ(target[i], 0xEE) << "written past the end of " << size;
  }
}

TEST(Base64Test, WhatIsNoBase64IsRefused) {
  for (const char* text :
       {"a", "ab", "abc", "ab=c", "=abc", "a===", "====", "ab==cdef", "abc=defg", "ab c", "ab\nc",
        "ab-_", "abc!", "\xc3\xa9==", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA*AAA"}) {
    const Base64View view{text, nullptr};
    EXPECT_FALSE(view.decode()) << text;
  }
}

}  // namespace
}  // namespace laketap::wire
