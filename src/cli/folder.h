// The data folder: its format stamp, the address that `up` printed last, and what --listen means.
// Inner header of cli.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace laketap::cli {

inline constexpr int kFolderFormat = 1;

// Writes DIR/format into a new folder; in an old one it must be ours. Errors: invalid - a newer or
// unreadable stamp, or a folder that holds other things; unavailable.
Result<> check_format(const std::string& directory);

// DIR/endpoint, for `laketap env`; replaced atomically.
Result<> write_endpoint(const std::string& directory, const std::string& url);

struct Listen {
  std::string host;
  uint16_t port = 0;
};
// "127.0.0.1:4566", "[::1]:0", "0.0.0.0:80". Errors: invalid.
Result<Listen> parse_listen(std::string_view text);

std::string absolute_path(const std::string& path);

}  // namespace laketap::cli
