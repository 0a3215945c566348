// Operations on streams; firehose.cc puts them into the table.
#pragma once

#include "api/firehose/firehose.h"
#include "wire/firehose.h"

namespace laketap::api::firehose {

// What every operation reaches for.
struct Doors {
  ingest::Streams& streams;
  io::Clock& clock;
};

template <class Out>
using Answer = wire::Answer<Out>;
using wire::Call;
namespace model = wire::firehose;

Answer<model::CreateDeliveryStreamOutput> create_stream(Doors doors, const Call& call,
                                                        model::CreateDeliveryStreamInput input);
Answer<model::DescribeDeliveryStreamOutput> describe_stream(
    Doors doors, const Call& call, model::DescribeDeliveryStreamInput input);
Answer<model::ListDeliveryStreamsOutput> list_streams(Doors doors, const Call& call,
                                                      model::ListDeliveryStreamsInput input);
Answer<model::DeleteDeliveryStreamOutput> delete_stream(Doors doors, const Call& call,
                                                        model::DeleteDeliveryStreamInput input);
Answer<model::UpdateDestinationOutput> update_destination(Doors doors, const Call& call,
                                                          model::UpdateDestinationInput input);

Answer<model::StartDeliveryStreamEncryptionOutput> start_encryption(
    Doors doors, const Call& call, model::StartDeliveryStreamEncryptionInput input);
Answer<model::StopDeliveryStreamEncryptionOutput> stop_encryption(
    Doors doors, const Call& call, model::StopDeliveryStreamEncryptionInput input);

Answer<model::TagDeliveryStreamOutput> tag_stream(Doors doors, const Call& call,
                                                  model::TagDeliveryStreamInput input);
Answer<model::UntagDeliveryStreamOutput> untag_stream(Doors doors, const Call& call,
                                                      model::UntagDeliveryStreamInput input);
Answer<model::ListTagsForDeliveryStreamOutput> list_tags(
    Doors doors, const Call& call, model::ListTagsForDeliveryStreamInput input);

Task<Answer<model::PutRecordOutput>> put_record(Doors doors, const Call& call,
                                                model::PutRecordInput input);
Task<Answer<model::PutRecordBatchOutput>> put_record_batch(Doors doors, const Call& call,
                                                           model::PutRecordBatchInput input);

}  // namespace laketap::api::firehose
