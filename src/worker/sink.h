// A sink writes the JSON values of one column into a DuckDB vector, as the OpenX SerDe converts
// them. Nested types are trees of sinks.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sql/types.h"
#include "worker/cursor.h"
#include "worker/duck.h"

namespace laketap::worker {

struct SerdeRules {
  bool ignore_malformed = false;  // A record that is no JSON is a row of NULLs; else an error.
  bool null_for_invalid = false;  // A value that does not fit its column is NULL; else an error.
  bool fold_keys = true;          // Keys match without case.
  bool dots_in_keys = false;      // a.b is column a_b.
  std::unordered_map<std::string, std::string> mappings;  // Column -> key.
};

enum class Written {
  ok,
  bad_syntax,  // Or cut short: Cursor::ran_out() tells.
  bad_value,   // Sink::problem() tells.
};

// Which member of an object is which field. Remembers what stood at which place in the last
// object: the next one is mostly alike, and one comparison of bytes finds its field.
class Keys {
 public:
  Keys() = default;
  Keys(const std::vector<std::string>& names, const SerdeRules& rules, bool with_mappings);
  // The field's number, or -1. `place`: the how manieth member it is.
  int find(std::string_view key, size_t place) {
    if (place < hints_.size() && hints_[place].key == key) return hints_[place].field;
    return look_up(key, place);
  }

 private:
  struct Hint {
    std::string key;
    int field;
  };
  static constexpr size_t kHintsMax = 256;
  int look_up(std::string_view key, size_t place);

  std::unordered_map<std::string, int> fields_;
  bool fold_ = true, dots_ = false;
  std::vector<Hint> hints_;
};

class Sink {
 public:
  // `number` is the column's, for messages.
  Sink(const Duck& duck, const sql::Type& type, const SerdeRules& rules, size_t number);

  // A part of a nested type's: problems are the whole's.
  Sink(const Duck& duck, const sql::Type& type, const SerdeRules& rules, size_t number,
       std::string* problem);

  // Before the first write into a vector, and again after it may have moved.
  void bind(duckdb_vector vector);
  // Reads the value that `cursor` stands on.
  Written write(Cursor& cursor, size_t row);
  void write_null(size_t row);
  // A partition's value. False: the text is none of the type.
  bool write_text(std::string_view text, size_t row);
  // Copies row 0, a plain value, to the rows after it.
  void repeat_first(size_t rows);
  // After the last row of a chunk: tells DuckDB how long its lists are.
  void finish();

  const std::string& problem() const { return *problem_; }

 private:
  Written write_string(Cursor& cursor, size_t row);
  Written write_raw(Cursor& cursor, size_t row);
  Written write_array(Cursor& cursor, size_t row);
  Written write_map(Cursor& cursor, size_t row);
  Written write_struct(Cursor& cursor, size_t row);
  Written write_positional(Cursor& cursor, size_t row);
  bool write_lone(std::string_view text, bool quoted, size_t row);
  Written mismatch(std::string_view text, size_t row);
  void put_text(std::string_view text, size_t row, bool clean);
  void set_valid(size_t row) {
    if (validity_) validity_[row >> 6] |= uint64_t{1} << (row & 63);
  }
  void forget();
  size_t grow_list(size_t length);
  std::string_view decoded(const Cursor& cursor, std::string_view content);

  const Duck& duck_;
  const sql::Type type_;
  const SerdeRules& rules_;
  const size_t number_;
  std::unique_ptr<std::string> own_problem_;
  std::string* problem_;

  duckdb_vector vector_ = nullptr;
  void* data_ = nullptr;
  uint64_t* validity_ = nullptr;
  std::vector<std::unique_ptr<Sink>> parts_;
  Keys keys_;                   // Of a struct.
  std::vector<uint64_t> seen_;  // Of a struct: in which object each field was last met.
  uint64_t object_ = 0;
  size_t list_size_ = 0, list_capacity_ = 0;
  std::string scratch_;
};

// The type of a table function's column.
duckdb_logical_type logical_type(const Duck& duck, const sql::Type& type);

// Bytes of one value in a vector, 0 for nested ones.
size_t value_bytes(const sql::Type& type);

}  // namespace laketap::worker
