// The doors of Amazon Data Firehose: all twelve operations of its model 2015-08-04.
// Contract: firehose.md. What is known and not built answers 501 NotImplemented (docs/gaps.md).
#pragma once

#include "ingest/ingest.h"
#include "io/clock.h"
#include "wire/wire.h"

namespace laketap::api::firehose {

// Borrows all three; they must outlive the last call of `operations`.
void register_firehose(wire::Operations& operations, ingest::Streams& streams, io::Clock& clock);

}  // namespace laketap::api::firehose
