// A place in a text whose structurals are known.
//
// Behind the last structural stand sentinels that point at a NUL, so that a walk needs no check of
// bounds: what meets a NUL stops, and whether the text was cut short or is no JSON is told apart by
// where the walk stopped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace laketap::worker {

inline constexpr size_t kSentinels = 8;

struct Cursor {
  const char* text = nullptr;
  const uint32_t* offsets = nullptr;
  size_t at = 0;     // The structural we stand on.
  size_t count = 0;  // Without the sentinels.
  bool has_backslash = false;
  bool dirty = false;  // The text is not all UTF-8.

  char peek(size_t ahead = 0) const { return text[offsets[at + ahead]]; }
  bool ran_out() const { return at >= count; }

  // What stands between the quotes; we stand on the first.
  std::string_view string() const {
    return {text + offsets[at] + 1, offsets[at + 1] - offsets[at] - 1};
  }
  // A number, true, false, null or whatever stands there.
  std::string_view scalar() const {
    const char* first = text + offsets[at];
    const char* end = text + offsets[at + 1];
    while (end > first && (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\r' || end[-1] == '\t'))
      --end;
    return {first, static_cast<size_t>(end - first)};
  }

  // Past the value we stand on. False: it does not end here, or is none.
  bool skip() {
    const char c = peek();
    if (c == '"') {
      at += 2;
      return at <= count;
    }
    if (c == '{' || c == '[') return skip_nested();
    if (c == '}' || c == ']' || c == ',' || c == ':' || c == '\0') return false;
    ++at;
    return true;
  }

  // Past the bracket that closes the one we stand on. Both kinds count alike down to kDepthsTold.
  bool skip_nested() {
    uint64_t curly = 0;  // One bit a depth: is it { ?
    size_t depth = 0;
    for (;; ++at) {
      switch (peek()) {
        case '{':
          curly = curly << 1 | 1;
          ++depth;
          break;
        case '[':
          curly <<= 1;
          ++depth;
          break;
        case '}':
          if (!(curly & 1) && depth <= kDepthsTold) return false;
          curly >>= 1;
          if (--depth == 0) return ++at, true;
          break;
        case ']':
          if ((curly & 1) && depth <= kDepthsTold) return false;
          curly >>= 1;
          if (--depth == 0) return ++at, true;
          break;
        case '"': ++at; break;
        case '\0':
          if (ran_out()) return false;
          break;
        default: break;
      }
      if (ran_out()) return false;
    }
  }
  static constexpr size_t kDepthsTold = 64;
};

}  // namespace laketap::worker
