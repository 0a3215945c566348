// Takes accepted records from the journal and leaves objects in the store, each exactly once.
//
//     append ──▶ journal ──▶ batch (open) ──size or age──▶ plan ──▶ put ──▶ release
//                                └──────── undelivered() ────────────┘
//
// A batch is a future object. Its key is fixed by its first record; every frame names it. When it
// is due, a plan is written to `state`, the object is put under the plan's id, and the row of the
// object *is* the delivery record. After a crash a plan is carried out as written, never made anew.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "delivery/configuration.h"
#include "delivery/frame.h"
#include "io/clock.h"
#include "io/random.h"
#include "journal/journal.h"

namespace laketap::state {
class Database;
class Transaction;
}  // namespace laketap::state
namespace laketap::store {
class Store;
}

namespace laketap::delivery {

// Records that were acknowledged and whose object is not in the store's index yet.
struct Piece {
  journal::Location location;  // Of the records' bytes, without the frame's header.
  std::shared_ptr<const journal::Pin> pin;
};
struct UndeliveredBatch {
  std::string bucket, key;
  std::string plan_id;  // As in the object's row later.
  std::vector<Piece> pieces;
  uint64_t bytes = 0;
};

// Records came whose folder had none before (since start).
struct NewPrefix {
  std::string bucket;
  std::string prefix;  // The key up to and with its last slash; empty at the root.
  Bytes sample;        // The first records, joined; at most kSampleBytesMax.
};
inline constexpr size_t kSampleBytesMax = 256 * 1024;

// Of one stream since start. Names in the comments: CloudWatch's.
struct StreamMetrics {
  std::string stream;
  uint64_t incoming_requests = 0, incoming_records = 0,
           incoming_bytes = 0;    // Acknowledged: IncomingRecords ...
  uint64_t refused_requests = 0;  // ThrottledRecords' cause.
  uint64_t delivered_objects = 0, delivered_records = 0, delivered_bytes = 0;  // DeliveryToS3.*
  uint64_t failed_puts = 0;        // Tries that failed; they are repeated.
  uint64_t undelivered_bytes = 0;  // Acknowledged, not in an object.
  double freshness_seconds = 0;    // DeliveryToS3.DataFreshness: age of the oldest of these.
};

struct Options {
  size_t uploads_max = 4;  // At once, over all streams.
  uint64_t held_bytes_max = uint64_t{256}
                            << 20;  // Records kept in memory until put; beyond: read back.
  std::chrono::milliseconds zero_interval{500};                   // What an interval of 0 s means.
  std::chrono::milliseconds retry_first{200}, retry_max{30'000};  // Doubling, of a put that failed.
  bool manual = false;  // No threads: work() does what they would do (simulations).
};

class Buffer;  // A stream's open batch and those waiting; made by open_buffer().

// Called when the records are on the disk and in undelivered(), or surely not accepted. On the
// journal's thread, or on the caller's when refused at once: be short.
using Appended = std::move_only_function<void(Result<>)>;

// Thread-safety: every method from any thread once start() returned; before it, from one.
// Ownership: borrows all it is given.
class Delivery {
 public:
  struct Parts {
    state::Database& database;  // Configurations and plans.
    store::Store& store;
    io::Clock& clock;
    io::Random& random;
  };
  Delivery(Options options, Parts parts);
  ~Delivery();  // As stop().

  // At start, in this order: load(); Journal::open() with replay() for each frame; open_buffer()
  // for each stream there is; start(). Frames of streams that nobody opened are let go.
  Result<> load();
  void replay(const journal::Replayed& frame);
  Result<> start(journal::Journal& journal);
  // Finishes the puts that run and ends the threads. What is not delivered stays in the journal.
  void stop();

  // Writes a version of a stream's configuration with the caller's transaction. Before
  // open_buffer() or reconfigure() with it.
  static void put_configuration(state::Transaction& transaction,
                                const Configuration& configuration);

  std::shared_ptr<Buffer> open_buffer(Configuration configuration);
  // The open batch keeps its configuration and is delivered soon; the next begins with this one.
  void reconfigure(Buffer& buffer, Configuration configuration);
  // Accepts no more. What was accepted is delivered, or let go at once with `discard`; then the
  // stream's configurations are erased and `drained` is called (on a thread of delivery, or the
  // caller's).
  void close_buffer(const std::shared_ptr<Buffer>& buffer, bool discard,
                    std::function<void()> drained);

  // Gives the records their batch and appends them to the journal.
  // Errors: cancelled - the buffer is closed or we stop; others as journal::Journal::append.
  void append(Buffer& buffer, Draft draft, Appended done);

  // Acknowledged records whose object will lie in `bucket` under `prefix`. A batch leaves this list
  // only after its object's row was committed, so: first this, then the store's snapshot, then drop
  // the batches whose plan_id is among the objects'.
  std::vector<UndeliveredBatch> undelivered(std::string_view bucket, std::string_view prefix) const;

  // Called on a thread of its own, one notice at a time. Set before start().
  void on_new_prefix(std::function<void(const NewPrefix&)> listener);
  // Says once more of each stream's newest undelivered batch under `prefix` that it came: for who
  // was not there to hear it.
  void notice_again(std::string_view bucket, std::string_view prefix);

  std::vector<StreamMetrics> metrics() const;
  StreamMetrics metrics(const Buffer& buffer) const;

  // With Options::manual: everything that is due at the clock's moment. Returns whether it did any.
  bool work();

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace laketap::delivery
