// Delivery streams: their definitions, and the way in for records.
//
//     api/firehose ── Draft ──▶ accept ──▶ delivery (batch) ──▶ journal ──▶ answer
//
// Promise: when accept() returned a receipt, the records survive a crash of the machine, are seen
// by queries, and will stand in exactly one object.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "delivery/delivery.h"

namespace laketap::ingest {

using delivery::Draft;
using delivery::UndeliveredBatch;

enum class Status { active, deleting };

// The stream's own encryption: kept and shown, the journal is not encrypted (docs/gaps.md).
struct Encryption {
  bool enabled = false;
  std::string key_type, key_arn;
};

struct Definition {
  std::string name, arn, account;
  uint64_t id = 0;
  Status status = Status::active;
  uint64_t version = 1;
  Timestamp created;
  std::optional<Timestamp> updated;
  std::string destination;  // As the API describes it; opaque here.
  delivery::Configuration delivery;
  std::map<std::string, std::string> tags;
  Encryption encryption;
  std::optional<int64_t> throughput_mib_hint;
};

struct NewStream {
  std::string name, account, region;  // Of the caller; they make the ARN.
  std::string destination;
  delivery::Configuration delivery;  // Number, version and name are filled in.
  std::map<std::string, std::string> tags;
  Encryption encryption;
  std::optional<int64_t> throughput_mib_hint;
};

struct Names {
  std::vector<std::string> names;  // Sorted.
  bool more = false;
};

// What acknowledged records are called. Unique for ever, opaque.
struct Receipt {
  std::array<char, 28> stem{};  // Hexadecimal.
  bool encrypted = false;
  std::string record_id(size_t index) const;  // 32 characters.
};

inline constexpr size_t kStreamsMax = 5000;  // Firehose API reference, quota per region.
inline constexpr size_t kTagsMax = 50;

// Thread-safety: every method, from any thread. Ownership: borrows all it is given.
class Streams {
 public:
  struct Parts {
    state::Database& database;  // The same as delivery's.
    delivery::Delivery& delivery;
    io::Clock& clock;
    io::Random& random;
    size_t streams_max = kStreamsMax;
  };
  // Reads the definitions and opens their buffers. Between delivery's replay and its start().
  static Result<std::unique_ptr<Streams>> open(Parts parts);
  ~Streams();

  // Errors: exists; too_large - the number of streams, `what` is Firehose's text.
  Result<Definition> create(NewStream stream);
  // Errors: not_found.
  Result<Definition> describe(std::string_view name) const;
  Names list(std::string_view start_after, size_t limit) const;
  // Errors: not_found; conflict - `expected_version` is not the current one, `what` is Firehose's
  // text; exists - the stream is being deleted.
  Result<Definition> update(std::string_view name, uint64_t expected_version,
                            std::string destination, delivery::Configuration configuration);
  // What was accepted is delivered first, meanwhile the stream is shown as deleting; with `discard`
  // it is thrown away. Errors: not_found.
  Result<> remove(std::string_view name, bool discard);
  // Errors: not_found, too_large - more than kTagsMax.
  Result<> tag(std::string_view name, const std::map<std::string, std::string>& tags);
  Result<> untag(std::string_view name, const std::vector<std::string>& keys);
  Result<> encrypt(std::string_view name, Encryption encryption);

  // Returns once the records are on the disk. Resumes on the caller's executor.
  // Errors: not_found; full, unavailable, cancelled - nothing was accepted, try again later.
  // unavailable leaves open whether the disk has them: then they are delivered at most once.
  Task<Result<Receipt>> accept(std::string_view name, Draft draft);

  // Of delivery: see there for the rule of use.
  std::vector<UndeliveredBatch> undelivered(std::string_view bucket, std::string_view prefix) const;
  std::vector<delivery::StreamMetrics> metrics() const;

 private:
  struct Core;
  explicit Streams(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace laketap::ingest
