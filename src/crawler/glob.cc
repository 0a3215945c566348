// Glue's exclusion globs: * within a folder, ** across, ?, [a-z], [!x], {a,b}, \ escapes.
// Source: AWS Glue Developer Guide, "Include and exclude patterns".
#include <vector>

#include "crawler/crawler.h"

namespace laketap::crawler {
namespace {

constexpr int kStepsMax = 100'000;  // A pattern of many stars backtracks; then it does not match.

bool match(std::string_view pattern, std::string_view text, int& steps);

// [..] at the front of `pattern`: whether `c` is in it; `length` is its size. False and 0 when it
// never closes.
bool in_class(std::string_view pattern, char c, size_t& length) {
  const size_t end = pattern.find(']', 2);
  if (end == std::string_view::npos) {
    length = 0;
    return false;
  }
  length = end + 1;
  std::string_view set = pattern.substr(1, end - 1);
  const bool negated = set.starts_with('!');
  if (negated) set.remove_prefix(1);
  bool hit = false;
  for (size_t i = 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      hit = hit || (c >= set[i] && c <= set[i + 2]);
      i += 2;
    } else {
      hit = hit || c == set[i];
    }
  }
  return hit != negated;
}

bool match(std::string_view pattern, std::string_view text, int& steps) {
  while (!pattern.empty()) {
    if (++steps > kStepsMax) return false;
    const char p = pattern.front();
    if (p == '*') {
      const bool across = pattern.starts_with("**");
      pattern.remove_prefix(across ? 2 : 1);
      for (size_t taken = 0;; ++taken) {
        if (match(pattern, text.substr(taken), steps)) return true;
        if (taken == text.size() || (!across && text[taken] == '/')) return false;
      }
    }
    if (p == '{') {
      const size_t end = pattern.find('}');
      if (end != std::string_view::npos) {
        std::string_view choices = pattern.substr(1, end - 1);
        const std::string_view rest = pattern.substr(end + 1);
        while (true) {
          const size_t comma = std::min(choices.find(','), choices.size());
          const std::string one = std::string(choices.substr(0, comma)) + std::string(rest);
          if (match(one, text, steps)) return true;
          if (comma == choices.size()) return false;
          choices.remove_prefix(comma + 1);
        }
      }
    }
    if (text.empty()) return false;
    if (p == '[') {
      size_t length = 0;
      const bool hit = in_class(pattern, text.front(), length);
      if (length > 0) {
        if (!hit || text.front() == '/') return false;
        pattern.remove_prefix(length);
        text.remove_prefix(1);
        continue;
      }
    }
    if (p == '?') {
      if (text.front() == '/') return false;
    } else {
      if (p == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
      if (pattern.front() != text.front()) return false;
    }
    pattern.remove_prefix(1);
    text.remove_prefix(1);
  }
  return text.empty();
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  int steps = 0;
  return match(pattern, text, steps);
}

}  // namespace laketap::crawler
