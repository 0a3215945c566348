// JSON documents -> a schema, merged over records and files. Inner header of crawler.
// Rules: contracts of Glue's built-in JSON classifier; where Glue loses data we widen instead.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"

namespace laketap::crawler {

// What values of one place looked like.
struct Shape {
  bool boolean = false, integer = false, wide = false, fraction = false, text = false;
  bool is_object = false, is_array = false;
  std::vector<std::pair<std::string, Shape>>
      fields;  // In the order of first sight, in the case of first sight.
  std::unique_ptr<Shape> element;

  Shape() = default;
  Shape(const Shape& other);
  Shape(Shape&&) noexcept = default;
  Shape& operator=(Shape other) noexcept;

  Shape& field(std::string_view name);  // Names differ by more than case.
  void merge(const Shape& other);
  std::string hive_type() const;
};

// A Hive type as a shape, so that a new sample widens what a table has. Unknown types are text.
Shape shape_of_hive(std::string_view type);

struct Schema {
  Shape root;                      // An object: the columns.
  std::vector<std::string> paths;  // Top-level keys in their own case.
  uint64_t records = 0;
  uint64_t bytes = 0;                            // That these records took.
  std::vector<catalog::Column> columns() const;  // Names in lower case.
};

// The documents at the front of `bytes`: one a line, joined without a break, in arrays. `whole`:
// nothing was cut off at the end. Absent when it is no JSON (then `why` may say more).
std::optional<Schema> infer_json(std::string_view bytes, bool whole);

inline constexpr int kNestingMax = 64;
inline constexpr size_t kColumnsMax = 5000;
inline constexpr size_t kSampleBytes = 1 << 20;

}  // namespace laketap::crawler
