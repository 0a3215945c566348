#include "crawler/infer.h"

#include <simdjson.h>

#include <algorithm>
#include <unordered_set>

namespace laketap::crawler {
namespace {

using simdjson::dom::element_type;

constexpr int kDamagesMax = 32;  // Beyond it the rest of a sample is not looked at.

void look(const simdjson::dom::element& value, Shape& shape, int depth) {
  if (depth > kNestingMax) {
    shape.text = true;
    return;
  }
  switch (value.type()) {
    case element_type::NULL_VALUE: return;
    case element_type::BOOL: shape.boolean = true; return;
    case element_type::INT64: {
      const int64_t number = value.get_int64().value_unsafe();
      (number >= INT32_MIN && number <= INT32_MAX ? shape.integer : shape.wide) = true;
      return;
    }
    case element_type::UINT64:  // Past bigint: as a double, not lost.
    case element_type::DOUBLE: shape.fraction = true; return;
    case element_type::STRING: shape.text = true; return;
    case element_type::ARRAY: {
      shape.is_array = true;
      if (!shape.element) shape.element = std::make_unique<Shape>();
      const simdjson::dom::array items = value.get_array().value_unsafe();
      for (const simdjson::dom::element& one : items) look(one, *shape.element, depth + 1);
      return;
    }
    case element_type::OBJECT: {
      shape.is_object = true;
      const simdjson::dom::object members = value.get_object().value_unsafe();
      for (const simdjson::dom::key_value_pair& member : members)
        if (Shape* field = shape.field(member.key)) look(member.value, *field, depth + 1);
      return;
    }
    default: shape.text = true;
  }
}

class Reader {
 public:
  // Reads what it can of `bytes`; what it could not begins at the offset returned, if any.
  std::optional<size_t> read(std::string_view bytes) {
    const simdjson::padded_string padded(bytes);
    simdjson::dom::document_stream documents;
    const size_t batch = std::max<size_t>(padded.size(), 1 << 16);
    if (parser_.parse_many(padded, batch).get(documents) != simdjson::SUCCESS) return 0;
    size_t end = 0;
    for (auto at = documents.begin(); at != documents.end(); ++at) {
      simdjson::dom::element document;
      const simdjson::error_code error = (*at).get(document);
      if (error == simdjson::UTF8_ERROR) is_utf8_ = false;
      if (error == simdjson::BIGINT_ERROR) has_huge_ = true;
      if (error != simdjson::SUCCESS)
        return std::max(end, std::min(at.current_index(), bytes.size()));
      end = at.current_index() + at.source().size();
      made_.bytes += at.source().size();
      take(document);
    }
    const size_t left = bytes.find_first_not_of(" \t\r\n", end);
    if (left == std::string_view::npos) return std::nullopt;
    return left;  // A record that never ends.
  }

  bool is_utf8() const { return is_utf8_; }
  bool has_huge() const { return has_huge_; }  // An integer beyond 64 bits.
  Schema& made() { return made_; }

 private:
  void take(const simdjson::dom::element& document) {
    if (document.is_array()) {
      const simdjson::dom::array items = document.get_array().value_unsafe();
      for (const simdjson::dom::element& one : items)
        if (one.is_object()) take_record(one);
    } else if (document.is_object()) {
      take_record(document);
    }
  }
  void take_record(const simdjson::dom::element& record) {
    ++made_.records;
    const simdjson::dom::object members = record.get_object().value_unsafe();
    for (const simdjson::dom::key_value_pair& member : members)
      if (paths_.size() < kColumnsMax && paths_.emplace(member.key).second)
        made_.paths.emplace_back(member.key);
    look(record, made_.root, 0);
  }

  simdjson::dom::parser parser_;
  Schema made_;
  std::unordered_set<std::string> paths_;
  bool is_utf8_ = true, has_huge_ = false;
};

// simdjson refuses integers beyond 64 bits; with an exponent they are doubles, as what they hold.
std::string with_exponents(std::string_view bytes) {
  constexpr size_t kDigits = 19;  // So many fit for sure.
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 16);
  bool inside = false;
  for (size_t i = 0; i < bytes.size();) {
    const size_t begin = i;
    while (!inside && i < bytes.size() && bytes[i] >= '0' && bytes[i] <= '9') ++i;
    if (i > begin) {
      out += bytes.substr(begin, i - begin);
      const bool ends = i == bytes.size() || std::string_view(".eE").find(bytes[i]) == bytes.npos;
      if (i - begin > kDigits && ends && (begin == 0 || bytes[begin - 1] != '.')) out += "e0";
      continue;
    }
    if (inside && bytes[i] == '\\' && i + 1 < bytes.size())
      out += bytes[i++];
    else if (bytes[i] == '"')
      inside = !inside;
    out += bytes[i++];
  }
  return out;
}

// Of a sample whose end was cut off: up to its last line, so that no half character is left.
std::string_view without_cut(std::string_view bytes) {
  const size_t line = bytes.rfind('\n');
  if (line != std::string_view::npos) return bytes.substr(0, line + 1);
  size_t end = bytes.size();
  while (end > 0 && (static_cast<unsigned char>(bytes[end - 1]) & 0xC0) == 0x80) --end;
  return end > 0 && static_cast<unsigned char>(bytes[end - 1]) >= 0xC0 ? bytes.substr(0, end - 1)
                                                                       : bytes;
}

// Of an array that was cut off: the elements that are whole, one a line.
std::string elements_of(std::string_view bytes) {
  std::string out(bytes);
  out.front() = '\n';
  size_t whole = 0;
  size_t depth = 0;
  bool inside = false;
  for (size_t i = 1; i < out.size(); ++i) {
    const char c = out[i];
    if (inside) {
      if (c == '\\') ++i;
      inside = c != '"';
    } else if (c == '"') {
      inside = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && depth > 0) {
      if (--depth == 0) whole = i + 1;
    } else if (depth == 0 && (c == ',' || c == ']')) {
      out[i] = '\n';
    }
  }
  out.resize(whole);
  return out;
}

}  // namespace

std::vector<catalog::Column> Schema::columns() const {
  std::vector<catalog::Column> out;
  for (const auto& [name, shape] : root.fields)
    if (!name.empty() && name.size() <= kNameBytesMax)
      out.push_back({.name = catalog::folded(name), .type = shape.hive_type()});
  return out;
}

void Schema::merge(const Schema& other) {
  root.merge(other.root);
  records += other.records;
  bytes += other.bytes;
  for (const std::string& path : other.paths)
    if (paths.size() < kColumnsMax && std::ranges::find(paths, path) == paths.end())
      paths.push_back(path);
}

std::optional<Schema> infer_json(std::string_view bytes, bool whole) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (bytes[first] != '{' && bytes[first] != '['))
    return std::nullopt;
  bytes.remove_prefix(first);
  if (!whole) bytes = without_cut(bytes);
  std::string elements;
  if (!whole && bytes.starts_with('[')) {
    elements = elements_of(bytes);
    bytes = elements;
  }
  Reader reader;
  std::string plain, widened;
  for (int damages = 0; damages < kDamagesMax && !bytes.empty(); ++damages) {
    const std::optional<size_t> bad = reader.read(bytes);
    if (!bad) break;
    if (!reader.is_utf8() && plain.empty()) {  // Values in another encoding are text all the same.
      plain = bytes;
      for (char& c : plain)
        if (static_cast<unsigned char>(c) >= 0x80) c = '?';
      bytes = plain;
      continue;
    }
    if (reader.has_huge() && widened.empty()) {
      widened = with_exponents(bytes.substr(*bad));
      bytes = widened;
      continue;
    }
    const size_t end = bytes.find('\n', *bad);
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
  }
  Schema& made = reader.made();
  if (made.records == 0 || made.root.fields.empty()) return std::nullopt;
  made.root.is_object = true;
  return std::move(made);
}

}  // namespace laketap::crawler
