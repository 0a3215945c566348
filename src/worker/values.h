// Texts of a record as values of a column, in the way of the OpenX SerDe: numbers may stand in
// quotes, timestamps may be texts or seconds or milliseconds. Absent: the text is no such value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace laketap::worker {

// A fraction is cut off; what does not fit in 64 bits is none.
std::optional<int64_t> to_integer(std::string_view text);
std::optional<double> to_double(std::string_view text);
// Of any case.
std::optional<bool> to_boolean(std::string_view text);
// Days since 1970-01-01: yyyy-MM-dd, with or without a time behind it, or a number of days.
std::optional<int32_t> to_days(std::string_view text);
// Microseconds since 1970-01-01: yyyy-MM-dd[ T]HH:mm:ss[.f][Z|+hh:mm], yyyy-MM-dd, or a number:
// 12 digits or fewer are seconds, 13 or more milliseconds, a fraction makes it seconds.
std::optional<int64_t> to_micros(std::string_view text);
// Scaled by 10^scale, rounded half up; none when it has more than `precision` digits then.
std::optional<__int128> to_decimal(std::string_view text, int precision, int scale);

// Appends a JSON string's content without its escapes. What is no escape stays as it stands.
void append_unescaped(std::string& target, std::string_view content);
// Appends `text` with each sequence that is not UTF-8 replaced by U+FFFD, as Java reads it.
void append_clean(std::string& target, std::string_view text);

// Days since 1970-01-01 and back. Proleptic Gregorian.
int64_t days_from_civil(int64_t year, unsigned month, unsigned day);
struct CivilDay {
  int64_t year;
  unsigned month, day;
};
CivilDay civil_from_days(int64_t days);

}  // namespace laketap::worker
