// TagDeliveryStream, UntagDeliveryStream, ListTagsForDeliveryStream, StartDeliveryStreamEncryption,
// StopDeliveryStreamEncryption: a change of the definition each.
#include "api/firehose/errors.h"
#include "api/firehose/streams.h"

namespace laketap::api::firehose {

Answer<model::TagDeliveryStreamOutput> tag_stream(Doors doors, const Call& call,
                                                  model::TagDeliveryStreamInput input) {
  std::map<std::string, std::string> tags;
  for (const model::Tag& tag : input.tags) tags[tag.key] = tag.value.value_or("");
  const auto tagged = doors.streams.tag(input.delivery_stream_name, tags);
  if (!tagged) return std::unexpected(to_fault(tagged.error(), call, input.delivery_stream_name));
  return model::TagDeliveryStreamOutput();
}

Answer<model::UntagDeliveryStreamOutput> untag_stream(Doors doors, const Call& call,
                                                      model::UntagDeliveryStreamInput input) {
  const auto untagged = doors.streams.untag(input.delivery_stream_name, input.tag_keys);
  if (!untagged)
    return std::unexpected(to_fault(untagged.error(), call, input.delivery_stream_name));
  return model::UntagDeliveryStreamOutput();
}

Answer<model::ListTagsForDeliveryStreamOutput> list_tags(
    Doors doors, const Call& call, model::ListTagsForDeliveryStreamInput input) {
  const auto definition = doors.streams.describe(input.delivery_stream_name);
  if (!definition)
    return std::unexpected(to_fault(definition.error(), call, input.delivery_stream_name));

  model::ListTagsForDeliveryStreamOutput output;
  const auto limit = static_cast<size_t>(input.limit.value_or(ingest::kTagsMax));
  const std::string start = input.exclusive_start_tag_key.value_or("");
  for (auto at = definition->tags.upper_bound(start); at != definition->tags.end(); ++at) {
    if (output.tags.size() == limit) {
      output.has_more_tags = true;
      break;
    }
    model::Tag tag;
    tag.key = at->first;
    tag.value = at->second;
    output.tags.push_back(std::move(tag));
  }
  return output;
}

Answer<model::StartDeliveryStreamEncryptionOutput> start_encryption(
    Doors doors, const Call& call, model::StartDeliveryStreamEncryptionInput input) {
  ingest::Encryption encryption{true, "AWS_OWNED_CMK", ""};
  if (const auto& wanted = input.delivery_stream_encryption_configuration_input)
    encryption = {true, wanted->key_type, wanted->key_arn.value_or("")};
  if (encryption.key_type == "CUSTOMER_MANAGED_CMK" && encryption.key_arn.empty())
    return invalid_argument("KeyARN is required when KeyType is CUSTOMER_MANAGED_CMK.");
  const auto changed = doors.streams.encrypt(input.delivery_stream_name, encryption);
  if (!changed) return std::unexpected(to_fault(changed.error(), call, input.delivery_stream_name));
  return model::StartDeliveryStreamEncryptionOutput();
}

Answer<model::StopDeliveryStreamEncryptionOutput> stop_encryption(
    Doors doors, const Call& call, model::StopDeliveryStreamEncryptionInput input) {
  const auto changed = doors.streams.encrypt(input.delivery_stream_name, {});
  if (!changed) return std::unexpected(to_fault(changed.error(), call, input.delivery_stream_name));
  return model::StopDeliveryStreamEncryptionOutput();
}

}  // namespace laketap::api::firehose
