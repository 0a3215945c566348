// Java's DateTimeFormatter patterns, as far as they print a moment in UTC. Which patterns are
// refused, and what each letter prints, is Java 17's
// java.time.format.DateTimeFormatterBuilder.appendPattern with the English (US) texts: Firehose
// refuses exactly what that refuses (contract: firehose.md 6.4).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace laketap::delivery {

class TimePattern {
 public:
  // Absent when Java would throw: an unknown letter, too many of one, an open quote.
  static std::optional<TimePattern> parse(std::string_view pattern);
  std::string format(Timestamp at) const;

 private:
  struct Part {
    char letter = 0;  // 0: `literal` stands for itself.
    int count = 0;
    int pad = 0;  // Filled with blanks to this width, 0 for none.
    std::string literal;
  };
  std::vector<Part> parts_;

  static bool is_valid(const Part& part);
  static std::string print(const Part& part, Timestamp at, const CivilTime& civil);
};

}  // namespace laketap::delivery
