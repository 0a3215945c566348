#include "stacks/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

namespace laketap::stacks {
namespace {

namespace json = boost::json;
using Value = Outcome<std::optional<json::value>>;

constexpr size_t kTextBytesMax = 1 << 20;  // Fn::Sub and Fn::Join may multiply a text.

std::unexpected<Refusal> template_error(const std::string& what) {
  return refuse("Template error: " + what);
}

// The list argument of a function with at least `least` and at most `most` items.
Outcome<json::array> list_of(const json::value& argument, size_t least, size_t most,
                             std::string_view function) {
  if (!argument.is_array() || argument.get_array().size() < least ||
      argument.get_array().size() > most)
    return template_error(fmt::format(
        "every {} object requires a list of {} parameters.", function,
        least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most)));
  return argument.get_array();
}

Outcome<json::value> required(const json::value& value, const Scope& scope) {
  Value made = evaluate(value, scope);
  if (!made) return std::unexpected(made.error());
  return *made ? std::move(**made) : json::value(json::string(""));
}
Outcome<std::string> text_of(const json::value& value, const Scope& scope,
                             std::string_view function) {
  const Outcome<json::value> made = required(value, scope);
  if (!made) return std::unexpected(made.error());
  const std::optional<std::string> text = scalar_text(*made);
  if (!text)
    return template_error(fmt::format("{} needs text where it got a list or an object.", function));
  return *text;
}

Outcome<json::value> reference(const std::string& name, const Scope& scope) {
  if (const auto found = scope.parameters.find(name); found != scope.parameters.end())
    return found->second;
  if (const auto found = scope.pseudo.find(name); found != scope.pseudo.end()) return found->second;
  if (scope.made && scope.made->find(name) && scope.ref) return scope.ref(name);
  return refuse(
      fmt::format("Template format error: Unresolved resource dependencies [{}] in the Resources "
                  "block of the template",
                  name));
}

Value call_get_att(const json::value& argument, const Scope& scope) {
  std::string id;
  std::string attribute;
  if (argument.is_string()) {
    const std::string_view text = argument.get_string();
    const size_t dot = text.find('.');
    if (dot == std::string_view::npos)
      return template_error(
          "every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
          "resource attribute");
    id = text.substr(0, dot);
    attribute = text.substr(dot + 1);
  } else {
    const Outcome<json::array> list = list_of(argument, 2, 2, "Fn::GetAtt");
    if (!list || !(*list)[0].is_string())
      return template_error(
          "every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
          "resource attribute");
    id = std::string((*list)[0].get_string());
    const Outcome<std::string> name = text_of((*list)[1], scope, "Fn::GetAtt");
    if (!name) return std::unexpected(name.error());
    attribute = *name;
  }
  if (!scope.made || !scope.made->find(id))
    return template_error(
        fmt::format("instance of Fn::GetAtt references undefined resource {}", id));
  Outcome<json::value> made = scope.attribute(id, attribute);
  if (!made) return std::unexpected(made.error());
  return std::optional(std::move(*made));
}

Value call_join(const json::value& argument, const Scope& scope) {
  const Outcome<json::array> list = list_of(argument, 2, 2, "Fn::Join");
  if (!list) return std::unexpected(list.error());
  const std::optional<std::string> delimiter = scalar_text((*list)[0]);
  const Outcome<json::value> items = required((*list)[1], scope);
  if (!items) return std::unexpected(items.error());
  if (!delimiter || !items->is_array())
    return template_error(
        "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
        "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to "
        "be joined.");
  std::string out;
  bool first = true;
  for (const json::value& item : items->get_array()) {
    if (!first) out += *delimiter;
    first = false;
    const std::optional<std::string> text = scalar_text(item);
    if (!text) return template_error("every value of Fn::Join must be text.");
    out += *text;
    if (out.size() > kTextBytesMax) return template_error("Fn::Join made a text that is too long.");
  }
  return std::optional(json::value(json::string(out)));
}

Value call_sub(const json::value& argument, const Scope& scope) {
  const json::object* own = nullptr;
  json::value holder = argument;
  if (argument.is_array() && argument.get_array().size() == 2 &&
      argument.get_array()[1].is_object()) {
    own = &argument.get_array()[1].get_object();
    holder = argument.get_array()[0];
  }
  if (!holder.is_string())
    return template_error(
        "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a "
        "string as first argument, and an optional second argument to specify a mapping of values "
        "to replace in the string");
  const std::string_view text = holder.get_string();
  std::string out;
  size_t from = 0;
  while (true) {
    const size_t at = text.find("${", from);
    const size_t end = at == std::string_view::npos ? at : text.find('}', at);
    if (end == std::string_view::npos) break;
    out += text.substr(from, at - from);
    const std::string name(text.substr(at + 2, end - at - 2));
    from = end + 1;
    if (name.starts_with('!')) {
      out += "${" + name.substr(1) + "}";
      continue;
    }
    Outcome<json::value> value = json::value();
    if (own && own->contains(name)) {
      value = required(own->at(name), scope);
    } else if (const size_t dot = name.find('.');
               dot != std::string::npos && !name.starts_with("AWS::")) {
      const Value made = call_get_att(json::string(name), scope);
      if (!made) return made;
      value = **made;
    } else {
      value = reference(name, scope);
    }
    if (!value) return std::unexpected(value.error());
    const std::optional<std::string> one = scalar_text(*value);
    if (!one) return template_error("Fn::Sub expression does not resolve to a string");
    out += *one;
    if (out.size() > kTextBytesMax) return template_error("Fn::Sub made a text that is too long.");
  }
  out += text.substr(from);
  return std::optional(json::value(json::string(out)));
}

Value call_select(const json::value& argument, const Scope& scope) {
  const Outcome<json::array> list = list_of(argument, 2, 2, "Fn::Select");
  if (!list) return std::unexpected(list.error());
  const Outcome<std::string> index = text_of((*list)[0], scope, "Fn::Select");
  const Outcome<json::value> items = required((*list)[1], scope);
  if (!index) return std::unexpected(index.error());
  if (!items) return std::unexpected(items.error());
  size_t at = items->is_array() ? items->get_array().size() : 0;
  if (!index->empty() && index->size() < 6 &&
      std::ranges::all_of(*index, [](unsigned char c) { return std::isdigit(c) != 0; }))
    at = std::stoul(*index);
  if (!items->is_array() || at >= items->get_array().size() || items->get_array()[at].is_null())
    return template_error(
        fmt::format("Fn::Select cannot select nonexistent value at index {}", *index));
  return std::optional(items->get_array()[at]);
}

Value call_split(const json::value& argument, const Scope& scope) {
  const Outcome<json::array> list = list_of(argument, 2, 2, "Fn::Split");
  if (!list) return std::unexpected(list.error());
  const Outcome<std::string> delimiter = text_of((*list)[0], scope, "Fn::Split");
  const Outcome<std::string> text = text_of((*list)[1], scope, "Fn::Split");
  if (!delimiter) return std::unexpected(delimiter.error());
  if (!text) return std::unexpected(text.error());
  if (delimiter->empty())
    return template_error("every Fn::Split object requires a delimiter that is not empty.");
  json::array out;
  size_t from = 0;
  for (size_t at = text->find(*delimiter); at != std::string::npos;
       at = text->find(*delimiter, from)) {
    out.emplace_back(json::string(text->substr(from, at - from)));
    from = at + delimiter->size();
  }
  out.emplace_back(json::string(text->substr(from)));
  return std::optional(json::value(std::move(out)));
}

Value call_find_in_map(const json::value& argument, const Scope& scope) {
  const Outcome<json::array> list = list_of(argument, 3, 3, "Fn::FindInMap");
  if (!list) return std::unexpected(list.error());
  std::array<std::string, 3> path;
  for (size_t i = 0; i < 3; ++i) {
    const Outcome<std::string> part = text_of((*list)[i], scope, "Fn::FindInMap");
    if (!part) return std::unexpected(part.error());
    path[i] = *part;
  }
  const json::value* at = scope.made->mappings.if_contains(path[0]);
  for (size_t i = 1; i < 3 && at; ++i)
    at = at->is_object() ? at->get_object().if_contains(path[i]) : nullptr;
  if (!at)
    return template_error(
        fmt::format("Unable to get mapping for {}::{}::{}", path[0], path[1], path[2]));
  return std::optional(*at);
}

std::string base64(std::string_view text) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < text.size(); i += 3) {
    uint32_t bits = 0;
    const size_t have = std::min<size_t>(3, text.size() - i);
    for (size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (j < have ? static_cast<uint8_t>(text[i + j]) : 0U);
    for (size_t j = 0; j < 4; ++j) out += j <= have ? kDigits[bits >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

// A condition's value: {"Condition": name}, {"Fn::Equals": ..}, ... What is finished stands in
// `scope`, so that each is evaluated once. creation_order() has seen that there is no cycle.
Outcome<bool> condition_value(const json::value& value, Scope& scope);

Outcome<bool> named_condition(const std::string& name, Scope& scope) {
  if (const auto done = scope.conditions.find(name); done != scope.conditions.end())
    return done->second;
  const json::value* definition = scope.made->conditions.if_contains(name);
  if (!definition) return template_error(fmt::format("unresolved condition dependency {}", name));
  const Outcome<bool> made = condition_value(*definition, scope);
  if (made) scope.conditions[name] = *made;
  return made;
}

Outcome<bool> condition_value(const json::value& value, Scope& scope) {
  const json::object* object = value.if_object();
  if (!object || object->size() != 1)
    return template_error("every Conditions member must be a condition function.");
  const std::string_view function = object->begin()->key();
  const json::value& argument = object->begin()->value();
  if (function == "Condition") return named_condition(scalar_text(argument).value_or(""), scope);
  if (function == "Fn::Equals") {
    if (!argument.is_array() || argument.get_array().size() != 2)
      return template_error("every Fn::Equals object requires a list of 2 string parameters.");
    const Outcome<json::value> left = required(argument.get_array()[0], scope);
    const Outcome<json::value> right = required(argument.get_array()[1], scope);
    if (!left) return std::unexpected(left.error());
    if (!right) return std::unexpected(right.error());
    const auto a = scalar_text(*left);
    const auto b = scalar_text(*right);
    return a && b ? *a == *b : *left == *right;
  }
  const bool negate = function == "Fn::Not";
  const bool every = function == "Fn::And";
  if (!negate && !every && function != "Fn::Or")
    return template_error(fmt::format("{} is no condition function.", function));
  const size_t least = negate ? 1 : 2;
  if (!argument.is_array() || argument.get_array().size() < least ||
      argument.get_array().size() > (negate ? 1U : 10U))
    return template_error(fmt::format("every {} object requires a list of {} boolean parameters.",
                                      function, negate ? "1" : "at least 2 and at most 10"));
  bool result = every;
  for (const json::value& one : argument.get_array()) {
    const Outcome<bool> held = condition_value(one, scope);
    if (!held) return held;
    result = negate ? !*held : every ? result && *held : result || *held;
  }
  return result;
}

Value call_if(const json::value& argument, const Scope& scope) {
  const Outcome<json::array> list = list_of(argument, 3, 3, "Fn::If");
  if (!list) return std::unexpected(list.error());
  const std::string name = scalar_text((*list)[0]).value_or("");
  const auto held = scope.conditions.find(name);
  if (held == scope.conditions.end())
    return template_error(fmt::format("unresolved condition dependency {} in Fn::If", name));
  return evaluate((*list)[held->second ? 1 : 2], scope);
}

Value call_function(std::string_view name, const json::value& argument, const Scope& scope) {
  if (name == "Ref") {
    if (!argument.is_string())
      return template_error("every Ref object must have a single String value.");
    const std::string target(argument.get_string());
    if (target == "AWS::NoValue") return std::optional<json::value>();
    Outcome<json::value> made = reference(target, scope);
    if (!made) return std::unexpected(made.error());
    return std::optional(std::move(*made));
  }
  if (name == "Fn::GetAtt") return call_get_att(argument, scope);
  if (name == "Fn::Join") return call_join(argument, scope);
  if (name == "Fn::Sub") return call_sub(argument, scope);
  if (name == "Fn::If") return call_if(argument, scope);
  if (name == "Fn::Select") return call_select(argument, scope);
  if (name == "Fn::Split") return call_split(argument, scope);
  if (name == "Fn::FindInMap") return call_find_in_map(argument, scope);
  if (name == "Fn::Base64") {
    const Outcome<std::string> text = text_of(argument, scope, name);
    if (!text) return std::unexpected(text.error());
    return std::optional(json::value(json::string(base64(*text))));
  }
  if (name == "Fn::ImportValue") {
    const Outcome<std::string> text = text_of(argument, scope, name);
    if (!text) return std::unexpected(text.error());
    Outcome<json::value> made =
        scope.import
            ? scope.import(*text)
            : Outcome<json::value>(refuse(fmt::format("No export named {} found.", *text)));
    if (!made) return std::unexpected(made.error());
    return std::optional(std::move(*made));
  }
  return template_error(fmt::format("{} is not served (docs/gaps.md)", name));
}

bool is_function(std::string_view name) {
  return name == "Ref" || name.starts_with("Fn::");
}

}  // namespace

Value evaluate(const json::value& value, const Scope& scope) {
  if (const json::array* list = value.if_array()) {
    json::array out;
    for (const json::value& one : *list) {
      Value made = evaluate(one, scope);
      if (!made) return made;
      if (*made) out.push_back(std::move(**made));
    }
    return std::optional(json::value(std::move(out)));
  }
  const json::object* object = value.if_object();
  if (!object) return std::optional(value);
  if (object->size() == 1 && is_function(object->begin()->key()))
    return call_function(object->begin()->key(), object->begin()->value(), scope);
  json::object out;
  for (const auto& member : *object) {
    Value made = evaluate(member.value(), scope);
    if (!made) return made;
    if (*made) out[member.key()] = std::move(**made);
  }
  return std::optional(json::value(std::move(out)));
}

Outcome<std::map<std::string, bool>> evaluate_conditions(const Template& made, const Scope& scope) {
  Scope growing = scope;
  for (const auto& member : made.conditions) {
    const Outcome<bool> held = named_condition(std::string(member.key()), growing);
    if (!held) return std::unexpected(held.error());
  }
  return std::move(growing.conditions);
}

}  // namespace laketap::stacks
