// Is it UTF-8?
#pragma once

#include <string_view>

namespace laketap {

// Strict: shortest forms only, no surrogates (RFC 3629).
bool is_utf8(std::string_view text);

}  // namespace laketap
