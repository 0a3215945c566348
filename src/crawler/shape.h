// What JSON values of one place looked like, merged over records and files. Inner header of
// crawler.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace laketap::crawler {

struct Shape {
  bool boolean = false, integer = false, wide = false, fraction = false, text = false;
  bool is_object = false, is_array = false;
  std::vector<std::pair<std::string, Shape>> fields;  // In order and case of first sight.
  std::unique_ptr<Shape> element;

  Shape() = default;
  Shape(const Shape& other);
  Shape(Shape&&) noexcept = default;
  Shape& operator=(Shape other) noexcept;

  // The field of this name, made when there is none; names that differ by case only are one.
  // Null when there are kColumnsMax fields already, or a catalog takes no such name.
  Shape* field(std::string_view name);
  const Shape* find(std::string_view name) const;
  void merge(const Shape& other);
  bool only_null() const;  // Nothing but null was seen.
  std::string hive_type() const;

 private:
  std::unordered_map<std::string, uint32_t> index_;  // Folded name -> place in `fields`.
};

// A Hive type as a shape, so that a new sample widens what a table has. Absent: a type that we
// would not have inferred (timestamp, decimal, map): somebody chose it.
std::optional<Shape> shape_of_hive(std::string_view type);

// As text for state, and back. Absent: no such text.
std::string write_shape(const Shape& shape);
std::optional<Shape> read_shape(std::string_view text);

inline constexpr int kNestingMax = 64;
inline constexpr size_t kColumnsMax = 5000;
inline constexpr size_t kTypeBytesMax = 131'072;  // Glue model, shape ColumnTypeString.

}  // namespace laketap::crawler
