#include "engine/protocol.h"

#include <array>
#include <utility>

namespace laketap::engine {
namespace {

class Writer {
 public:
  template <class T>
  void number(T value) {
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    store_le(bytes_.data() + at, value);
  }
  void text(std::string_view value) {
    number(static_cast<uint32_t>(value.size()));
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  void optional(const std::optional<std::string>& value) {
    number<uint8_t>(value.has_value());
    if (value) text(*value);
  }
  void columns(const std::vector<ColumnSpec>& columns) {
    number(static_cast<uint32_t>(columns.size()));
    for (const ColumnSpec& column : columns) {
      text(column.name);
      text(column.type);
    }
  }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

// Reads past the end give zeros and are remembered.
class Reader {
 public:
  explicit Reader(ByteView bytes) : left_(bytes) {}

  template <class T>
  T number() {
    if (left_.size() < sizeof(T)) {
      bad_ = true;
      left_ = {};
      return T{};
    }
    const T value = load_le<T>(left_);
    left_ = left_.subspan(sizeof(T));
    return value;
  }
  std::string text() {
    const size_t size = number<uint32_t>();
    if (left_.size() < size) {
      bad_ = true;
      left_ = {};
      return {};
    }
    std::string value(laketap::text(left_.first(size)));
    left_ = left_.subspan(size);
    return value;
  }
  std::optional<std::string> optional() {
    if (number<uint8_t>() == 0) return std::nullopt;
    return text();
  }
  // A number of elements, each of which takes at least one byte.
  size_t count() {
    const size_t value = number<uint32_t>();
    if (value <= left_.size()) return value;
    bad_ = true;
    return 0;
  }
  std::vector<ColumnSpec> columns() {
    std::vector<ColumnSpec> columns(count());
    for (ColumnSpec& column : columns) {
      column.name = text();
      column.type = text();
    }
    return columns;
  }
  template <class T>
  Result<T> whole(T value) const {
    if (bad_ || !left_.empty())
      return fail(ErrorKind::corrupt, "a message between server and worker");
    return value;
  }

 private:
  ByteView left_;
  bool bad_ = false;
};

void write_scan(Writer& to, const Scan& scan) {
  to.text(scan.name);
  to.columns(scan.columns);
  to.columns(scan.partition_columns);
  to.number(static_cast<uint8_t>(scan.format));
  to.number(static_cast<uint32_t>(scan.serde_parameters.size()));
  for (const auto& [key, value] : scan.serde_parameters) {
    to.text(key);
    to.text(value);
  }
  to.number(static_cast<uint32_t>(scan.files.size()));
  for (const ScanFile& file : scan.files) {
    to.text(file.path);
    to.text(file.name);
    to.number(file.bytes);
    to.number(static_cast<uint8_t>(file.compression));
    to.number(static_cast<uint32_t>(file.parts.size()));
    for (const auto& part : file.parts) {
      to.number(static_cast<int32_t>(part.descriptor));
      to.number(part.range.offset);
      to.number(part.range.bytes);
    }
    to.number(static_cast<uint32_t>(file.partition_values.size()));
    for (const auto& value : file.partition_values) to.optional(value);
  }
}

Scan read_scan(Reader& from) {
  Scan scan;
  scan.name = from.text();
  scan.columns = from.columns();
  scan.partition_columns = from.columns();
  scan.format = static_cast<Format>(from.number<uint8_t>());
  for (size_t i = from.count(); i > 0; --i) {
    std::string key = from.text();
    scan.serde_parameters[std::move(key)] = from.text();
  }
  scan.files.resize(from.count());
  for (ScanFile& file : scan.files) {
    file.path = from.text();
    file.name = from.text();
    file.bytes = from.number<uint64_t>();
    file.compression = static_cast<Compression>(from.number<uint8_t>());
    file.parts.resize(from.count());
    for (auto& part : file.parts) {
      part.descriptor = from.number<int32_t>();
      part.range.offset = from.number<uint64_t>();
      part.range.bytes = from.number<uint64_t>();
    }
    file.partition_values.resize(from.count());
    for (auto& value : file.partition_values) value = from.optional();
  }
  return scan;
}

}  // namespace

Result<> send_message(int socket, MessageKind kind, ByteView body,
                      std::span<const int> descriptors) {
  std::array<uint8_t, 5> head;
  store_le(head.data(), static_cast<uint32_t>(body.size()));
  head[4] = static_cast<uint8_t>(kind);
  const Result<> sent = io::send_all(socket, head, descriptors);
  if (!sent || body.empty()) return sent;
  return io::send_all(socket, body);
}

Result<Message> receive_message(int socket) {
  Message message;
  std::array<uint8_t, 5> head;
  Result<> received = io::receive_all(socket, head, message.descriptors);
  if (!received) return fail(received.error());
  const auto bytes = load_le<uint32_t>(head);
  if (bytes > kMessageBytesMax) return fail(ErrorKind::corrupt, "a message's length");
  message.kind = static_cast<MessageKind>(head[4]);
  message.body.resize(bytes);
  if (bytes > 0) received = io::receive_all(socket, message.body, message.descriptors);
  if (!received) return fail(ErrorKind::unavailable, received.error().what);
  return message;
}

Bytes encode(const WorkerSetup& setup) {
  Writer to;
  to.text(setup.library);
  to.text(setup.spill_folder);
  to.number(static_cast<uint32_t>(setup.readable_folders.size()));
  for (const std::string& folder : setup.readable_folders) to.text(folder);
  to.number(setup.threads);
  to.number(setup.memory_bytes);
  to.number(setup.spill_bytes);
  to.number<uint8_t>(setup.allow_unsandboxed);
  return to.take();
}

Result<WorkerSetup> decode_setup(ByteView body) {
  Reader from(body);
  WorkerSetup setup;
  setup.library = from.text();
  setup.spill_folder = from.text();
  setup.readable_folders.resize(from.count());
  for (std::string& folder : setup.readable_folders) folder = from.text();
  setup.threads = from.number<uint64_t>();
  setup.memory_bytes = from.number<uint64_t>();
  setup.spill_bytes = from.number<uint64_t>();
  setup.allow_unsandboxed = from.number<uint8_t>() != 0;
  return from.whole(std::move(setup));
}

Bytes encode(const Statement& statement) {
  Writer to;
  to.text(statement.sql);
  to.number(static_cast<uint32_t>(statement.scans.size()));
  for (const Scan& scan : statement.scans) write_scan(to, scan);
  to.number(static_cast<uint32_t>(statement.columns.size()));
  for (const ResultColumn& column : statement.columns) {
    to.text(column.name);
    to.text(column.type);
  }
  to.number(static_cast<uint8_t>(statement.style));
  to.number(static_cast<int64_t>(statement.time_max.count()));
  return to.take();
}

Result<Statement> decode_statement(ByteView body) {
  Reader from(body);
  Statement statement;
  statement.sql = from.text();
  statement.scans.resize(from.count());
  for (Scan& scan : statement.scans) scan = read_scan(from);
  statement.columns.resize(from.count());
  for (ResultColumn& column : statement.columns) {
    column.name = from.text();
    column.type = from.text();
  }
  statement.style = static_cast<Style>(from.number<uint8_t>());
  statement.time_max = std::chrono::milliseconds(from.number<int64_t>());
  return from.whole(std::move(statement));
}

Bytes encode(const RowBatch& batch) {
  Writer to;
  to.number(static_cast<uint32_t>(batch.columns));
  to.number(static_cast<uint32_t>(batch.values.size()));
  for (const Value& value : batch.values) to.optional(value);
  return to.take();
}

Result<RowBatch> decode_rows(ByteView body) {
  Reader from(body);
  RowBatch batch;
  batch.columns = from.number<uint32_t>();
  batch.values.resize(from.count());
  for (Value& value : batch.values) value = from.optional();
  return from.whole(std::move(batch));
}

Bytes encode(const Outcome& outcome) {
  Writer to;
  to.number(outcome.rows);
  to.number(outcome.scanned_bytes);
  to.number(outcome.scanned_rows);
  to.number(outcome.malformed_records);
  return to.take();
}

Result<Outcome> decode_outcome(ByteView body) {
  Reader from(body);
  Outcome outcome;
  outcome.rows = from.number<uint64_t>();
  outcome.scanned_bytes = from.number<uint64_t>();
  outcome.scanned_rows = from.number<uint64_t>();
  outcome.malformed_records = from.number<uint64_t>();
  return from.whole(outcome);
}

Bytes encode(const Error& error) {
  Writer to;
  to.number(static_cast<uint8_t>(error.kind));
  to.text(error.what);
  return to.take();
}

Result<Error> decode_error(ByteView body) {
  Reader from(body);
  Error error;
  error.kind = static_cast<ErrorKind>(from.number<uint8_t>());
  error.what = from.text();
  if (error.kind > ErrorKind::unsupported) error.kind = ErrorKind::corrupt;
  return from.whole(std::move(error));
}

Bytes encode(const std::vector<std::string>& texts) {
  Writer to;
  to.number(static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) to.text(text);
  return to.take();
}

Result<std::vector<std::string>> decode_texts(ByteView body) {
  Reader from(body);
  std::vector<std::string> texts(from.count());
  for (std::string& text : texts) text = from.text();
  return from.whole(std::move(texts));
}

Bytes encode(const Refusals& refusals) {
  Writer to;
  to.number(static_cast<uint32_t>(refusals.size()));
  for (const auto& [attempt, refused] : refusals) {
    to.text(attempt);
    to.number<uint8_t>(refused);
  }
  return to.take();
}

Result<Refusals> decode_refusals(ByteView body) {
  Reader from(body);
  Refusals refusals;
  for (size_t i = from.count(); i > 0; --i) {
    std::string attempt = from.text();
    refusals[std::move(attempt)] = from.number<uint8_t>() != 0;
  }
  return from.whole(std::move(refusals));
}

}  // namespace laketap::engine
