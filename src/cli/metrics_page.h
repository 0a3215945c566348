// GET /_laketap/metrics: figures in Prometheus' text format. Inner header of cli.
#pragma once

#include "ingest/ingest.h"
#include "journal/journal.h"
#include "server/server.h"
#include "store/store.h"

namespace laketap::cli {

http::Response metrics_page(const ingest::Streams& streams, const store::Store& store,
                            const journal::Journal& journal, const server::Counters& counters);

}  // namespace laketap::cli
