// Moment.js's display format, locale en, UTC.
#include <fmt/format.h>

#include <array>

#include "generator/functions.h"

namespace laketap::generator {
namespace {

constexpr std::array kMonths{"January", "February", "March",     "April",   "May",      "June",
                             "July",    "August",   "September", "October", "November", "December"};
constexpr std::array kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                           "Thursday", "Friday", "Saturday"};

std::string ordinal(unsigned n) {
  const unsigned tens = n % 100 / 10;
  const char* suffix = tens == 1     ? "th"
                       : n % 10 == 1 ? "st"
                       : n % 10 == 2 ? "nd"
                       : n % 10 == 3 ? "rd"
                                     : "th";
  return fmt::format("{}{}", n, suffix);
}

struct Week {
  int year;
  unsigned week;
};

// `first` is the weekday a week begins with (0 = Sunday); the week that holds January `pivot` is 1.
Week week_of(Timestamp at, unsigned first, unsigned pivot) {
  using namespace std::chrono;
  const CivilTime c = to_civil(at);
  const auto start = [&](int year) {
    const sys_days day = sys_days(std::chrono::year(year) / January / static_cast<int>(pivot));
    return day - days((weekday(day).c_encoding() + 7 - first) % 7);
  };
  const sys_days today = floor<days>(at);
  int year = c.year;
  if (today >= start(year + 1)) ++year;
  if (today < start(year)) --year;
  return {year, static_cast<unsigned>((today - start(year)).count() / 7 + 1)};
}

unsigned twelve(unsigned hour) {
  return hour % 12 == 0 ? 12 : hour % 12;
}

// The text of one token, or false when `token` is none.
bool token_text(std::string& out, std::string_view token, Timestamp at, const CivilTime& c) {
  const auto put = [&](std::string text) {
    out += text;
    return true;
  };
  const auto two = [&](unsigned n) { return put(fmt::format("{:02}", n)); };
  const int64_t micros = at.time_since_epoch().count();
  if (token == "YYYY") return put(fmt::format("{:04}", c.year));
  if (token == "YY") return two(static_cast<unsigned>(c.year % 100));
  if (token == "Y") return put(fmt::format("{}", c.year));
  if (token == "Q") return put(fmt::format("{}", (c.month - 1) / 3 + 1));
  if (token == "MMMM") return put(kMonths[c.month - 1]);
  if (token == "MMM") return put(std::string(kMonths[c.month - 1]).substr(0, 3));
  if (token == "MM") return two(c.month);
  if (token == "Mo") return put(ordinal(c.month));
  if (token == "M") return put(fmt::format("{}", c.month));
  if (token == "DDDD") return put(fmt::format("{:03}", c.day_of_year));
  if (token == "DDDo") return put(ordinal(c.day_of_year));
  if (token == "DDD") return put(fmt::format("{}", c.day_of_year));
  if (token == "DD") return two(c.day);
  if (token == "Do") return put(ordinal(c.day));
  if (token == "D") return put(fmt::format("{}", c.day));
  if (token == "dddd") return put(kDays[c.weekday]);
  if (token == "ddd") return put(std::string(kDays[c.weekday]).substr(0, 3));
  if (token == "dd") return put(std::string(kDays[c.weekday]).substr(0, 2));
  if (token == "do") return put(ordinal(c.weekday));
  if (token == "d" || token == "e") return put(fmt::format("{}", c.weekday));
  if (token == "E") return put(fmt::format("{}", c.weekday == 0 ? 7 : c.weekday));
  if (token == "ww") return two(week_of(at, 0, 1).week);
  if (token == "w") return put(fmt::format("{}", week_of(at, 0, 1).week));
  if (token == "WW") return two(week_of(at, 1, 4).week);
  if (token == "W") return put(fmt::format("{}", week_of(at, 1, 4).week));
  if (token == "gggg") return put(fmt::format("{:04}", week_of(at, 0, 1).year));
  if (token == "GGGG") return put(fmt::format("{:04}", week_of(at, 1, 4).year));
  if (token == "HH") return two(c.hour);
  if (token == "H") return put(fmt::format("{}", c.hour));
  if (token == "hh") return two(twelve(c.hour));
  if (token == "h") return put(fmt::format("{}", twelve(c.hour)));
  if (token == "kk") return two(c.hour == 0 ? 24 : c.hour);
  if (token == "k") return put(fmt::format("{}", c.hour == 0 ? 24 : c.hour));
  if (token == "mm") return two(c.minute);
  if (token == "m") return put(fmt::format("{}", c.minute));
  if (token == "ss") return two(c.second);
  if (token == "s") return put(fmt::format("{}", c.second));
  if (token == "A") return put(c.hour < 12 ? "AM" : "PM");
  if (token == "a") return put(c.hour < 12 ? "am" : "pm");
  if (token == "ZZ") return put("+0000");
  if (token == "Z") return put("+00:00");
  if (token == "X") return put(fmt::format("{}", micros / 1000000));
  if (token == "x") return put(fmt::format("{}", micros / 1000));
  if (token == "LTS") return put(moment_format(at, "h:mm:ss A"));
  if (token == "LT") return put(moment_format(at, "h:mm A"));
  if (token == "LLLL") return put(moment_format(at, "dddd, MMMM D, YYYY h:mm A"));
  if (token == "LLL") return put(moment_format(at, "MMMM D, YYYY h:mm A"));
  if (token == "LL") return put(moment_format(at, "MMMM D, YYYY"));
  if (token == "L") return put(moment_format(at, "MM/DD/YYYY"));
  if (!token.empty() && token.find_first_not_of('S') == std::string_view::npos && token.size() <= 9)
    return put(fmt::format("{:06}000", c.micros).substr(0, token.size()));
  return false;
}

}  // namespace

std::string moment_format(Timestamp at, std::string_view format) {
  const CivilTime c = to_civil(at);
  std::string out;
  while (!format.empty()) {
    if (format.front() == '[') {
      const size_t end = format.find(']');
      if (end != std::string_view::npos) {
        out += format.substr(1, end - 1);
        format.remove_prefix(end + 1);
        continue;
      }
    }
    size_t taken = 0;  // The longest token wins, as in Moment's own expression.
    for (size_t length = std::min<size_t>(9, format.size()); length > 0 && taken == 0; --length)
      if (token_text(out, format.substr(0, length), at, c)) taken = length;
    if (taken == 0) {
      out += format.front();
      taken = 1;
    }
    format.remove_prefix(taken);
  }
  return out;
}

}  // namespace laketap::generator
