// Template: a CloudFormation template as read, before parameters and functions have values.
// Source: CloudFormation User Guide, "Template anatomy". JSON and YAML with the short function
// tags.
#pragma once

#include <boost/json/value.hpp>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laketap::stacks {

// What a caller is told: CloudFormation's error code and its words.
struct Refusal {
  std::string code;
  std::string message;
};
template <class T>
using Outcome = std::expected<T, Refusal>;

inline std::unexpected<Refusal> refuse(std::string message, std::string code = "ValidationError") {
  return std::unexpected(Refusal{std::move(code), std::move(message)});
}

struct Parameter {
  std::string name, type, description, constraint_description;
  std::optional<std::string> default_value, allowed_pattern;
  std::vector<std::string> allowed_values;
  std::optional<int64_t> min_length, max_length;
  std::optional<double> min_value, max_value;
  bool no_echo = false;
};

struct Resource {
  std::string logical_id, type, condition;
  boost::json::object properties;
  std::vector<std::string> depends_on;
  std::string deletion_policy = "Delete";
};

struct Output {
  std::string key, description, condition;
  boost::json::value value;
  std::optional<boost::json::value> export_name;
};

struct Template {
  std::string version, description;
  std::vector<Parameter> parameters;
  boost::json::object mappings, conditions;
  boost::json::value metadata;
  std::vector<Resource> resources;
  std::vector<Output> outputs;
  std::vector<std::string> transforms;

  const Resource* find(std::string_view logical_id) const;
};

constexpr size_t kTemplateBytesMax = 51'200;         // In a request.
constexpr size_t kStoredTemplateBytesMax = 1 << 20;  // By TemplateURL.
constexpr size_t kResourcesMax = 500;
constexpr size_t kParametersMax = 200;
constexpr size_t kOutputsMax = 200;

// Reads the shape; references are checked by check_references (graph.h).
// Errors: ValidationError with CloudFormation's "Template format error: ..." texts.
Outcome<Template> parse_template(std::string_view body);

// A template's text as JSON, short YAML tags as {"Fn::X": ...}. Scalars keep their text where a
// number or date would lose it. Bounded: depth 64, 100,000 nodes.
Outcome<boost::json::value> read_document(std::string_view body);

// A scalar as text, the way parameters and text properties take it; absent for objects and arrays.
std::optional<std::string> scalar_text(const boost::json::value& value);

// The capabilities a template needs: CAPABILITY_IAM, CAPABILITY_NAMED_IAM; `reason` names the
// resources.
struct Capabilities {
  std::vector<std::string> needed;
  std::string reason;
};
Capabilities needed_capabilities(const Template& made);

}  // namespace laketap::stacks
