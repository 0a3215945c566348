// Segments written by earlier versions must open for ever. A file in tests/data/journal is never
// changed: a new format adds a file. docs/formats/journal.md explains the bytes of the first.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "io/sim.h"
#include "journal/journal.h"
#include "journal/layout.h"

namespace laketap::journal {
namespace {

const std::string kRecorded = LAKETAP_SOURCE_DIR "/tests/data/journal/format-1";

struct Seen {
  Group group;
  uint64_t offset;
  std::string payload;
  bool operator==(const Seen&) const = default;
};

Result<std::vector<Seen>> replay(io::sim::Disk& disk) {
  io::sim::Random random(1);
  std::vector<Seen> seen;
  const auto note = [&seen](const Replayed& one) {
    seen.push_back({one.group, one.location.offset, std::string(text(one.payload))});
  };
  const auto journal = Journal::open({.directory = "/data/journal",
                                      .segment_bytes = 64 << 10,
                                      .bytes_max = 512 << 10,
                                      .manual = true,
                                      .random = &random},
                                     disk, note);
  if (!journal) return fail(journal.error());
  return seen;
}

Bytes recorded() {
  std::ifstream file(kRecorded, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(FormatTest, ASegmentOfTheFirstFormatOpens) {
  const Bytes bytes = recorded();
  ASSERT_EQ(bytes.size(), 64U << 10) << kRecorded;
  io::sim::Disk disk;
  disk.put("/data/journal/segment-000001", bytes);
  const auto seen = replay(disk);
  ASSERT_TRUE(seen) << seen.error().what;
  // Three commits: "hello" to group 7 with "world" to group 8; the release of 7; "again" to
  // group 8.
  const std::vector<Seen> expected{{8, 0x2000 + 40 + 24 + 5 + 24, "world"},
                                   {8, 0x2000 + 2 * 4096 + 40 + 24, "again"}};
  EXPECT_EQ(*seen, expected);
}

TEST(FormatTest, TheSealListsWhatTheSegmentHolds) {
  const Bytes bytes = recorded();
  const auto header = decode_segment_header(bytes);
  ASSERT_TRUE(header);
  const auto seal = decode_seal(ByteView(bytes).last(kBlockBytes), header->stamp);
  ASSERT_TRUE(seal);
  EXPECT_EQ(seal->end, kDataOffset + 3 * kBlockBytes);
  EXPECT_EQ(seal->groups, (std::vector<Group>{7, 8}));
  EXPECT_EQ(seal->releases, std::vector<Group>{7});
}

// Each bit that means something is covered: by a checksum, by the stamp or by the second copy.
TEST(FormatTest, AFlipAnywhereInTheRecordedCommitsIsRefused) {
  const Bytes bytes = recorded();
  ASSERT_EQ(bytes.size(), 64U << 10);
  const size_t commit_bytes[] = {40 + 24 + 5 + 24 + 5, 40 + 24 + 8, 40 + 24 + 5};
  for (size_t commit = 0; commit < 3; ++commit) {
    for (size_t byte = 0; byte < commit_bytes[commit]; ++byte) {
      Bytes flipped = bytes;
      flipped[kDataOffset + commit * kBlockBytes + byte] ^= 0x10;
      io::sim::Disk disk;
      disk.put("/data/journal/segment-000001", flipped);
      const auto seen = replay(disk);
      ASSERT_FALSE(seen) << "commit " << commit << ", byte " << byte;
      EXPECT_EQ(seen.error().kind, ErrorKind::corrupt);
    }
  }
}

// Writes the file anew where there is none; run by hand when a format is added.
TEST(FormatTest, DISABLED_Record) {
  io::sim::Random random(2026);
  io::sim::Disk disk;
  auto journal = Journal::open({.directory = "/data/journal",
                                .segment_bytes = 64 << 10,
                                .bytes_max = 512 << 10,
                                .manual = true,
                                .random = &random},
                               disk, [](const Replayed&) {});
  ASSERT_TRUE(journal);
  const auto append = [&](Group group, const ByteView* piece) {
    (*journal)->append(group, {piece, 1}, [](Result<Location> got) { ASSERT_TRUE(got); });
  };
  const std::array<ByteView, 3> pieces{view("hello"), view("world"), view("again")};
  append(7, &pieces[0]);
  append(8, &pieces[1]);
  (*journal)->work();
  ASSERT_TRUE((*journal)->release(7));
  (*journal)->work();
  append(8, &pieces[2]);
  (*journal)->work();
  journal->reset();
  ASSERT_FALSE(std::ifstream(kRecorded).good()) << "is there and is never changed";
  const Bytes bytes = disk.contents("/data/journal/segment-000001");
  std::ofstream(kRecorded, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

}  // namespace
}  // namespace laketap::journal
