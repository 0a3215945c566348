// AWS::KinesisFirehose::DeliveryStream.
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <thread>

#include "stacks/types/types.h"

namespace laketap::stacks {
namespace {

namespace json = boost::json;

constexpr std::array kHints{Property{"IntervalInSeconds", Kind::integer},
                            Property{"SizeInMBs", Kind::integer}};
constexpr std::array kLogging{Property{"Enabled", Kind::boolean}, Property{"LogGroupName"},
                              Property{"LogStreamName"}};
constexpr std::array kKms{Property{"AWSKMSKeyARN", Kind::text, true}};
constexpr std::array kEncryption{Property{"NoEncryptionConfig"},
                                 Property{"KMSEncryptionConfig", Kind::object, false, kKms}};
constexpr std::array kProcessorParameter{Property{"ParameterName", Kind::text, true},
                                         Property{"ParameterValue", Kind::text, true}};
constexpr std::array kProcessor{Property{"Type", Kind::text, true},
                                Property{"Parameters", Kind::list, false, kProcessorParameter}};
constexpr std::array kProcessing{Property{"Enabled", Kind::boolean},
                                 Property{"Processors", Kind::list, false, kProcessor}};
constexpr std::array kRetry{Property{"DurationInSeconds", Kind::integer}};
constexpr std::array kPartitioning{Property{"Enabled", Kind::boolean},
                                   Property{"RetryOptions", Kind::object, false, kRetry}};
constexpr std::array kS3{
    Property{"BucketARN", Kind::text, true},
    Property{"RoleARN", Kind::text, true},
    Property{"BufferingHints", Kind::object, false, kHints},
    Property{"CloudWatchLoggingOptions", Kind::object, false, kLogging},
    Property{"CompressionFormat"},
    Property{"EncryptionConfiguration", Kind::object, false, kEncryption},
    Property{"ErrorOutputPrefix"},
    Property{"Prefix"},
};
constexpr std::array kExtended{
    Property{"BucketARN", Kind::text, true},
    Property{"RoleARN", Kind::text, true},
    Property{"BufferingHints", Kind::object, false, kHints},
    Property{"CloudWatchLoggingOptions", Kind::object, false, kLogging},
    Property{"CompressionFormat"},
    Property{"CustomTimeZone"},
    Property{"DataFormatConversionConfiguration", Kind::json},
    Property{"DynamicPartitioningConfiguration", Kind::object, false, kPartitioning},
    Property{"EncryptionConfiguration", Kind::object, false, kEncryption},
    Property{"ErrorOutputPrefix"},
    Property{"FileExtension"},
    Property{"Prefix"},
    Property{"ProcessingConfiguration", Kind::object, false, kProcessing},
    Property{"S3BackupConfiguration", Kind::object, false, kS3},
    Property{"S3BackupMode"},
};
constexpr std::array kProperties{
    Property{"DeliveryStreamName"},
    Property{"DeliveryStreamType"},
    Property{"DirectPutSourceConfiguration", Kind::json},
    Property{"DeliveryStreamEncryptionConfigurationInput", Kind::json},
    Property{"ExtendedS3DestinationConfiguration", Kind::object, false, kExtended},
    Property{"S3DestinationConfiguration", Kind::object, false, kS3},
    Property{"KinesisStreamSourceConfiguration", Kind::json},
    Property{"HttpEndpointDestinationConfiguration", Kind::json},
    Property{"Tags", Kind::json},
};

constexpr std::chrono::milliseconds kPoll{20};
constexpr int kPollsMax = 1500;  // Half a minute.

class DeliveryStream : public Type {
 public:
  std::string_view name() const override { return "AWS::KinesisFirehose::DeliveryStream"; }
  std::span<const Property> properties() const override { return kProperties; }
  NameRule name_rule() const override {
    return {.property = "DeliveryStreamName", .length_max = 64};
  }
  bool schema_texts() const override { return true; }

  Outcome<bool> exists(const Context& context, const std::string& id,
                       const json::object&) const override {
    const Outcome<std::string> found = status(context, id);
    if (!found) return std::unexpected(found.error());
    return !found->empty();
  }

  Outcome<bool> create(const Context& context, const std::string& id,
                       const json::object& properties) const override {
    json::object input = properties;
    input["DeliveryStreamName"] = id;
    if (const auto made = context.call("firehose", "CreateDeliveryStream", input); !made)
      return std::unexpected(made.error());
    for (int poll = 0; poll < kPollsMax; ++poll) {
      const Outcome<std::string> now = status(context, id);
      if (!now) return std::unexpected(now.error());
      if (*now == "ACTIVE") return true;
      if (*now == "CREATING_FAILED")
        return refuse("Delivery stream " + id + " could not be created.");
      std::this_thread::sleep_for(kPoll);
    }
    return refuse("Delivery stream " + id + " did not become active.");
  }

  Outcome<bool> remove(const Context& context, const std::string& id,
                       const json::object&) const override {
    const auto gone =
        context.call("firehose", "DeleteDeliveryStream", {{"DeliveryStreamName", id}});
    if (!gone && says_missing(gone.error())) return true;
    if (!gone && gone.error().code != "ResourceInUseException")
      return std::unexpected(gone.error());
    for (int poll = 0; poll < kPollsMax; ++poll) {  // It first delivers what it accepted.
      const Outcome<std::string> now = status(context, id);
      if (!now) return std::unexpected(now.error());
      if (now->empty()) return true;
      std::this_thread::sleep_for(kPoll);
    }
    return refuse("Delivery stream " + id + " still delivers what it accepted.");
  }

  std::optional<std::string> attribute(const Context& context, const std::string& id,
                                       std::string_view name) const override {
    if (name != "Arn") return std::nullopt;
    return "arn:aws:firehose:" + context.caller.region + ":" + context.caller.account +
           ":deliverystream/" + id;
  }

 private:
  // Empty when there is no such stream.
  static Outcome<std::string> status(const Context& context, const std::string& id) {
    const auto found =
        context.call("firehose", "DescribeDeliveryStream", {{"DeliveryStreamName", id}});
    if (!found && says_missing(found.error())) return std::string();
    if (!found) return std::unexpected(found.error());
    return scalar_text(found->at("DeliveryStreamDescription").at("DeliveryStreamStatus"))
        .value_or("");
  }
};

}  // namespace

const Type& delivery_stream_type() {
  static const DeliveryStream kType;
  return kType;
}

}  // namespace laketap::stacks
