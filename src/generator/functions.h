// The template language's functions by module and name. Inner header of generator.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "generator/draw.h"

namespace laketap::generator {

// The argument of a tag: absent, or a JSON value (a text when it does not parse as JSON).
using Argument = std::optional<boost::json::value>;

// Appends the function's text for `argument` to `target`.
using Function = Result<> (*)(std::string& target, const Argument& argument, Draw&, Timestamp now);

// Errors: as Template::parse.
Result<Function> find_function(std::string_view module, std::string_view method);

// Moment.js's format letters for a moment in UTC (https://momentjs.com/docs/#/displaying/format/).
std::string moment_format(Timestamp at, std::string_view format);

// A number as JavaScript prints it: no fraction when it is whole, else the shortest text.
std::string javascript_number(double value);

}  // namespace laketap::generator
