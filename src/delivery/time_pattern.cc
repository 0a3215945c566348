// delivery/time_pattern.cc - follows parsePattern() and parseField() of Java's builder, in their
// order.
#include "delivery/time_pattern.h"

#include <fmt/core.h>

#include <array>

namespace laketap::delivery {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 4> kQuarters{"1st quarter", "2nd quarter", "3rd quarter",
                                                    "4th quarter"};
constexpr int kWidthMax = 19;  // Of a number, Java's appendValue.

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string number(int64_t value, int width) {
  return fmt::format("{:0{}d}", value, width);
}

// 3, 4 or 5 letters: short, full or one letter.
std::string name(std::string_view full, int count) {
  if (count == 4) return std::string(full);
  return std::string(full.substr(0, count == 5 ? 1 : 3));
}

// US weeks: they begin on Sunday, and the one with 1 January is the first.
struct WeekDate {
  int year;
  int week;
};
WeekDate week_date(const CivilTime& at) {
  const auto weekday_of_new_year = [](int year) {
    return static_cast<int>(to_civil(from_civil(year, 1, 1)).weekday);
  };
  const bool leap = (at.year % 4 == 0 && at.year % 100 != 0) || at.year % 400 == 0;
  const int days_in_year = leap ? 366 : 365;
  const int day = static_cast<int>(at.day_of_year) - 1;
  const int next_year_week_begins = days_in_year - weekday_of_new_year(at.year + 1);
  if (day >= next_year_week_begins) return {at.year + 1, 1};
  return {at.year, (day + weekday_of_new_year(at.year)) / 7 + 1};
}
int week_of_month(const CivilTime& at) {
  const int weekday_of_first = static_cast<int>(to_civil(from_civil(at.year, at.month, 1)).weekday);
  return (static_cast<int>(at.day) - 1 + weekday_of_first) / 7 + 1;
}

// CLDR's flexible day periods, English.
std::string day_period(const CivilTime& at) {
  const bool sharp = at.minute == 0 && at.second == 0 && at.micros == 0;
  if (at.hour == 0 && sharp) return "midnight";
  if (at.hour == 12 && sharp) return "noon";
  if (at.hour >= 6 && at.hour < 12) return "in the morning";
  if (at.hour >= 12 && at.hour < 18) return "in the afternoon";
  if (at.hour >= 18 && at.hour < 21) return "in the evening";
  return "at night";
}

std::string two_digits_or(int64_t value, int count) {
  if (count == 2) return number(value % 100, 2);
  return number(value, count);
}

}  // namespace

std::optional<TimePattern> TimePattern::parse(std::string_view pattern) {
  TimePattern parsed;
  size_t at = 0;
  int open_brackets = 0;
  const auto run_of = [&](char letter) {
    const size_t start = at;
    while (at < pattern.size() && pattern[at] == letter) ++at;
    return static_cast<int>(at - start);
  };

  while (at < pattern.size()) {
    Part part;
    const char c = pattern[at];
    if (is_letter(c)) {
      part.letter = c;
      part.count = run_of(c);
      if (c == 'p') {  // Pads what follows to as many characters.
        if (at == pattern.size() || !is_letter(pattern[at])) return std::nullopt;
        part.pad = part.count;
        part.letter = pattern[at];
        part.count = run_of(part.letter);
      }
      if (!is_valid(part)) return std::nullopt;
    } else if (c == '\'') {
      ++at;
      bool closed = false;
      while (at < pattern.size()) {
        const char inside = pattern[at++];
        if (inside != '\'') {
          part.literal += inside;
        } else if (at < pattern.size() && pattern[at] == '\'') {
          part.literal += '\'';
          ++at;
        } else {
          closed = true;
          break;
        }
      }
      if (!closed) return std::nullopt;
      if (part.literal.empty()) part.literal.assign(1, '\'');
    } else if (c == '{' || c == '}' || c == '#') {
      return std::nullopt;  // Reserved.
    } else {
      ++at;
      if (c == '[') {
        ++open_brackets;
      } else if (c == ']') {
        if (open_brackets-- == 0) return std::nullopt;
      } else {
        part.literal = c;
      }
    }
    parsed.parts_.push_back(std::move(part));
  }
  return parsed;
}

bool TimePattern::is_valid(const Part& part) {
  const int count = part.count;
  switch (part.letter) {
    case 'u':
    case 'y':
    case 'Y':
    case 'g':
    case 'A':
    case 'n':
    case 'N': return count <= kWidthMax;
    case 'M':
    case 'L':
    case 'Q':
    case 'q':
    case 'E':
    case 'e':
    case 'G': return count <= 5;
    case 'c': return count <= 5 && count != 2;
    case 'S': return count <= 9;
    case 'a':
    case 'F':
    case 'W': return count == 1;
    case 'd':
    case 'h':
    case 'H':
    case 'k':
    case 'K':
    case 'm':
    case 's':
    case 'w': return count <= 2;
    case 'D': return count <= 3;
    case 'z': return count <= 4;
    case 'V': return count == 2;
    case 'v':
    case 'O': return count == 1 || count == 4;
    case 'B': return count == 1 || count == 4 || count == 5;
    case 'Z':
    case 'X':
    case 'x': return count <= 5;
    default: return false;
  }
}

std::string TimePattern::format(Timestamp at) const {
  const CivilTime civil = to_civil(at);
  std::string text;
  for (const Part& part : parts_) {
    if (part.letter == 0) {
      text += part.literal;
      continue;
    }
    const std::string value = print(part, at, civil);
    if (static_cast<int>(value.size()) < part.pad)
      text.append(static_cast<size_t>(part.pad) - value.size(), ' ');
    text += value;
  }
  return text;
}

std::string TimePattern::print(const Part& part, Timestamp at, const CivilTime& civil) {
  const int count = part.count;
  const auto day =
      static_cast<int64_t>(std::chrono::floor<std::chrono::days>(at).time_since_epoch().count());
  const auto micros_of_day = at.time_since_epoch().count() - day * 86'400'000'000;
  const unsigned quarter = (civil.month - 1) / 3;
  const unsigned hour12 = civil.hour % 12 == 0 ? 12 : civil.hour % 12;
  switch (part.letter) {
    case 'u':
    case 'y': return two_digits_or(civil.year, count);
    case 'Y': return two_digits_or(week_date(civil).year, count);
    case 'M':
    case 'L': return count < 3 ? number(civil.month, count) : name(kMonths[civil.month - 1], count);
    case 'Q':
    case 'q':
      if (count == 3) return fmt::format("Q{}", quarter + 1);
      return count == 4 ? std::string(kQuarters[quarter]) : number(quarter + 1, count == 2 ? 2 : 1);
    case 'E': return name(kDays[civil.weekday], count < 3 ? 3 : count);
    case 'e':
    case 'c':
      return count < 3 ? number(civil.weekday + 1, count) : name(kDays[civil.weekday], count);
    case 'G': return count == 4 ? "Anno Domini" : count == 5 ? "A" : "AD";
    case 'a': return civil.hour < 12 ? "AM" : "PM";
    case 'B': return day_period(civil);
    case 'd': return number(civil.day, count);
    case 'D': return number(civil.day_of_year, count);
    case 'F': return number((civil.day - 1) % 7 + 1, 1);
    case 'h': return number(hour12, count);
    case 'H': return number(civil.hour, count);
    case 'k': return number(civil.hour == 0 ? 24 : civil.hour, count);
    case 'K': return number(civil.hour % 12, count);
    case 'm': return number(civil.minute, count);
    case 's': return number(civil.second, count);
    case 'S': return number(int64_t{civil.micros} * 1000, 9).substr(0, static_cast<size_t>(count));
    case 'A': return number(micros_of_day / 1000, count);
    case 'n': return number(int64_t{civil.micros} * 1000, count);
    case 'N': return number(micros_of_day * 1000, count);
    case 'g': return number(day + 40587, count);  // The modified Julian day of 1970-01-01.
    case 'w': return number(week_date(civil).week, count);
    case 'W': return number(week_of_month(civil), 1);
    case 'z': return count == 4 ? "Coordinated Universal Time" : "UTC";
    case 'v': return count == 4 ? "Coordinated Universal Time" : "UTC";
    case 'V': return "UTC";
    case 'O': return "GMT";
    case 'X': return "Z";
    case 'x': return count == 1 ? "+00" : count % 2 == 0 ? "+0000" : "+00:00";
    case 'Z': return count < 4 ? "+0000" : count == 4 ? "GMT" : "Z";
    default: return "";
  }
}

}  // namespace laketap::delivery
