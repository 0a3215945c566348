"""The tables of a service: build/generated/wire/SERVICE.cc. Their types stand in src/wire/shape.h."""
import re

from header import cpp_type, sides, value_type
from model import LOCATIONS, is_stream, snake_case

KINDS = {"string": "text", "character": "text", "integer": "integer", "long": "integer", "float": "number",
         "double": "number", "boolean": "boolean", "blob": "blob", "timestamp": "timestamp", "list": "list",
         "map": "map", "structure": "structure"}
MEMBERS_MAX = 256  # The decoder remembers which members it saw in so many bits.
TIME_FORMATS = {"iso8601": "iso8601", "rfc822": "http_date", "unixTimestamp": "epoch_seconds"}


def quote(text):
    """A C++ string literal. Bytes outside printable ASCII as octal, which ends after three digits."""
    out = []
    for byte in str(text).encode():
        char = chr(byte)
        out.append("\\" + char if char in '"\\' else char if 32 <= byte < 127 else f"\\{byte:03o}")
    return '"' + "".join(out).replace("??", "?\\?") + '"'


def pcre(java):
    """A Java regular expression as PCRE2 wants it: \\uXXXX, and pairs of them for what lies above."""
    def pair(match):
        high, low = int(match[1], 16), int(match[2], 16)
        return f"\\x{{{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):X}}}"

    text = re.sub(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})", pair, java)
    text = re.sub(r"\\u([0-9a-fA-F]{4})", r"\\x{\1}", text)
    for name, posix in (("Alnum", "alnum"), ("Alpha", "alpha"), ("Digit", "digit"), ("Graph", "graph"),
                        ("Print", "print"), ("Punct", "punct"), ("Upper", "upper"), ("Lower", "lower")):
        text = re.sub(rf"\[([^\[\]]*)\\p\{{{name}\}}", rf"[\1[:{posix}:]", text)
        text = text.replace(f"\\p{{{name}}}", f"[[:{posix}:]]")
    return text.replace("\\p{ASCII}", "\\x{00}-\\x{7F}" if re.search(r"\[[^\]]*\\p\{ASCII\}", text) else "[\\x{00}-\\x{7F}]")


class Tables:
    """Collects the text of one service's tables; a shape that two members hold differently is two tables."""

    def __init__(self, service):
        self.service = service
        self.inputs = sides(service)
        self.patterns = {}
        self.declared, self.defined = [], []
        self.names = {}

    def shape(self, name, kind=None, flattened=False):
        """The C++ name of a shape's table; written at the first asking."""
        key = (name, kind, flattened)
        if key in self.names:
            return self.names[key]
        symbol = self.names[key] = f"{name}_shape" + (f"_{kind}" if kind else "") + ("_flattened" if flattened else "")
        self.declared.append(f"extern const Shape {symbol};")
        self.defined.append(self._define(symbol, name, kind, flattened))
        return symbol

    def _define(self, symbol, name, kind, flattened):
        shape = self.service.shapes[name]
        fields = [f".name = {quote(name)}", f".kind = Kind::{kind or KINDS[shape['type']]}"]
        before = ""
        if shape["type"] == "long":
            fields.append(".wide = true")
        if shape.get("sensitive"):
            fields.append(".sensitive = true")
        if flattened or shape.get("flattened"):
            fields.append(".flattened = true")
        if "timestampFormat" in shape:
            fields.append(f".time = TimeFormat::{TIME_FORMATS[shape['timestampFormat']]}")
        for bound in ("min", "max"):
            if bound in shape:
                fields.append(f".{bound} = {float(shape[bound])!r}")
        if "pattern" in shape:
            fields.append(f".pattern = &{self._pattern(shape['pattern'])}")
        if "enum" in shape:
            values = self.service.settings.get("enum_order", {}).get(name, shape["enum"])
            if set(values) != set(shape["enum"]):
                raise ValueError(f"actions.toml: [{self.service.name}.enum_order] {name} is not the model's enum")
            before = f"constexpr const char* {symbol}_values[] = {{{', '.join(map(quote, values))}}};\n"
            fields.append(f".values = {symbol}_values")
        if shape["type"] == "list":
            fields.append(f".element = &{self.shape(shape['member']['shape'])}")
            fields.append(f".element_name = {quote(shape['member'].get('locationName', 'member'))}")
            fields.append(f".list = &kList<{cpp_type(self.service, shape['member']['shape'])}>")
        if shape["type"] == "map":
            fields.append(f".element = &{self.shape(shape['value']['shape'])}")
            fields.append(f".key = &{self.shape(shape['key']['shape'])}")
            fields.append(f".key_name = {quote(shape['key'].get('locationName', 'key'))}")
            fields.append(f".value_name = {quote(shape['value'].get('locationName', 'value'))}")
            fields.append(f".map = &kMap<{cpp_type(self.service, shape['value']['shape'])}>")
        if len(shape.get("members", {})) > MEMBERS_MAX:
            raise ValueError(f"{self.service.name}: {name} has over {MEMBERS_MAX} members (src/wire/json_decode.cc)")
        if shape["type"] == "structure" and shape["members"]:
            before = f"constexpr Member {symbol}_members[] = {{\n" + ",\n".join(
                self._member(name, member) for member in shape["members"]) + "};\n"
            fields.append(f".members = {symbol}_members")
            if shape.get("payload"):
                fields.append(f".payload = &{symbol}_members[{list(shape['members']).index(shape['payload'])}]")
        return f"{before}constinit const Shape {symbol} = {{{', '.join(fields)}}};"

    def _member(self, structure, member):
        service = self.service
        shape = service.shapes[structure]
        entry = shape["members"][member]
        required = member in shape.get("required", [])
        kind = None
        if is_stream(service, structure, member):
            kind = "stream"
        elif f"{structure}.{member}" in service.views:
            kind = "blob_view"
        target = service.shapes[entry["shape"]]
        location = LOCATIONS[entry.get("location")]
        if shape.get("payload") == member:
            location = "payload"
        name = entry.get("locationName")
        if (target.get("flattened") or entry.get("flattened")) and target["type"] == "list":
            name = target["member"].get("locationName", name)
        value = value_type(service, structure, member, "input" if structure in self.inputs else "output")
        access = "nullptr"
        if (structure, member) in service.boxed:
            access = f"&kBox<{value}>"
        elif not required and kind != "stream":
            access = f"&kOptional<{value}>"
        fields = [f".name = {quote(name or member)}", f".model_name = {quote(member)}",
                  f".shape = &{self.shape(entry['shape'], kind, bool(entry.get('flattened')))}",
                  f".offset = offsetof({structure}, {snake_case(member)})", f".optional = {access}"]
        if required:
            fields.append(".required = true")
        if location != "body":
            fields.append(f".location = Location::{location}")
        if entry.get("xmlAttribute"):
            fields.append(".attribute = true")
        if "timestampFormat" in entry:
            fields.append(f".time = TimeFormat::{TIME_FORMATS[entry['timestampFormat']]}")
        return "    {" + ", ".join(fields) + "}"

    def _pattern(self, java):
        if java not in self.patterns:
            self.patterns[java] = f"pattern_{len(self.patterns)}"
        return self.patterns[java]


def operation_row(service, tables, name, extra):
    """One entry of the operations' table; arrays it needs go to `extra`."""
    model = service.operations[name]
    path, _, query = model["http"]["requestUri"].partition("?")
    rest = service.metadata["protocol"] == "rest-xml"
    elsewhere = path not in ("/", "/{Bucket}", "/{Bucket}/{Key+}")  # On an endpoint of its own: never found here.
    fields = [f".name = {quote(name)}", f".method = {quote('' if elsewhere else model['http']['method'])}"]
    if rest:
        fields += rest_fields(service, name, path, query, extra)
    if model["http"].get("responseCode", 200) != 200:
        fields.append(f".status = {model['http']['responseCode']}")
    if name in service.settings["operations"]:
        fields += typed_fields(service, tables, name, rest, extra)
    return "    {" + ", ".join(fields) + "}"


def rest_fields(service, name, path, query, extra):
    """What a request must have to mean this operation: taken from the model's bindings."""
    model = service.operations[name]
    fields = []
    if "{Bucket}" in path:
        fields.append(".on_bucket = true")
    if "{Key+}" in path:
        fields.append(".on_key = true")
    keys = [tuple(part.split("=", 1)) if "=" in part else (part, None) for part in query.split("&") if part]
    headers = []
    structure = service.shapes[model["input"]["shape"]] if "input" in model else {}
    for member in structure.get("required", []):
        entry = structure["members"][member]
        if entry.get("location") == "querystring":
            keys.append((entry["locationName"], None))
        if entry.get("location") == "header":
            headers.append(entry["locationName"])
    if keys:
        rows = ", ".join(f"{{{quote(key)}, {quote(value) if value else 'nullptr'}}}" for key, value in keys)
        extra.append(f"constexpr QueryKey {name}_query[] = {{{rows}}};")
        fields.append(f".query = {name}_query")
    if headers:
        extra.append(f"constexpr std::string_view {name}_headers[] = {{{', '.join(map(quote, headers))}}};")
        fields.append(f".headers = {name}_headers")
    return fields


def typed_fields(service, tables, name, rest, extra):
    model = service.operations[name]
    fields = []
    for side in ("input", "output"):
        symbol = tables.shape(model[side]["shape"]) if side in model else "kEmptyShape"
        fields.append(f".{side} = &{symbol}")
    if rest:
        root = model.get("input", {}).get("locationName", "")
        if "input" in model and service.shapes[model["input"]["shape"]].get("payload"):
            structure = service.shapes[model["input"]["shape"]]
            root = structure["members"][structure["payload"]].get("locationName", structure["payload"])
        fields.append(f".input_root = {quote(root)}")
        fields.append(f".output_root = {quote(output_root(service, name))}")
        if name in service.settings.get("bare_root", []):
            fields.append(".bare_root = true")
    else:
        fields.append(f".output_root = {quote(model.get('output', {}).get('resultWrapper', ''))}")
    action, arns = service.needs(name)
    fields.append(f".action = {quote(action)}")
    if arns:
        extra.append(f"constexpr std::string_view {name}_arns[] = {{{', '.join(map(quote, arns))}}};")
        fields.append(f".arns = {name}_arns")
    return fields


def output_root(service, name):
    model = service.operations[name]
    roots = service.settings.get("roots", {})
    if name in roots or "output" not in model:
        return roots.get(name, "")
    shape = service.shapes[model["output"]["shape"]]
    if shape.get("payload"):
        return shape["members"][shape["payload"]].get("locationName", shape["payload"])
    if any("location" not in entry for entry in shape["members"].values()):
        raise ValueError(f"actions.toml: [{service.name}.roots] must name the root element of {name}'s answer")
    return ""


def write_tables(service):
    tables = Tables(service)
    for name in service.order:
        tables.shape(name)
    extra = []
    rows = [operation_row(service, tables, name, extra) for name in service.operations]
    rows.sort()
    lines = [f"// Made by aws/codegen from botocore's {service.settings['model']}. Do not edit.",
             f'#include "wire/{service.name}.h"', "", "#include <cstddef>", "", '#include "wire/access.h"', "",
             "// The structs are plain, but std::optional makes them non-standard layout in the letter of the law.",
             '#pragma GCC diagnostic ignored "-Winvalid-offsetof"', "",
             f"namespace laketap::wire::{service.name} {{", "namespace {", ""]
    lines += [f"constinit Pattern {symbol} = {{{quote(java)}, {quote(pcre(java))}}};"
              for java, symbol in tables.patterns.items()]
    lines += [""] + tables.declared + [""] + tables.defined + [""] + extra
    lines += ["constexpr Operation kOperations[] = {", ",\n".join(rows) + "};"]
    settings, metadata = service.settings, service.metadata
    protocol = {"json": "json", "query": "query", "rest-xml": "rest_xml"}[metadata["protocol"]]
    fields = settings.get("validation_fields", {})
    if fields:
        pairs = ", ".join(f"{{{quote(key)}, {quote(value)}}}" for key, value in fields.items())
        lines.append(f"constexpr std::pair<std::string_view, std::string_view> kValidationFields[] = {{{pairs}}};")
    lines += ["", "}  // namespace", ""]
    lines += [f"const Shape& shape_of(const {name}*) {{ return {tables.names[(name, None, False)]}; }}"
              for name in service.order]
    lines += ["", "extern const Service kService;", "constinit const Service kService = {",
              f"    .name = {quote(service.name)},", f"    .protocol = Protocol::{protocol},",
              f"    .json_version = {quote(metadata.get('jsonVersion', ''))},",
              f"    .target_prefix = {quote(metadata.get('targetPrefix', ''))},",
              f"    .signing_name = {quote(metadata.get('signingName', metadata['endpointPrefix']))},",
              f"    .version = {quote(metadata['apiVersion'])},",
              f"    .xml_namespace = {quote(settings.get('namespace', metadata.get('xmlNamespace', '')))},",
              f"    .echo_values = {'true' if settings.get('echo_values', True) else 'false'},",
              f"    .error_header = {'true' if settings.get('error_header', False) else 'false'},",
              f"    .message = {quote(settings.get('message', 'message'))},",
              f"    .validation = {quote(settings['validation'])},",
              f"    .validation_fields = {'kValidationFields' if fields else '{}'},",
              "    .operations = kOperations};", "", f"}}  // namespace laketap::wire::{service.name}", ""]
    return "\n".join(lines)
