#include "wire/scalar.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "wire/base64.h"

namespace laketap::wire {
namespace {

template <class T>
bool read_number(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_timestamp(std::string_view text, Timestamp& at) {
  double seconds = 0;
  if (const auto iso = parse_iso8601(text))
    at = *iso;
  else if (const auto http = parse_http_date(text))
    at = *http;
  else if (read_number(text, seconds) && std::abs(seconds) < 1e11)
    at = from_epoch_micros(std::llround(seconds * 1e6));
  else
    return false;
  return true;
}

}  // namespace

bool read_scalar(const Shape& shape, std::string_view text, void* target) {
  switch (shape.kind) {
    case Kind::text: static_cast<std::string*>(target)->assign(text); return true;
    case Kind::boolean:
      *static_cast<bool*>(target) =
          text == "true" || text == "True" || text == "TRUE" || text == "1";
      return *static_cast<bool*>(target) || text == "false" || text == "False" || text == "FALSE" ||
             text == "0";
    case Kind::integer: {
      int64_t& number = *static_cast<int64_t*>(target);
      if (text.starts_with('+')) text.remove_prefix(1);
      return read_number(text, number) && (shape.wide || number == static_cast<int32_t>(number));
    }
    case Kind::number: return read_number(text, *static_cast<double*>(target));
    case Kind::timestamp: return read_timestamp(text, *static_cast<Timestamp*>(target));
    case Kind::blob: {
      Result<Bytes> bytes = Base64View{text, nullptr}.decode();
      if (bytes) *static_cast<Bytes*>(target) = std::move(*bytes);
      return bytes.has_value();
    }
    default: return false;
  }
}

std::string write_scalar(const Shape& shape, TimeFormat member_format, TimeFormat by_protocol,
                         const void* value) {
  switch (shape.kind) {
    case Kind::text: return *static_cast<const std::string*>(value);
    case Kind::boolean: return *static_cast<const bool*>(value) ? "true" : "false";
    case Kind::integer: return std::to_string(*static_cast<const int64_t*>(value));
    case Kind::number: return fmt::format("{}", *static_cast<const double*>(value));
    case Kind::blob: {
      std::string out;
      write_base64(*static_cast<const Bytes*>(value), out);
      return out;
    }
    case Kind::timestamp: {
      const Timestamp at = *static_cast<const Timestamp*>(value);
      TimeFormat format = member_format != TimeFormat::by_protocol ? member_format : shape.time;
      if (format == TimeFormat::by_protocol) format = by_protocol;
      if (format == TimeFormat::http_date) return http_date(at);
      if (format == TimeFormat::epoch_seconds) return fmt::format("{}", epoch_seconds(at));
      return iso8601_millis(at);
    }
    default: return {};
  }
}

}  // namespace laketap::wire
