// A template's text -> JSON. YAML's short tags become the long function forms.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <boost/json.hpp>
#include <charconv>

#include "stacks/template.h"

namespace laketap::stacks {
namespace {

namespace json = boost::json;

constexpr int kDepthMax = 64;
constexpr int kNodesMax = 100'000;  // Aliases are expanded, so a small text can ask for very many.

struct Problem {
  std::string what;
};

// Plain scalars: booleans and integers whose text comes back unchanged. Everything else stays text,
// so that 2012-10-17, 1.10 and 0123 are what was written.
json::value plain_scalar(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return nullptr;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && fmt::format("{}", number) == text)
    return number;
  return json::value(json::string(text));
}

class YamlReader {
 public:
  json::value read(const YAML::Node& node, int depth) {
    if (depth > kDepthMax) throw Problem{"nested too deeply"};
    if (++nodes_ > kNodesMax) throw Problem{"too many nodes"};
    json::value plain = read_plain(node, depth);
    const std::string tag = node.Tag();
    if (tag.size() < 2 || tag[0] != '!' || tag.starts_with("!!")) return plain;
    return tagged(tag.substr(1), std::move(plain));
  }

 private:
  json::value read_plain(const YAML::Node& node, int depth) {
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null: return nullptr;
      case YAML::NodeType::Scalar:
        return node.Tag() == "?" ? plain_scalar(node.Scalar())
                                 : json::value(json::string(node.Scalar()));
      case YAML::NodeType::Sequence: {
        json::array list;
        for (const YAML::Node& element : node) list.push_back(read(element, depth + 1));
        return list;
      }
      case YAML::NodeType::Map: {
        json::object object;
        for (const auto& entry : node) {
          if (!entry.first.IsScalar()) throw Problem{"a key that is no text"};
          const std::string& key = entry.first.Scalar();
          if (object.contains(key)) throw Problem{"duplicate key " + key};
          object[key] = read(entry.second, depth + 1);
        }
        return object;
      }
    }
    return nullptr;
  }

  static json::value tagged(const std::string& tag, json::value value) {
    json::object call;
    if (tag == "Ref" || tag == "Condition") {
      call[tag] = std::move(value);
    } else if (tag == "GetAtt" && value.is_string()) {
      const std::string text(value.get_string());
      const size_t dot = text.find('.');
      if (dot == std::string::npos) throw Problem{"!GetAtt needs a resource and an attribute"};
      call["Fn::GetAtt"] =
          json::array{json::string(text.substr(0, dot)), json::string(text.substr(dot + 1))};
    } else {
      call["Fn::" + tag] = std::move(value);
    }
    return call;
  }

  int nodes_ = 0;
};

Outcome<json::value> read_json(std::string_view body) {
  json::parse_options options;
  options.max_depth = kDepthMax;
  boost::system::error_code error;
  json::stream_parser parser(json::storage_ptr(), options);
  const size_t taken = parser.write_some(body.data(), body.size(), error);
  if (!error && parser.done() && body.find_first_not_of(" \t\r\n", taken) == std::string_view::npos)
    return parser.release();
  const std::string_view before = body.substr(0, std::min(taken, body.size()));
  const size_t line = static_cast<size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  const size_t newline = before.rfind('\n');
  const size_t column =
      newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
  return refuse(fmt::format("Template format error: JSON not well-formed. (line {}, column {})",
                            line, column));
}

}  // namespace

Outcome<json::value> read_document(std::string_view body) {
  const size_t first = body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first != std::string_view::npos && body[first] == '{') return read_json(body);
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(body));
    if (documents.size() != 1) return refuse("Template format error: YAML not well-formed.");
    return YamlReader().read(documents.front(), 0);
  } catch (const YAML::Exception& exception) {
    if (exception.mark.is_null()) return refuse("Template format error: YAML not well-formed.");
    return refuse(fmt::format("Template format error: YAML not well-formed. (line {}, column {})",
                              exception.mark.line + 1, exception.mark.column + 1));
  } catch (const Problem& problem) {
    return refuse("Template format error: YAML not well-formed. (" + problem.what + ")");
  }
}

std::optional<std::string> scalar_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  if (value.is_int64()) return fmt::format("{}", value.get_int64());
  if (value.is_uint64()) return fmt::format("{}", value.get_uint64());
  if (value.is_double()) return fmt::format("{}", value.get_double());
  return std::nullopt;
}

}  // namespace laketap::stacks
