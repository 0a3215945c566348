// PutRecord, PutRecordBatch: coroutines because they wait for the disk. A refusal by the server is
// of the whole request: some producers never look at a partial failure (contract firehose.md 5).
#include "api/firehose/errors.h"
#include "api/firehose/streams.h"

namespace laketap::api::firehose {
namespace {

constexpr size_t kBatchBytesMax = 4 << 20;  // Decoded; contract firehose.md 5.

// Decodes the records into their place in the journal's frame: the only copy that we make of them.
Answer<ingest::Draft> decode(std::span<const model::Record> records) {
  std::array<uint32_t, delivery::kRecordsMax> sizes;
  size_t total = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const size_t size = records[i].data.decoded_size();
    total += size;
    if (total > kBatchBytesMax) return invalid_argument("Records size exceeds 4 MB limit");
    sizes[i] = static_cast<uint32_t>(size);
  }
  ingest::Draft draft(std::span<const uint32_t>(sizes).first(records.size()));
  std::span<uint8_t> rest = draft.records();
  for (size_t i = 0; i < records.size(); ++i) {
    const Result<size_t> decoded = records[i].data.decode_into(rest.first(sizes[i]));
    if (!decoded || *decoded != sizes[i])
      return wire::refuse("SerializationException", 400, "a record's data is not base64");
    rest = rest.subspan(sizes[i]);
  }
  return draft;
}

}  // namespace

Task<Answer<model::PutRecordOutput>> put_record(Doors doors, const Call& call,
                                                model::PutRecordInput input) {
  Answer<ingest::Draft> draft = decode({&input.record, 1});
  if (!draft) co_return std::unexpected(std::move(draft.error()));

  const Result<ingest::Receipt> receipt =
      co_await doors.streams.accept(input.delivery_stream_name, std::move(*draft));
  if (!receipt)
    co_return std::unexpected(to_fault(receipt.error(), call, input.delivery_stream_name));

  model::PutRecordOutput output;
  output.record_id = receipt->record_id(0);
  output.encrypted = receipt->encrypted;
  co_return output;
}

// One answer for each record, in the order sent. Here all are accepted, or none.
Task<Answer<model::PutRecordBatchOutput>> put_record_batch(Doors doors, const Call& call,
                                                           model::PutRecordBatchInput input) {
  Answer<ingest::Draft> draft = decode(input.records);
  if (!draft) co_return std::unexpected(std::move(draft.error()));

  const Result<ingest::Receipt> receipt =
      co_await doors.streams.accept(input.delivery_stream_name, std::move(*draft));
  if (!receipt)
    co_return std::unexpected(to_fault(receipt.error(), call, input.delivery_stream_name));

  model::PutRecordBatchOutput output;
  output.encrypted = receipt->encrypted;
  output.request_responses.resize(input.records.size());
  for (size_t i = 0; i < input.records.size(); ++i)
    output.request_responses[i].record_id = receipt->record_id(i);
  co_return output;
}

}  // namespace laketap::api::firehose
