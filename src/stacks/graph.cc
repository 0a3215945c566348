// References between the parts of a template, and the order they ask for.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "stacks/evaluate.h"

namespace laketap::stacks {
namespace {

namespace json = boost::json;

void sub_references(std::string_view text, const json::object* own, std::set<std::string>& out) {
  for (size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
    const size_t end = text.find('}', at);
    if (end == std::string_view::npos) return;
    std::string name(text.substr(at + 2, end - at - 2));
    if (name.empty() || name[0] == '!' || (own && own->contains(name))) continue;
    if (!name.starts_with("AWS::")) name = name.substr(0, name.find('.'));
    out.insert(std::move(name));
  }
}

void collect(const json::value& value, std::set<std::string>& out) {
  if (const json::array* list = value.if_array()) {
    for (const json::value& one : *list) collect(one, out);
    return;
  }
  const json::object* object = value.if_object();
  if (!object) return;
  if (object->size() == 1) {
    const std::string_view name = object->begin()->key();
    const json::value& argument = object->begin()->value();
    if (name == "Ref" && argument.is_string()) {
      out.emplace(argument.get_string());
      return;
    }
    if (name == "Fn::GetAtt") {
      if (argument.is_array() && !argument.get_array().empty() &&
          argument.get_array()[0].is_string())
        out.emplace(argument.get_array()[0].get_string());
      else if (argument.is_string())
        out.insert(std::string(argument.get_string())
                       .substr(0, std::string_view(argument.get_string()).find('.')));
      return;
    }
    if (name == "Fn::Sub") {
      if (argument.is_string()) {
        sub_references(argument.get_string(), nullptr, out);
      } else if (argument.is_array() && argument.get_array().size() == 2 &&
                 argument.get_array()[0].is_string()) {
        const json::object* own = argument.get_array()[1].if_object();
        sub_references(argument.get_array()[0].get_string(), own, out);
        collect(argument.get_array()[1], out);
      }
      return;
    }
  }
  for (const auto& member : *object) collect(member.value(), out);
}

bool is_named(const Template& made, const std::string& name) {
  return name.starts_with("AWS::") || made.find(name) != nullptr ||
         std::ranges::find(made.parameters, name, &Parameter::name) != made.parameters.end();
}

std::vector<std::string> unresolved(const Template& made, const std::set<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names)
    if (!is_named(made, name)) out.push_back(name);
  return out;
}

// Depth first; `state`: 0 unseen, 1 on the path, 2 done. False when a cycle was met, then `path`
// holds it.
bool visit(const std::string& id, const std::map<std::string, std::set<std::string>>& needs,
           std::map<std::string, int>& state, std::vector<std::string>& order,
           std::vector<std::string>& path) {
  if (state[id] == 2) return true;
  path.push_back(id);
  if (state[id] == 1) return false;
  state[id] = 1;
  for (const std::string& next : needs.at(id))
    if (!visit(next, needs, state, order, path)) return false;
  state[id] = 2;
  path.pop_back();
  order.push_back(id);
  return true;
}

// The conditions that a condition's value names. False: it holds a function that none may.
bool collect_conditions(const json::value& value, std::set<std::string>& out) {
  if (const json::array* list = value.if_array())
    return std::ranges::all_of(
        *list, [&](const json::value& one) { return collect_conditions(one, out); });
  const json::object* object = value.if_object();
  if (!object) return true;
  for (const auto& member : *object) {
    if (member.key() == "Fn::If" || member.key() == "Fn::GetAtt") return false;
    if (member.key() == "Condition" && member.value().is_string())
      out.emplace(member.value().get_string());
    else if (!collect_conditions(member.value(), out))
      return false;
  }
  return true;
}

// Conditions name only conditions that there are, in no circle, and not too deep to follow.
std::optional<Refusal> check_conditions(const Template& made) {
  constexpr size_t kDepthMax = 200;
  std::map<std::string, std::set<std::string>> needs;
  for (const auto& member : made.conditions) {
    std::set<std::string>& own = needs[std::string(member.key())];
    if (!collect_conditions(member.value(), own))
      return Refusal{"ValidationError",
                     fmt::format("Template error: Condition {} holds a function that is not "
                                 "supported in the Conditions block",
                                 std::string_view(member.key()))};
    for (const std::string& name : own)
      if (!made.conditions.contains(name))
        return Refusal{"ValidationError",
                       fmt::format("Template format error: Unresolved condition dependency {} in "
                                   "the Conditions block of the template",
                                   name)};
  }
  // Whatever needs only what is settled is settled, layer by layer.
  std::set<std::string> settled;
  for (size_t depth = 0; settled.size() < needs.size(); ++depth) {
    std::vector<std::string> layer;
    for (const auto& [name, own] : needs)
      if (!settled.contains(name) &&
          std::ranges::all_of(own, [&](const std::string& one) { return settled.contains(one); }))
        layer.push_back(name);
    if (layer.empty() || depth == kDepthMax) {
      std::vector<std::string> left;
      for (const auto& [name, own] : needs)
        if (!settled.contains(name)) left.push_back(name);
      return Refusal{"ValidationError", fmt::format("Template error: {} conditions: [{}]",
                                                    layer.empty() ? "Circular dependency between"
                                                                  : "Too many layers of",
                                                    fmt::join(left, ", "))};
    }
    settled.insert(layer.begin(), layer.end());
  }
  return std::nullopt;
}

}  // namespace

std::set<std::string> references(const json::value& value) {
  std::set<std::string> out;
  collect(value, out);
  return out;
}

Outcome<std::vector<std::string>> creation_order(const Template& made) {
  if (const auto wrong = check_conditions(made)) return std::unexpected(*wrong);
  std::map<std::string, std::set<std::string>> needs;
  std::set<std::string> missing;
  for (const Resource& resource : made.resources) {
    std::set<std::string> names = references(resource.properties);
    names.insert(resource.depends_on.begin(), resource.depends_on.end());
    for (const std::string& name : unresolved(made, names)) missing.insert(name);
    std::set<std::string>& own = needs[resource.logical_id];
    for (const std::string& name : names)
      if (made.find(name)) own.insert(name);
    for (const std::string& name : resource.depends_on)
      if (!made.find(name)) missing.insert(name);
    if (!resource.condition.empty() && !made.conditions.contains(resource.condition))
      return refuse(
          fmt::format("Template format error: Unresolved condition dependency {} in the Resources "
                      "block of the template",
                      resource.condition));
  }
  if (!missing.empty())
    return refuse(
        fmt::format("Template format error: Unresolved resource dependencies [{}] in the Resources "
                    "block of the template",
                    fmt::join(missing, ", ")));
  for (const Output& output : made.outputs) {
    const std::vector<std::string> names = unresolved(made, references(output.value));
    if (!names.empty())
      return refuse(
          fmt::format("Unresolved resource dependencies [{}] in the Outputs block of the template",
                      fmt::join(names, ", ")));
  }
  std::vector<std::string> order;
  std::map<std::string, int> state;
  for (const Resource& resource : made.resources) {
    std::vector<std::string> path;
    if (visit(resource.logical_id, needs, state, order, path)) continue;
    path.erase(path.begin(), std::ranges::find(path, path.back()));
    path.pop_back();
    std::ranges::sort(path);
    return refuse(
        fmt::format("Circular dependency between resources: [{}]", fmt::join(path, ", ")));
  }
  return order;
}

}  // namespace laketap::stacks
