#include "query/result.h"

#include <algorithm>
#include <cctype>

#include "io/files.h"
#include "sql/types.h"

namespace laketap::query {
namespace {

constexpr size_t kReadBytes = 64 * 1024;

void append_quoted(std::string& target, std::string_view value) {
  target += '"';
  for (size_t at = 0;;) {
    const size_t quote = value.find('"', at);
    target.append(value, at, quote == std::string_view::npos ? value.size() - at : quote - at + 1);
    if (quote == std::string_view::npos) break;
    target += '"';
    at = quote + 1;
  }
  target += '"';
}

// Bytes of a file one after another.
class ByteReader {
 public:
  ByteReader(const io::File& file, uint64_t offset) : file_(file), offset_(offset) {}
  // -1 at the end.
  Result<int> next() {
    if (at_ == buffer_.size()) {
      buffer_.resize(kReadBytes);
      const auto got = file_.read(offset_, buffer_);
      if (!got) return fail(got.error());
      buffer_.resize(*got);
      offset_ += *got;
      at_ = 0;
      if (buffer_.empty()) return -1;
    }
    return buffer_[at_++];
  }
  uint64_t offset() const { return offset_ - (buffer_.size() - at_); }

 private:
  const io::File& file_;
  uint64_t offset_;
  Bytes buffer_;
  size_t at_ = 0;
};

struct Opened {
  store::Pin pin;
  std::unique_ptr<io::File> file;
};
Result<Opened> open_object(store::Store& store, const Place& place) {
  const auto object = store.find(place.bucket, place.key);
  if (!object) return fail(object.error());
  if (object->delete_marker) return fail(ErrorKind::not_found, "the result was deleted");
  auto pin = store.pin(*object);
  if (!pin) return fail(pin.error());
  auto file = io::real_files().open(pin->path(), {});
  if (!file) return fail(file.error());
  return Opened{std::move(*pin), std::move(*file)};
}

std::unexpected<Error> no_row() {
  return fail(ErrorKind::invalid, "no row begins there");
}

// One line of our own CSV. Absent at the end.
Result<std::optional<std::vector<engine::Value>>> read_row(ByteReader& reader) {
  auto c = reader.next();
  if (!c) return fail(c.error());
  if (*c < 0) return std::optional<std::vector<engine::Value>>();
  std::vector<engine::Value> row;
  for (;;) {
    engine::Value value;
    if (*c == '"') {
      value.emplace();
      for (;;) {
        c = reader.next();
        if (!c) return fail(c.error());
        if (*c < 0) return no_row();
        if (*c == '"') {
          c = reader.next();
          if (!c) return fail(c.error());
          if (*c != '"') break;
        }
        *value += static_cast<char>(*c);
      }
    }
    row.push_back(std::move(value));
    if (*c == '\n') return std::optional(std::move(row));
    if (*c != ',') return no_row();
    c = reader.next();
    if (!c) return fail(c.error());
  }
}

// Protobuf: varints and length-delimited fields are all we need.
void append_varint(std::string& target, uint64_t value) {
  for (; value >= 0x80; value >>= 7) target += static_cast<char>(value | 0x80);
  target += static_cast<char>(value);
}
void append_number(std::string& target, int field, uint64_t value) {
  append_varint(target, static_cast<uint64_t>(field) << 3);
  append_varint(target, value);
}
void append_text(std::string& target, int field, std::string_view value) {
  append_varint(target, static_cast<uint64_t>(field) << 3 | 2);
  append_varint(target, value.size());
  target += value;
}

}  // namespace

std::optional<Place> parse_location(std::string_view location) {
  constexpr std::string_view kScheme = "s3://";
  if (!location.starts_with(kScheme)) return std::nullopt;
  location.remove_prefix(kScheme.size());
  const size_t slash = std::min(location.find('/'), location.size());
  Place place{std::string(location.substr(0, slash)),
              slash < location.size() ? std::string(location.substr(slash + 1)) : std::string()};
  if (!store::is_bucket_name(place.bucket)) return std::nullopt;
  return place;
}

void append_csv(std::string& target, std::span<const engine::Value> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (i) target += ',';
    if (values[i]) append_quoted(target, *values[i]);
  }
  target += '\n';
}

ColumnFacts facts_of(const Column& column) {
  using sql::Kind;
  if (column.type == "string") return {"string", 0, 0, false};
  const sql::Type type = sql::from_trino(column.type).value_or(sql::Type());
  switch (type.kind) {
    case Kind::boolean: return {"boolean", 0, 0, false};
    case Kind::tinyint: return {"tinyint", 3, 0, false};
    case Kind::smallint: return {"smallint", 5, 0, false};
    case Kind::integer: return {"integer", 10, 0, false};
    case Kind::bigint: return {"bigint", 19, 0, false};
    case Kind::real: return {"float", 17, 0, false};
    case Kind::double_: return {"double", 17, 0, false};
    case Kind::decimal: return {"decimal", type.precision, type.scale, false};
    case Kind::varchar:
      return {"varchar", type.precision == sql::Type::kUnbounded ? 2147483647 : type.precision, 0,
              true};
    case Kind::char_: return {"char", type.precision, 0, true};
    case Kind::varbinary: return {"varbinary", 1073741824, 0, false};
    case Kind::date: return {"date", 0, 0, false};
    case Kind::time: return {"time", 3, 0, false};
    case Kind::time_zoned: return {"time with time zone", 3, 0, false};
    case Kind::timestamp: return {"timestamp", 3, 0, false};
    case Kind::timestamp_zoned: return {"timestamp with time zone", 3, 0, false};
    case Kind::interval_day: return {"interval day to second", 0, 0, false};
    case Kind::interval_year: return {"interval year to month", 0, 0, false};
    case Kind::array: return {"array", 0, 0, false};
    case Kind::map: return {"map", 0, 0, false};
    case Kind::row: return {"row", 0, 0, false};
    case Kind::json: return {"json", 0, 0, false};
    case Kind::uuid: return {"uuid", 0, 0, false};
    case Kind::ipaddress: return {"ipaddress", 0, 0, false};
    case Kind::unknown:
    case Kind::function: return {"unknown", 0, 0, false};
  }
  return {"unknown", 0, 0, false};
}

std::string metadata_bytes(std::string_view query_id, const std::vector<Column>& columns) {
  std::string bytes;
  append_text(bytes, 1, query_id);
  for (const Column& column : columns) {
    const ColumnFacts facts = facts_of(column);
    std::string entry;
    append_text(entry, 1, "hive");
    append_text(entry, 4, column.name);
    append_text(entry, 5, column.name);
    append_text(entry, 6, facts.type);
    // Which of these are there depends on the type, measured on the service.
    const std::string& type = facts.type;
    const bool sized =
        facts.precision > 0 || type == "decimal" || type == "char" || type == "varchar";
    const bool scaled = sized || type == "date";
    if (sized) append_number(entry, 7, static_cast<uint64_t>(facts.precision));
    if (scaled) append_number(entry, 8, static_cast<uint64_t>(facts.scale));
    constexpr uint64_t kUnknown = 3;
    append_number(entry, 9, kUnknown);
    if (scaled || type == "boolean" || type.starts_with("interval"))
      append_number(entry, 10, facts.case_sensitive);
    append_text(bytes, 4, entry);
  }
  return bytes;
}

Result<ResultFile> ResultFile::open(store::Store& store, const Place& place) {
  auto upload = store.begin_upload(place.bucket, place.key);
  if (!upload) return fail(upload.error());
  return ResultFile(std::move(*upload));
}

Result<> ResultFile::flush() {
  const Result<> written = upload_->write(view(pending_));
  pending_.clear();
  return written;
}

Result<> ResultFile::write(std::string_view bytes) {
  bytes_ += bytes.size();
  pending_ += bytes;
  return pending_.size() >= kWriteBytes ? flush() : Result<>();
}

Result<> ResultFile::commit(const std::string& content_type) {
  if (!pending_.empty()) {
    const Result<> flushed = flush();
    if (!flushed) return flushed;
  }
  store::CommitOptions options;
  options.metadata["content-type"] = content_type;
  options.metadata[store::kQueryResult] = "true";
  const auto committed = upload_->commit(options);
  if (!committed) return fail(committed.error());
  return {};
}

Result<Slice> read_csv(store::Store& store, const Place& place, uint64_t offset, size_t rows_max) {
  const auto opened = open_object(store, place);
  if (!opened) return fail(opened.error());
  ByteReader reader(*opened->file, offset);
  Slice slice;
  while (slice.rows.size() < rows_max) {
    auto row = read_row(reader);
    if (!row) return fail(row.error());
    if (!*row) {
      slice.at_end = true;
      break;
    }
    slice.rows.push_back(std::move(**row));
  }
  slice.next_offset = reader.offset();
  return slice;
}

Result<Slice> read_lines(store::Store& store, const Place& place, uint64_t offset,
                         size_t rows_max) {
  const auto opened = open_object(store, place);
  if (!opened) return fail(opened.error());
  ByteReader reader(*opened->file, offset);
  Slice slice;
  while (slice.rows.size() < rows_max && !slice.at_end) {
    std::string line;
    bool any = false;
    for (;;) {
      const auto c = reader.next();
      if (!c) return fail(c.error());
      slice.at_end = *c < 0;
      if (*c < 0 || *c == '\n') break;
      any = true;
      line += static_cast<char>(*c);
    }
    if (any || !slice.at_end) slice.rows.push_back({std::move(line)});
  }
  slice.next_offset = reader.offset();
  return slice;
}

}  // namespace laketap::query
