#include "worker/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "worker/values.h"

namespace laketap::worker {

using engine::Style;
using sql::Kind;

namespace {

constexpr int64_t kDayMicros = 86'400'000'000;

// Floor division, for moments before 1970.
int64_t floored(int64_t value, int64_t unit) {
  return value / unit - (value % unit < 0);
}

template <class T>
std::string java_real(T value, double decimal_below) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  char buffer[64];
  const bool plain =
      std::abs(value) >= T(1e-3) && std::abs(static_cast<double>(value)) < decimal_below;
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific)
                       .ptr;
  std::string text(buffer, end);
  if (plain) return text.find('.') == std::string::npos ? text + ".0" : text;

  // 1e+10 -> 1.0E10
  const size_t at = text.find('e');
  std::string digits = text.substr(0, at);
  if (digits.find('.') == std::string::npos) digits += ".0";
  int exponent = 0;
  const char* first = text.data() + at + 1 + (text[at + 1] == '+');
  std::from_chars(first, text.data() + text.size(), exponent);
  return fmt::format("{}E{}", digits, exponent);
}

std::string wide(__int128 value) {
  if (value == 0) return "0";
  const bool minus = value < 0;
  unsigned __int128 rest =
      minus ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string digits;
  for (; rest != 0; rest /= 10) digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  if (minus) digits += '-';
  return {digits.rbegin(), digits.rend()};
}

std::string decimal(__int128 value, int scale) {
  std::string digits = wide(value < 0 ? -value : value);
  if (digits.size() <= static_cast<size_t>(scale))
    digits.insert(0, static_cast<size_t>(scale) + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - static_cast<size_t>(scale), ".");
  return value < 0 ? "-" + digits : digits;
}

std::string date(int64_t days) {
  const CivilDay civil = civil_from_days(days);
  if (civil.year < 0) return fmt::format("-{:04}-{:02}-{:02}", -civil.year, civil.month, civil.day);
  return fmt::format("{}{:04}-{:02}-{:02}", civil.year > 9999 ? "+" : "", civil.year, civil.month,
                     civil.day);
}

// `nanos` within a day.
std::string clock(int64_t nanos, int digits) {
  const int64_t seconds = nanos / 1'000'000'000;
  std::string text =
      fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (digits > 0)
    text +=
        "." + fmt::format("{:09}", nanos % 1'000'000'000).substr(0, static_cast<size_t>(digits));
  return text;
}

std::string moment(int64_t micros, int64_t extra_nanos, int digits) {
  const int64_t days = floored(micros, kDayMicros);
  return date(days) + " " + clock((micros - days * kDayMicros) * 1000 + extra_nanos, digits);
}

std::string interval(const duckdb_interval& value, Kind kind) {
  if (kind == Kind::interval_year) {
    const int months = std::abs(value.months);
    return fmt::format("{}{}-{}", value.months < 0 ? "-" : "", months / 12, months % 12);
  }
  const int64_t total = (int64_t{value.months} * 30 + value.days) * kDayMicros + value.micros;
  const int64_t size = total < 0 ? -total : total;
  return fmt::format("{}{} {}", total < 0 ? "-" : "", size / kDayMicros,
                     clock(size % kDayMicros * 1000, 3));
}

std::string uuid(duckdb_hugeint value) {
  const uint64_t upper =
      static_cast<uint64_t>(value.upper) ^ (uint64_t{1} << 63);  // Stored so that it sorts.
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", upper >> 32, upper >> 16 & 0xFFFF,
                     upper & 0xFFFF, value.lower >> 48, value.lower & 0xFFFF'FFFF'FFFF);
}

std::string bytes_text(std::string_view bytes, Style style) {
  std::string out = style == Style::trino ? "X'" : "";
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (style == Style::trino)
      out += fmt::format("{:02X}", byte);
    else
      out += fmt::format("{}{:02x}", i ? " " : "", byte);
  }
  return style == Style::trino ? out + "'" : out;
}

void append_quoted(std::string& target, std::string_view text) {
  target += '"';
  for (const char c : text) {
    switch (c) {
      case '"': target += "\\\""; break;
      case '\\': target += "\\\\"; break;
      case '\n': target += "\\n"; break;
      case '\r': target += "\\r"; break;
      case '\t': target += "\\t"; break;
      case '\b': target += "\\b"; break;
      case '\f': target += "\\f"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          target += fmt::format("\\u{:04x}", c);
        else
          target += c;
    }
  }
  target += '"';
}

template <class T>
T at(const void* data, size_t row) {
  return static_cast<const T*>(data)[row];
}
std::string_view text_at(const void* data, size_t row) {
  const auto& value = static_cast<const duckdb_string_t*>(data)[row];
  const uint32_t length = value.value.inlined.length;
  return {length <= 12 ? value.value.inlined.inlined : value.value.pointer.ptr, length};
}
__int128 wide_at(const void* data, size_t row) {
  const auto value = at<duckdb_hugeint>(data, row);
  return static_cast<__int128>(value.upper) << 64 | value.lower;
}
__int128 integer_at(const void* data, size_t row, duckdb_type stored) {
  switch (stored) {
    case DUCKDB_TYPE_TINYINT: return at<int8_t>(data, row);
    case DUCKDB_TYPE_SMALLINT: return at<int16_t>(data, row);
    case DUCKDB_TYPE_INTEGER: return at<int32_t>(data, row);
    case DUCKDB_TYPE_BIGINT: return at<int64_t>(data, row);
    case DUCKDB_TYPE_UTINYINT: return at<uint8_t>(data, row);
    case DUCKDB_TYPE_USMALLINT: return at<uint16_t>(data, row);
    case DUCKDB_TYPE_UINTEGER: return at<uint32_t>(data, row);
    case DUCKDB_TYPE_UBIGINT: return at<uint64_t>(data, row);
    default: return wide_at(data, row);
  }
}
bool is_integer(duckdb_type stored) {
  return (stored >= DUCKDB_TYPE_TINYINT && stored <= DUCKDB_TYPE_UBIGINT) ||
         stored == DUCKDB_TYPE_HUGEINT || stored == DUCKDB_TYPE_UHUGEINT;
}

// A nested type's part as the user's type says, or unknown where the two do not agree.
sql::Type part_of(const sql::Type& type, size_t part) {
  return part < type.parts.size() ? type.parts[part] : sql::Type();
}

}  // namespace

// Java's Double.toString and Float.toString: a point from 10^-3 up to 10^7.
std::string java_double(double value) {
  return java_real(value, 1e7);
}
std::string java_float(float value) {
  return java_real(value, 1e7);
}

Renderer::Renderer(const Duck& duck, sql::Type type, duckdb_logical_type stored, Style style)
    : duck_(duck), type_(std::move(type)), style_(style), stored_(duck.get_type_id(stored)) {
  const auto add_part = [&](size_t part, duckdb_logical_type of) {
    parts_.push_back(std::make_unique<Renderer>(duck, part_of(type_, part), of, style));
    duck.destroy_logical_type(&of);
  };
  switch (stored_) {
    case DUCKDB_TYPE_DECIMAL:
      scale_ = duck.decimal_scale(stored);
      held_as_ = duck.decimal_internal_type(stored);
      break;
    case DUCKDB_TYPE_LIST: add_part(0, duck.list_type_child_type(stored)); break;
    case DUCKDB_TYPE_ARRAY:
      array_size_ = duck.array_type_array_size(stored);
      add_part(0, duck.array_type_child_type(stored));
      break;
    case DUCKDB_TYPE_MAP:
      add_part(0, duck.map_type_key_type(stored));
      add_part(1, duck.map_type_value_type(stored));
      break;
    case DUCKDB_TYPE_STRUCT: {
      const idx_t count = duck.struct_type_child_count(stored);
      for (idx_t i = 0; i < count; ++i) {
        add_part(i, duck.struct_type_child_type(stored, i));
        char* name = duck.struct_type_child_name(stored, i);
        if (type_.is(Kind::row))
          names_.push_back(i < type_.names.size() ? type_.names[i].value_or("") : "");
        else
          names_.push_back(name ? name : "");
        duck.free(name);
      }
      break;
    }
    default: break;
  }
}

void Renderer::bind(duckdb_vector vector) {
  data_ = duck_.vector_get_data(vector);
  validity_ = duck_.vector_get_validity(vector);
  switch (stored_) {
    case DUCKDB_TYPE_LIST: parts_[0]->bind(duck_.list_vector_get_child(vector)); break;
    case DUCKDB_TYPE_ARRAY: parts_[0]->bind(duck_.array_vector_get_child(vector)); break;
    case DUCKDB_TYPE_MAP:
      for (size_t i = 0; i < 2; ++i)
        parts_[i]->bind(duck_.struct_vector_get_child(duck_.list_vector_get_child(vector), i));
      break;
    case DUCKDB_TYPE_STRUCT:
      for (size_t i = 0; i < parts_.size(); ++i)
        parts_[i]->bind(duck_.struct_vector_get_child(vector, i));
      break;
    default: break;
  }
}

bool Renderer::is_null(size_t row) const {
  if (stored_ == DUCKDB_TYPE_SQLNULL) return true;
  return validity_ && !(validity_[row >> 6] >> (row & 63) & 1);
}

// Athena shows three digits whatever the type says.
int Renderer::fraction_digits() const {
  const bool says = type_.is(Kind::timestamp) || type_.is(Kind::timestamp_zoned) ||
                    type_.is(Kind::time) || type_.is(Kind::time_zoned);
  return style_ == Style::athena || !says ? 3 : std::min(type_.precision, 9);
}

std::string Renderer::plain(size_t row) const {
  switch (stored_) {
    case DUCKDB_TYPE_BOOLEAN: return at<bool>(data_, row) ? "true" : "false";
    case DUCKDB_TYPE_FLOAT:
      return type_.is(Kind::double_) ? java_double(at<float>(data_, row))
                                     : java_float(at<float>(data_, row));
    case DUCKDB_TYPE_DOUBLE:
      return type_.is(Kind::real) ? java_float(static_cast<float>(at<double>(data_, row)))
                                  : java_double(at<double>(data_, row));
    case DUCKDB_TYPE_DECIMAL: return decimal(integer_at(data_, row, held_as_), scale_);
    case DUCKDB_TYPE_DATE: return date(at<int32_t>(data_, row));
    case DUCKDB_TYPE_TIME: return clock(at<int64_t>(data_, row) * 1000, fraction_digits());
    case DUCKDB_TYPE_TIME_TZ: {
      const auto bits = at<uint64_t>(data_, row);  // 40 bits of microseconds, 24 of 57599 - offset.
      const int64_t offset = 57'599 - static_cast<int64_t>(bits & 0xFF'FFFF);
      const int64_t size = offset < 0 ? -offset : offset;
      return fmt::format("{}{}{:02}:{:02}",
                         clock(static_cast<int64_t>(bits >> 24) * 1000, fraction_digits()),
                         offset < 0 ? "-" : "+", size / 3600, size / 60 % 60);
    }
    case DUCKDB_TYPE_TIMESTAMP: return moment(at<int64_t>(data_, row), 0, fraction_digits());
    case DUCKDB_TYPE_TIMESTAMP_S:
      return moment(at<int64_t>(data_, row) * 1'000'000, 0, fraction_digits());
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return moment(at<int64_t>(data_, row) * 1000, 0, fraction_digits());
    case DUCKDB_TYPE_TIMESTAMP_NS: {
      const int64_t nanos = at<int64_t>(data_, row), micros = floored(nanos, 1000);
      return moment(micros, nanos - micros * 1000, fraction_digits());
    }
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return moment(at<int64_t>(data_, row), 0, fraction_digits()) + " UTC";
    case DUCKDB_TYPE_INTERVAL: return interval(at<duckdb_interval>(data_, row), type_.kind);
    case DUCKDB_TYPE_UUID: return uuid(at<duckdb_hugeint>(data_, row));
    case DUCKDB_TYPE_BLOB: return bytes_text(text_at(data_, row), style_);
    default: break;
  }
  if (!is_integer(stored_)) return "";
  const __int128 value = integer_at(data_, row, stored_);
  if (type_.is(Kind::double_) || type_.is(Kind::real))
    return java_double(static_cast<double>(value));
  if (type_.is(Kind::decimal))
    return decimal(value, 0) +
           (type_.scale > 0 ? "." + std::string(static_cast<size_t>(type_.scale), '0') : "");
  return wide(value);
}

void Renderer::append(std::string& target, size_t row, bool nested) const {
  switch (stored_) {
    case DUCKDB_TYPE_VARCHAR: append_text(target, text_at(data_, row), nested); return;
    case DUCKDB_TYPE_LIST: {
      const auto entry = at<duckdb_list_entry>(data_, row);
      append_array(target, entry.offset, entry.length);
      return;
    }
    case DUCKDB_TYPE_ARRAY: append_array(target, row * array_size_, array_size_); return;
    case DUCKDB_TYPE_MAP: {
      const auto entry = at<duckdb_list_entry>(data_, row);
      append_map(target, entry.offset, entry.length);
      return;
    }
    case DUCKDB_TYPE_STRUCT: append_struct(target, row); return;
    default: break;
  }
  const bool quotes =
      nested && style_ == Style::trino &&
      (stored_ == DUCKDB_TYPE_DATE || stored_ == DUCKDB_TYPE_TIME ||
       stored_ == DUCKDB_TYPE_TIME_TZ || stored_ == DUCKDB_TYPE_UUID ||
       stored_ == DUCKDB_TYPE_INTERVAL ||
       (stored_ >= DUCKDB_TYPE_TIMESTAMP_S && stored_ <= DUCKDB_TYPE_TIMESTAMP_NS) ||
       stored_ == DUCKDB_TYPE_TIMESTAMP || stored_ == DUCKDB_TYPE_TIMESTAMP_TZ);
  if (quotes)
    append_quoted(target, plain(row));
  else
    target += plain(row);
}

void Renderer::append_text(std::string& target, std::string_view text, bool nested) const {
  std::string padded;
  if (type_.is(Kind::char_)) {
    const auto characters = static_cast<size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    padded = text;
    if (characters < static_cast<size_t>(type_.precision))
      padded.append(static_cast<size_t>(type_.precision) - characters, ' ');
    text = padded;
  }
  if (nested && style_ == Style::trino)
    append_quoted(target, text);
  else
    target += text;
}

void Renderer::append_part(std::string& target, size_t part, size_t row) const {
  if (parts_[part]->is_null(row))
    target += "null";
  else
    parts_[part]->append(target, row, true);
}

void Renderer::append_array(std::string& target, size_t first, size_t count) const {
  target += '[';
  for (size_t i = 0; i < count; ++i) {
    if (i) target += ", ";
    append_part(target, 0, first + i);
  }
  target += ']';
}

void Renderer::append_map(std::string& target, size_t first, size_t count) const {
  std::vector<std::string> entries;
  for (size_t i = 0; i < count; ++i) {
    std::string entry;
    append_part(entry, 0, first + i);
    entry += style_ == Style::trino ? ": " : "=";
    append_part(entry, 1, first + i);
    entries.push_back(std::move(entry));
  }
  if (style_ == Style::trino) std::ranges::sort(entries);
  target += '{';
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i) target += ", ";
    target += entries[i];
  }
  target += '}';
}

void Renderer::append_struct(std::string& target, size_t row) const {
  target += style_ == Style::trino ? '(' : '{';
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (i) target += ", ";
    if (!names_[i].empty()) target += names_[i] + "=";
    append_part(target, i, row);
  }
  target += style_ == Style::trino ? ')' : '}';
}

}  // namespace laketap::worker
