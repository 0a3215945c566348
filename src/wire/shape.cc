#include "wire/shape.h"

#include "wire/wire.h"

namespace laketap::wire {

constinit const Shape kEmptyShape = {.name = "Empty"};
const Shape& shape_of(const Empty*) {
  return kEmptyShape;
}

const Operation* Service::find(std::string_view operation) const {
  for (const Operation& candidate : operations) {
    if (candidate.name == operation) return &candidate;
  }
  return nullptr;
}

const Service* find_service(std::string_view name) {
  for (const Service* service : services()) {
    if (service->name == name) return service;
  }
  return nullptr;
}

}  // namespace laketap::wire
