// Trino's type system: what an expression's value is, and what becomes what by itself.
// Source: Trino 403, "Data types"; io.trino.type.TypeCoercion for the rules.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laketap::sql {

enum class Kind {
  unknown,
  boolean,
  tinyint,
  smallint,
  integer,
  bigint,
  real,
  double_,
  decimal,
  varchar,
  char_,
  varbinary,
  date,
  time,
  time_zoned,
  timestamp,
  timestamp_zoned,
  interval_day,
  interval_year,
  array,
  map,
  row,
  json,
  uuid,
  ipaddress,
  function,
};

struct Type {
  static constexpr int kUnbounded = -1;

  Kind kind = Kind::unknown;
  int precision = 0;  // decimal's p; varchar's and char's length (kUnbounded: varchar without one);
                      // digits of time and timestamp.
  int scale = 0;      // decimal's s.
  std::string zone;   // timestamp_zoned's, where it is known: whose wall clock it shows; "" is UTC.
                      // No part of equality.
  std::vector<Type> parts;  // array's element; map's key and value; row's fields.
  std::vector<std::optional<std::string>> names;  // row's fields, in the case they were written in.

  Type() = default;
  Type(Kind of, int p = 0, int s = 0) : kind(of), precision(p), scale(s) {}
  static Type varchar(int length = kUnbounded) { return Type(Kind::varchar, length); }
  static Type array_of(Type element);
  static Type map_of(Type key, Type value);

  bool operator==(const Type& other) const;  // Names of row fields count, their case does not.
  bool is(Kind of) const { return kind == of; }
  bool is_integer() const { return kind >= Kind::tinyint && kind <= Kind::bigint; }
  bool is_exact() const { return is_integer() || kind == Kind::decimal; }
  bool is_floating() const { return kind == Kind::real || kind == Kind::double_; }
  bool is_numeric() const { return is_exact() || is_floating(); }
  bool is_text() const { return kind == Kind::varchar || kind == Kind::char_; }
};

std::string to_string(const Type& type);  // As Trino writes it: varchar(3), row(a integer).
// struct<a:int,b:array<string>>; unknown words give nothing.
std::optional<Type> from_hive(std::string_view text);
// A type of Trino's spelling; nothing when it is none.
std::optional<Type> from_trino(std::string_view text);

bool can_coerce(const Type& from, const Type& to);
std::optional<Type> common_type(const Type& a, const Type& b);

// As DuckDB declares it: VARCHAR, STRUCT("a" INTEGER).
std::string duckdb_type(const Type& type);

bool is_comparable(const Type& type);  // Has =.
bool is_orderable(const Type& type);   // Has <.

}  // namespace laketap::sql
