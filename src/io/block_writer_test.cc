#include "io/block_writer.h"

#include <gtest/gtest.h>

#include "io/sim.h"

namespace laketap::io {
namespace {

Bytes pattern(size_t bytes) {
  Bytes made(bytes);
  for (size_t i = 0; i < bytes; ++i) made[i] = static_cast<uint8_t>(i * 31 + i / 4096);
  return made;
}

class BlockWriterTest : public testing::TestWithParam<size_t> {};

// Goal: whatever the size and the pieces, the file is what was written, also after the power went.
TEST_P(BlockWriterTest, TheFileIsWhatWasWrittenOnceFinished) {
  sim::Random random(GetParam());
  sim::Disk disk;
  const Bytes whole = pattern(GetParam());
  auto writer = BlockWriter::create(disk, "/file");
  ASSERT_TRUE(writer);
  ByteView rest(whole);
  while (!rest.empty()) {
    const size_t taken = std::min<size_t>(rest.size(), 1 + random.below(700'000));
    ASSERT_TRUE((*writer)->write(rest.first(taken)));
    rest = rest.subspan(taken);
  }
  EXPECT_EQ((*writer)->size(), whole.size());
  ASSERT_TRUE((*writer)->finish());
  ASSERT_TRUE(disk.sync_directory("/"));

  disk.crash(random);

  EXPECT_EQ(disk.contents("/file"), whole);
}
INSTANTIATE_TEST_SUITE_P(Size, BlockWriterTest,
                         testing::Values(0, 1, 4095, 4096, kBlockWriterBytes - 1, kBlockWriterBytes,
                                         kBlockWriterBytes + 1, kBlockWriterBytes + 4096,
                                         3 * kBlockWriterBytes, 5'000'003));

TEST(BlockWriterTest, TheMachinesFilesTakeItToo) {
  const std::string path = testing::TempDir() + "block_writer_test_file";
  (void)real_files().remove(path);
  const Bytes whole = pattern(3'000'001);
  auto writer = BlockWriter::create(real_files(), path);
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->write(whole));
  ASSERT_TRUE((*writer)->finish());
  const auto read = read_file(real_files(), path, 4'000'000);
  ASSERT_TRUE(read);
  EXPECT_TRUE(*read == text(whole));
  EXPECT_FALSE(BlockWriter::create(real_files(), path)) << "it exists";
  (void)real_files().remove(path);
}

}  // namespace
}  // namespace laketap::io
