#include "api/glue/glue.h"

#include <charconv>

#include "api/glue/doors.h"

namespace laketap::api::glue {

Answer<Slice> slice(size_t size, const std::optional<std::string>& token,
                    std::optional<int64_t> limit, size_t limit_max) {
  Slice made;
  if (token && !token->empty()) {
    const auto [end, error] =
        std::from_chars(token->data(), token->data() + token->size(), made.begin);
    if (error != std::errc() || end != token->data() + token->size() || made.begin > size)
      return wire::refuse("InvalidInputException", 400, "Invalid pagination token.");
  }
  const size_t count = limit ? std::min<size_t>(static_cast<size_t>(*limit), limit_max) : limit_max;
  made.end = std::min(size, made.begin + count);
  if (made.end < size) made.next = std::to_string(made.end);
  return made;
}

void register_glue(wire::Operations& operations, catalog::Catalog& catalog,
                   crawler::Crawlers& crawlers) {
  register_catalog(operations, catalog);
  register_partitions(operations, catalog);
  register_crawlers(operations, crawlers);
}

}  // namespace laketap::api::glue
