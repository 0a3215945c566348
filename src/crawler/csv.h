// Delimited text -> a schema and how to read it. Inner header of crawler.
// Rules: Glue's built-in CSV classifier; all-text files have columns col0, col1, ...
#pragma once

#include <map>

#include "crawler/infer.h"

namespace laketap::crawler {

struct Csv {
  Schema schema;
  // Table parameters: delimiter, columnsOrdered, areColumnsQuoted and, with a header,
  // skip.header.line.count.
  std::map<std::string, std::string> traits;
};

// Absent when it is no CSV: fewer than two columns or rows, or rows of different lengths.
std::optional<Csv> infer_csv(std::string_view bytes, bool whole);

}  // namespace laketap::crawler
