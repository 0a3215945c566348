// Moments in UTC and their texts. No clock here: io/clock.h has it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace laketap {

// A moment: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

inline double epoch_seconds(Timestamp at) {
  return static_cast<double>(at.time_since_epoch().count()) / 1e6;
}
inline Timestamp from_epoch_micros(int64_t micros) {
  return Timestamp{std::chrono::microseconds{micros}};
}

struct CivilTime {  // UTC.
  int year;
  unsigned month, day, hour, minute, second, micros;
  unsigned weekday;      // 0 = Sunday.
  unsigned day_of_year;  // 1-based.
};
CivilTime to_civil(Timestamp at);
Timestamp from_civil(int year, unsigned month, unsigned day, unsigned hour = 0, unsigned minute = 0,
                     unsigned second = 0, unsigned micros = 0);

std::string iso8601(Timestamp at);         // 2026-11-28T07:24:45Z
std::string iso8601_millis(Timestamp at);  // 2026-11-28T07:24:45.123Z
std::string amz_date(Timestamp at);        // 20261128T072445Z
std::string http_date(Timestamp at);       // Sat, 28 Nov 2026 07:24:45 GMT
// Absent when `text` is not exactly of that form or names no real moment.
std::optional<Timestamp> parse_amz_date(std::string_view text);
std::optional<Timestamp> parse_http_date(std::string_view text);  // RFC 1123 only.
std::optional<Timestamp> parse_iso8601(std::string_view text);    // With optional fraction; Z only.

}  // namespace laketap
