// The front of an object -> its schema. Inner header of crawler.
// Rules: Glue's built-in JSON classifier; where Glue loses data we widen instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "crawler/shape.h"

namespace laketap::crawler {

struct Schema {
  Shape root;                      // An object: the columns.
  std::vector<std::string> paths;  // Top-level keys in their own case, as often as they differ.
  uint64_t records = 0;
  uint64_t bytes = 0;  // That these records took.

  std::vector<catalog::Column> columns() const;  // Names in lower case.
  void merge(const Schema& other);
};

// The documents in `bytes`: one a line, joined without a break, in arrays. `whole`: nothing was cut
// off at the end. Damaged lines among good ones are stepped over. Absent when there is no record
// with a key.
std::optional<Schema> infer_json(std::string_view bytes, bool whole);

inline constexpr size_t kSampleBytes = 1 << 20;
inline constexpr size_t kNameBytesMax = 255;  // Glue model, shape NameString.

}  // namespace laketap::crawler
