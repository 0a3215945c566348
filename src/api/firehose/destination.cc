#include "api/firehose/destination.h"

#include <fmt/core.h>

#include "api/firehose/errors.h"
#include "delivery/prefix.h"

namespace laketap::api::firehose {
namespace {

using namespace wire::firehose;

constexpr int64_t kSizeDefault = 5, kIntervalDefault = 300;  // Contract 6.1.
constexpr size_t kProcessorsMax = 5;

// The members that plain and extended S3 destinations share, whatever the struct is called.
template <class To, class From>
void take_shared(To& to, const From& from) {
  const auto keep_or = [](auto& kept, const auto& given) {
    if (given) kept = *given;
  };
  keep_or(to.buffering_hints, from.buffering_hints);
  keep_or(to.compression_format, from.compression_format);
  keep_or(to.encryption_configuration, from.encryption_configuration);
  if (from.prefix) to.prefix = from.prefix;
  if (from.error_output_prefix) to.error_output_prefix = from.error_output_prefix;
  if (from.cloud_watch_logging_options)
    to.cloud_watch_logging_options = from.cloud_watch_logging_options;
}

// The members that only extended ones have; backup is never on, so there is nothing of it to keep.
template <class From>
void take_extended(ExtendedS3DestinationDescription& to, const From& from) {
  if (from.processing_configuration) to.processing_configuration = from.processing_configuration;
  if (from.s3_backup_mode) to.s3_backup_mode = from.s3_backup_mode;
  if (from.data_format_conversion_configuration)
    to.data_format_conversion_configuration = from.data_format_conversion_configuration;
  if (from.dynamic_partitioning_configuration)
    to.dynamic_partitioning_configuration = from.dynamic_partitioning_configuration;
  if (from.file_extension) to.file_extension = from.file_extension;
  if (from.custom_time_zone) to.custom_time_zone = from.custom_time_zone;
}

S3DestinationDescription plain_of(const ExtendedS3DestinationDescription& extended) {
  S3DestinationDescription plain;
  plain.role_arn = extended.role_arn;
  plain.bucket_arn = extended.bucket_arn;
  plain.prefix = extended.prefix;
  plain.error_output_prefix = extended.error_output_prefix;
  plain.buffering_hints = extended.buffering_hints;
  plain.compression_format = extended.compression_format;
  plain.encryption_configuration = extended.encryption_configuration;
  plain.cloud_watch_logging_options = extended.cloud_watch_logging_options;
  return plain;
}

template <class Description>
void set_defaults(Description& description) {
  description.buffering_hints.size_in_mbs = kSizeDefault;
  description.buffering_hints.interval_in_seconds = kIntervalDefault;
  description.compression_format = "UNCOMPRESSED";
  description.encryption_configuration.no_encryption_config = "NoEncryption";
  description.cloud_watch_logging_options.emplace().enabled = false;
}

bool is_on(const std::optional<bool>& flag) {
  return flag.value_or(false);
}

std::optional<std::string> not_built_in(const ExtendedS3DestinationDescription& extended) {
  if (extended.processing_configuration && is_on(extended.processing_configuration->enabled))
    return "a processor";
  if (extended.s3_backup_mode.value_or("Disabled") == "Enabled") return "backup of source records";
  const auto& conversion = extended.data_format_conversion_configuration;
  if (conversion && conversion->enabled.value_or(true)) return "data format conversion";
  const auto& partitioning = extended.dynamic_partitioning_configuration;
  if (partitioning && is_on(partitioning->enabled)) return "dynamic partitioning";
  const std::string zone = extended.custom_time_zone.value_or("");
  if (!zone.empty() && zone != "UTC") return "a custom time zone";
  return std::nullopt;
}

// What both kinds are asked; `plain` has it of either.
wire::Answer<delivery::Configuration> check_plain(const S3DestinationDescription& plain,
                                                  Timestamp now) {
  const std::string prefix = plain.prefix.value_or("");
  const std::string error_prefix = plain.error_output_prefix.value_or("");
  if (auto problem = delivery::prefix_problem(prefix, error_prefix, now))
    return invalid_argument(std::move(*problem));
  const BufferingHints& hints = plain.buffering_hints;
  if (!hints.size_in_mbs || !hints.interval_in_seconds)
    return invalid_argument(
        "BufferingHints must have both SizeInMBs and IntervalInSeconds, or neither.");

  delivery::Configuration to;
  if (plain.compression_format == "GZIP")
    to.compression = delivery::Compression::gzip;
  else if (plain.compression_format != "UNCOMPRESSED")
    return not_built("compression format " + plain.compression_format);
  to.bucket =
      plain.bucket_arn.substr(plain.bucket_arn.find(":::") + 3);  // The model's pattern has it.
  to.prefix = prefix;
  to.error_prefix = error_prefix;
  to.size_bytes = static_cast<uint64_t>(*hints.size_in_mbs) << 20;
  to.interval = std::chrono::seconds(*hints.interval_in_seconds);
  return to;
}

}  // namespace

DestinationDescription describe(const ExtendedS3DestinationConfiguration& wanted) {
  ExtendedS3DestinationDescription extended;
  set_defaults(extended);
  extended.s3_backup_mode = "Disabled";
  extended.role_arn = wanted.role_arn;
  extended.bucket_arn = wanted.bucket_arn;
  take_shared(extended, wanted);
  take_extended(extended, wanted);
  if (wanted.s3_backup_configuration)
    extended.s3_backup_description =
        describe(*wanted.s3_backup_configuration).s3_destination_description;
  DestinationDescription description;
  description.destination_id = kDestinationId;
  description.s3_destination_description = plain_of(extended);
  description.extended_s3_destination_description = std::move(extended);
  return description;
}

DestinationDescription describe(const S3DestinationConfiguration& wanted) {
  S3DestinationDescription plain;
  set_defaults(plain);
  plain.role_arn = wanted.role_arn;
  plain.bucket_arn = wanted.bucket_arn;
  take_shared(plain, wanted);
  DestinationDescription description;
  description.destination_id = kDestinationId;
  description.s3_destination_description = std::move(plain);
  return description;
}

void merge(DestinationDescription& current, const ExtendedS3DestinationUpdate& update) {
  auto& extended = current.extended_s3_destination_description;
  if (!extended) {  // Was a plain one: becomes an extended one with the same values.
    const S3DestinationDescription plain = *current.s3_destination_description;
    extended.emplace();
    extended->role_arn = plain.role_arn;
    extended->bucket_arn = plain.bucket_arn;
    extended->prefix = plain.prefix;
    extended->error_output_prefix = plain.error_output_prefix;
    extended->buffering_hints = plain.buffering_hints;
    extended->compression_format = plain.compression_format;
    extended->encryption_configuration = plain.encryption_configuration;
    extended->cloud_watch_logging_options = plain.cloud_watch_logging_options;
    extended->s3_backup_mode = "Disabled";
  }
  if (update.role_arn) extended->role_arn = *update.role_arn;
  if (update.bucket_arn) extended->bucket_arn = *update.bucket_arn;
  take_shared(*extended, update);
  take_extended(*extended, update);
  current.s3_destination_description = plain_of(*extended);
}

void merge(DestinationDescription& current, const S3DestinationUpdate& update) {
  const auto apply = [&](auto& description) {
    if (!description) return;
    if (update.role_arn) description->role_arn = *update.role_arn;
    if (update.bucket_arn) description->bucket_arn = *update.bucket_arn;
    take_shared(*description, update);
  };
  apply(current.s3_destination_description);
  apply(current.extended_s3_destination_description);
}

wire::Answer<delivery::Configuration> check(const DestinationDescription& destination,
                                            Timestamp now) {
  auto to = check_plain(*destination.s3_destination_description, now);
  const auto& extended = destination.extended_s3_destination_description;
  // Prefixes first, as Firehose does; a compression that is not built must not hide a backup's
  // missing half.
  if (!to && to.error().code != "NotImplemented") return to;
  if (!extended) return to;

  if (extended->s3_backup_mode == "Enabled" && !extended->s3_backup_description)
    return invalid_argument(
        "S3 backup destination configuration is required when enabling S3 backup.");
  const auto& processing = extended->processing_configuration;
  if (processing && is_on(processing->enabled)) {
    const size_t count = processing->processors ? processing->processors->size() : 0;
    if (count < 1 || count > kProcessorsMax)
      return invalid_argument(
          "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is "
          "enabled.");
  }
  if (const auto what = not_built_in(*extended)) return not_built(*what);
  if (to) to->extension = extended->file_extension.value_or("");
  return to;
}

}  // namespace laketap::api::firehose
