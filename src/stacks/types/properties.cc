// A resource's properties against its type's description.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "stacks/types/type.h"

namespace laketap::stacks {
namespace {

namespace json = boost::json;

class Checker {
 public:
  Checker(std::string logical_id, bool schema_texts)
      : logical_id_(std::move(logical_id)), schema_texts_(schema_texts) {}

  std::optional<json::object> object(const json::object& value,
                                     std::span<const Property> properties,
                                     const std::string& path) {
    json::object out;
    for (const auto& member : value) {
      const auto found =
          std::ranges::find(properties, std::string_view(member.key()), &Property::name);
      if (found == properties.end()) {
        unknown_.emplace_back(path, std::string(member.key()));
        continue;
      }
      const std::string at = path + "/" + std::string(member.key());
      std::optional<json::value> made = one(member.value(), *found, at);
      if (made) out[member.key()] = std::move(*made);
    }
    for (const Property& property : properties)
      if (property.required && !value.contains(property.name))
        missing_.emplace_back(path, std::string(property.name));
    return out;
  }

  // The problems in the words of the type's generation.
  std::optional<std::string> problem() const {
    if (unknown_.empty() && missing_.empty() && wrong_.empty()) return std::nullopt;
    if (!schema_texts_) {
      if (!missing_.empty()) {
        std::vector<std::string> texts;
        for (const auto& [path, name] : missing_)
          texts.push_back(fmt::format("The property {{{}/{}}} is required", path, name));
        return fmt::format("Property validation failure: [{}]", fmt::join(texts, ", "));
      }
      if (!unknown_.empty()) {
        if (unknown_.front().first.empty())
          return "Encountered unsupported property " + unknown_.front().second;
        return fmt::format(
            "Property validation failure: [Encountered unsupported properties in {{{}}}: [{}]]",
            unknown_.front().first, unknown_.front().second);
      }
      return fmt::format("Property validation failure: [{}]", fmt::join(wrong_, ", "));
    }
    std::vector<std::string> lines;
    for (const auto& [path, name] : unknown_)
      lines.push_back(fmt::format("#{}: extraneous key [{}] is not permitted", path, name));
    for (const auto& [path, name] : missing_)
      lines.push_back(fmt::format("#{}: required key [{}] not found", path, name));
    lines.insert(lines.end(), wrong_.begin(), wrong_.end());
    return fmt::format("Properties validation failed for resource {} with message:\n{}",
                       logical_id_, fmt::join(lines, "\n"));
  }

 private:
  std::optional<json::value> one(const json::value& value, const Property& property,
                                 const std::string& at) {
    switch (property.kind) {
      case Kind::json:
      case Kind::map: return value;
      case Kind::object: {
        const json::object* inner = value.if_object();
        if (!inner) return wrong(at, "expected type: JSONObject");
        return object(*inner, property.members, at);
      }
      case Kind::list: return list(value, property, at);
      default: return scalar(value, property.kind, at);
    }
  }

  std::optional<json::value> list(const json::value& value, const Property& property,
                                  const std::string& at) {
    if (!value.is_array()) return wrong(at, "expected type: JSONArray");
    json::array out;
    for (size_t i = 0; i < value.get_array().size(); ++i) {
      const std::string place = fmt::format("{}/{}", at, i);
      const json::value& item = value.get_array()[i];
      std::optional<json::value> made;
      if (property.members.size() == 1 && property.members.front().name.empty()) {
        made = one(item, property.members.front(), place);
      } else if (const json::object* inner = item.if_object()) {
        made = object(*inner, property.members, place);
      } else {
        made = wrong(place, "expected type: JSONObject");
      }
      if (made) out.push_back(std::move(*made));
    }
    return out;
  }

  std::optional<json::value> scalar(const json::value& value, Kind kind, const std::string& at) {
    const std::optional<std::string> text = scalar_text(value);
    if (!text) return wrong(at, "expected a scalar value");
    if (kind == Kind::text) return json::value(json::string(*text));
    if (kind == Kind::boolean) {
      if (*text == "true" || *text == "True") return true;
      if (*text == "false" || *text == "False") return false;
      return wrong(at, "expected type: Boolean, found: String");
    }
    if (kind == Kind::integer) {
      int64_t number = 0;
      const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
      if (error == std::errc() && end == text->data() + text->size()) return number;
      return wrong(at, "expected type: Integer, found: String");
    }
    double number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error == std::errc() && end == text->data() + text->size()) return number;
    return wrong(at, "expected type: Number, found: String");
  }

  std::nullopt_t wrong(const std::string& at, std::string_view what) {
    wrong_.push_back(fmt::format("#{}: {}", at, what));
    return std::nullopt;
  }

  std::string logical_id_;
  bool schema_texts_;
  std::vector<std::pair<std::string, std::string>> unknown_, missing_;
  std::vector<std::string> wrong_;
};

}  // namespace

Outcome<json::object> checked_properties(const json::object& value,
                                         std::span<const Property> properties,
                                         const std::string& logical_id, bool schema_texts) {
  Checker checker(logical_id, schema_texts);
  std::optional<json::object> made = checker.object(value, properties, "");
  if (const std::optional<std::string> problem = checker.problem()) return refuse(*problem);
  return std::move(*made);
}

bool says_missing(const Refusal& refusal) {
  return refusal.code == "NoSuchBucket" || refusal.code == "NoSuchEntity" ||
         refusal.code == "EntityNotFoundException" || refusal.code == "ResourceNotFoundException" ||
         refusal.code == "NotFound" || refusal.code == "404";
}

}  // namespace laketap::stacks
