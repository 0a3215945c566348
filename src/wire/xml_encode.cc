#include <fmt/format.h>

#include "wire/scalar.h"
#include "wire/xml.h"

namespace laketap::wire {
namespace {

void open(std::string_view name, std::string& out) {
  out.append("<").append(name).append(">");
}
void close(std::string_view name, std::string& out) {
  out.append("</").append(name).append(">");
}

void write_value(std::string_view name, const Shape& shape, TimeFormat format, const void* value,
                 std::string& out);

void write_list(std::string_view name, const Shape& shape, const void* value, std::string& out) {
  if (!shape.flattened) open(name, out);
  const std::string_view element = shape.flattened ? name : shape.element_name;
  for (size_t i = 0; i < shape.list->size(value); ++i)
    write_value(element, *shape.element, TimeFormat::by_protocol, shape.list->at(value, i), out);
  if (!shape.flattened) close(name, out);
}

void write_map(std::string_view name, const Shape& shape, const void* value, std::string& out) {
  struct Context {
    std::string_view entry;
    const Shape& shape;
    std::string& out;
  } context{shape.flattened ? name : "entry", shape, out};
  if (!shape.flattened) open(name, out);
  shape.map->each(value, &context, [](void* opaque, const std::string& key, const void* entry) {
    const auto& context = *static_cast<Context*>(opaque);
    open(context.entry, context.out);
    write_xml_element(context.shape.key_name, key, context.out);
    write_value(context.shape.value_name, *context.shape.element, TimeFormat::by_protocol, entry,
                context.out);
    close(context.entry, context.out);
  });
  if (!shape.flattened) close(name, out);
}

// The start of a struct's element, with those members that are attributes of it (Grantee's
// xsi:type).
void open_structure(std::string_view name, const Shape& shape, const void* value,
                    std::string& out) {
  out.append("<").append(name);
  for (const Member& member : shape.members) {
    if (!member.attribute) continue;
    const void* field = static_cast<const char*>(value) + member.offset;
    if (member.optional) field = member.optional->get(field);
    if (!field) continue;
    if (member.name.starts_with("xsi:"))
      out.append(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"");
    out.append(" ").append(member.name).append("=\"");
    write_xml_text(write_scalar(*member.shape, member.time, TimeFormat::iso8601, field), out);
    out.append("\"");
  }
  out.append(">");
}

void write_value(std::string_view name, const Shape& shape, TimeFormat format, const void* value,
                 std::string& out) {
  switch (shape.kind) {
    case Kind::list: write_list(name, shape, value, out); return;
    case Kind::map: write_map(name, shape, value, out); return;
    case Kind::structure:
      open_structure(name, shape, value, out);
      write_xml_members(shape, value, out);
      close(name, out);
      return;
    default: write_xml_element(name, write_scalar(shape, format, TimeFormat::iso8601, value), out);
  }
}

}  // namespace

void write_xml_text(std::string_view text, std::string& out) {
  for (const char byte : text) {
    switch (byte) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\t':
      case '\n': out += byte; break;
      default:
        if (static_cast<unsigned char>(byte) < 0x20)
          fmt::format_to(std::back_inserter(out), "&#x{:x};", static_cast<unsigned>(byte));
        else
          out += byte;
    }
  }
}

void write_xml_element(std::string_view name, std::string_view text, std::string& out) {
  open(name, out);
  write_xml_text(text, out);
  close(name, out);
}

void write_xml_members(const Shape& shape, const void* value, std::string& out) {
  for (const Member& member : shape.members) {
    if (member.location != Location::body || member.attribute) continue;
    const void* field = static_cast<const char*>(value) + member.offset;
    if (member.optional) field = member.optional->get(field);
    if (field) write_value(member.name, *member.shape, member.time, field, out);
  }
}

}  // namespace laketap::wire
