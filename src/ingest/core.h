// The parts that ingest's source files share; nothing outside the room includes this.
#pragma once

#include <atomic>
#include <mutex>
#include <shared_mutex>

#include "ingest/definition.h"
#include "ingest/ingest.h"

namespace laketap::ingest {

struct Stream {
  Definition definition;  // Guarded by Core::mutex.
  std::shared_ptr<delivery::Buffer> buffer;
};
using StreamPtr = std::shared_ptr<Stream>;

// Where records go, and what their answer says: all that a put needs of a stream.
struct Entrance {
  std::shared_ptr<delivery::Buffer> buffer;
  bool encrypted = false;
};

struct Streams::Core {
  explicit Core(Parts given) : parts(given), receipt_nonce(given.random.next()) {}

  const Parts parts;
  const uint64_t receipt_nonce;  // Of this start; makes record ids unique over restarts.
  std::atomic<uint64_t> receipt_counter = 0;

  std::mutex changing;  // One change at a time; held over its commit. Before `mutex`.
  mutable std::shared_mutex mutex;
  std::map<std::string, StreamPtr, std::less<>> streams;

  Result<StreamPtr> find(std::string_view name) const;
  Result<Entrance> entrance(std::string_view name) const;
  Receipt make_receipt(bool encrypted);

  // Writes the row of `changed`, then shows it. With `changing` held.
  Result<> replace(const StreamPtr& stream, Definition changed, bool new_configuration);
  // Changes a copy of the definition by `change` and replaces it.
  Result<> modify(std::string_view name, const std::function<Result<>(Definition&)>& change);
  void forget(const std::string& name, uint64_t id);
  void close(const StreamPtr& stream, bool discard);
};

}  // namespace laketap::ingest
