#include "crawler/cron.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

namespace laketap::crawler {
namespace {

constexpr int kYearFirst = 1970;
constexpr int kYearLast = 2199;
constexpr std::array kMonths{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                             "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array kDays{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <size_t N>
std::optional<int> value_of(std::string_view text, const std::array<const char*, N>* names,
                            int first) {
  if (names)
    for (size_t i = 0; i < N; ++i)
      if (text == (*names)[i]) return static_cast<int>(i) + first;
  return number(text);
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> out(1);
  for (const char c : text)
    if (c == by)
      out.emplace_back();
    else
      out.back() += c;
  return out;
}

// One field's list of values, ranges and steps.
template <class Set, size_t N>
Result<> parse_field(std::string_view text, int low, int high,
                     const std::array<const char*, N>* names, Set& out, std::string_view field) {
  const auto wrong = [&] {
    return fail(ErrorKind::invalid, fmt::format("the {} of the schedule: {}", field, text));
  };
  for (const std::string& item : split(text, ',')) {
    const std::vector<std::string> halves = split(item, '/');
    if (halves.size() > 2 || halves[0].empty()) return wrong();
    int from = low;
    int to = high;
    if (halves[0] != "*") {
      const std::vector<std::string> ends = split(halves[0], '-');
      const std::optional<int> a = value_of(ends[0], names, low);
      const std::optional<int> b = ends.size() == 2 ? value_of(ends[1], names, low) : a;
      if (ends.size() > 2 || !a || !b || *a < low || *a > high || *b < low || *b > high)
        return wrong();
      from = *a;
      to = ends.size() == 2 || halves.size() == 1 ? *b : high;  // 5/10: from 5 on, every 10.
    }
    int step = 1;
    if (halves.size() == 2) {
      const std::optional<int> given = number(halves[1]);
      if (!given || *given < 1 || *given > kYearLast) return wrong();
      step = *given;
    }
    if (from <= to) {
      for (int v = from; v <= to; v += step) out.insert(static_cast<typename Set::value_type>(v));
    } else {  // FRI-MON goes over the end.
      const int span = high - low + 1;
      for (int v = from; v <= to + span; v += step)
        out.insert(static_cast<typename Set::value_type>((v - low) % span + low));
    }
  }
  return {};
}

unsigned weekday_of(int year, unsigned month, unsigned day) {
  return to_civil(from_civil(year, month, day)).weekday + 1;
}

unsigned days_in(int year, unsigned month) {
  static constexpr unsigned kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kLengths[month - 1];
}

// The weekday nearest to `day`, within the month.
unsigned nearest(int year, unsigned month, unsigned day) {
  const unsigned last = days_in(year, month);
  day = std::min(day, last);
  const unsigned weekday = weekday_of(year, month, day);
  if (weekday == 7) return day > 1 ? day - 1 : day + 2;
  if (weekday == 1) return day < last ? day + 1 : day - 2;
  return day;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  const std::string whole = upper(text);
  if (!whole.starts_with("CRON(") || !whole.ends_with(")"))
    return fail(ErrorKind::invalid, fmt::format("no cron(...) expression: {}", text));
  std::vector<std::string> fields;
  for (const std::string& part : split(whole.substr(5, whole.size() - 6), ' '))
    if (!part.empty()) fields.push_back(part);
  if (fields.size() != 6)
    return fail(ErrorKind::invalid,
                "a schedule has six fields: minutes hours day-of-month month day-of-week year");
  Cron made;
  const std::array<const char*, 1>* none = nullptr;
  if (const Result<> good = parse_field(fields[0], 0, 59, none, made.minutes_, "minutes"); !good)
    return fail(good.error());
  if (const Result<> good = parse_field(fields[1], 0, 23, none, made.hours_, "hours"); !good)
    return fail(good.error());
  if (const Result<> good = parse_field(fields[3], 1, 12, &kMonths, made.months_, "month"); !good)
    return fail(good.error());
  if (fields[5] != "*")
    if (const Result<> good =
            parse_field(fields[5], kYearFirst, kYearLast, none, made.years_, "year");
        !good)
      return fail(good.error());

  made.days_free_ = fields[2] == "?";
  made.weekdays_free_ = fields[4] == "?";
  if (made.days_free_ == made.weekdays_free_)
    return fail(ErrorKind::invalid, "exactly one of day-of-month and day-of-week must be ?");
  const std::string& day = fields[2];
  if (!made.days_free_) {
    if (day == "LW") {
      made.last_weekday_of_month_ = true;
    } else if (day == "L" || day.starts_with("L-")) {
      made.last_day_ = true;
      if (day.size() > 1) {
        const std::optional<int> before = number(day.substr(2));
        if (!before || *before > 30)
          return fail(ErrorKind::invalid, "the day-of-month of the schedule: " + day);
        made.days_before_last_ = static_cast<unsigned>(*before);
      }
    } else if (day.ends_with("W")) {
      const std::optional<int> near = number(day.substr(0, day.size() - 1));
      if (!near || *near < 1 || *near > 31)
        return fail(ErrorKind::invalid, "the day-of-month of the schedule: " + day);
      made.nearest_weekday_ = static_cast<unsigned>(*near);
    } else if (const Result<> good = parse_field(day, 1, 31, none, made.days_, "day-of-month");
               !good) {
      return fail(good.error());
    }
  }
  const std::string& weekday = fields[4];
  if (!made.weekdays_free_) {
    if (weekday == "L") {
      made.weekdays_.insert(7);
    } else if (weekday.size() > 1 && weekday.ends_with("L")) {
      const std::optional<int> which = value_of(weekday.substr(0, weekday.size() - 1), &kDays, 1);
      if (!which || *which < 1 || *which > 7)
        return fail(ErrorKind::invalid, "the day-of-week of the schedule: " + weekday);
      made.last_of_weekday_ = static_cast<unsigned>(*which);
    } else if (const size_t hash = weekday.find('#'); hash != std::string::npos) {
      const std::optional<int> which = value_of(weekday.substr(0, hash), &kDays, 1);
      const std::optional<int> nth = number(weekday.substr(hash + 1));
      if (!which || !nth || *which < 1 || *which > 7 || *nth < 1 || *nth > 5)
        return fail(ErrorKind::invalid, "the day-of-week of the schedule: " + weekday);
      made.nth_weekday_ = {static_cast<unsigned>(*which), static_cast<unsigned>(*nth)};
    } else if (const Result<> good =
                   parse_field(weekday, 1, 7, &kDays, made.weekdays_, "day-of-week");
               !good) {
      return fail(good.error());
    }
  }
  return made;
}

bool Cron::fits_day(int year, unsigned month, unsigned day) const {
  const unsigned last = days_in(year, month);
  if (!days_free_) {
    if (last_weekday_of_month_) return day == nearest(year, month, last);
    if (last_day_) return days_before_last_ < last && day == last - days_before_last_;
    if (nearest_weekday_) return day == nearest(year, month, *nearest_weekday_);
    return days_.contains(day);
  }
  const unsigned weekday = weekday_of(year, month, day);
  if (last_of_weekday_) return weekday == *last_of_weekday_ && day + 7 > last;
  if (nth_weekday_)
    return weekday == nth_weekday_->first && (day - 1) / 7 + 1 == nth_weekday_->second;
  return weekdays_.contains(weekday);
}

std::optional<Timestamp> Cron::next(Timestamp after) const {
  const CivilTime begin = to_civil(after + std::chrono::minutes(1));
  for (int year = begin.year; year <= kYearLast; ++year) {
    if (!years_.empty() && !years_.contains(year)) continue;
    for (const unsigned month : months_) {
      if (year == begin.year && month < begin.month) continue;
      for (unsigned day = 1; day <= days_in(year, month); ++day) {
        const bool today = year == begin.year && month == begin.month && day == begin.day;
        if ((year == begin.year && month == begin.month && day < begin.day) ||
            !fits_day(year, month, day))
          continue;
        for (const unsigned hour : hours_) {
          if (today && hour < begin.hour) continue;
          for (const unsigned minute : minutes_) {
            if (today && hour == begin.hour && minute < begin.minute) continue;
            return from_civil(year, month, day, hour, minute);
          }
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace laketap::crawler
