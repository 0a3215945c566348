"""Writes the C++ of every service in actions.toml, and the cases that its tests read.

    python3 aws/codegen --actions aws/actions.toml --models .../botocore/data --out build/generated/wire
    python3 aws/codegen ... --list-outputs      what the first form would write, for CMake
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from cases import write_cases  # noqa: E402
from header import write_header  # noqa: E402
from model import ModelError, Service, load_actions, model_path  # noqa: E402
from tables import write_tables  # noqa: E402


def write_services(services):
    """The list of all services: build/generated/wire/services.cc."""
    lines = ["// Made by aws/codegen from aws/actions.toml. Do not edit.", '#include "wire/shape.h"', '#include "wire/wire.h"', ""]
    lines += [f"namespace laketap::wire::{name} {{\nextern const Service kService;\n}}" for name in services]
    lines += ["", "namespace laketap::wire {", "", "std::span<const Service* const> services() {",
              f"  static constexpr const Service* kServices[] = {{{', '.join(f'&{name}::kService' for name in services)}}};",
              "  return kServices;", "}", "", "}  // namespace laketap::wire", ""]
    return "\n".join(lines)


def write_if_changed(path, text):
    """Leaves an equal file alone, so that what includes it is not compiled again."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actions", required=True)
    parser.add_argument("--models", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--list-outputs", action="store_true")
    arguments = parser.parse_args()
    actions = load_actions(arguments.actions)
    if arguments.list_outputs:
        names = [f"{name}.{end}" for name in actions for end in ("h", "cc")] + ["services.cc", "cases.txt"]
        print(";".join(str(arguments.out / name) for name in names), end="|")
        print(";".join(str(model_path(arguments.models, settings)) for settings in actions.values()), end="")
        return
    services = {}
    for name, settings in actions.items():
        services[name] = Service(name, settings, arguments.models)
        write_if_changed(arguments.out / f"{name}.h", write_header(services[name]))
        write_if_changed(arguments.out / f"{name}.cc", write_tables(services[name]))
    write_if_changed(arguments.out / "services.cc", write_services(services))
    write_if_changed(arguments.out / "cases.txt", write_cases(services))


if __name__ == "__main__":
    try:
        main()
    except (ModelError, ValueError) as error:
        sys.exit(f"aws/codegen: {error}")
