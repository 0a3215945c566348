// XML <-> structs, by the tables: S3's bodies and the Query protocol's answers. Inner header of
// wire.
#pragma once

#include "wire/shape.h"
#include "wire/wire.h"

namespace laketap::wire {

class Violations;
struct Path;

// Fills `target` (a struct of `shape`) from a document whose root is `root`. Namespaces and unknown
// elements are ignored, a DOCTYPE is refused.
// False: no XML, another root, or a value of the wrong type. What breaks the model goes to
// `violations`.
bool read_xml(std::string_view text, std::string_view root, const Shape& shape, void* target,
              const Path& path, Violations& violations);

// Appends text with what XML reserves escaped; control characters as references, as S3 does.
void write_xml_text(std::string_view text, std::string& out);
// Appends <name>text</name>.
void write_xml_element(std::string_view name, std::string_view text, std::string& out);

// Appends the elements of a struct's members that belong into a body.
void write_xml_members(const Shape& shape, const void* value, std::string& out);

}  // namespace laketap::wire
