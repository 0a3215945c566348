#include "stacks/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

namespace laketap::stacks {
namespace {

namespace json = boost::json;

constexpr std::array kSections{"AWSTemplateFormatVersion",
                               "Description",
                               "Metadata",
                               "Parameters",
                               "Rules",
                               "Mappings",
                               "Conditions",
                               "Transform",
                               "Resources",
                               "Outputs",
                               "Hooks"};
constexpr std::array kResourceMembers{"Type",      "Properties",     "DependsOn",
                                      "Condition", "DeletionPolicy", "UpdateReplacePolicy",
                                      "Metadata",  "CreationPolicy", "UpdatePolicy"};

std::unexpected<Refusal> format_error(const std::string& what) {
  return refuse("Template format error: " + what);
}

bool is_alphanumeric(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0; });
}

std::string text_member(const json::object& object, const char* name) {
  const json::value* found = object.if_contains(name);
  return found ? scalar_text(*found).value_or("") : "";
}
std::optional<std::string> optional_text(const json::object& object, const char* name) {
  const json::value* found = object.if_contains(name);
  return found ? scalar_text(*found) : std::nullopt;
}
template <class T>
std::optional<T> optional_number(const json::object& object, const char* name) {
  const std::optional<std::string> text = optional_text(object, name);
  if (!text) return std::nullopt;
  try {
    return static_cast<T>(std::stod(*text));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

// A section that must be an object when it is there.
Outcome<json::object> section(const json::object& document, const char* name) {
  const json::value* found = document.if_contains(name);
  if (!found || found->is_null()) return json::object{};
  if (!found->is_object())
    return format_error(fmt::format("[/{}] '{}' section must be an object.", name, name));
  return found->get_object();
}

Outcome<Parameter> parse_parameter(std::string_view name, const json::value& value) {
  const json::object* object = value.if_object();
  if (!object)
    return format_error(
        fmt::format("[/Parameters/{}] Every Parameters object must be an object.", name));
  Parameter made;
  made.name = name;
  made.type = text_member(*object, "Type");
  if (made.type.empty())
    return format_error(
        fmt::format("[/Parameters/{}] Every Parameters object must contain a Type member.", name));
  if (!is_alphanumeric(name))
    return format_error(fmt::format("Parameter name {} is non alphanumeric.", name));
  const bool known = made.type == "String" || made.type == "Number" ||
                     made.type == "CommaDelimitedList" || made.type.starts_with("List<") ||
                     made.type.starts_with("AWS::");
  if (!known) return format_error(fmt::format("Unrecognized parameter type: {}", made.type));
  made.description = text_member(*object, "Description");
  made.constraint_description = text_member(*object, "ConstraintDescription");
  made.default_value = optional_text(*object, "Default");
  made.allowed_pattern = optional_text(*object, "AllowedPattern");
  made.min_length = optional_number<int64_t>(*object, "MinLength");
  made.max_length = optional_number<int64_t>(*object, "MaxLength");
  made.min_value = optional_number<double>(*object, "MinValue");
  made.max_value = optional_number<double>(*object, "MaxValue");
  made.no_echo =
      text_member(*object, "NoEcho") == "true" || text_member(*object, "NoEcho") == "True";
  if (const json::value* values = object->if_contains("AllowedValues");
      values && values->is_array())
    for (const json::value& one : values->get_array())
      made.allowed_values.push_back(scalar_text(one).value_or(""));
  return made;
}

Outcome<Resource> parse_resource(std::string_view id, const json::value& value) {
  const json::object* object = value.if_object();
  if (!object)
    return format_error(
        fmt::format("[/Resources/{}] Every Resources object must be an object.", id));
  if (!is_alphanumeric(id))
    return format_error(fmt::format("Resource name {} is non alphanumeric.", id));
  Resource made;
  made.logical_id = id;
  made.type = text_member(*object, "Type");
  if (made.type.empty())
    return format_error(
        fmt::format("[/Resources/{}] Every Resources object must contain a Type member.", id));
  for (const auto& member : *object)
    if (std::ranges::find(kResourceMembers, member.key()) == kResourceMembers.end())
      return refuse(
          fmt::format("Invalid template resource property '{}'", std::string_view(member.key())));
  made.condition = text_member(*object, "Condition");
  if (const std::optional<std::string> policy = optional_text(*object, "DeletionPolicy")) {
    if (*policy != "Delete" && *policy != "Retain" && *policy != "RetainExceptOnCreate" &&
        *policy != "Snapshot")
      return format_error(
          fmt::format("Unrecognized DeletionPolicy {} for resource {}", *policy, id));
    made.deletion_policy = *policy;
  }
  if (const json::value* properties = object->if_contains("Properties");
      properties && !properties->is_null()) {
    if (!properties->is_object())
      return format_error(
          fmt::format("[/Resources/{}/Properties] 'Properties' must be an object.", id));
    made.properties = properties->get_object();
  }
  if (const json::value* depends = object->if_contains("DependsOn")) {
    if (depends->is_string()) {
      made.depends_on.emplace_back(depends->get_string());
    } else if (depends->is_array()) {
      for (const json::value& one : depends->get_array()) {
        if (!one.is_string()) return format_error("DependsOn must be a string or list of strings.");
        made.depends_on.emplace_back(one.get_string());
      }
    } else {
      return format_error("DependsOn must be a string or list of strings.");
    }
  }
  return made;
}

Outcome<Output> parse_output(std::string_view key, const json::value& value) {
  const json::object* object = value.if_object();
  const json::value* wanted = object ? object->if_contains("Value") : nullptr;
  if (!wanted)
    return format_error(
        fmt::format("[/Outputs/{}] Every Outputs member must contain a Value object", key));
  Output made;
  made.key = key;
  made.value = *wanted;
  made.description = text_member(*object, "Description");
  made.condition = text_member(*object, "Condition");
  if (const json::value* exported = object->if_contains("Export");
      exported && exported->is_object())
    if (const json::value* name = exported->get_object().if_contains("Name"))
      made.export_name = *name;
  return made;
}

// Reads every member of `source` by `parse` onto `target`.
template <class T, class Parse>
std::optional<Refusal> parse_all(const json::object& source, std::vector<T>& target, Parse parse) {
  for (const auto& member : source) {
    Outcome<T> made = parse(std::string_view(member.key()), member.value());
    if (!made) return made.error();
    target.push_back(std::move(*made));
  }
  return std::nullopt;
}

}  // namespace

const Resource* Template::find(std::string_view logical_id) const {
  const auto found = std::ranges::find(resources, logical_id, &Resource::logical_id);
  return found == resources.end() ? nullptr : &*found;
}

Outcome<Template> parse_template(std::string_view body) {
  const Outcome<json::value> document = read_document(body);
  if (!document) return std::unexpected(document.error());
  const json::object* root = document->if_object();
  if (!root) return format_error("unsupported structure.");
  for (const auto& member : *root)
    if (std::ranges::find(kSections, member.key()) == kSections.end())
      return refuse(fmt::format("Invalid template property or properties [{}]",
                                std::string_view(member.key())));

  Template made;
  made.version = text_member(*root, "AWSTemplateFormatVersion");
  if (root->contains("AWSTemplateFormatVersion") && made.version != "2010-09-09")
    return format_error("Unsupported value for AWSTemplateFormatVersion.");
  made.description = text_member(*root, "Description");
  if (const json::value* metadata = root->if_contains("Metadata")) made.metadata = *metadata;
  if (const json::value* transform = root->if_contains("Transform")) {
    if (transform->is_array()) {
      for (const json::value& one : transform->get_array())
        made.transforms.push_back(scalar_text(one).value_or(""));
    } else {
      made.transforms.push_back(scalar_text(*transform).value_or("AWS::Include"));
    }
  }
  const auto parameters = section(*root, "Parameters");
  const auto mappings = section(*root, "Mappings");
  const auto conditions = section(*root, "Conditions");
  const auto resources = section(*root, "Resources");
  const auto outputs = section(*root, "Outputs");
  for (const auto* one : {&parameters, &mappings, &conditions, &resources, &outputs})
    if (!*one) return std::unexpected(one->error());
  if (resources->empty()) return format_error("At least one Resources member must be defined.");
  if (resources->size() > kResourcesMax)
    return format_error(fmt::format("Number of resources, {}, is greater than maximum allowed, {}",
                                    resources->size(), kResourcesMax));
  if (parameters->size() > kParametersMax)
    return format_error(fmt::format("Number of parameters, {}, is greater than maximum allowed, {}",
                                    parameters->size(), kParametersMax));
  if (outputs->size() > kOutputsMax)
    return format_error(fmt::format("Number of outputs, {}, is greater than maximum allowed, {}",
                                    outputs->size(), kOutputsMax));
  made.mappings = *mappings;
  made.conditions = *conditions;
  if (auto wrong = parse_all(*parameters, made.parameters, parse_parameter))
    return std::unexpected(*wrong);
  if (auto wrong = parse_all(*resources, made.resources, parse_resource))
    return std::unexpected(*wrong);
  if (auto wrong = parse_all(*outputs, made.outputs, parse_output)) return std::unexpected(*wrong);
  return made;
}

Capabilities needed_capabilities(const Template& made) {
  static constexpr std::array kIamTypes{"AWS::IAM::AccessKey",
                                        "AWS::IAM::Group",
                                        "AWS::IAM::InstanceProfile",
                                        "AWS::IAM::ManagedPolicy",
                                        "AWS::IAM::Policy",
                                        "AWS::IAM::Role",
                                        "AWS::IAM::User",
                                        "AWS::IAM::UserToGroupAddition"};
  static constexpr std::array kNames{"RoleName", "UserName", "GroupName", "ManagedPolicyName",
                                     "InstanceProfileName"};
  bool named = false;
  std::vector<std::string> types;
  for (const Resource& resource : made.resources) {
    if (std::ranges::find(kIamTypes, resource.type) == kIamTypes.end()) continue;
    if (std::ranges::find(types, resource.type) == types.end()) types.push_back(resource.type);
    // A policy's name is no name of an IAM entity: AWS::IAM::Policy is inline.
    for (const char* name : kNames) named = named || resource.properties.contains(name);
  }
  Capabilities needed;
  if (types.empty()) return needed;
  needed.needed.push_back(named ? "CAPABILITY_NAMED_IAM" : "CAPABILITY_IAM");
  needed.reason =
      fmt::format("The following resource(s) require capabilities: [{}]", fmt::join(types, ", "));
  return needed;
}

}  // namespace laketap::stacks
