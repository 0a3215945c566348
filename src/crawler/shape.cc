#include "crawler/shape.h"

#include <boost/json.hpp>

#include "catalog/catalog.h"

namespace laketap::crawler {
namespace {

namespace json = boost::json;

constexpr uint32_t kBoolean = 1, kInteger = 2, kWide = 4, kFraction = 8, kText = 16, kObject = 32,
                   kArray = 64;

// A field that a struct<..> cannot name makes the whole a text, which holds everything.
bool is_speakable(std::string_view name) {
  return !name.empty() && name.find_first_of(":<>,") == std::string_view::npos;
}

class HiveReader {
 public:
  explicit HiveReader(std::string_view text) : text_(text) {}

  Shape read(int depth = 0) {
    Shape made;
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '<' && text_[at_] != ',' && text_[at_] != '>') ++at_;
    const std::string name = catalog::folded(text_.substr(begin, at_ - begin));
    const bool open = at_ < text_.size() && text_[at_] == '<' && depth < kNestingMax;
    if (name == "struct" && open) {
      made.is_object = true;
      ++at_;
      read_fields(made, depth);
    } else if (name == "array" && open) {
      made.is_array = true;
      ++at_;
      made.element = std::make_unique<Shape>(read(depth + 1));
      if (at_ < text_.size()) ++at_;
    } else if (name == "boolean") {
      made.boolean = true;
    } else if (name == "int") {
      made.integer = true;
    } else if (name == "bigint") {
      made.wide = true;
    } else if (name == "double") {
      made.fraction = true;
    } else {
      made.text = true;
      if (open) at_ = text_.size();
    }
    return made;
  }

 private:
  void read_fields(Shape& made, int depth) {
    while (at_ < text_.size() && text_[at_] != '>') {
      const size_t colon = text_.find(':', at_);
      if (colon == std::string_view::npos) {
        at_ = text_.size();
        return;
      }
      const std::string_view name = text_.substr(at_, colon - at_);
      at_ = colon + 1;
      Shape inner = read(depth + 1);
      if (Shape* field = made.field(name)) *field = std::move(inner);
      if (at_ < text_.size() && text_[at_] == ',') ++at_;
    }
    if (at_ < text_.size()) ++at_;
  }

  std::string_view text_;
  size_t at_ = 0;
};

json::value to_json(const Shape& shape) {
  const uint32_t bits = (shape.boolean ? kBoolean : 0) | (shape.integer ? kInteger : 0) |
                        (shape.wide ? kWide : 0) | (shape.fraction ? kFraction : 0) |
                        (shape.text ? kText : 0) | (shape.is_object ? kObject : 0) |
                        (shape.is_array ? kArray : 0);
  if (shape.fields.empty() && !shape.element) return bits;
  json::array fields;
  for (const auto& [name, inner] : shape.fields) {
    fields.emplace_back(name);
    fields.push_back(to_json(inner));
  }
  json::array out;
  out.emplace_back(bits);
  out.emplace_back(std::move(fields));
  if (shape.element) out.push_back(to_json(*shape.element));
  return out;
}

Shape from_json(const json::value& value, int depth) {
  Shape made;
  const uint32_t bits = (value.is_array() ? value.as_array().at(0) : value).to_number<uint32_t>();
  made.boolean = (bits & kBoolean) != 0;
  made.integer = (bits & kInteger) != 0;
  made.wide = (bits & kWide) != 0;
  made.fraction = (bits & kFraction) != 0;
  made.text = (bits & kText) != 0;
  made.is_object = (bits & kObject) != 0;
  made.is_array = (bits & kArray) != 0;
  if (!value.is_array() || depth > kNestingMax + 2) return made;
  const json::array& parts = value.as_array();
  const json::array& fields = parts.at(1).as_array();
  for (size_t i = 0; i + 1 < fields.size(); i += 2)
    if (Shape* field = made.field(fields[i].as_string()))
      *field = from_json(fields[i + 1], depth + 1);
  if (parts.size() > 2) made.element = std::make_unique<Shape>(from_json(parts[2], depth + 1));
  return made;
}

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
      element(other.element ? std::make_unique<Shape>(*other.element) : nullptr),
      index_(other.index_) {}

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
  std::swap(index_, other.index_);
  return *this;
}

// What Glue's pattern for a column's name leaves out of ASCII.
static bool is_nameable(std::string_view name) {
  return std::ranges::all_of(
      name, [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\t'; });
}

Shape* Shape::field(std::string_view name) {
  std::string folded = catalog::folded(name);
  if (const auto found = index_.find(folded); found != index_.end())
    return &fields[found->second].second;
  if (fields.size() >= kColumnsMax || !is_nameable(name)) return nullptr;
  index_.emplace(std::move(folded), static_cast<uint32_t>(fields.size()));
  return &fields.emplace_back(std::string(name), Shape()).second;
}

const Shape* Shape::find(std::string_view name) const {
  const auto found = index_.find(catalog::folded(name));
  return found == index_.end() ? nullptr : &fields[found->second].second;
}

void Shape::merge(const Shape& other) {
  boolean |= other.boolean;
  integer |= other.integer;
  wide |= other.wide;
  fraction |= other.fraction;
  text |= other.text;
  is_object |= other.is_object;
  is_array |= other.is_array;
  for (const auto& [name, inner] : other.fields)
    if (Shape* own = field(name)) own->merge(inner);
  if (other.element) {
    if (!element) element = std::make_unique<Shape>();
    element->merge(*other.element);
  }
}

bool Shape::only_null() const {
  return !boolean && !integer && !wide && !fraction && !text && !is_object && !is_array;
}

std::string Shape::hive_type() const {
  const bool number = integer || wide || fraction;
  const int kinds = (boolean ? 1 : 0) + (number ? 1 : 0) + (text ? 1 : 0) + (is_object ? 1 : 0) +
                    (is_array ? 1 : 0);
  if (kinds != 1) return "string";  // Nothing but null, or a mixture: text holds all of it.
  if (boolean) return "boolean";
  if (number) return fraction ? "double" : wide ? "bigint" : "int";
  if (text || (is_object && fields.empty())) return "string";
  std::string out;
  if (is_array) {
    out = "array<" + (element ? element->hive_type() : std::string("string")) + ">";
  } else {
    out = "struct<";
    for (size_t i = 0; i < fields.size(); ++i) {
      if (!is_speakable(fields[i].first)) return "string";
      out += (i > 0 ? "," : "") + fields[i].first + ":" + fields[i].second.hive_type();
    }
    out += ">";
  }
  return out.size() <= kTypeBytesMax ? out : "string";
}

std::optional<Shape> shape_of_hive(std::string_view type) {
  Shape made = HiveReader(type).read();
  if (made.hive_type() != type) return std::nullopt;
  return made;
}

std::string write_shape(const Shape& shape) {
  return json::serialize(to_json(shape));
}

std::optional<Shape> read_shape(std::string_view text) {
  json::parse_options options;
  options.max_depth = 4 * kNestingMax;
  boost::system::error_code error;
  const json::value value = json::parse(text, error, {}, options);
  if (error) return std::nullopt;
  try {
    return from_json(value, 0);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace laketap::crawler
