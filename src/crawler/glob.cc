// Glue's exclusion globs: * within a folder, ** across, ?, [a-z], [!x], {a,b}, \ escapes.
// Source: AWS Glue Developer Guide, "Include and exclude patterns".
#include <algorithm>
#include <string>

#include "crawler/crawler.h"

namespace laketap::crawler {
namespace {

constexpr int kStepsMax = 100'000;  // A pattern of many stars backtracks; then it does not match.

constexpr int kBracesMax = 8;  // Each pair doubles the work, or more; the others are text.

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

// One character, or a class of them, at the front of both; false when they differ.
bool match_one(std::string_view& pattern, std::string_view& text) {
  if (text.empty()) return false;
  const char p = pattern.front();
  if (p == '[') {
    size_t length = 0;
    const bool hit = in_class(pattern, text.front(), length);
    if (length > 0) {
      if (!hit || text.front() == '/') return false;
      pattern.remove_prefix(length);
      text.remove_prefix(1);
      return true;
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
  return true;
}

// Without braces. Of all stars only the last of each kind may have to take more, so that two places
// to come back to are enough: * gives way to ** where it may take no more.
bool match_flat(std::string_view pattern, std::string_view text, int& steps) {
  struct Star {
    std::string_view pattern, text;
    bool is_set = false;
  };
  Star within, across;
  while (true) {
    if (++steps > kStepsMax) return false;
    if (!pattern.empty() && pattern.front() == '*') {
      size_t stars = std::min(pattern.find_first_not_of('*'), pattern.size());
      pattern.remove_prefix(stars);
      (stars > 1 ? across : within) = {pattern, text, true};
      if (stars > 1) within.is_set = false;
      continue;
    }
    if (pattern.empty() ? text.empty() : match_one(pattern, text)) {
      if (pattern.empty() && text.empty()) return true;
      continue;
    }
    Star* back = within.is_set && !within.text.empty() && within.text.front() != '/' ? &within
                 : across.is_set && !across.text.empty()                             ? &across
                                                                                     : nullptr;
    if (!back) return false;
    if (back == &across) within.is_set = false;
    back->text.remove_prefix(1);
    pattern = back->pattern;
    text = back->text;
  }
}

// The choices of the braces, one after the other.
bool match(std::string_view pattern, std::string_view text, int& steps, int depth) {
  const size_t open = pattern.find('{');
  const size_t close = open == std::string_view::npos ? open : pattern.find('}', open);
  const bool escaped = open != std::string_view::npos && open > 0 && pattern[open - 1] == '\\';
  if (close == std::string_view::npos || escaped || depth == kBracesMax)
    return match_flat(pattern, text, steps);
  std::string_view choices = pattern.substr(open + 1, close - open - 1);
  while (steps <= kStepsMax) {
    const size_t comma = std::min(choices.find(','), choices.size());
    std::string one(pattern.substr(0, open));
    one += choices.substr(0, comma);
    one += pattern.substr(close + 1);
    steps += static_cast<int>(one.size() / 16);
    if (match(one, text, steps, depth + 1)) return true;
    if (comma == choices.size()) return false;
    choices.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  int steps = 0;
  return match(pattern, text, steps, 0);
}

}  // namespace laketap::crawler
