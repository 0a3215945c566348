"""AWS's API models, as botocore ships them, cut down to the operations that actions.toml lists."""
import gzip
import json
import re
import tomllib
from pathlib import Path

LOCATIONS = {None: "body", "uri": "uri", "querystring": "query", "header": "header", "headers": "headers",
             "statusCode": "status"}


class ModelError(Exception):
    """actions.toml or a model says something that the generator cannot express."""


def load_actions(path):
    return tomllib.loads(Path(path).read_text())


def model_path(botocore_data, settings):
    return Path(botocore_data) / settings["model"] / "service-2.json.gz"


class Service:
    """One service: the whole model, and which part of it gets types."""

    def __init__(self, name, settings, botocore_data):
        self.name = name
        self.settings = settings
        with gzip.open(model_path(botocore_data, settings)) as file:
            self.model = json.load(file)
        self.shapes = self.model["shapes"]
        self.operations = self.model["operations"]
        unknown = sorted(set(settings["operations"]) - set(self.operations))
        if unknown:
            raise ModelError(f"actions.toml, {name}: the model has no {', '.join(unknown)}")
        self.views = set(settings.get("views", []))
        self.reachable = self._reachable()
        self.order, self.boxed = self._order()

    @property
    def metadata(self):
        return self.model["metadata"]

    def served(self):
        """Names of the operations with types, in the model's order."""
        return [name for name in self.operations if name in self.settings["operations"]]

    def needs(self, operation):
        """(action, ARN templates) that a caller must be allowed."""
        entry = self.settings["operations"][operation]
        action, kind = entry if isinstance(entry, list) else (f"{self.name}:{operation}", entry)
        if kind == "none":
            return "", []
        if kind not in self.settings["resources"]:
            raise ModelError(f"actions.toml, {self.name}.{operation}: no kind of resource {kind}")
        return action, self.settings["resources"][kind]

    def children(self, name):
        """Shapes that `name` is made of: (member or None, member's entry)."""
        shape = self.shapes[name]
        if shape["type"] == "structure":
            return list(shape["members"].items())
        if shape["type"] == "list":
            return [(None, shape["member"])]
        if shape["type"] == "map":
            return [(None, shape["key"]), (None, shape["value"])]
        return []

    def _reachable(self):
        todo, seen = [], {}
        for operation in self.served():
            for side in ("input", "output"):
                if side in self.operations[operation]:
                    todo.append(self.operations[operation][side]["shape"])
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen[name] = True
            todo += [entry["shape"] for _, entry in self.children(name)]
        return sorted(seen)

    def _order(self):
        """Structures, each after those it holds by value; members that would close a circle are boxed."""
        order, boxed, state = [], set(), {}

        def visit(name, path):
            state[name] = "open"
            for member, entry in self.children(name):
                step = path + [(name, member)]
                target = entry["shape"]
                if state.get(target) == "open":
                    owner = next((s for s in reversed(step) if s[1] is not None), None)
                    if self.shapes[target]["type"] != "structure" or owner != step[-1]:
                        continue  # Through a list or a map: std::vector and std::map box it already.
                    if member in self.shapes[name].get("required", []):
                        raise ModelError(f"{self.name}: required member {name}.{member} holds itself")
                    boxed.add((name, member))
                elif target not in state:
                    visit(target, step)
            state[name] = "done"
            if self.shapes[name]["type"] == "structure":
                order.append(name)

        for name in self.reachable:
            if name not in state:
                visit(name, [])
        return order, boxed


def is_stream(service, structure, member):
    """A member whose bytes stream instead of being held."""
    entry = service.shapes[structure]["members"][member]
    shape = service.shapes[entry["shape"]]
    return shape["type"] == "blob" and bool(entry.get("streaming") or shape.get("streaming"))


CPP_KEYWORDS = {"default", "delete", "namespace", "operator", "private", "public", "register", "template", "union",
                "class", "struct", "switch", "case", "new", "export", "and", "or", "not", "int", "long", "double"}


def snake_case(name):
    """botocore's own rule (xform_name), so that Python and C++ say the same name."""
    plural = re.search(r"[A-Z]{2,}s$", name)
    if plural:
        name = name[:plural.start()] + ("_" if plural.start() else "") + plural.group().lower()
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
    name = re.sub(r"[^a-z0-9_]", "_", name)
    return name + "_" if name in CPP_KEYWORDS else name


def java_name(name):
    """How AWS's validators spell a member in a path."""
    return name[:1].lower() + name[1:]
