// Constraints of the model, and how AWS's validators word what breaks them. Inner header of wire.
//
// A decoder calls check_*() for each value it has read and missing() for each required member it
// has not. What is wrong is collected, in the model's order, and becomes one fault at the end:
//
//     2 validation errors detected: Value '' at 'name' failed to satisfy constraint: Member must
//     have length greater than or equal to 1; Value null at 'records' failed to satisfy constraint:
//     ...
//
// Source: firehose.md 1, athena.md A1 (texts of real AWS); contracts disagree on whether the value
// is repeated, so that is a setting of the service.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wire/shape.h"
#include "wire/wire.h"

namespace laketap::wire {

// Where a value stands in the input: a chain on the stack, read only when something is wrong.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;  // A member's name in the model, or a map's key.
  size_t order =
      0;  // Among its siblings: of a member its place in the model, of an element its index.
  enum class Step : uint8_t { root, member, element, entry } step = Step::root;
  const Member* member = nullptr;  // Of Step::member.
};

class Violations {
 public:
  explicit Violations(const Service& service) : service_(service) {}

  void missing(const Path& path);
  void check_text(const Shape& shape, std::string_view text, const Path& path);
  void check_number(const Shape& shape, double value, const Path& path);
  void check_blob(const Shape& shape, size_t bytes, const Path& path);
  // After the elements are there; elements of scalar type are checked here, not one by one.
  void check_list(const Shape& shape, const void* list, const Path& path);
  void check_map(const Shape& shape, const void* map, const Path& path);

  bool empty() const { return found_.empty(); }
  // The fault for all that was found, in the words of the service. Only when not empty().
  Fault fault() const;

 private:
  struct Found {
    std::vector<size_t> order;
    std::string text;
    const Member* top;  // The input's member it is part of; null at the root.
    std::string value;
  };
  void add(const Path& path, std::string_view shown, std::string_view constraint,
           const Shape* shape, std::string_view raw = {});
  Fault rest_fault() const;

  const Service& service_;
  std::vector<Found> found_;
};

// A fault for a body that is no input at all: SerializationException, MalformedXML and the like.
Fault malformed(const Service& service, std::string message);

// The Shape holds texts or numbers that the model constrains: they are checked with their list or
// map.
bool is_scalar(const Shape& shape);

// Length as Java counts it: UTF-16 units.
size_t java_length(std::string_view utf8);

}  // namespace laketap::wire
