#include <simdjson.h>

#include <charconv>
#include <pugixml.hpp>

#include "wire/check.h"
#include "wire/scalar.h"
#include "wire/xml.h"

namespace laketap::wire {
namespace {

constexpr int kDepthMax = 64;
// A key may be one blank; a document type is kept so that it can be refused.
constexpr unsigned kParseOptions =
    (pugi::parse_default | pugi::parse_doctype | pugi::parse_ws_pcdata_single);

std::string_view local_name(const char* name) {
  const std::string_view whole(name);
  const size_t colon = whole.rfind(':');
  return colon == std::string_view::npos ? whole : whole.substr(colon + 1);
}

std::string text_of(const pugi::xml_node& node) {
  std::string text;
  for (const pugi::xml_node& part : node.children()) {
    if (part.type() == pugi::node_pcdata || part.type() == pugi::node_cdata) text += part.value();
  }
  return text;
}

// &amp; and its four kin, and references to characters: pugixml leaves what it does not know as it
// stands, and makes texts that end at a NUL. Control characters pass, because keys may have them.
bool is_reference(std::string_view name) {
  for (const std::string_view known : {"amp", "lt", "gt", "quot", "apos"})
    if (name == known) return true;
  if (!name.starts_with('#')) return false;
  name.remove_prefix(1);
  const int base = name.starts_with('x') ? 16 : 10;
  if (base == 16) name.remove_prefix(1);
  uint32_t code = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, base);
  return error == std::errc() && end == name.data() + name.size() && code != 0 &&
         code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

bool has_only_references(std::string_view text) {
  constexpr std::string_view kOpen = "<![CDATA[";
  size_t literal = text.find(kOpen);
  for (size_t at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
    while (literal < at) {  // Between these, & is a character like any other.
      const size_t close = text.find("]]>", literal);
      if (close == std::string_view::npos) return true;
      literal = text.find(kOpen, close);
      at = text.find('&', std::max(at, close));
      if (at == std::string_view::npos) return true;
    }
    const size_t end = text.find(';', at);
    if (end == std::string_view::npos || end - at > 12) return false;
    if (!is_reference(text.substr(at + 1, end - at - 1))) return false;
  }
  return true;
}

class XmlReader {
 public:
  explicit XmlReader(Violations& violations) : violations_(violations) {}

  bool structure(const pugi::xml_node& node, const Shape& shape, void* target, const Path& path,
                 int depth) {
    if (depth > kDepthMax) return false;
    for (size_t place = 0; place < shape.members.size(); ++place) {
      const Member& member = shape.members[place];
      if (member.location != Location::body || member.attribute) continue;
      const Path step{&path, member.model_name, place, Path::Step::member, &member};
      const pugi::xml_node child = first(node, member.name);
      if (!child) {
        if (member.required) violations_.missing(step);
        continue;
      }
      if (member.shape->kind != Kind::list && member.shape->kind != Kind::map && is_twice(child))
        return false;
      void* field = static_cast<char*>(target) + member.offset;
      if (member.optional) field = member.optional->emplace(field);
      if (!read_value(child, *member.shape, field, step, depth, true)) return false;
    }
    return true;
  }

 private:
  static bool is_twice(const pugi::xml_node& node) {
    for (pugi::xml_node next = node.next_sibling(); next; next = next.next_sibling())
      if (next.type() == pugi::node_element && local_name(next.name()) == local_name(node.name()))
        return true;
    return false;
  }
  static pugi::xml_node first(const pugi::xml_node& node, std::string_view name) {
    for (const pugi::xml_node& child : node.children()) {
      if (child.type() == pugi::node_element && local_name(child.name()) == name) return child;
    }
    return {};
  }

  bool read_value(const pugi::xml_node& node, const Shape& shape, void* target, const Path& path,
                  int depth, bool alone) {
    switch (shape.kind) {
      case Kind::structure: return structure(node, shape, target, path, depth + 1);
      case Kind::list: return list(node, shape, target, path, depth + 1);
      case Kind::map: return map(node, shape, target, path, depth + 1);
      default: return scalar(node, shape, target, path, alone);
    }
  }

  bool scalar(const pugi::xml_node& node, const Shape& shape, void* target, const Path& path,
              bool alone) {
    const std::string text = text_of(node);
    if (!read_scalar(shape, text, target)) return false;
    if (!alone) return true;
    if (shape.kind == Kind::text) violations_.check_text(shape, text, path);
    if (shape.kind == Kind::integer)
      violations_.check_number(shape, static_cast<double>(*static_cast<int64_t*>(target)), path);
    return true;
  }

  // `node`: the element around the elements, or, when flattened, the first of them.
  bool list(const pugi::xml_node& node, const Shape& shape, void* target, const Path& path,
            int depth) {
    const pugi::xml_node parent = shape.flattened ? node.parent() : node;
    const std::string_view name =
        shape.flattened ? local_name(node.name()) : std::string_view(shape.element_name);
    shape.list->clear(target);
    size_t index = 0;
    for (const pugi::xml_node& child : parent.children()) {
      if (child.type() != pugi::node_element || local_name(child.name()) != name) continue;
      const Path step{&path, {}, index++, Path::Step::element, nullptr};
      if (!read_value(child, *shape.element, shape.list->append(target), step, depth, false))
        return false;
    }
    violations_.check_list(shape, target, path);
    return true;
  }

  bool map(const pugi::xml_node& node, const Shape& shape, void* target, const Path& path,
           int depth) {
    const pugi::xml_node parent = shape.flattened ? node.parent() : node;
    const std::string_view name =
        shape.flattened ? local_name(node.name()) : std::string_view("entry");
    size_t index = 0;
    for (const pugi::xml_node& child : parent.children()) {
      if (child.type() != pugi::node_element || local_name(child.name()) != name) continue;
      const pugi::xml_node key = first(child, shape.key_name);
      const pugi::xml_node value = first(child, shape.value_name);
      if (!key || !value) return false;
      const std::string key_text = text_of(key);
      const Path step{&path, key_text, index++, Path::Step::entry, nullptr};
      if (!read_value(value, *shape.element, shape.map->insert(target, key_text), step, depth,
                      false))
        return false;
    }
    violations_.check_map(shape, target, path);
    return true;
  }

  Violations& violations_;
};

}  // namespace

bool read_xml(std::string_view text, std::string_view root, const Shape& shape, void* target,
              const Path& path, Violations& violations) {
  if (text.find('\0') != std::string_view::npos ||
      !simdjson::validate_utf8(text.data(), text.size()) || !has_only_references(text))
    return false;
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size(), kParseOptions, pugi::encoding_utf8))
    return false;
  for (const pugi::xml_node& node : document.children()) {
    if (node.type() == pugi::node_doctype) return false;
  }
  const pugi::xml_node top = document.document_element();
  if (local_name(top.name()) != root) return false;
  return XmlReader(violations).structure(top, shape, target, path, 0);
}

}  // namespace laketap::wire
