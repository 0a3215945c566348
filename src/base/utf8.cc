#include "base/utf8.h"

namespace laketap {

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    const auto follows = [&](size_t at) { return (byte(at) & 0xc0) == 0x80; };
    const unsigned first = byte(i);
    if (first < 0x80) {
      i += 1;
    } else if (first >= 0xc2 && first < 0xe0 && follows(i + 1)) {
      i += 2;
    } else if (first >= 0xe0 && first < 0xf0 && follows(i + 1) && follows(i + 2) &&
               !(first == 0xe0 && byte(i + 1) < 0xa0) && !(first == 0xed && byte(i + 1) > 0x9f)) {
      i += 3;
    } else if (first >= 0xf0 && first < 0xf5 && follows(i + 1) && follows(i + 2) &&
               follows(i + 3) && !(first == 0xf0 && byte(i + 1) < 0x90) &&
               !(first == 0xf4 && byte(i + 1) > 0x8f)) {
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace laketap
