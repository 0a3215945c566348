#!/usr/bin/env python3
"""The rules of the house that a compiler does not hold. Prints file:line: what to write instead.

Includes against src/LAYERS and faces; `co_await` and a brace in one expression (GCC 12 frees twice); a
header that does not open with a comment; TODO without a subject; a room without README; naked `new`
and std::thread; files that nobody builds. `tidy.py --self-test` shows that each rule can fail.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Further face headers of a room, beside ROOM/ROOM.h: those its README lists on a line "Face: `a.h`, `b.h` ...".
WHOLE_ROOM_IS_FACE = {"base"}


def layers():
    seen = {}
    for line in (ROOT / "src/LAYERS").read_text().splitlines():
        if line and not line.startswith("#"):
            room, _, others = line.partition(":")
            seen[room.strip()] = others.split()
    return seen


def faces(room):
    names = {f"{room}.h"}
    readme = ROOT / "src" / room / "README.md"
    if readme.exists():
        for line in readme.read_text().splitlines():
            if line.startswith("Face"):
                names.update(re.findall(r"`([\w/]+\.h)`", line))
    return {name.split("/")[-1] for name in names}


def strip(text):
    """Without comments and text literals, so that words in them are no code; line numbers stay."""
    pattern = r'R"(\w*)\((?:.|\n)*?\)\1"|"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*(?:.|\n)*?\*/'

    def blank(match):
        return '""' + "\n" * match.group(0).count("\n") if match.group(0)[0] in 'R"' else "\n" * match.group(0).count("\n")

    return re.sub(pattern, blank, text)


def check_includes(path, text, rooms, out):
    room = path.parts[1]
    allowed = rooms.get(room, [])
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'#include "(\w+)/([\w/.]+)"', line)
        if not match or match.group(1) not in rooms or match.group(1) == room:
            continue
        other, name = match.group(1), match.group(2)
        if "*" not in allowed and other not in allowed:
            out.append(f"{path}:{number}: {room} may not see {other} (src/LAYERS)")
        elif other not in WHOLE_ROOM_IS_FACE and other != "api" and name.split("/")[-1] not in faces(other) \
                and not path.name.endswith("_test.cc"):
            # A generated header has no file here: wire's types are its face.
            if (ROOT / "src" / other / name).exists():
                out.append(f"{path}:{number}: {other}/{name} is no face of {other}: use {other}/{other}.h, or list it in its README")


def check_code(path, text, out):
    code = strip(text)
    for match in re.finditer(r"[^;]*?\bco_await\b[^;]*;", code):
        statement = match.group(0)
        at = statement.index("co_await")
        start = max(statement.rfind("\n", 0, at), statement.rfind("{\n", 0, at)) + 1
        expression = statement[start:]
        # A lambda or block that begins on this line is a statement, not a braced aggregate.
        braces = re.search(r"co_await[^;{]*(?:[\w>]\{|[(,]\s*\{|\[[^\]]*\w[^\]]*\]\s*(?:\([^)]*\))?\s*(?:mutable\s*)?\{)", expression)
        around = re.search(r"\w+\s*\{[^{}();]*co_await", expression)
        if braces or (around and not re.search(r"\b(if|for|while|switch|else|try|do)\b", expression[: around.end()])):
            line = code.count("\n", 0, match.start() + start) + 1
            out.append(f"{path}:{line}: co_await and a brace in one expression: name it first, then await it")
    for number, line in enumerate(code.splitlines(), 1):
        # std::unique_ptr<T>(new T(...)) owns at once, and is how a private constructor is reached.
        owned = re.search(r"unique_ptr<(\w+)>\s*(?:\w+)?\(new \1\(", line)
        if re.search(r"(?<![\w.:])new\s+[A-Za-z_:]+[\w:<>, ]*[({]", line) and not owned:
            out.append(f"{path}:{number}: naked new: use std::make_unique")
        if re.search(r"\bstd::thread\s+\w|\bstd::thread\(", line):
            out.append(f"{path}:{number}: naked thread: use std::jthread, which its owner joins")
        if re.search(r"\bassert\(", line):
            out.append(f"{path}:{number}: assert() is off in release: use ASSERT (base/assert.h)")
    raw = set()  # Lines of raw text literals: they are what they are.
    for match in re.finditer(r'R"(\w*)\((?:.|\n)*?\)\1"', text):
        first = text.count("\n", 0, match.start()) + 1
        raw.update(range(first, first + match.group(0).count("\n") + 1))
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"//\s*TODO(?!\([\w-]+\): )", line):
            out.append(f"{path}:{number}: TODO without a subject: // TODO(limits): what")
        if len(line) > 120 and number not in raw:
            out.append(f"{path}:{number}: a line of {len(line)} columns; 100 is the rule")
    if path.suffix == ".h" and not text.startswith("//"):
        out.append(f"{path}:1: a header opens with a comment that says what it is for")
    if path.suffix == ".h" and "#pragma once" not in text:
        out.append(f"{path}:1: a header needs #pragma once")


def check_tree(out):
    rooms = layers()
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        relative = path.relative_to(ROOT)
        text = path.read_text()
        if len(relative.parts) > 2:
            if relative.parts[1] not in rooms:
                out.append(f"{relative}:1: the folder {relative.parts[1]} is not in src/LAYERS")
            check_includes(relative, text, rooms, out)
        check_code(relative, text, out)
    for room in rooms:
        folder = ROOT / "src" / room
        if folder.is_dir() and any(folder.rglob("*.cc")) and not (folder / "README.md").exists():
            out.append(f"src/{room}: a room needs a README.md of about ten lines")


def self_test():
    """Every rule finds its sample: a rule that cannot fail is no rule."""
    rooms = {"base": [], "io": ["base"], "journal": ["base", "io"]}
    samples = {
        "may not see": ("src/io/a.cc", '#include "journal/journal.h"\n'),
        "co_await and a brace": ("src/io/a.cc", "  auto x = co_await f({.a = 1});\n"),
        "name it first": ("src/io/a.cc", "  P p{co_await f(), text};\n"),
        "naked new": ("src/io/a.cc", "  auto* x = new Thing(1);\n"),
        "naked thread": ("src/io/a.cc", "  std::thread t(run);\n"),
        "assert() is off": ("src/io/a.cc", "  assert(x);\n"),
        "TODO without": ("src/io/a.cc", "// TODO: fix\n"),
        "opens with a comment": ("src/io/a.h", "#pragma once\n"),
        "needs #pragma once": ("src/io/a.h", "// What.\n"),
        "columns": ("src/io/a.cc", "x" * 130 + "\n"),
    }
    for expected, (name, text) in samples.items():
        out = []
        check_includes(Path(name), text, rooms, out)
        check_code(Path(name), text, out)
        assert any(expected in line for line in out), (expected, out)
    clean = []
    check_code(Path("src/io/a.cc"), "  auto x = co_await f(a);\n  if (x) {\n    co_await g(b);\n  }\n", clean)
    assert not clean, clean
    print("tidy: every rule finds its sample")


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        self_test()
        sys.exit(0)
    findings = []
    check_tree(findings)
    print("\n".join(findings) if findings else "tidy: clean")
    sys.exit(bool(findings))
