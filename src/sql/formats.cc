#include "sql/formats.h"

#include <map>
#include <string_view>

namespace laketap::sql {

std::optional<std::string> rewritten_format(const std::string& format) {
  static const std::map<char, const char*> kLetters{
      {'a', "%a"}, {'b', "%b"},          {'c', "%-m"}, {'d', "%d"}, {'e', "%-d"},
      {'f', "%f"}, {'H', "%H"},          {'h', "%I"},  {'I', "%I"}, {'i', "%M"},
      {'j', "%j"}, {'k', "%-H"},         {'l', "%-I"}, {'M', "%B"}, {'m', "%m"},
      {'p', "%p"}, {'r', "%I:%M:%S %p"}, {'S', "%S"},  {'s', "%S"}, {'T', "%H:%M:%S"},
      {'v', "%V"}, {'W', "%A"},          {'x', "%G"},  {'Y', "%Y"}, {'y', "%y"},
      {'%', "%%"}};
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    const auto found = kLetters.find(format[++i]);
    if (found != kLetters.end()) {
      out += found->second;
    } else if (std::string_view("DUuVwX").find(format[i]) != std::string_view::npos) {
      return std::nullopt;
    } else {
      out += format[i];
    }
  }
  return out;
}

std::optional<std::string> rewritten_joda(const std::string& format) {
  static const std::map<std::string, const char*> kLetters{
      {"yyyy", "%Y"}, {"YYYY", "%Y"}, {"y", "%Y"},  {"yy", "%y"},  {"YY", "%y"}, {"MMMM", "%B"},
      {"MMM", "%b"},  {"MM", "%m"},   {"M", "%-m"}, {"dd", "%d"},  {"d", "%-d"}, {"DDD", "%j"},
      {"D", "%-j"},   {"HH", "%H"},   {"H", "%-H"}, {"hh", "%I"},  {"h", "%-I"}, {"mm", "%M"},
      {"m", "%-M"},   {"ss", "%S"},   {"s", "%-S"}, {"SSS", "%g"}, {"a", "%p"},  {"EEEE", "%A"},
      {"EEE", "%a"},  {"EE", "%a"},   {"E", "%a"},  {"e", "%u"},   {"ww", "%V"}, {"xxxx", "%G"}};
  std::string out;
  for (size_t i = 0; i < format.size();) {
    const char c = format[i];
    if (c == '\'') {  // 'text', and '' for a quote.
      if (i + 1 < format.size() && format[i + 1] == '\'') {
        out += '\'';
        i += 2;
        continue;
      }
      const size_t end = format.find('\'', i + 1);
      if (end == std::string::npos) return std::nullopt;
      out += format.substr(i + 1, end - i - 1);
      i = end + 1;
    } else if (std::isalpha(static_cast<unsigned char>(c))) {
      size_t end = i;
      while (end < format.size() && format[end] == c) ++end;
      const auto found = kLetters.find(format.substr(i, end - i));
      if (found == kLetters.end()) return std::nullopt;
      out += found->second;
      i = end;
    } else {
      out += c == '%' ? std::string("%%") : std::string(1, c);
      ++i;
    }
  }
  return out;
}

std::optional<std::string> rewritten_path(const std::string& path) {
  if (path.empty() || path[0] != '$') return std::nullopt;
  std::string out = "$";
  const auto is_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  for (size_t i = 1; i < path.size();) {
    size_t end = i + 1;
    if (path[i] == '.') {
      while (end < path.size() && is_name(path[end])) ++end;
      if (end == i + 1) return std::nullopt;
      out += ".\"" + path.substr(i + 1, end - i - 1) + "\"";
      i = end;
    } else if (path[i] == '[' && end < path.size() && path[end] == '"') {
      const size_t close = path.find('"', end + 1);
      if (close == std::string::npos || close + 1 >= path.size() || path[close + 1] != ']')
        return std::nullopt;
      out += "." + path.substr(end, close + 1 - end);
      i = close + 2;
    } else if (path[i] == '[') {
      while (end < path.size() && std::isdigit(static_cast<unsigned char>(path[end]))) ++end;
      if (end == i + 1 || end >= path.size() || path[end] != ']') return std::nullopt;
      out += path.substr(i, end + 1 - i);
      i = end + 1;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace laketap::sql
