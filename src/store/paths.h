// Where an object's file lies. Inner header of store.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace laketap::store {

// BUCKET/KEY when every part of the key is a safe file name, so that `ls` and `cat` find it. Absent
// otherwise: empty parts, `.` and `..`, hidden names, control characters, backslashes, parts over
// 200 bytes, invalid UTF-8.
std::optional<std::string> readable_path(std::string_view bucket, std::string_view key);

// BUCKET/.files/xx/ID: for what has no readable path, or whose path is taken (an older version, `a`
// beside `a/b`).
std::string identified_path(std::string_view bucket, std::string_view id);

// Is it such a path, and which id is in it?
bool is_identified(std::string_view path);
std::string id_in(std::string_view path);

// The folder of a path, without the slash.
std::string_view folder_of(std::string_view path);

inline constexpr std::string_view kFilesFolder = ".files";
inline constexpr std::string_view kUploadsFolder = ".uploads";
inline constexpr std::string_view kScratchFolder = ".parts";

}  // namespace laketap::store
