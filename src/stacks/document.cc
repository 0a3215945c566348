// A template's text -> JSON. YAML's short tags become the long function forms.
#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <sstream>

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

// Counts a stream's documents.
class Nothing : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// NUL and its like cannot stand in the XML that tells of a stack.
bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
  });
}
bool has_control(const json::value& value) {
  if (const json::string* text = value.if_string()) return has_control(std::string_view(*text));
  if (const json::array* list = value.if_array())
    return std::ranges::any_of(*list, [](const json::value& one) { return has_control(one); });
  if (const json::object* object = value.if_object())
    return std::ranges::any_of(*object, [](const auto& member) {
      return has_control(std::string_view(member.key())) || has_control(member.value());
    });
  return false;
}

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

static Outcome<json::value> read_any(std::string_view body) {
  const size_t first = body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first != std::string_view::npos && body[first] == '{') return read_json(body);
  try {
    // Not LoadAll(): where a document takes no token it makes documents for ever.
    const std::string text(body);
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Nothing nothing;
    if (!parser.HandleNextDocument(nothing) || parser.HandleNextDocument(nothing))
      return refuse("Template format error: YAML not well-formed.");
    return YamlReader().read(YAML::Load(text), 0);
  } catch (const YAML::Exception& exception) {
    if (exception.mark.is_null()) return refuse("Template format error: YAML not well-formed.");
    return refuse(fmt::format("Template format error: YAML not well-formed. (line {}, column {})",
                              exception.mark.line + 1, exception.mark.column + 1));
  } catch (const Problem& problem) {
    return refuse("Template format error: YAML not well-formed. (" + problem.what + ")");
  }
}

Outcome<json::value> read_document(std::string_view body) {
  Outcome<json::value> made = read_any(body);
  if (made && has_control(*made))
    return refuse("Template format error: a text holds a control character.");
  return made;
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
