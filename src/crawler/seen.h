// What a crawler remembers of the objects of a folder that it looked at. Inner header of crawler.
#pragma once

#include <map>
#include <set>

#include "crawler/layout.h"
#include "state/state.h"

namespace laketap::crawler {

struct Seen {
  std::string etag;
  bool known = false;  // False: of no format that we know.
  Looked looked;       // Without key.
};
using SeenFolder = std::map<std::string, Seen>;  // By the key's last part.

std::string write_seen(const SeenFolder& folder);
// A text that cannot be read gives an empty folder: it is only a cache.
SeenFolder read_seen(std::string_view text);

std::string seen_prefix(const std::string& crawler);
std::string seen_key(const std::string& crawler, const std::string& bucket,
                     const std::string& folder);

}  // namespace laketap::crawler
