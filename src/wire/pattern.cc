// The model's regular expressions, by PCRE2: some of them look ahead, which RE2-like engines
// cannot.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "wire/shape.h"

namespace laketap::wire {
namespace {

// Steps of backtracking: enough for every pattern of the models on a megabyte, too few to stall on.
constexpr uint32_t kMatchStepsMax = 1'000'000;
constexpr uint32_t kMatchDepthMax = 10'000;

pcre2_code* compile(const Pattern& pattern) {
  if (void* known = pattern.compiled.load(std::memory_order_acquire))
    return static_cast<pcre2_code*>(known);
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.expression), PCRE2_ZERO_TERMINATED,
                    PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY, &error,
                    &offset, nullptr);
  if (!code) return nullptr;
  void* expected = nullptr;
  if (pattern.compiled.compare_exchange_strong(expected, code, std::memory_order_acq_rel))
    return code;
  pcre2_code_free(code);  // Another thread was first.
  return static_cast<pcre2_code*>(expected);
}

}  // namespace

bool matches(const Pattern& pattern, std::string_view text) {
  pcre2_code* code = compile(pattern);
  if (!code) return false;
  static thread_local const auto context = [] {
    std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> made(
        pcre2_match_context_create(nullptr), pcre2_match_context_free);
    pcre2_set_match_limit(made.get(), kMatchStepsMax);
    pcre2_set_depth_limit(made.get(), kMatchDepthMax);
    return made;
  }();
  pcre2_match_data* data = pcre2_match_data_create_from_pattern(code, nullptr);
  const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0,
                                data, context.get());
  pcre2_match_data_free(data);
  return found >= 0;
}

bool compiles(const Pattern& pattern) {
  return compile(pattern) != nullptr;
}

}  // namespace laketap::wire
