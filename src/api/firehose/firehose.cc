#include "api/firehose/firehose.h"

#include "api/firehose/streams.h"

namespace laketap::api::firehose {

void register_firehose(wire::Operations& operations, ingest::Streams& streams, io::Clock& clock) {
  const Doors doors{streams, clock};
  const auto add = [&]<class In, class Out>(std::string_view name,
                                            Answer<Out> (*door)(Doors, const Call&, In)) {
    operations.add<In, Out>("firehose", name, [doors, door](const Call& call, In input) {
      return door(doors, call, std::move(input));
    });
  };
  const auto add_async = [&]<class In, class Out>(
                             std::string_view name,
                             Task<Answer<Out>> (*door)(Doors, const Call&, In)) {
    operations.add_async<In, Out>("firehose", name, [doors, door](const Call& call, In input) {
      return door(doors, call, std::move(input));
    });
  };
  add("CreateDeliveryStream", create_stream);
  add("DescribeDeliveryStream", describe_stream);
  add("ListDeliveryStreams", list_streams);
  add("DeleteDeliveryStream", delete_stream);
  add("UpdateDestination", update_destination);
  add("StartDeliveryStreamEncryption", start_encryption);
  add("StopDeliveryStreamEncryption", stop_encryption);
  add("TagDeliveryStream", tag_stream);
  add("UntagDeliveryStream", untag_stream);
  add("ListTagsForDeliveryStream", list_tags);
  add_async("PutRecord", put_record);
  add_async("PutRecordBatch", put_record_batch);
}

}  // namespace laketap::api::firehose
