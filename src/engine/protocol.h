// What server and worker say to each other over their socket.
//
//     u32 length of the body | u8 kind | body          integers little-endian; texts: u32 length,
//     bytes
//
// Descriptors travel in front of the statement that needs them, in messages of their own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/engine.h"
#include "io/process.h"

namespace laketap::engine {

enum class MessageKind : uint8_t {
  // To the worker.
  hello = 1,        // WorkerSetup
  descriptors = 2,  // Empty body, descriptors beside it.
  query = 3,        // Statement; parts name descriptors by their number since the last query.
  cancel = 4,
  self_test = 5,  // Paths
  // From the worker.
  ready = 16,
  rows = 17,      // RowBatch
  done = 18,      // Outcome
  failed = 19,    // u8 ErrorKind, text
  refusals = 20,  // Refusals
};

struct Message {
  MessageKind kind;
  Bytes body;
  std::vector<io::Descriptor> descriptors;
};

// A longer body is taken for damage.
// How a worker ends that has no memory left and cannot say so any more.
inline constexpr int kOutOfMemoryStatus = 77;

inline constexpr uint32_t kMessageBytesMax = 512U << 20;

Result<> send_message(int socket, MessageKind kind, ByteView body,
                      std::span<const int> descriptors = {});
// Blocks. Errors: cancelled - the peer closed the socket; unavailable; corrupt.
Result<Message> receive_message(int socket);

struct WorkerSetup {
  std::string library, spill_folder;
  std::vector<std::string> readable_folders;
  uint64_t threads = 2, memory_bytes = 0, spill_bytes = 0;
  bool allow_unsandboxed = false;
};

Bytes encode(const WorkerSetup& setup);
Bytes encode(const Statement& statement);  // Descriptors of parts as they are.
Bytes encode(const RowBatch& batch);
Bytes encode(const Outcome& outcome);
Bytes encode(const Error& error);
Bytes encode(const std::vector<std::string>& texts);
Bytes encode(const Refusals& refusals);

// Errors: corrupt.
Result<WorkerSetup> decode_setup(ByteView body);
Result<Statement> decode_statement(ByteView body);
Result<RowBatch> decode_rows(ByteView body);
Result<Outcome> decode_outcome(ByteView body);
Result<Error> decode_error(ByteView body);
Result<std::vector<std::string>> decode_texts(ByteView body);
Result<Refusals> decode_refusals(ByteView body);

}  // namespace laketap::engine
