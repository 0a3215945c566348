// How Glue's doors are hung. Inner header of api/glue.
#pragma once

#include <memory>

#include "api/glue/convert.h"

namespace laketap::api::glue {

using wire::Answer;
using wire::Call;

// Adds a member function of a shared object as an operation.
template <class Doors>
struct Hinges {
  wire::Operations& operations;
  std::shared_ptr<const Doors> doors;

  template <class In, class Out>
  void add(std::string_view name, Answer<Out> (Doors::*door)(const Call&, In) const) {
    auto shared = doors;
    operations.add<In, Out>("glue", name, [shared, door](const Call& call, In input) {
      return ((*shared).*door)(call, std::move(input));
    });
  }
};

// Pages of a list in memory: the token is the place to go on.
struct Slice {
  size_t begin = 0, end = 0;
  std::optional<std::string> next;
};
Answer<Slice> slice(size_t size, const std::optional<std::string>& token,
                    std::optional<int64_t> limit, size_t limit_max);

void register_catalog(wire::Operations& operations, catalog::Catalog& catalog);
void register_partitions(wire::Operations& operations, catalog::Catalog& catalog);
void register_crawlers(wire::Operations& operations, crawler::Crawlers& crawlers);

}  // namespace laketap::api::glue
