// A stream's destination: from what a client sends to what Describe shows and what delivery does.
#pragma once

#include "base/time.h"
#include "delivery/configuration.h"
#include "wire/firehose.h"
#include "wire/wire.h"

namespace laketap::api::firehose {

inline constexpr std::string_view kDestinationId =
    "destinationId-000000000001";  // There is only one.

// What Describe shows: the client's members, with Firehose's defaults where it left one out.
// A plain S3 destination (deprecated) has the same rules as an extended one.
wire::firehose::DestinationDescription describe(
    const wire::firehose::ExtendedS3DestinationConfiguration& wanted);
wire::firehose::DestinationDescription describe(
    const wire::firehose::S3DestinationConfiguration& wanted);

// Absent members keep their values; a nested object that is present replaces the old one whole.
void merge(wire::firehose::DestinationDescription& current,
           const wire::firehose::ExtendedS3DestinationUpdate& update);
void merge(wire::firehose::DestinationDescription& current,
           const wire::firehose::S3DestinationUpdate& update);

// Refuses what Firehose refuses (contract 6.4), then what is not built; else what delivery needs.
wire::Answer<delivery::Configuration> check(
    const wire::firehose::DestinationDescription& destination, Timestamp now);

}  // namespace laketap::api::firehose
