#include "api/s3/digest.h"

#include <gtest/gtest.h>

namespace laketap::api::s3 {
namespace {

constexpr Algorithm kCrcs[] = {Algorithm::crc32, Algorithm::crc32c, Algorithm::crc64nvme};

TEST(DigestTest, CheckValuesAreThoseOfTheCatalogues) {
  // The catalogue of parametrised CRC algorithms: the CRC of "123456789".
  EXPECT_EQ(to_hex(digest_of(Algorithm::crc32, view("123456789"))), "cbf43926");
  EXPECT_EQ(to_hex(digest_of(Algorithm::crc32c, view("123456789"))), "e3069283");
  EXPECT_EQ(to_hex(digest_of(Algorithm::crc64nvme, view("123456789"))), "ae8b14860a799888");
  EXPECT_EQ(to_hex(digest_of(Algorithm::md5, view(""))), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(DigestTest, PiecesOfAnySizeMakeTheSame) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 37);
  for (const Algorithm algorithm : kCrcs)
    for (size_t piece = 1; piece < 20; ++piece) {
      const auto digest = make_digest(algorithm);
      for (size_t at = 0; at < text.size(); at += piece)
        digest->add(view(std::string_view(text).substr(at, piece)));
      EXPECT_EQ(digest->finish(), digest_of(algorithm, view(text))) << name_of(algorithm) << piece;
    }
}

TEST(DigestTest, HalvesCombineToTheWhole) {
  const std::string text(5000, 'q');
  for (const Algorithm algorithm : kCrcs)
    for (const size_t cut : {0, 1, 7, 8, 255, 4096, 4999, 5000}) {
      const std::string_view first = std::string_view(text).substr(0, cut);
      const std::string_view second = std::string_view(text).substr(cut);
      EXPECT_EQ(combine_crcs(algorithm, digest_of(algorithm, view(first)),
                             digest_of(algorithm, view(second)), second.size()),
                digest_of(algorithm, view(text)))
          << name_of(algorithm) << " cut at " << cut;
    }
}

TEST(DigestTest, OnlyPaddedBase64IsRead) {
  EXPECT_EQ(*from_base64("y/Q5Jg=="), (Bytes{0xcb, 0xf4, 0x39, 0x26}));
  for (const char* bad : {"", "y/Q5Jg", "y/Q5Jg=", " y/Q5Jg==", "y/Q5J!==", "y/Q5Jh=="})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

}  // namespace
}  // namespace laketap::api::s3
