#include "crawler/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace laketap::crawler {
namespace {

constexpr std::string_view kDelimiters = ",|\t;\x01";
constexpr size_t kRowsMax = 1000;
constexpr size_t kHeaderCellMax = 150;

struct Row {
  std::vector<std::string> cells;
  bool quoted = false;
};

// The row at the front of `rest`, which is moved behind it. A quoted cell may hold line ends.
Row next_row(std::string_view& rest, char delimiter) {
  Row row;
  std::string cell;
  bool inside = false;
  size_t i = 0;
  for (; i < rest.size(); ++i) {
    const char c = rest[i];
    if (inside) {
      if (c != '"')
        cell += c;
      else if (i + 1 < rest.size() && rest[i + 1] == '"')
        cell += rest[++i];
      else
        inside = false;
    } else if (c == '"' && cell.empty()) {
      inside = row.quoted = true;
    } else if (c == delimiter) {
      row.cells.push_back(std::move(cell));
      cell.clear();
    } else if (c == '\n') {
      break;
    } else if (c != '\r' || (i + 1 < rest.size() && rest[i + 1] != '\n')) {
      cell += c;
    }
    if (row.cells.size() > kColumnsMax) break;
  }
  row.cells.push_back(std::move(cell));
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return row;
}

std::vector<Row> read_rows(std::string_view bytes, char delimiter) {
  std::vector<Row> rows;
  while (!bytes.empty() && rows.size() < kRowsMax) {
    Row row = next_row(bytes, delimiter);
    const bool blank = row.cells.size() == 1 && row.cells.front().empty();
    if (!blank) rows.push_back(std::move(row));
  }
  return rows;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

void look(std::string_view cell, Shape& shape) {
  cell = trimmed(cell);
  if (cell.empty()) return;
  const char* end = cell.data() + cell.size();
  int64_t whole = 0;
  if (const auto [at, error] = std::from_chars(cell.data(), end, whole);
      error == std::errc() && at == end) {
    shape.wide = true;
    return;
  }
  double fraction = 0;
  const bool digits = std::ranges::any_of(cell, [](char c) { return c >= '0' && c <= '9'; });
  const auto [at, error] = std::from_chars(cell.data(), end, fraction);
  (digits && error == std::errc() && at == end ? shape.fraction : shape.text) = true;
}

bool is_header(const std::vector<Row>& rows, const std::vector<Shape>& shapes) {
  const std::vector<std::string>& cells = rows.front().cells;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string_view cell = trimmed(cells[i]);
    if (cell.empty() && i + 1 == cells.size()) continue;
    Shape own;
    look(cell, own);
    if (!own.text || cell.size() >= kHeaderCellMax) return false;
  }
  return std::ranges::any_of(shapes, [](const Shape& one) { return one.wide || one.fraction; });
}

std::string column_name(const Row& header, size_t index, std::set<std::string>& used) {
  std::string name = catalog::folded(trimmed(header.cells[index]));
  if (name.empty()) name = fmt::format("col{}", index);
  std::string unique = name;
  for (int i = 1; !used.insert(unique).second; ++i) unique = fmt::format("{}_{}", name, i);
  return unique;
}

std::optional<Csv> infer_by(std::string_view bytes, char delimiter) {
  const std::vector<Row> rows = read_rows(bytes, delimiter);
  if (rows.size() < 2) return std::nullopt;
  const size_t width = rows.front().cells.size();
  if (width < 2 || width > kColumnsMax) return std::nullopt;
  if (std::ranges::any_of(rows, [&](const Row& row) { return row.cells.size() != width; }))
    return std::nullopt;
  std::vector<Shape> shapes(width);  // Of all rows but the first.
  for (size_t i = 1; i < rows.size(); ++i)
    for (size_t column = 0; column < width; ++column) look(rows[i].cells[column], shapes[column]);
  const bool header = is_header(rows, shapes);
  const bool quoted = std::ranges::any_of(rows, &Row::quoted);
  Csv made;
  made.traits = {{"delimiter", std::string(1, delimiter)},
                 {"columnsOrdered", "true"},
                 {"areColumnsQuoted", quoted ? "true" : "false"}};
  if (header) made.traits.emplace("skip.header.line.count", std::string(1, '1'));
  std::set<std::string> used;
  for (size_t column = 0; column < width; ++column) {
    if (!header) look(rows.front().cells[column], shapes[column]);
    const std::string name =
        header ? column_name(rows.front(), column, used) : fmt::format("col{}", column);
    Shape* field = made.schema.root.field(name);
    if (!field) break;
    *field = std::move(shapes[column]);
    // The quoting reader gives texts only.
    if (quoted) field->text = true;
    made.schema.paths.push_back(name);
  }
  made.schema.root.is_object = true;
  made.schema.records = rows.size() - (header ? 1 : 0);
  made.schema.bytes = bytes.size();
  return made;
}

}  // namespace

std::optional<Csv> infer_csv(std::string_view bytes, bool whole) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  if (!whole) bytes = bytes.substr(0, bytes.rfind('\n') + 1);
  if (bytes.empty() || bytes.find('\0') != std::string_view::npos) return std::nullopt;
  for (const char delimiter : kDelimiters)
    if (std::optional<Csv> made = infer_by(bytes, delimiter)) return made;
  return std::nullopt;
}

}  // namespace laketap::crawler
