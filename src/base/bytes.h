// Bytes: owned (Bytes) and borrowed (ByteView), and their conversions to text and integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace laketap {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;

inline ByteView view(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Little-endian integers at the front of `bytes`; the caller has checked that they fit.
template <class T>
T load_le(ByteView bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}
template <class T>
void store_le(uint8_t* target, T value) {
  std::memcpy(target, &value, sizeof(T));
}

// Lower-case hexadecimal.
std::string to_hex(ByteView bytes);

}  // namespace laketap
