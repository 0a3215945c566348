// Errors as values. A face returns Result<T>; an exception never crosses a face.
//
// Three cases, three forms: expected (an absent key) is a value such as std::optional; gone wrong
// outside us is a Result; a bug of ours is ASSERT (base/assert.h).
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace laketap {

enum class ErrorKind {
  not_found,    // What was named is not there.
  exists,       // What was to be made is there already.
  invalid,      // The caller's input is wrong.
  too_large,    // The caller's input passes a bound.
  denied,       // The caller may not do this.
  conflict,     // Somebody else changed it meanwhile; doing it again may succeed.
  corrupt,      // Stored bytes are not what was written.
  full,         // No room: the disk or a bounded queue.
  unavailable,  // The machine or a peer failed.
  cancelled,    // Stopped by request or by shutting down.
  unsupported,  // Known, and not built.
};

struct Error {
  ErrorKind kind;
  std::string what;  // Lower case, no full stop, from the outside in.
};

template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {  // std::expected may be dropped.
 public:
  using std::expected<T, Error>::expected;
};

inline std::unexpected<Error> fail(ErrorKind kind, std::string what) {
  return std::unexpected(Error{kind, std::move(what)});
}

// Adds what was being done: fail(segment.error(), "opening the segment") -> "opening the segment:
// no space".
inline std::unexpected<Error> fail(const Error& error, std::string_view doing) {
  return std::unexpected(Error{error.kind, std::string(doing) + ": " + error.what});
}
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

}  // namespace laketap
