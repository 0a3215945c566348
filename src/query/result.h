// Result files: writing them, and reading pages out of them again. Contract: athena.md A5, A7.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "query/query.h"
#include "store/store.h"

namespace laketap::query {

struct Place {  // s3://BUCKET/KEY
  std::string bucket, key;
};
// Absent: not of that form, or no legal bucket name.
std::optional<Place> parse_location(std::string_view location);

// Appends a line of CSV: every value in quotes, NULL as nothing.
void append_csv(std::string& target, std::span<const engine::Value> values);

// The companion that JDBC reads: a protobuf message.
std::string metadata_bytes(std::string_view query_id, const std::vector<Column>& columns);

// Writes one object in pieces of kWriteBytes.
class ResultFile {
 public:
  static constexpr size_t kWriteBytes = 256 * 1024;
  static Result<ResultFile> open(store::Store& store, const Place& place);
  Result<> write(std::string_view bytes);
  Result<> commit(const std::string& content_type);
  uint64_t bytes() const { return bytes_; }

 private:
  explicit ResultFile(std::unique_ptr<store::Upload> upload) : upload_(std::move(upload)) {}
  Result<> flush();

  std::unique_ptr<store::Upload> upload_;
  std::string pending_;
  uint64_t bytes_ = 0;
};

// Up to `rows_max` rows from a byte offset on.
struct Slice {
  std::vector<std::vector<engine::Value>> rows;
  uint64_t next_offset = 0;
  bool at_end = false;
};
// Errors: not_found - the file; invalid - the offset is not the start of a row.
Result<Slice> read_csv(store::Store& store, const Place& place, uint64_t offset, size_t rows_max);
// The same of a text whose lines are rows of one value.
Result<Slice> read_lines(store::Store& store, const Place& place, uint64_t offset, size_t rows_max);

}  // namespace laketap::query
