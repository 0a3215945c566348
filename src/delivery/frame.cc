// delivery/frame.cc - the bytes are drawn in docs/formats/batch-frame.md.
#include "delivery/frame.h"

#include "base/assert.h"

namespace laketap::delivery {
namespace {

constexpr uint32_t kMagic = 0x3142544c;  // "LTB1".
constexpr size_t kHeaderBytes = 64;
constexpr size_t kCountOffset = 4;
constexpr size_t kStreamOffset = 8;
constexpr size_t kVersionOffset = 16;
constexpr size_t kUuidOffset = 24;
constexpr size_t kBeginOffset = 40;
constexpr size_t kArrivalOffset = 48;  // The last 8 bytes are zero, for what comes later.
constexpr size_t kLengthBytes = sizeof(uint32_t);

size_t lead_of(size_t record_count) {
  return kHeaderBytes + (record_count > 1 ? record_count * kLengthBytes : 0);
}

int64_t micros(Timestamp at) {
  return at.time_since_epoch().count();
}

}  // namespace

std::string to_text(const Uuid& uuid) {
  std::string text = to_hex(uuid);
  for (const size_t dash : {20, 16, 12, 8}) text.insert(dash, 1, '-');
  return text;
}

Draft::Draft(std::span<const uint32_t> record_sizes)
    : lead_bytes_(lead_of(record_sizes.size())), record_count_(record_sizes.size()) {
  ASSERT(record_count_ >= 1 && record_count_ <= kRecordsMax);
  bytes_ = lead_bytes_;
  for (const uint32_t size : record_sizes) bytes_ += size;
  storage_ = std::make_unique_for_overwrite<uint8_t[]>(bytes_);

  std::memset(storage_.get(), 0, kHeaderBytes);
  store_le<uint32_t>(storage_.get(), kMagic);
  store_le<uint32_t>(storage_.get() + kCountOffset, static_cast<uint32_t>(record_count_));
  if (record_count_ > 1)
    std::memcpy(storage_.get() + kHeaderBytes, record_sizes.data(), record_sizes.size_bytes());
}

std::span<uint8_t> Draft::records() {
  return {storage_.get() + lead_bytes_, record_bytes()};
}

void Draft::set_batch(const BatchId& batch, Timestamp arrival) {
  uint8_t* header = storage_.get();
  store_le<uint64_t>(header + kStreamOffset, batch.stream);
  store_le<uint64_t>(header + kVersionOffset, batch.version);
  std::memcpy(header + kUuidOffset, batch.uuid.data(), batch.uuid.size());
  store_le<int64_t>(header + kBeginOffset, micros(batch.begin));
  store_le<int64_t>(header + kArrivalOffset, micros(arrival));
}

Result<FrameHeader> parse_frame(ByteView frame) {
  if (frame.size() < kHeaderBytes || load_le<uint32_t>(frame) != kMagic)
    return fail(ErrorKind::corrupt, "not a batch frame");

  FrameHeader header;
  header.record_count = load_le<uint32_t>(frame.subspan(kCountOffset));
  if (header.record_count < 1 || header.record_count > kRecordsMax)
    return fail(ErrorKind::corrupt, "batch frame's record count");
  header.lead_bytes = static_cast<uint32_t>(lead_of(header.record_count));
  if (frame.size() < header.lead_bytes) return fail(ErrorKind::corrupt, "batch frame cut short");

  header.batch.stream = load_le<uint64_t>(frame.subspan(kStreamOffset));
  header.batch.version = load_le<uint64_t>(frame.subspan(kVersionOffset));
  std::memcpy(header.batch.uuid.data(), frame.data() + kUuidOffset, header.batch.uuid.size());
  header.batch.begin = from_epoch_micros(load_le<int64_t>(frame.subspan(kBeginOffset)));
  header.arrival = from_epoch_micros(load_le<int64_t>(frame.subspan(kArrivalOffset)));

  // Without a list: a start reads millions of these.
  uint64_t records = 0;
  for (size_t at = kHeaderBytes; at < header.lead_bytes; at += kLengthBytes)
    records += load_le<uint32_t>(frame.subspan(at));
  if (header.record_count > 1 && records != frame.size() - header.lead_bytes)
    return fail(ErrorKind::corrupt, "batch frame's record lengths");
  return header;
}

std::vector<uint32_t> record_lengths(ByteView frame) {
  const auto count = load_le<uint32_t>(frame.subspan(kCountOffset));
  if (count == 1) return {static_cast<uint32_t>(frame.size() - kHeaderBytes)};
  std::vector<uint32_t> lengths(count);
  std::memcpy(lengths.data(), frame.data() + kHeaderBytes, count * kLengthBytes);
  return lengths;
}

}  // namespace laketap::delivery
