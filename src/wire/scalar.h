// Single values as text: in forms, XML, headers and query strings. Inner header of wire.
#pragma once

#include "wire/shape.h"

namespace laketap::wire {

// False when `text` is no such value; `target` is then as it was or half written.
// A timestamp is read in any format of the protocols: clients mix them.
bool read_scalar(const Shape& shape, std::string_view text, void* target);

// `by_protocol`: the format when neither member nor shape names one.
std::string write_scalar(const Shape& shape, TimeFormat member_format, TimeFormat by_protocol,
                         const void* value);

}  // namespace laketap::wire
