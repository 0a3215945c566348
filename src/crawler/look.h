// Looking at objects: which count, and what their first bytes say. Inner header of crawler.
#pragma once

#include <functional>

#include "crawler/crawler.h"
#include "crawler/layout.h"

namespace laketap::crawler {

// Names that Athena does not read, from the include path down: _SUCCESS, .hidden, x_$folder$.
bool is_hidden(std::string_view key, std::string_view include);
bool is_excluded(std::string_view key, const S3Path& path, const S3Target& target);

// Absent: empty, or of no format that we know.
std::optional<Looked> look_at(store::Store& store, const store::ObjectInfo& object);

// Every object under the path that counts. Errors: not_found - the bucket.
Result<std::vector<Looked>> look_at_all(store::Store& store, const S3Path& path,
                                        const S3Target& target,
                                        const std::function<bool()>& stopped);

}  // namespace laketap::crawler
