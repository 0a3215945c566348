"""Inputs that break the model in one place, and what AWS says of each: build/generated/wire/cases.txt, for wire_test.

Made from botocore's model alone, not from our tables, so that the tables are tested and not repeated.
For each operation: an input that is right, then for each member that the model constrains (required,
length, range, pattern, enum) that input with this one member wrong.
"""
import base64
import copy
import json
import re
import urllib.parse

from model import java_name
OPERATIONS = {
    "firehose": ["CreateDeliveryStream", "PutRecordBatch", "UpdateDestination"],
    "glue": ["CreateTable", "GetPartitions", "CreateCrawler"],
    "s3": ["ListObjectsV2", "PutBucketVersioning", "DeleteObjects", "PutObject"],
    "athena": ["StartQueryExecution", "GetQueryResults"],
    "cloudformation": ["CreateStack"],
    "iam": ["CreateRole"],
}
SAMPLES = ["a", "abc", "1", "true", "arn:aws:iam::123456789012:role/x", "arn:aws:s3:::bucket", "https://example.com/a", "s3://b/p", "2",
           "a" * 12, "a" * 16, "a" * 20, "a" * 32, "a" * 36, "subnet-12345678", "arn:aws:kinesis:us-east-1:123456789012:stream/s",
           "123456789012", "example.com", "/", "/a/", "arn:aws:glue:us-east-1:123456789012:catalog",
           "arn:aws:secretsmanager:us-east-1:123456789012:secret:x", "jdbc:redshift://h:1/d",
           "arn:aws:kms:us-east-1:123456789012:key/x", "arn:aws:es:us-east-1:123456789012:domain/x"]
WRONG = ["!", " ", "ü", "\u4e2d", "x y", "%%%", "a" * 40 + "!", ""]
DEPTH_MAX = 4   # Of structures within an input: deeper ones repeat what others test.
LIST_MAX = 1000  # Longer lists make a request too large to be a test.


class Unknown(Exception):
    """Python cannot say whether a value is right (Java's \\p classes), or finds no right one."""


def java_regex(pattern):
    if "\\p" in pattern or "\\uD8" in pattern.replace("\\ud8", "\\uD8"):
        raise Unknown(pattern)
    return re.compile(pattern)


def broken(shape, text):
    """Constraints that `text` breaks, in AWS's words and order."""
    found = []
    if len(text) > shape.get("max", 1 << 62):
        found.append(f"Member must have length less than or equal to {shape['max']}")
    if len(text) < shape.get("min", 0):
        found.append(f"Member must have length greater than or equal to {shape['min']}")
    if "pattern" in shape and not java_regex(shape["pattern"]).fullmatch(text):
        found.append(f"Member must satisfy regular expression pattern: {shape['pattern']}")
    if "enum" in shape and text not in shape["enum"]:
        found.append("ENUM")
    return found


class Inputs:
    """Right values for shapes of one service."""

    def __init__(self, service):
        self.service = service
        self.shapes = service.shapes

    def right(self, name):
        shape = self.shapes[name]
        kind = shape["type"]
        if kind == "structure":
            return {member: self.right(shape["members"][member]["shape"]) for member in shape.get("required", [])}
        if kind == "list":
            least = 1 if shape.get("flattened") else 0  # Without an element it would not be there at all.
            return [self.right(shape["member"]["shape"]) for _ in range(shape.get("min", least))]
        if kind == "map":
            return {}
        if kind in ("integer", "long", "float", "double"):
            return shape.get("min", min(1, shape.get("max", 1)))
        if kind == "timestamp":
            return 1764315885.5
        if kind == "boolean":
            return True
        if kind == "blob":
            return base64.b64encode(b"x" * max(1, shape.get("min", 0))).decode()
        if "enum" in shape:
            return shape["enum"][0]
        for text in SAMPLES:
            try:
                if not broken(shape, text):
                    return text
            except Unknown:
                if shape.get("min", 0) <= len(text) <= shape.get("max", 1 << 62):
                    return text  # Letters are in every class that the models use.
        raise Unknown(f"{self.service.name} {name} {shape.get('pattern')}")


class Walk:
    """All (what, input, violations) of one operation; a violation is (path, member chain, shown value, constraint)."""

    def __init__(self, service, operation):
        self.service, self.inputs = service, Inputs(service)
        self.root = service.operations[operation]["input"]["shape"]
        self.base = self.inputs.right(self.root)
        self.cases, self.skipped = [], 0
        self._structure(self.root, self.base, [], "")

    def _with(self, steps, value):
        """The base input with `value` at `steps`; None takes the member away."""
        changed = copy.deepcopy(self.base)
        at, shape = changed, self.root
        for index, step in enumerate(steps):
            last = index == len(steps) - 1
            if step == 0:  # An element of a list that was empty.
                shape = self.service.shapes[shape]["member"]["shape"]
                if not at:
                    at.append(self.inputs.right(shape))
            else:
                shape = self.service.shapes[shape]["members"][step]["shape"]
                if step not in at:
                    at[step] = self.inputs.right(shape)
            if last and value is None:
                del at[step]
            elif last:
                at[step] = value
            at = at[step] if not last else at
        return changed

    def _add(self, what, steps, value, path, shown, constraints):
        try:
            self.cases.append((what, self._with(steps, value), steps, path, shown, constraints))
        except Unknown:
            self.skipped += 1

    def _structure(self, name, _, steps, path):
        shape = self.service.shapes[name]
        for member, entry in shape["members"].items():
            at = f"{path}.{java_name(member)}" if path else java_name(member)
            if member in shape.get("required", []):
                self._add("missing", steps + [member], None, at, None, ["Member must not be null"])
            if f"{name}.{member}" in self.service.views or self.service.shapes[entry["shape"]]["type"] == "blob":
                self._blob(entry["shape"], steps + [member], at)
            else:
                self._value(entry["shape"], steps + [member], at)

    def _value(self, name, steps, path):
        shape = self.service.shapes[name]
        kind = shape["type"]
        if kind == "structure" and sum(step != 0 for step in steps) < DEPTH_MAX:
            self._structure(name, None, steps, path)
        elif kind == "list":
            self._list(name, steps, path)
        elif kind in ("integer", "long", "double", "float"):
            for bound, step, words in (("min", -1, "greater"), ("max", 1, "less")):
                if bound in shape and abs(shape[bound]) < 2**31 - 1:
                    value = shape[bound] + step
                    self._add(bound, steps, value, path, str(value),
                              [f"Member must have value {words} than or equal to {shape[bound]}"])
        elif kind == "string":
            self._text(shape, steps, path)

    def _text(self, shape, steps, path):
        tries = []
        if shape.get("min", 0) > 0:
            tries.append(("min", "a" * (shape["min"] - 1)))
        if shape.get("max", 1 << 62) < 100_000:
            tries.append(("max", "a" * (shape["max"] + 1)))
        if "pattern" in shape:
            for text in WRONG:
                try:
                    if broken({"pattern": shape["pattern"]}, text) and not broken({k: v for k, v in shape.items() if k in ("min", "max")}, text):
                        tries.append(("pattern", text))
                        break
                except Unknown:
                    self.skipped += 1
                    break
        if "enum" in shape:
            tries.append(("enum", "no such value"))
        for what, text in tries:
            try:
                self._add(what, steps, text, path, text, broken(shape, text))
            except Unknown:
                self.skipped += 1

    def _list(self, name, steps, path):
        shape = self.service.shapes[name]
        element = shape["member"]["shape"]
        try:
            one = self.inputs.right(element)
        except Unknown:
            self.skipped += 1
            return
        shown = (lambda n: "[" + ", ".join([one] * n) + "]") if self.service.shapes[element]["type"] == "string" else (lambda n: None)
        if shape.get("min", 0) > 0:
            self._add("min", steps, [one] * (shape["min"] - 1), path, shown(shape["min"] - 1),
                      [f"Member must have length greater than or equal to {shape['min']}"])
        if shape.get("max", 1 << 62) < LIST_MAX:
            self._add("max", steps, [one] * (shape["max"] + 1), path, shown(shape["max"] + 1),
                      [f"Member must have length less than or equal to {shape['max']}"])
        if self.service.shapes[element]["type"] == "structure":
            self._value(element, steps + [0], f"{path}.1.member")

    def _blob(self, name, steps, path):
        shape = self.service.shapes[name]
        if "max" in shape:
            size = shape["max"] + 1
            value = base64.b64encode(b"x" * size).decode()
            self._add("max", steps, value, path, f"java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]",
                      [f"Member must have length less than or equal to {shape['max']}"])


def message(service, case):
    """AWS's text for a case of a JSON or Query service."""
    _, _, steps, path, shown, constraints = case
    echo = service.settings.get("echo_values", True)
    if shown is not None and shown.startswith("java.nio"):
        echo = True
    texts = []
    for constraint in constraints:
        if constraint == "ENUM":
            name = shape_at(service, steps)
            values = service.settings.get("enum_order", {}).get(name, service.shapes[name]["enum"])
            constraint = f"Member must satisfy enum value set: [{', '.join(values)}]"
        value = " null" if constraint == "Member must not be null" else "" if shown is None else f" '{shown}'"
        if not echo or sensitive(service, steps) and value != " null":
            value = ""
        texts.append(f"Value{value} at '{path}' failed to satisfy constraint: {constraint}")
    return f"{len(texts)} validation error{'s' if len(texts) > 1 else ''} detected: " + "; ".join(texts)


def shape_at(service, steps, side="input"):
    name = service.current_root
    for step in steps:
        shape = service.shapes[name]
        name = shape["member"]["shape"] if step == 0 else shape["members"][step]["shape"]
    return name


def sensitive(service, steps):
    return service.shapes[shape_at(service, steps)].get("sensitive", False)


def form(value, prefix=""):
    """A Query request's pairs."""
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in form(inner, f"{prefix}.{key}" if prefix else key)]
    if isinstance(value, list):
        return [pair for i, inner in enumerate(value, 1) for pair in form(inner, f"{prefix}.member.{i}")] or [(prefix, "")]
    return [(prefix, {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value))]


def xml(service, name, tag, value):
    shape = service.shapes[name]
    if shape["type"] == "structure":
        inner = "".join(xml(service, entry["shape"], entry.get("locationName", member), value[member])
                        for member, entry in shape["members"].items() if member in value)
        return f"<{tag}>{inner}</{tag}>"
    if shape["type"] == "list":
        item = shape["member"].get("locationName", tag if shape.get("flattened") else "member")
        inner = "".join(xml(service, shape["member"]["shape"], item if not shape.get("flattened") else tag, one) for one in value)
        return inner if shape.get("flattened") else f"<{tag}>{inner}</{tag}>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{tag}>{text.replace('&', '&amp;').replace('<', '&lt;')}</{tag}>"


def rest(service, operation, value):
    """(path, query, headers, body) of a REST-XML request; None when HTTP cannot carry the value."""
    model = service.operations[operation]
    shape = service.shapes[model["input"]["shape"]]
    path, _, query = model["http"]["requestUri"].partition("?")
    pairs, headers, body = [query] if query else [], [], ""
    for member, entry in shape["members"].items():
        place, name = entry.get("location"), entry.get("locationName", member)
        if place == "uri":
            if not value.get(member):
                return None  # Another path, so another operation.
            path = path.replace("{" + name + "+}", urllib.parse.quote(value[member])).replace("{" + name + "}", urllib.parse.quote(value[member]))
        elif member not in value:
            continue
        elif place == "querystring":
            pairs.append(f"{urllib.parse.quote(name)}={urllib.parse.quote(str(value[member]))}")
        elif place == "header":
            if isinstance(value[member], list):
                headers.append((name, ",".join(map(str, value[member]))))
            else:
                headers.append((name, str(value[member]).lower() if isinstance(value[member], bool) else str(value[member])))
        elif shape.get("payload") == member and not entry.get("streaming"):
            body = '<?xml version="1.0"?>' + xml(service, entry["shape"], name, value[member])
    return path, "&".join(pairs), headers, body


def rest_error(service, operation, case):
    """(code, a text that the answer holds) for S3, which names the argument or calls the body malformed."""
    _, value, steps, _, shown, _ = case
    shape = service.shapes[service.operations[operation]["input"]["shape"]]
    entry = shape["members"][steps[0]]
    if entry.get("location") in ("header", "querystring"):
        if steps[0] == "StorageClass":
            return "InvalidStorageClass", f"<StorageClassRequested>{shown}</StorageClassRequested>"
        return "InvalidArgument", f"<ArgumentName>{entry['locationName']}</ArgumentName>"
    if len(steps) == 1:
        return "MissingRequestBodyError", ""
    return "MalformedXML", ""


def row(service, operation, what, value, code, text):
    protocol = service.metadata["protocol"]
    path, query, headers, body = "/", "", [], ""
    method = service.operations[operation]["http"]["method"]
    if protocol == "json":
        body = json.dumps(value)
        headers = [("Content-Type", f"application/x-amz-json-{service.metadata['jsonVersion']}"),
                   ("X-Amz-Target", f"{service.metadata['targetPrefix']}.{operation}")]
    elif protocol == "query":
        body = urllib.parse.urlencode([("Action", operation), ("Version", service.metadata["apiVersion"])] + form(value))
        headers = [("Content-Type", "application/x-www-form-urlencoded")]
    else:
        parts = rest(service, operation, value)
        if parts is None:
            return None
        path, query, headers, body = parts
    lines = "\n".join(f"{key}: {text_}" for key, text_ in headers)
    return "\x1f".join([service.name, operation, what, method, path, query, lines, body, code, text])


def write_cases(services):
    """One record a case, ended by 0x1e; fields ended by 0x1f: service, operation, what is wrong, method, path,
    query, headers (a line each), body, the code AWS answers ("": the input is right), a text in the answer."""
    rows, skipped = [], 0
    for name, operations in OPERATIONS.items():
        service = services[name]
        for operation in operations:
            service.current_root = service.operations[operation]["input"]["shape"]
            walk = Walk(service, operation)
            skipped += walk.skipped
            rows.append(row(service, operation, "nothing", walk.base, "", ""))
            for case in walk.cases:
                what = f"{case[3]} {case[0]}"
                if service.metadata["protocol"] == "rest-xml":
                    code, text = rest_error(service, operation, case)
                else:
                    code, text = service.settings["validation"], message(service, case)
                rows.append(row(service, operation, what, case[1], code, text))
    rows = [one for one in rows if one is not None]
    return "\x1e".join(rows) + f"\x1e{skipped}"  # Last, how many constraints Python's re cannot judge.
