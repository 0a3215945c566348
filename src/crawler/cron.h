// AWS's cron expressions: cron(minutes hours day-of-month month day-of-week year), in UTC.
// Source: AWS Glue Developer Guide, "Time-based schedules for jobs and crawlers"; EventBridge for
// L, W and #.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace laketap::crawler {

class Cron {
 public:
  // Errors: invalid - `what` says which field.
  static Result<Cron> parse(std::string_view text);

  // The first moment after `after` that fits, on the minute; absent when there is none up to the
  // year 2199.
  std::optional<Timestamp> next(Timestamp after) const;

 private:
  bool fits_day(int year, unsigned month, unsigned day) const;

  std::set<unsigned> minutes_, hours_, months_, days_, weekdays_;  // Weekdays: 1 = Sunday.
  std::set<int> years_;                                            // Empty: every year.
  bool days_free_ = false, weekdays_free_ = false;                 // `?`
  bool last_day_ = false;
  unsigned days_before_last_ = 0;                             // L-3
  bool last_weekday_of_month_ = false;                        // LW
  std::optional<unsigned> nearest_weekday_;                   // 15W
  std::optional<unsigned> last_of_weekday_;                   // 6L
  std::optional<std::pair<unsigned, unsigned>> nth_weekday_;  // 6#3
};

}  // namespace laketap::crawler
