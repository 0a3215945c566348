// delivery/prefix.cc - texts and rules: contract firehose.md 6.4, 7.1, 7.2.
#include "delivery/prefix.h"

#include <fmt/core.h>

#include <variant>

#include "delivery/time_pattern.h"

namespace laketap::delivery {
namespace {

constexpr std::string_view kOpen = "!{";
constexpr std::string_view kConstraint =
    "The supplied prefix(es) do not satisfy the following constraint: ";
constexpr std::string_view kErrorType = "error-output-type";
constexpr size_t kRandomStringLength = 11;

struct Expression {
  std::string_view space, value;
};
using Part = std::variant<std::string_view, Expression>;  // A literal, or an expression.

struct Parsed {
  std::vector<Part> parts;
  std::optional<std::string> problem;

  bool has_expression() const {
    for (const Part& part : parts)
      if (std::holds_alternative<Expression>(part)) return true;
    return false;
  }
  bool has(std::string_view space, std::string_view value) const {
    for (const Part& part : parts)
      if (const auto* expression = std::get_if<Expression>(&part))
        if (expression->space == space && (value.empty() || expression->value == value))
          return true;
    return false;
  }
};

bool is_partition_space(std::string_view space) {
  return space == "partitionKeyFromQuery" || space == "partitionKeyFromLambda";
}

std::optional<std::string> problem_of(const Expression& expression) {
  constexpr std::string_view kBadConversion =
      "Invalid conversion character used in the value of the expression in Prefix";
  if (expression.space == "timestamp") {
    if (TimePattern::parse(expression.value)) return std::nullopt;
    return fmt::format("{}{}", kConstraint, kBadConversion);
  }
  if (expression.space == "firehose") {
    if (expression.value == "random-string" || expression.value == kErrorType) return std::nullopt;
    return fmt::format("{}{}", kConstraint, kBadConversion);
  }
  if (is_partition_space(expression.space)) return std::nullopt;
  return fmt::format("{}Namespace to the left of colon ({}) is an invalid keyword!", kConstraint,
                     expression.space);
}

Parsed parse(std::string_view prefix) {
  Parsed parsed;
  std::string_view rest = prefix;
  while (!rest.empty()) {
    const size_t open = rest.find(kOpen);
    if (open != 0) parsed.parts.emplace_back(rest.substr(0, open));
    if (open == rest.npos) break;

    const std::string_view inside = rest.substr(open + kOpen.size());
    const size_t close = inside.find('}');
    const size_t colon = inside.substr(0, close).find(':');
    if (close == inside.npos || colon == inside.npos || colon == 0 || colon + 1 == close) {
      parsed.problem =
          fmt::format("{}Invalid expression usage: {}.Must be of the form !{{<namespace>:<value>}}",
                      kConstraint, prefix);
      return parsed;
    }
    const Expression expression{inside.substr(0, colon),
                                inside.substr(colon + 1, close - colon - 1)};
    if (!parsed.problem) parsed.problem = problem_of(expression);
    parsed.parts.emplace_back(expression);
    rest = inside.substr(close + 1);
  }
  return parsed;
}

// Eleven letters and digits that follow from the uuid and the place (SplitMix64's finaliser).
std::string random_string(const Uuid& uuid, uint64_t occurrence) {
  constexpr std::string_view kAlphabet =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const ByteView bytes(uuid);
  uint64_t state =
      load_le<uint64_t>(bytes) ^ (load_le<uint64_t>(bytes.subspan(8)) * (2 * occurrence + 3));
  std::string text;
  for (size_t i = 0; i < kRandomStringLength; ++i) {
    state += 0x9e3779b97f4a7c15;
    uint64_t mixed = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    text += kAlphabet[(mixed ^ (mixed >> 31)) % kAlphabet.size()];
  }
  return text;
}

std::string time_text(std::string_view pattern, Timestamp at) {
  const auto parsed = TimePattern::parse(pattern);
  return parsed ? parsed->format(at) : std::string();  // Refused when the stream was made.
}

std::string_view extension_of(const Configuration& configuration) {
  if (!configuration.extension.empty()) return configuration.extension;
  switch (configuration.compression) {
    case Compression::none: return "";
    case Compression::gzip: return ".gz";
  }
  return "";
}

}  // namespace

std::optional<std::string> prefix_problem(std::string_view prefix, std::string_view error_prefix,
                                          Timestamp now) {
  const auto constraint = [](std::string_view text) {
    return std::string(kConstraint) + std::string(text);
  };
  const Parsed data = parse(prefix);
  if (data.problem) return data.problem;
  if (data.has("firehose", kErrorType))
    return constraint("Prefix must not contain any occurrence of !{firehose:error-output-type}");
  if (data.has("partitionKeyFromQuery", "") || data.has("partitionKeyFromLambda", ""))
    return "Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic "
           "Partitioning is enabled.";

  const Parsed error = parse(error_prefix);
  if (error.problem) return error.problem;
  if (error.has("partitionKeyFromQuery", "") || error.has("partitionKeyFromLambda", ""))
    return "Dynamic Partitioning Namespaces can't be part of an error prefix expression";
  if (error.has_expression() && !error.has("firehose", kErrorType))
    return constraint(
        "ErrorOutputPrefix must contain at least one occurrence of !{firehose:error-output-type}");
  if (data.has_expression() && error_prefix.empty())
    return constraint("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions");

  BatchId sample;
  sample.begin = now;
  if (evaluate_prefix(prefix, sample).size() > kEvaluatedPrefixMax)
    return constraint("Length of evaluated prefix cannot be greater than 512");
  return std::nullopt;
}

std::string evaluate_prefix(std::string_view prefix, const BatchId& batch) {
  const Parsed parsed = parse(prefix);
  if (!parsed.has_expression())
    return std::string(prefix) + time_text("yyyy/MM/dd/HH/", batch.begin);

  std::string text;
  uint64_t occurrence = 0;
  for (const Part& part : parsed.parts) {
    if (const auto* literal = std::get_if<std::string_view>(&part)) {
      text += *literal;
      continue;
    }
    const Expression& expression = std::get<Expression>(part);
    if (expression.space == "timestamp") text += time_text(expression.value, batch.begin);
    if (expression.space == "firehose") text += random_string(batch.uuid, occurrence++);
  }
  return text;
}

std::string object_key(const Configuration& configuration, const BatchId& batch) {
  return fmt::format("{}{}-{}-{}-{}{}", evaluate_prefix(configuration.prefix, batch),
                     configuration.stream_name, batch.version,
                     time_text("yyyy-MM-dd-HH-mm-ss", batch.begin), to_text(batch.uuid),
                     extension_of(configuration));
}

}  // namespace laketap::delivery
