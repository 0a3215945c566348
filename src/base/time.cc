#include "base/time.h"

#include <fmt/format.h>

#include <array>

namespace laketap {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Reads `digits` decimal digits at `at`; absent when one is no digit or the text ends.
std::optional<unsigned> number(std::string_view text, size_t at, size_t digits) {
  if (text.size() < at + digits) return std::nullopt;
  unsigned value = 0;
  for (size_t i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  return value;
}

std::optional<Timestamp> checked(std::optional<unsigned> y, std::optional<unsigned> mo,
                                 std::optional<unsigned> d, std::optional<unsigned> h,
                                 std::optional<unsigned> mi, std::optional<unsigned> s,
                                 unsigned micros = 0) {
  if (!y || !mo || !d || !h || !mi || !s) return std::nullopt;
  const year_month_day date{year(static_cast<int>(*y)), month(*mo), day(*d)};
  if (!date.ok() || *h > 23 || *mi > 59 || *s > 59) return std::nullopt;
  return from_civil(static_cast<int>(*y), *mo, *d, *h, *mi, *s, micros);
}

}  // namespace

CivilTime to_civil(Timestamp at) {
  const auto day_start = floor<days>(at);
  const year_month_day date(day_start);
  const hh_mm_ss time(at - day_start);
  const auto first = sys_days(date.year() / January / 1);
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<unsigned>(date.month()),
          .day = static_cast<unsigned>(date.day()),
          .hour = static_cast<unsigned>(time.hours().count()),
          .minute = static_cast<unsigned>(time.minutes().count()),
          .second = static_cast<unsigned>(time.seconds().count()),
          .micros = static_cast<unsigned>(time.subseconds().count()),
          .weekday = weekday(day_start).c_encoding(),
          .day_of_year = static_cast<unsigned>((day_start - first).count() + 1)};
}

Timestamp from_civil(int y, unsigned mo, unsigned d, unsigned h, unsigned mi, unsigned s,
                     unsigned micros) {
  const sys_days date(year(y) / month(mo) / day(d));
  return Timestamp(date) + hours(h) + minutes(mi) + seconds(s) + microseconds(micros);
}

std::string iso8601(Timestamp at) {
  const CivilTime c = to_civil(at);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour,
                     c.minute, c.second);
}

std::string iso8601_millis(Timestamp at) {
  const CivilTime c = to_civil(at);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour,
                     c.minute, c.second, c.micros / 1000);
}

std::string amz_date(Timestamp at) {
  const CivilTime c = to_civil(at);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute,
                     c.second);
}

std::string http_date(Timestamp at) {
  const CivilTime c = to_civil(at);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[c.weekday], c.day,
                     kMonths[c.month - 1], c.year, c.hour, c.minute, c.second);
}

std::optional<Timestamp> parse_amz_date(std::string_view t) {
  if (t.size() != 16 || t[8] != 'T' || t[15] != 'Z') return std::nullopt;
  return checked(number(t, 0, 4), number(t, 4, 2), number(t, 6, 2), number(t, 9, 2),
                 number(t, 11, 2), number(t, 13, 2));
}

std::optional<Timestamp> parse_http_date(std::string_view t) {
  if (t.size() != 29 || t.substr(25) != " GMT" || t.substr(3, 2) != ", ") return std::nullopt;
  for (unsigned m = 0; m < kMonths.size(); ++m)
    if (kMonths[m] == t.substr(8, 3))
      return checked(number(t, 12, 4), m + 1, number(t, 5, 2), number(t, 17, 2), number(t, 20, 2),
                     number(t, 23, 2));
  return std::nullopt;
}

std::optional<Timestamp> parse_iso8601(std::string_view t) {
  if (t.size() < 20 || t.back() != 'Z' || t[4] != '-' || t[7] != '-' || t[10] != 'T' ||
      t[13] != ':' || t[16] != ':')
    return std::nullopt;
  unsigned micros = 0;
  if (t.size() > 20) {
    if (t[19] != '.' || t.size() > 30) return std::nullopt;
    unsigned scale = 100000;
    for (const char c : t.substr(20, t.size() - 21)) {
      if (c < '0' || c > '9') return std::nullopt;
      micros += static_cast<unsigned>(c - '0') * scale;
      scale /= 10;
    }
  }
  return checked(number(t, 0, 4), number(t, 5, 2), number(t, 8, 2), number(t, 11, 2),
                 number(t, 14, 2), number(t, 17, 2), micros);
}

}  // namespace laketap
