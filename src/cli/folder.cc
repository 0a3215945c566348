#include "cli/folder.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "io/files.h"

namespace laketap::cli {
namespace {

constexpr size_t kStampBytesMax = 64;

}  // namespace

Result<> check_format(const std::string& directory) {
  const std::string path = directory + "/format";
  const Result<std::string> stamp = io::read_file(io::real_files(), path, kStampBytesMax);
  if (!stamp && stamp.error().kind == ErrorKind::not_found)
    return io::replace_file(io::real_files(), path, fmt::format("laketap {}\n", kFolderFormat));
  if (!stamp) return fail(stamp.error(), path);
  constexpr std::string_view kWord = "laketap ";
  int format = 0;
  if (stamp->starts_with(kWord))
    std::from_chars(stamp->data() + kWord.size(), stamp->data() + stamp->size(), format);
  if (format < 1) return fail(ErrorKind::invalid, path + " is no format stamp of laketap");
  if (format > kFolderFormat)
    return fail(ErrorKind::invalid,
                fmt::format("{} was written by a newer laketap (format {}; this one knows {})",
                            directory, format, kFolderFormat));
  return {};
}

Result<> write_endpoint(const std::string& directory, const std::string& url) {
  return io::replace_file(io::real_files(), directory + "/endpoint", url + "\n");
}

Result<Listen> parse_listen(std::string_view text) {
  const size_t colon = text.rfind(':');
  Listen listen;
  if (colon == text.npos)
    return fail(ErrorKind::invalid, fmt::format("--listen needs HOST:PORT, not {}", text));
  std::string_view host = text.substr(0, colon), port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), listen.port);
  if (error != std::errc() || end != port.data() + port.size() || host.empty())
    return fail(ErrorKind::invalid, fmt::format("--listen needs HOST:PORT, not {}", text));
  listen.host = host;
  return listen;
}

std::string absolute_path(const std::string& path) {
  std::error_code error;
  const std::filesystem::path found = std::filesystem::weakly_canonical(path, error);
  return error ? path : found.string();
}

}  // namespace laketap::cli
