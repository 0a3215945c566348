#include "store/paths.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace laketap::store {
namespace {

constexpr size_t kPartBytesMax = 200;  // Linux allows 255; file systems that fold names need room.
constexpr size_t kPathBytesMax = 900;

bool is_safe_part(std::string_view part) {
  if (part.empty() || part.size() > kPartBytesMax || part.front() == '.') return false;
  for (const char c : part)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\') return false;
  return true;
}

}  // namespace

std::optional<std::string> readable_path(std::string_view bucket, std::string_view key) {
  if (key.size() > kPathBytesMax || !is_utf8(key)) return std::nullopt;
  for (size_t from = 0; from <= key.size();) {
    const size_t slash = std::min(key.find('/', from), key.size());
    if (!is_safe_part(key.substr(from, slash - from))) return std::nullopt;
    from = slash + 1;
  }
  return fmt::format("{}/{}", bucket, key);
}

std::string identified_path(std::string_view bucket, std::string_view id) {
  return fmt::format("{}/{}/{}/{}", bucket, kFilesFolder, id.substr(0, 2), id);
}

bool is_identified(std::string_view path) {
  // No part of a readable path begins with a dot.
  return path.substr(path.find('/') + 1).starts_with(kFilesFolder);
}

std::string id_in(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string_view folder_of(std::string_view path) {
  return path.substr(0, path.rfind('/'));
}

}  // namespace laketap::store
