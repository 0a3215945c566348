#include "worker/values.h"

#include <charconv>
#include <cmath>
#include <cstring>

namespace laketap::worker {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool equals_folded(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i)
    if ((text[i] | 0x20) != lower[i]) return false;
  return true;
}

// Reads exactly `count` digits.
bool take_digits(std::string_view& text, size_t count, unsigned& value) {
  if (text.size() < count) return false;
  value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return false;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}
bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text, int64_t& days) {
  unsigned year, month, day;
  if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) ||
      !take(text, '-') || !take_digits(text, 2, day))
    return false;
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  days = days_from_civil(year, month, day);
  const CivilDay back = civil_from_days(days);
  return back.month == month && back.day == day;
}

// HH:mm[:ss[.f]] in microseconds.
bool take_clock(std::string_view& text, int64_t& micros) {
  unsigned hour, minute, second = 0;
  if (!take_digits(text, 2, hour) || !take(text, ':') || !take_digits(text, 2, minute))
    return false;
  int64_t fraction = 0;
  if (take(text, ':')) {
    if (!take_digits(text, 2, second)) return false;
    if (take(text, '.')) {
      int64_t unit = 100'000;
      if (text.empty() || !is_digit(text.front())) return false;
      for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
        fraction += unit * (text.front() - '0');
        unit /= 10;
      }
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  micros = (int64_t{hour} * 3600 + minute * 60 + second) * 1'000'000 + fraction;
  return true;
}

// Z, +hh:mm, +hhmm, +hh or nothing.
bool take_zone(std::string_view& text, int64_t& offset_micros) {
  offset_micros = 0;
  text = trimmed(text);
  if (text.empty() || text == "Z" || text == "z" || text == "UTC") {
    text = {};
    return true;
  }
  const bool minus = text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return false;
  unsigned hours, minutes = 0;
  if (!take_digits(text, 2, hours)) return false;
  take(text, ':');
  if (!text.empty() && !take_digits(text, 2, minutes)) return false;
  offset_micros = (int64_t{hours} * 60 + minutes) * 60'000'000 * (minus ? -1 : 1);
  return true;
}

std::optional<int64_t> epoch_micros(std::string_view text) {
  size_t digits = 0;
  bool fraction = false;
  for (const char c : text) {
    if (is_digit(c))
      ++digits;
    else if (c == '.' || c == 'e' || c == 'E')
      fraction = true;
    else if (c != '-' && c != '+')
      return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  if (fraction) {
    const auto seconds = to_decimal(text, 18, 6);  // Exact, where a double would be off by a bit.
    if (seconds) return static_cast<int64_t>(*seconds);
    const auto rounded = to_double(text);
    if (!rounded || std::abs(*rounded) > 9e12) return std::nullopt;
    return static_cast<int64_t>(std::llround(*rounded * 1e6));
  }
  const auto whole = to_integer(text);
  int64_t micros;
  if (!whole || __builtin_mul_overflow(*whole, digits <= 12 ? 1'000'000 : 1000, &micros))
    return std::nullopt;
  return micros;
}

}  // namespace

int64_t days_from_civil(int64_t year, unsigned month, unsigned day) {
  // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto of_era = static_cast<unsigned>(year - era * 400);
  const unsigned of_year = (153 * (month + (month > 2 ? -3U : 9U)) + 2) / 5 + day - 1;
  const unsigned day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return era * 146097 + static_cast<int64_t>(day_of_era) - 719468;
}

CivilDay civil_from_days(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted = (5 * of_year + 2) / 153;
  const unsigned day = of_year - (153 * shifted + 2) / 5 + 1;
  const unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {static_cast<int64_t>(year_of_era) + era * 400 + (month <= 2), month, day};
}

std::optional<int64_t> to_integer(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && at == end) return value;
  if (error != std::errc() || (*at != '.' && *at != 'e' && *at != 'E')) return std::nullopt;
  const auto real = to_double(text);
  if (!real || !(std::abs(*real) < 9.2e18)) return std::nullopt;
  // Digits before a point are exact as they stand; an exponent needs the double.
  return text.find_first_of("eE") == std::string_view::npos ? value : static_cast<int64_t>(*real);
}

std::optional<double> to_double(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (text == "NaN") return std::nan("");
  if (text == "Infinity") return HUGE_VAL;
  if (text == "-Infinity") return -HUGE_VAL;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (at != end || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range)
    return std::strtod(std::string(text).c_str(), nullptr);
  if (error != std::errc() || !std::isfinite(value))
    return std::nullopt;  // "inf" is no JSON of anybody's.
  return value;
}

std::optional<bool> to_boolean(std::string_view text) {
  text = trimmed(text);
  if (equals_folded(text, "true")) return true;
  if (equals_folded(text, "false")) return false;
  return std::nullopt;
}

std::optional<int32_t> to_days(std::string_view text) {
  text = trimmed(text);
  int64_t days;
  std::string_view rest = text;
  if (take_date(rest, days)) {
    if (!rest.empty() && rest.front() != ' ' && rest.front() != 'T') return std::nullopt;
    return static_cast<int32_t>(days);
  }
  const auto number = to_integer(text);
  if (!number || *number < -5'000'000 || *number > 5'000'000) return std::nullopt;
  return static_cast<int32_t>(*number);
}

std::optional<int64_t> to_micros(std::string_view text) {
  text = trimmed(text);
  int64_t days, clock = 0, zone = 0;
  std::string_view rest = text;
  if (!take_date(rest, days)) return epoch_micros(text);
  if (!rest.empty()) {
    if (!take(rest, 'T') && !take(rest, ' ')) return std::nullopt;
    if (!take_clock(rest, clock) || !take_zone(rest, zone) || !rest.empty()) return std::nullopt;
  }
  return days * 86'400'000'000 + clock - zone;
}

std::optional<__int128> to_decimal(std::string_view text, int precision, int scale) {
  text = trimmed(text);
  const bool minus = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  int exponent = 0;
  if (const size_t at = text.find_first_of("eE"); at != std::string_view::npos) {
    std::string_view digits = text.substr(at + 1);
    if (!digits.empty() && digits.front() == '+') digits.remove_prefix(1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (error != std::errc() || end != digits.data() + digits.size() || std::abs(exponent) > 100)
      return std::nullopt;
    text = text.substr(0, at);
  }
  __int128 bound = 1;
  for (int i = 0; i < precision; ++i) bound *= 10;

  const size_t point = std::min(text.find('.'), text.size());
  // How many of the digits stand before the last one kept.
  const int64_t kept = static_cast<int64_t>(point) + exponent + scale;
  __int128 value = 0;
  int64_t taken = 0;
  bool round_up = false, any = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == point) continue;
    if (!is_digit(text[i])) return std::nullopt;
    any = true;
    if (taken < kept) {
      value = value * 10 + (text[i] - '0');
      if (value >= bound) return std::nullopt;
    } else if (taken == kept) {
      round_up = text[i] >= '5';
    }
    ++taken;
  }
  if (!any) return std::nullopt;
  for (; taken < kept; ++taken) {
    value *= 10;
    if (value >= bound) return std::nullopt;
  }
  if (round_up) ++value;
  if (value >= bound) return std::nullopt;
  return minus ? -value : value;
}

namespace {

void append_utf8(std::string& target, uint32_t code) {
  if (code < 0x80) {
    target += static_cast<char>(code);
  } else if (code < 0x800) {
    target += static_cast<char>(0xC0 | code >> 6);
    target += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    target += static_cast<char>(0xE0 | code >> 12);
    target += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    target += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    target += static_cast<char>(0xF0 | code >> 18);
    target += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    target += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    target += static_cast<char>(0x80 | (code & 0x3F));
  }
}

std::optional<uint32_t> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  uint32_t code = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + 4, code, 16);
  if (error != std::errc() || at != text.data() + 4) return std::nullopt;
  return code;
}

}  // namespace

void append_unescaped(std::string& target, std::string_view content) {
  for (size_t i = 0; i < content.size(); ++i) {
    if (content[i] != '\\' || i + 1 == content.size()) {
      target += content[i];
      continue;
    }
    const char c = content[++i];
    switch (c) {
      case 'n': target += '\n'; break;
      case 't': target += '\t'; break;
      case 'r': target += '\r'; break;
      case 'b': target += '\b'; break;
      case 'f': target += '\f'; break;
      case 'u': {
        auto code = hex4(content.substr(i + 1));
        if (!code) {
          target += "\\u";
          break;
        }
        i += 4;
        if (*code >= 0xD800 && *code < 0xDC00 && content.substr(i + 1).starts_with("\\u")) {
          const auto low = hex4(content.substr(i + 3));
          if (low && *low >= 0xDC00 && *low < 0xE000) {
            code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
            i += 6;
          }
        }
        append_utf8(target,
                    *code >= 0xD800 && *code < 0xE000 ? 0xFFFD : *code);  // A lone surrogate.
        break;
      }
      default: target += c;
    }
  }
}

void append_clean(std::string& target, std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (size_t i = 0; i < text.size();) {
    const unsigned char lead = bytes[i];
    const size_t length = lead < 0x80                   ? 1
                          : lead >= 0xC2 && lead < 0xE0 ? 2
                          : lead >= 0xE0 && lead < 0xF0 ? 3
                          : lead >= 0xF0 && lead < 0xF5 ? 4
                                                        : 0;
    bool whole = length != 0 && i + length <= text.size();
    for (size_t k = 1; whole && k < length; ++k) whole = (bytes[i + k] & 0xC0) == 0x80;
    if (whole && length == 3)
      whole = !(lead == 0xE0 && bytes[i + 1] < 0xA0) && !(lead == 0xED && bytes[i + 1] >= 0xA0);
    if (whole && length == 4)
      whole = !(lead == 0xF0 && bytes[i + 1] < 0x90) && !(lead == 0xF4 && bytes[i + 1] >= 0x90);
    if (whole) {
      target.append(text, i, length);
      i += length;
    } else {
      target += "\xEF\xBF\xBD";
      ++i;
    }
  }
}

}  // namespace laketap::worker
