#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>

#include "wire/base64.h"
#include "wire/json.h"

namespace laketap::wire {
namespace {

void append_escaped(char byte, std::string& out) {
  switch (byte) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(byte));
  }
}

bool needs_escape(char byte) {
  return static_cast<unsigned char>(byte) < 0x20 || byte == '"' || byte == '\\';
}

// Bytes before the first that needs an escape; eight at a time, as most texts have none.
size_t plain_prefix(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  const auto has_zero = [](uint64_t word) { return (word - kOnes) & ~word & kHighs; };
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    const auto word = load_le<uint64_t>(view(text.substr(at, 8)));
    const uint64_t control = (word - 0x20 * kOnes) & ~word & kHighs;
    if (control | has_zero(word ^ ('"' * kOnes)) | has_zero(word ^ ('\\' * kOnes))) break;
  }
  while (at < text.size() && !needs_escape(text[at])) ++at;
  return at;
}

// Replaces each byte that is no part of a UTF-8 character.
std::string repaired(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t length = 1;
    const auto first = static_cast<unsigned char>(text[0]);
    if (first >= 0xF0)
      length = 4;
    else if (first >= 0xE0)
      length = 3;
    else if (first >= 0xC0)
      length = 2;
    if (length <= text.size() && simdjson::validate_utf8(text.data(), length)) {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    } else {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    }
  }
  return out;
}

void write_number(double value, std::string& out) {
  if (std::isnan(value))
    out += "\"NaN\"";
  else if (std::isinf(value))
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  else
    fmt::format_to(std::back_inserter(out), "{}", value);
}

// Seconds with as many digits of the fraction as there are, three at most: AWS counts milliseconds.
void write_timestamp(Timestamp at, std::string& out) {
  const int64_t millis =
      std::chrono::floor<std::chrono::milliseconds>(at).time_since_epoch().count();
  const int64_t rest = std::abs(millis % 1000);
  fmt::format_to(std::back_inserter(out), "{}{}", millis < 0 && millis > -1000 ? "-" : "",
                 millis / 1000);
  if (rest == 0) return;
  const std::string digits = fmt::format(".{:03}", rest);
  out += std::string_view(digits).substr(0, digits.find_last_not_of('0') + 1);
}

void write_structure(const Shape& shape, const void* value, std::string& out) {
  out += '{';
  bool first = true;
  for (const Member& member : shape.members) {
    const void* field = static_cast<const char*>(value) + member.offset;
    if (member.optional) field = member.optional->get(field);
    if (!field || member.shape->kind == Kind::stream) continue;
    if (!first) out += ',';
    first = false;
    out.append("\"").append(member.model_name).append("\":");
    write_json(*member.shape, field, out);
  }
  out += '}';
}

void write_map(const Shape& shape, const void* value, std::string& out) {
  struct Context {
    const Shape& shape;
    std::string& out;
    bool first = true;
  } context{shape, out};
  out += '{';
  shape.map->each(value, &context, [](void* opaque, const std::string& key, const void* entry) {
    auto& context = *static_cast<Context*>(opaque);
    if (!context.first) context.out += ',';
    context.first = false;
    write_json_text(key, context.out);
    context.out += ':';
    write_json(*context.shape.element, entry, context.out);
  });
  out += '}';
}

}  // namespace

void write_json_text(std::string_view text, std::string& out) {
  std::string kept;
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    kept = repaired(text);
    text = kept;
  }
  out += '"';
  while (!text.empty()) {
    const size_t plain = plain_prefix(text);
    out.append(text.substr(0, plain));
    if (plain == text.size()) break;
    append_escaped(text[plain], out);
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

void write_json(const Shape& shape, const void* value, std::string& out) {
  switch (shape.kind) {
    case Kind::boolean: out += *static_cast<const bool*>(value) ? "true" : "false"; return;
    case Kind::integer:
      fmt::format_to(std::back_inserter(out), "{}", *static_cast<const int64_t*>(value));
      return;
    case Kind::number: write_number(*static_cast<const double*>(value), out); return;
    case Kind::text: write_json_text(*static_cast<const std::string*>(value), out); return;
    case Kind::timestamp: write_timestamp(*static_cast<const Timestamp*>(value), out); return;
    case Kind::structure: write_structure(shape, value, out); return;
    case Kind::map: write_map(shape, value, out); return;
    case Kind::stream: out += "null"; return;
    case Kind::blob_view:
      out.append("\"").append(static_cast<const Base64View*>(value)->text).append("\"");
      return;
    case Kind::blob:
      out += '"';
      write_base64(*static_cast<const Bytes*>(value), out);
      out += '"';
      return;
    case Kind::list:
      out += '[';
      for (size_t i = 0; i < shape.list->size(value); ++i) {
        if (i > 0) out += ',';
        write_json(*shape.element, shape.list->at(value, i), out);
      }
      out += ']';
      return;
  }
}

std::string encode_json(const Shape& shape, const void* value) {
  std::string out;
  write_json(shape, value, out);
  return out;
}

}  // namespace laketap::wire
