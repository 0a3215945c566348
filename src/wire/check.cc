#include "wire/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace laketap::wire {
namespace {

constexpr size_t kViolationsMax = 500;        // A full batch with one mistake in each record.
constexpr size_t kShownBytesMax = 64 * 1024;  // Of a value that a message repeats.

std::string bound_text(double bound) {
  return fmt::format("{}", static_cast<int64_t>(bound));
}

std::string values_text(const Shape& shape) {
  std::string text = "[";
  for (const char* value : shape.values) text.append(text.size() > 1 ? ", " : "").append(value);
  return text + "]";
}

bool is_allowed(const Shape& shape, std::string_view text) {
  if (shape.values.empty()) return true;
  return std::ranges::any_of(shape.values, [&](const char* value) { return text == value; });
}

// What of `shape` the text breaks, in the order AWS lists it.
template <class Report>
void each_broken(const Shape& shape, std::string_view text, Report report) {
  const bool has_length = std::isfinite(shape.min) || std::isfinite(shape.max);
  const double length = has_length ? static_cast<double>(java_length(text)) : 0;
  if (length > shape.max)
    report("Member must have length less than or equal to " + bound_text(shape.max));
  if (has_length && length < shape.min)
    report("Member must have length greater than or equal to " + bound_text(shape.min));
  if (shape.pattern && !matches(*shape.pattern, text))
    report(fmt::format("Member must satisfy regular expression pattern: {}", shape.pattern->java));
  if (!is_allowed(shape, text)) report("Member must satisfy enum value set: " + values_text(shape));
}

// All that the model says of an element: named together when one of them breaks any of it.
std::string all_constraints(const Shape& shape) {
  std::string text;
  const auto add = [&](const std::string& constraint) {
    text.append(text.empty() ? "" : ", ").append(constraint);
  };
  if (std::isfinite(shape.max))
    add("Member must have length less than or equal to " + bound_text(shape.max));
  if (std::isfinite(shape.min))
    add("Member must have length greater than or equal to " + bound_text(shape.min));
  if (shape.pattern)
    add(fmt::format("Member must satisfy regular expression pattern: {}", shape.pattern->java));
  if (!shape.values.empty()) add("Member must satisfy enum value set: " + values_text(shape));
  return text;
}

bool breaks(const Shape& shape, std::string_view text) {
  bool broken = false;
  each_broken(shape, text, [&](const auto&) { broken = true; });
  return broken;
}

std::string shown_list(const Shape& shape, const void* list) {
  if (shape.element->kind != Kind::text || shape.element->sensitive) return {};
  std::string text = "[";
  for (size_t i = 0; i < shape.list->size(list) && text.size() < kShownBytesMax; ++i) {
    if (i > 0) text += ", ";
    text += *static_cast<const std::string*>(shape.list->at(list, i));
  }
  return text + "]";
}

std::string path_text(const Path& path) {
  if (path.step == Path::Step::root) return {};
  std::string text = path_text(*path.parent);
  switch (path.step) {
    case Path::Step::root: break;
    case Path::Step::member: {
      std::string name(path.name);
      if (!name.empty() && name[0] >= 'A' && name[0] <= 'Z') name[0] += 'a' - 'A';
      return text.empty() ? name : text + "." + name;
    }
    case Path::Step::element: return fmt::format("{}.{}.member", text, path.order + 1);
    case Path::Step::entry: return fmt::format("{}.{}.member", text, path.name);
  }
  return text;
}

void order_of(const Path& path, std::vector<size_t>& order) {
  if (path.step == Path::Step::root) return;
  order_of(*path.parent, order);
  order.push_back(path.order);
}

const Member* top_member(const Path& path) {
  if (path.step == Path::Step::root) return nullptr;
  if (path.parent->step == Path::Step::root) return path.member;
  return top_member(*path.parent);
}

}  // namespace

size_t java_length(std::string_view utf8) {
  size_t units = 0;
  for (const char byte : utf8) {
    const auto bits = static_cast<unsigned char>(byte);
    if ((bits & 0xC0) != 0x80) ++units;  // Starts a character;
    if (bits >= 0xF0) ++units;           // which Java holds as a pair.
  }
  return units;
}

bool is_scalar(const Shape& shape) {
  return shape.kind <= Kind::timestamp;
}

void Violations::add(const Path& path, std::string_view shown, std::string_view constraint,
                     const Shape* shape, std::string_view raw) {
  if (found_.size() >= kViolationsMax) return;
  std::string value;
  const bool is_null = shape == nullptr;
  const bool is_buffer = shape && (shape->kind == Kind::blob || shape->kind == Kind::blob_view);
  if ((service_.echo_values && !(shape && shape->sensitive)) || is_buffer) {
    if (is_null)
      value = " null";
    else if (!shown.empty() || shape->kind == Kind::text)
      value = fmt::format(" '{}'",
                          shown.size() > kShownBytesMax ? shown.substr(0, kShownBytesMax) : shown);
  }
  Found found{.order = {},
              .text = {},
              .top = top_member(path),
              .value = std::string(raw.substr(0, kShownBytesMax))};
  order_of(path, found.order);
  found.text = fmt::format("Value{} at '{}' failed to satisfy constraint: {}", value,
                           path_text(path), constraint);
  found_.push_back(std::move(found));
}

void Violations::missing(const Path& path) {
  add(path, {}, "Member must not be null", nullptr);
}

void Violations::check_text(const Shape& shape, std::string_view text, const Path& path) {
  each_broken(shape, text,
              [&](const std::string& constraint) { add(path, text, constraint, &shape, text); });
}

void Violations::check_number(const Shape& shape, double value, const Path& path) {
  if (value <= shape.max && value >= shape.min) return;
  const std::string shown =
      shape.kind == Kind::integer ? bound_text(value) : fmt::format("{}", value);
  if (value > shape.max)
    add(path, shown, "Member must have value less than or equal to " + bound_text(shape.max),
        &shape, shown);
  else
    add(path, shown, "Member must have value greater than or equal to " + bound_text(shape.min),
        &shape, shown);
}

void Violations::check_blob(const Shape& shape, size_t bytes, const Path& path) {
  const auto length = static_cast<double>(bytes);
  if (length <= shape.max && length >= shape.min) return;
  const std::string shown = fmt::format("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", bytes);
  if (length > shape.max)
    add(path, shown, "Member must have length less than or equal to " + bound_text(shape.max),
        &shape);
  else
    add(path, shown, "Member must have length greater than or equal to " + bound_text(shape.min),
        &shape);
}

void Violations::check_list(const Shape& shape, const void* list, const Path& path) {
  const auto length = static_cast<double>(shape.list->size(list));
  if (length > shape.max)
    add(path, shown_list(shape, list),
        "Member must have length less than or equal to " + bound_text(shape.max), &shape);
  if (length < shape.min)
    add(path, shown_list(shape, list),
        "Member must have length greater than or equal to " + bound_text(shape.min), &shape);
  if (shape.element->kind != Kind::text) return;
  for (size_t i = 0; i < shape.list->size(list); ++i) {
    if (!breaks(*shape.element, *static_cast<const std::string*>(shape.list->at(list, i))))
      continue;
    add(path, shown_list(shape, list),
        fmt::format("Member must satisfy constraint: [{}]", all_constraints(*shape.element)),
        &shape);
    return;
  }
}

void Violations::check_map(const Shape& shape, const void* map, const Path& path) {
  const auto length = static_cast<double>(shape.map->size(map));
  if (length > shape.max)
    add(path, {}, "Member must have length less than or equal to " + bound_text(shape.max), &shape);
  if (length < shape.min)
    add(path, {}, "Member must have length greater than or equal to " + bound_text(shape.min),
        &shape);
  struct Seen {
    const Shape& shape;
    bool bad_key = false, bad_value = false;
  } seen{shape};
  shape.map->each(map, &seen, [](void* context, const std::string& key, const void* value) {
    auto& seen = *static_cast<Seen*>(context);
    if (breaks(*seen.shape.key, key)) seen.bad_key = true;
    if (seen.shape.element->kind == Kind::text &&
        breaks(*seen.shape.element, *static_cast<const std::string*>(value)))
      seen.bad_value = true;
  });
  if (seen.bad_key)
    add(path, {},
        fmt::format("Map keys must satisfy constraint: [{}]", all_constraints(*shape.key)), &shape);
  if (seen.bad_value)
    add(path, {},
        fmt::format("Map value must satisfy constraint: [{}]", all_constraints(*shape.element)),
        &shape);
}

Fault Violations::fault() const {
  if (service_.protocol == Protocol::rest_xml) return rest_fault();
  std::vector<const Found*> sorted;
  for (const Found& found : found_) sorted.push_back(&found);
  std::ranges::stable_sort(sorted,
                           [](const Found* a, const Found* b) { return a->order < b->order; });
  std::string message =
      fmt::format("{} validation error{} detected: ", sorted.size(), sorted.size() == 1 ? "" : "s");
  for (size_t i = 0; i < sorted.size(); ++i) message.append(i ? "; " : "").append(sorted[i]->text);
  Fault fault{.code = std::string(service_.validation),
              .status = 400,
              .message = std::move(message),
              .fields = {}};
  for (const auto& [name, value] : service_.validation_fields)
    fault.fields.emplace_back(name, value);
  return fault;
}

// S3 names the one argument that is wrong, or calls the whole body malformed.
Fault Violations::rest_fault() const {
  const auto first = std::ranges::min_element(found_, {}, &Found::order);
  const Member* top = first->top;
  if (!top || top->location == Location::body || top->location == Location::payload)
    return malformed(service_, {});
  Fault fault{.code = std::string(service_.validation),
              .status = 400,
              .message = "Invalid Argument",
              .fields = {}};
  if (top->model_name == "EncodingType")
    fault.message = "Invalid Encoding Method specified in Request";
  if (top->model_name == "StorageClass")
    return {"InvalidStorageClass",
            400,
            "The storage class you specified is not valid",
            {{"StorageClassRequested", first->value}}};
  fault.fields.emplace_back("ArgumentName", top->name);
  fault.fields.emplace_back("ArgumentValue", first->value);
  return fault;
}

Fault malformed(const Service& service, std::string message) {
  switch (service.protocol) {
    case Protocol::json: return {"SerializationException", 400, std::move(message), {}};
    case Protocol::query: return {"MalformedInput", 400, std::move(message), {}};
    case Protocol::rest_xml:
      return {"MalformedXML",
              400,
              "The XML you provided was not well-formed or did not validate against our published "
              "schema",
              {}};
  }
  std::unreachable();
}

}  // namespace laketap::wire
