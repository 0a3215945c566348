#include "crawler/infer.h"

#include <simdjson.h>

#include <algorithm>
#include <cctype>

namespace laketap::crawler {
namespace {

using simdjson::dom::element_type;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

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
    case element_type::UINT64:
      shape.fraction = true;
      return;  // Past bigint: as a double, not lost.
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
      for (const simdjson::dom::key_value_pair& field : members)
        if (shape.fields.size() < kColumnsMax) look(field.value, shape.field(field.key), depth + 1);
      return;
    }
    default: shape.text = true;
  }
}

class HiveReader {
 public:
  explicit HiveReader(std::string_view text) : text_(text) {}
  Shape read(int depth = 0) {
    Shape made;
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '<' && text_[at_] != ',' && text_[at_] != '>') {
      if (text_[at_] == '(')
        while (at_ < text_.size() && text_[at_] != ')') ++at_;
      ++at_;
    }
    const std::string name = lower(text_.substr(begin, at_ - begin));
    const bool open = at_ < text_.size() && text_[at_] == '<';
    if (name == "struct" && open && depth < kNestingMax) {
      made.is_object = true;
      ++at_;
      while (at_ < text_.size() && text_[at_] != '>') {
        const size_t colon = text_.find(':', at_);
        if (colon == std::string_view::npos) break;
        const std::string field(text_.substr(at_, colon - at_));
        at_ = colon + 1;
        Shape one = read(depth + 1);
        made.fields.emplace_back(field, std::move(one));
        if (at_ < text_.size() && text_[at_] == ',') ++at_;
      }
      if (at_ < text_.size()) ++at_;
    } else if (name == "array" && open && depth < kNestingMax) {
      made.is_array = true;
      ++at_;
      made.element = std::make_unique<Shape>(read(depth + 1));
      if (at_ < text_.size()) ++at_;
    } else if (name == "boolean") {
      made.boolean = true;
    } else if (name == "int" || name == "smallint" || name == "tinyint") {
      made.integer = true;
    } else if (name == "bigint") {
      made.wide = true;
    } else if (name == "double" || name == "float" || name.starts_with("decimal")) {
      made.fraction = true;
    } else {
      made.text = true;
      if (open) at_ = text_.size();
    }
    return made;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Shape::Shape(const Shape& other)
    : boolean(other.boolean),
      integer(other.integer),
      wide(other.wide),
      fraction(other.fraction),
      text(other.text),
      is_object(other.is_object),
      is_array(other.is_array),
      fields(other.fields),
      element(other.element ? std::make_unique<Shape>(*other.element) : nullptr) {}

Shape& Shape::operator=(Shape other) noexcept {
  std::swap(boolean, other.boolean);
  std::swap(integer, other.integer);
  std::swap(wide, other.wide);
  std::swap(fraction, other.fraction);
  std::swap(text, other.text);
  std::swap(is_object, other.is_object);
  std::swap(is_array, other.is_array);
  std::swap(fields, other.fields);
  std::swap(element, other.element);
  return *this;
}

Shape& Shape::field(std::string_view name) {
  for (auto& [own, shape] : fields)
    if (own == name) return shape;
  const std::string folded = lower(name);
  for (auto& [own, shape] : fields)
    if (lower(own) == folded) return shape;
  return fields.emplace_back(std::string(name), Shape()).second;
}

void Shape::merge(const Shape& other) {
  boolean |= other.boolean;
  integer |= other.integer;
  wide |= other.wide;
  fraction |= other.fraction;
  text |= other.text;
  is_object |= other.is_object;
  is_array |= other.is_array;
  for (const auto& [name, shape] : other.fields)
    if (fields.size() < kColumnsMax) field(name).merge(shape);
  if (other.element) {
    if (!element) element = std::make_unique<Shape>();
    element->merge(*other.element);
  }
}

std::string Shape::hive_type() const {
  const bool number = integer || wide || fraction;
  const int kinds = (boolean ? 1 : 0) + (number ? 1 : 0) + (text ? 1 : 0) + (is_object ? 1 : 0) +
                    (is_array ? 1 : 0);
  if (kinds != 1) return "string";  // Nothing but null, or a mixture: text holds all of it.
  if (boolean) return "boolean";
  if (number) return fraction ? "double" : wide ? "bigint" : "int";
  if (is_array) return "array<" + (element ? element->hive_type() : std::string("string")) + ">";
  if (!is_object || fields.empty()) return "string";
  std::string out = "struct<";
  for (size_t i = 0; i < fields.size(); ++i)
    out += (i > 0 ? "," : "") + fields[i].first + ":" + fields[i].second.hive_type();
  return out + ">";
}

Shape shape_of_hive(std::string_view type) {
  return HiveReader(type).read();
}

std::vector<catalog::Column> Schema::columns() const {
  std::vector<catalog::Column> out;
  for (const auto& [name, shape] : root.fields)
    out.push_back({.name = lower(name), .type = shape.hive_type()});
  return out;
}

std::optional<Schema> infer_json(std::string_view bytes, bool whole) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (bytes[first] != '{' && bytes[first] != '['))
    return std::nullopt;
  const simdjson::padded_string padded(bytes.substr(first));
  simdjson::dom::parser parser;
  simdjson::dom::document_stream documents;
  if (parser.parse_many(padded, std::max<size_t>(padded.size(), 1 << 16)).get(documents) !=
      simdjson::SUCCESS)
    return std::nullopt;
  Schema made;
  const auto take = [&](const simdjson::dom::element& one) {
    if (!one.is_object()) return false;
    ++made.records;
    const simdjson::dom::object members = one.get_object().value_unsafe();
    for (const simdjson::dom::key_value_pair& field : members) {
      const std::string key(field.key);
      if (std::ranges::find(made.paths, key) == made.paths.end() && made.paths.size() < kColumnsMax)
        made.paths.push_back(key);
    }
    look(one, made.root, 0);
    return true;
  };
  bool alien = false;
  for (auto at = documents.begin(); at != documents.end(); ++at) {
    simdjson::dom::element document;
    if ((*at).get(document) != simdjson::SUCCESS) {
      alien = alien || (made.records == 0 &&
                        whole);  // The cut end of a sample, or a damaged record among good ones.
      break;
    }
    made.bytes = at.current_index() + at.source().size();
    if (document.is_array()) {
      const simdjson::dom::array items = document.get_array().value_unsafe();
      for (const simdjson::dom::element& one : items) alien = !take(one) || alien;
    } else {
      alien = !take(document) || alien;
    }
    if (alien) break;
  }
  if (alien || made.records == 0) return std::nullopt;
  made.root.is_object = true;
  return made;
}

}  // namespace laketap::crawler
