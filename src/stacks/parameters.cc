// Values of a template's parameters: given, previous or default, checked against the constraints.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>

#include "stacks/evaluate.h"

namespace laketap::stacks {
namespace {

namespace json = boost::json;

constexpr size_t kValueBytesMax = 4096;
constexpr uint32_t kMatchStepsMax =
    1'000'000;  // A pattern of the template's author may backtrack for ever.

// The pattern must match the whole value; templates use look-ahead, so the engine is PCRE.
Outcome<bool> matches_whole(const std::string& pattern, const std::string& value) {
  int error = 0;
  PCRE2_SIZE at = 0;
  const std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF, &error, &at, nullptr),
      &pcre2_code_free);
  if (!code)
    return refuse(fmt::format("Template format error: Invalid AllowedPattern: {}", pattern));
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
      pcre2_match_data_create_from_pattern(code.get(), nullptr), &pcre2_match_data_free);
  const std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> context(
      pcre2_match_context_create(nullptr), &pcre2_match_context_free);
  pcre2_set_match_limit(context.get(), kMatchStepsMax);
  const int matched = pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(value.data()),
                                  value.size(), 0, 0, data.get(), context.get());
  return matched >= 0;
}

std::string trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

std::unexpected<Refusal> constraint(const Parameter& parameter, const std::string& otherwise) {
  return refuse(fmt::format(
      "Parameter {} failed to satisfy constraint: {}", parameter.name,
      parameter.constraint_description.empty() ? otherwise : parameter.constraint_description));
}

Outcome<bool> check_constraints(const Parameter& parameter, const std::string& value) {
  if (value.size() > kValueBytesMax)
    return constraint(
        parameter, fmt::format("Member must have length less than or equal to {}", kValueBytesMax));
  const auto length = static_cast<int64_t>(value.size());
  if (parameter.min_length && length < *parameter.min_length)
    return constraint(parameter, fmt::format("Member must have length greater than or equal to {}",
                                             *parameter.min_length));
  if (parameter.max_length && length > *parameter.max_length)
    return constraint(parameter, fmt::format("Member must have length less than or equal to {}",
                                             *parameter.max_length));
  if (!parameter.allowed_values.empty() &&
      std::ranges::find(parameter.allowed_values, value) == parameter.allowed_values.end())
    return constraint(parameter, fmt::format("Member must satisfy enum value set: [{}]",
                                             fmt::join(parameter.allowed_values, ", ")));
  if (parameter.allowed_pattern) {
    const Outcome<bool> matched = matches_whole(*parameter.allowed_pattern, value);
    if (!matched) return matched;
    if (!*matched)
      return constraint(parameter, "Member must satisfy regular expression pattern: " +
                                       *parameter.allowed_pattern);
  }
  return true;
}

Outcome<bool> check_number(const Parameter& parameter, const std::string& value) {
  double number = 0;
  try {
    size_t used = 0;
    number = std::stod(value, &used);
    if (used != value.size()) throw std::invalid_argument(value);
  } catch (const std::exception&) {
    return refuse(fmt::format("Parameter '{}' must be a number.", parameter.name));
  }
  if (parameter.min_value && number < *parameter.min_value)
    return constraint(parameter, fmt::format("Member must have value greater than or equal to {}",
                                             *parameter.min_value));
  if (parameter.max_value && number > *parameter.max_value)
    return constraint(parameter, fmt::format("Member must have value less than or equal to {}",
                                             *parameter.max_value));
  return true;
}

Outcome<json::value> typed(const Parameter& parameter, const std::string& text) {
  const bool list = parameter.type == "CommaDelimitedList" || parameter.type.starts_with("List<");
  if (!list) {
    if (parameter.type == "Number")
      if (const Outcome<bool> held = check_number(parameter, text); !held)
        return std::unexpected(held.error());
    if (const Outcome<bool> held = check_constraints(parameter, text); !held)
      return std::unexpected(held.error());
    return json::value(json::string(text));
  }
  json::array items;
  size_t from = 0;
  while (!text.empty()) {
    const size_t comma = text.find(',', from);
    const std::string item = trim(std::string_view(text).substr(from, comma - from));
    if (parameter.type == "List<Number>")
      if (const Outcome<bool> held = check_number(parameter, item); !held)
        return std::unexpected(held.error());
    if (const Outcome<bool> held = check_constraints(parameter, item); !held)
      return std::unexpected(held.error());
    items.emplace_back(json::string(item));
    if (comma == std::string::npos) break;
    from = comma + 1;
  }
  return json::value(std::move(items));
}

}  // namespace

Outcome<std::map<std::string, json::value>> resolve_parameters(
    const Template& made, const std::vector<GivenParameter>& given,
    const std::map<std::string, std::string>& previous) {
  std::vector<std::string> unknown;
  std::vector<std::string> missing;
  for (const GivenParameter& one : given)
    if (std::ranges::find(made.parameters, one.key, &Parameter::name) == made.parameters.end())
      unknown.push_back(one.key);
  if (!unknown.empty())
    return refuse(
        fmt::format("Parameters: [{}] do not exist in the template", fmt::join(unknown, ", ")));

  std::map<std::string, json::value> values;
  for (const Parameter& parameter : made.parameters) {
    const auto wanted = std::ranges::find(given, parameter.name, &GivenParameter::key);
    std::optional<std::string> text;
    if (wanted != given.end() && !wanted->use_previous) {
      text = wanted->value;
    } else if (wanted != given.end()) {
      const auto old = previous.find(parameter.name);
      if (old != previous.end()) text = old->second;
    } else {
      text = parameter.default_value;
    }
    if (!text) {
      missing.push_back(parameter.name);
      continue;
    }
    Outcome<json::value> value = typed(parameter, *text);
    if (!value) return std::unexpected(value.error());
    values[parameter.name] = std::move(*value);
  }
  if (!missing.empty())
    return refuse(fmt::format("Parameters: [{}] must have values", fmt::join(missing, ", ")));
  return values;
}

}  // namespace laketap::stacks
