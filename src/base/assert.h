// ASSERT: a bug of ours. Stays on in release: prints the place and ends the process.
#pragma once

namespace laketap {
[[noreturn]] void assert_failed(const char* condition, const char* file, int line);
}  // namespace laketap

#define ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::laketap::assert_failed(#condition, __FILE__, __LINE__))
