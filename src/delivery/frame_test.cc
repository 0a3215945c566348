#include "delivery/frame.h"

#include <gtest/gtest.h>

namespace laketap::delivery {
namespace {

const BatchId kBatch{
    .stream = 7, .version = 2, .uuid = {1, 2, 3}, .begin = from_epoch_micros(1'000'001)};

Bytes frame_of(const std::vector<std::string>& records) {
  std::vector<uint32_t> sizes;
  std::string joined;
  for (const std::string& record : records) {
    sizes.push_back(static_cast<uint32_t>(record.size()));
    joined += record;
  }
  Draft draft(sizes);
  std::ranges::copy(view(joined), draft.records().begin());
  draft.set_batch(kBatch, from_epoch_micros(2'000'002));
  const ByteView frame = draft.frame();
  return {frame.begin(), frame.end()};
}

TEST(FrameTest, WhatWasWrittenIsRead) {
  const Bytes frame = frame_of({"abc", "", "de"});

  const auto header = parse_frame(frame);

  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->batch, kBatch);
  EXPECT_EQ(header->arrival, from_epoch_micros(2'000'002));
  EXPECT_EQ(text(ByteView(frame).subspan(header->lead_bytes)), "abcde");
  EXPECT_EQ(record_lengths(frame), (std::vector<uint32_t>{3, 0, 2}));
}

TEST(FrameTest, ALoneRecordNeedsNoTableOfLengths) {
  const Bytes frame = frame_of({"abc"});
  EXPECT_EQ(frame.size(), 64 + 3u);
  EXPECT_EQ(record_lengths(frame), std::vector<uint32_t>{3});
}

TEST(FrameTest, CutShortAnywhereIsCorrupt) {
  const Bytes whole = frame_of({"abc", "de"});
  for (size_t kept = 0; kept < whole.size(); ++kept)
    EXPECT_FALSE(parse_frame(ByteView(whole).first(kept)).has_value()) << kept << " bytes kept";
}

// The bytes of version 1, recorded: a journal written by an older program must still be read.
TEST(FrameTest, TheBytesOnDiskStayAsTheyWere) {
  EXPECT_EQ(to_hex(frame_of({"ab", "c"})),
            "4c544231"
            "02000000"
            "0700000000000000"
            "0200000000000000"
            "01020300000000000000000000000000"
            "41420f0000000000"
            "82841e0000000000"
            "0000000000000000"
            "0200000001000000"
            "616263");
}

}  // namespace
}  // namespace laketap::delivery
