// Values of DuckDB's vectors as texts: Athena's of GetQueryResults, or those of the recorded cases.
// Source: contract athena.md A5 (measured on the service); tests/sql/trino for the other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "sql/types.h"
#include "worker/duck.h"

namespace laketap::worker {

// As Java writes it: 1.0, 1.0E10, NaN.
std::string java_double(double value);
std::string java_float(float value);

class Renderer {
 public:
  // `type`: what the value is to the user. How it is stored is asked of DuckDB.
  Renderer(const Duck& duck, sql::Type type, duckdb_logical_type stored, engine::Style style);

  // Before rows of a new chunk.
  void bind(duckdb_vector vector);
  bool is_null(size_t row) const;
  // Appends a value that is not NULL. `nested`: inside an array, map or row.
  void append(std::string& target, size_t row, bool nested = false) const;

 private:
  void append_text(std::string& target, std::string_view text, bool nested) const;
  void append_array(std::string& target, size_t first, size_t count) const;
  void append_map(std::string& target, size_t first, size_t count) const;
  void append_struct(std::string& target, size_t row) const;
  void append_part(std::string& target, size_t part, size_t row) const;
  std::string plain(size_t row) const;
  int fraction_digits() const;

  const Duck& duck_;
  sql::Type type_;
  engine::Style style_;
  duckdb_type stored_;
  int scale_ = 0;          // Of a decimal.
  duckdb_type held_as_{};  // A decimal's integer.
  size_t array_size_ = 0;
  std::vector<std::string> names_;  // Of a struct; empty: none.
  std::vector<std::unique_ptr<Renderer>> parts_;
  void* data_ = nullptr;
  uint64_t* validity_ = nullptr;
};

}  // namespace laketap::worker
