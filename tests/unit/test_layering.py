"""Reads the imports and holds the cut: one way between the floors, heavy modules only where they belong."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("pipebackend", "remoteshim")
    for path in sorted((ROOT / package).rglob("*.py"))
}

# The rooms, floor by floor, lowest first (docs/developing.md). A room imports from the floors below it alone.
FLOORS = (
    ("base",),
    ("dnsdata",),
    ("keys", "config", "store"),
    ("zones",),
    ("backend",),
    ("admin", "diagnosis", "rollover"),
    ("server", "cli"),
    ("pipe", "remoteshim"),
)
ONLY_UNDER = {
    "cryptography": "pipebackend.keys",
    "click": "pipebackend.cli",
    "sqlite3": "pipebackend.store",
    "_sqlite3": "pipebackend.store",
    "psycopg2": "pipebackend.store",
}
# Each of these would add to the time that PowerDNS waits for a new process
SLOW = {
    *("asyncio", "click", "cryptography", "dataclasses", "dns", "enum", "functools", "hashlib", "inspect", "json"),
    *("logging", "psycopg2", "re", "signal", "socket", "sqlite3", "subprocess", "threading", "tomllib", "traceback"),
    "typing",
}


def imports(path: Path, *, at_import_time: bool = False) -> Iterator[str]:
    """The modules that a file imports; with ``at_import_time`` not those inside functions; never those for types."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    todo: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            todo += node.orelse
            continue
        if at_import_time and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            yield from (_imported(node.module or "", alias.name) for alias in node.names)
        todo += ast.iter_child_nodes(node)


def _imported(source: str, name: str) -> str:
    return f"{source}.{name}" if f"{source}.{name}" in MODULES else source


def room(module: str) -> str:
    """The room of a module; "" for ``pipebackend`` itself, which has what users import (docs/zones.md)."""
    parts = module.split(".")
    return "remoteshim" if parts[0] == "remoteshim" else parts[1] if len(parts) > 1 else ""


def _floor(name: str) -> int:
    found = [floor for floor, rooms in enumerate(FLOORS) if name in rooms]
    assert found, f"{name} is on no floor: add it to FLOORS"
    return found[0]


def _rooms_imported_by(name: str) -> set[str]:
    reached = {room(theirs) for module in MODULES if room(module) == name for theirs in _all_imports(module)}
    return reached - {name}


ROOMS = sorted({room(module) for module in MODULES} - {""})


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_imports_from_the_floors_below_alone(name: str) -> None:
    """Imports inside functions and for types count."""
    assert {theirs for theirs in _rooms_imported_by(name) if _floor(theirs) >= _floor(name)} == set()


def test_the_house_is_small() -> None:
    entries = [path for path in (ROOT / "pipebackend").iterdir() if not path.name.startswith("__pycache__")]
    modules = [path for path in entries if path.suffix == ".py" or path.is_dir()]
    assert len(FLOORS) <= 9
    assert len(modules) - 1 <= 13, "entries at the top of pipebackend/, without __init__.py"


def test_no_module_is_long() -> None:
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in MODULES.items()}
    assert [module for module, lines in lengths.items() if lines > 300] == []
    assert sorted(lines for lines in lengths.values() if lines)[len(lengths) // 2] <= 130


@pytest.mark.parametrize("module", [module for module in MODULES if room(module) in ("pipe", "remoteshim")])
def test_the_front_ends_reach_the_data_through_the_backend_alone(module: str) -> None:
    allowed = {"base", "dnsdata", "backend", "server", "cli", "remoteshim"}
    assert {room(theirs) for theirs in _all_imports(module)} - {"pipe"} <= allowed


def test_nothing_imports_upwards_by_a_string() -> None:
    """A module that another names in a string is in its own room or below it."""
    for module, path in MODULES.items():
        strings = [
            node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)
        ]
        named = {theirs for text in strings if isinstance(text, str) for theirs in _modules_named_in(text)}
        for theirs in named if room(module) else ():
            assert _floor(room(theirs)) <= _floor(room(module)), f"{module} names {theirs}"


def _modules_named_in(text: str) -> set[str]:
    words = re.findall(r"\b(?:pipebackend|remoteshim)(?:\.\w+)+", text)
    return {word for word in words if word in MODULES and room(word)}


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith("remoteshim")])
def test_the_core_knows_nothing_of_remote(module: str) -> None:
    assert not any(imported.startswith("remoteshim") for imported in imports(MODULES[module]))


@pytest.mark.parametrize(("library", "place"), ONLY_UNDER.items())
def test_heavy_libraries_are_imported_in_their_place_alone(library: str, place: str) -> None:
    elsewhere = [
        module
        for module, path in MODULES.items()
        if not f"{module}.".startswith(f"{place}.")
        and any(f"{imported}.".startswith(f"{library}.") for imported in imports(path))
    ]
    assert elsewhere == []


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith("pipebackend.cli")])
def test_stdout_belongs_to_the_protocol(module: str) -> None:
    calls = [
        node for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    ]
    names = [call.func.id for call in calls if isinstance(call.func, ast.Name)]
    assert "print" not in names


@pytest.mark.parametrize("module", MODULES)
def test_exported_names_are_there(module: str) -> None:
    exported: list[str] = []
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets):
            exported = ast.literal_eval(node.value)
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    defined |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    defined |= {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(exported) <= defined
    assert exported or MODULES[module].name == "__init__.py", "a module says what it offers"


def _serving_path(start: str) -> set[str]:
    """The modules of ours that are imported when ``start`` is."""
    found, todo = set(), [start]
    while todo:
        module = todo.pop()
        if module in MODULES and module not in found:
            found.add(module)
            todo += imports(MODULES[module], at_import_time=True)
    return found


@pytest.mark.parametrize("start", ["pipebackend.pipe", "remoteshim.main"])
def test_the_serving_path_says_no_slow_import(start: str) -> None:
    for module in _serving_path(start):
        slow = {imported.split(".")[0] for imported in imports(MODULES[module], at_import_time=True)} & SLOW
        if module == "remoteshim.jsonline":
            slow -= {"json"}  # where CPython's C parts are not there
        assert not slow, f"{module} imports {slow} at its top"


ANSWERS = {
    "pipebackend.pipe": b"HELO\t1\nQ\tlax.airports.aa\tIN\tANY\t-1\t127.0.0.1\n",
    "remoteshim.main": b'{"method":"lookup","parameters":{"qname":"lax.airports.aa.","qtype":"ANY"}}\n',
}


@pytest.mark.parametrize("start", ANSWERS)
def test_a_first_answer_needs_no_slow_module(start: str, tmp_path: Path) -> None:
    """Also not inside functions: what a fresh process has imported when it has answered."""
    code = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nimport {start}\n{start}.main()\nimport os\n"
    code += "os.write(2, ('modules ' + ' '.join(sys.modules)).encode())\n"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        input=ANSWERS[start], capture_output=True, check=True, cwd=tmp_path, env={},
    )  # fmt: skip
    assert b"Los Angeles" in done.stdout
    loaded = done.stderr.decode().rpartition("modules ")[2].split()
    assert {module.partition(".")[0] for module in loaded} & SLOW == set()


@cache
def _all_imports(module: str) -> set[str]:
    """The modules of ours that a module imports: at its top, in functions, and for types alone."""
    nodes = ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8")))
    found = {
        _imported(node.module or "", alias.name)
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return {name for name in found if name in MODULES and MODULES[name].name != "__init__.py"}


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Those that import nothing that is left are taken away, until none is left."""
    left = {module: _all_imports(module) for module in MODULES}
    while free := [module for module, imported in left.items() if not imported & left.keys() - {module}]:
        for module in free:
            del left[module]
    assert sorted(left) == []
