"""The C++ structs of a service: build/generated/wire/SERVICE.h."""
from model import is_stream, snake_case

SCALARS = {"string": "std::string", "character": "std::string", "integer": "int64_t", "long": "int64_t",
           "float": "double", "double": "double", "boolean": "bool", "blob": "::laketap::Bytes",
           "timestamp": "::laketap::Timestamp"}


def cpp_type(service, name):
    shape = service.shapes[name]
    kind = shape["type"]
    if kind == "structure":
        return name
    if kind == "list":
        if service.shapes[shape["member"]["shape"]]["type"] == "boolean":
            raise ValueError(f"{service.name}: {name} is a list of booleans, and std::vector<bool> has no addresses")
        return f"std::vector<{cpp_type(service, shape['member']['shape'])}>"
    if kind == "map":
        return f"std::map<std::string, {cpp_type(service, shape['value']['shape'])}>"
    return SCALARS[kind]


def value_type(service, structure, member, side):
    """The type of a member's value, without the optional around it."""
    if is_stream(service, structure, member):
        return "::laketap::wire::BodyReader*" if side == "input" else "std::unique_ptr<::laketap::wire::BodySource>"
    if f"{structure}.{member}" in service.views:
        return "::laketap::wire::Base64View"
    return cpp_type(service, service.shapes[structure]["members"][member]["shape"])


def sides(service):
    """Which structures are inputs; a stream member has another type in an input than in an output."""
    return {service.operations[name]["input"]["shape"] for name in service.served()
            if "input" in service.operations[name]}


def write_header(service):
    inputs = sides(service)
    lines = [f"// Made by aws/codegen from botocore's {service.settings['model']}. Do not edit; the rules of the names",
             "// stand in wire/types.h.", "#pragma once", ""]
    if any(is_stream(service, name, member) and name not in inputs
           for name in service.order for member in service.shapes[name]["members"]):
        lines.append('#include "http/message.h"')
    lines += ['#include "wire/types.h"', ""]
    lines += ["namespace laketap::wire {", "struct Shape;", "}", "", f"namespace laketap::wire::{service.name} {{", ""]
    lines += [f"struct {name};" for name in service.order] + [""]
    for name in service.order:
        shape = service.shapes[name]
        required = shape.get("required", [])
        lines.append(f"struct {name} {{")
        for member in shape["members"]:
            kind = value_type(service, name, member, "input" if name in inputs else "output")
            field = snake_case(member)
            if is_stream(service, name, member):
                lines.append(f"  {kind} {field}{{}};")
            elif (name, member) in service.boxed:
                lines.append(f"  ::laketap::wire::Box<{kind}> {field}{{}};")
            elif member in required:
                lines.append(f"  {kind} {field}{{}};")
            else:
                lines.append(f"  std::optional<{kind}> {field}{{}};")
        lines += ["};", ""]
    lines += [f"const Shape& shape_of(const {name}*);" for name in service.order]
    lines += ["", f"}}  // namespace laketap::wire::{service.name}", ""]
    return "\n".join(lines)
