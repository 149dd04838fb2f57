"""The house plan, held by tests: which room may import which, the grid, names and sizes."""

import ast
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from wire.techniques import SLUGS

ROOT = Path(__file__).resolve().parent.parent
# Which of our rooms each room may import.
ARROWS = {
    "wire": set(),
    "servers": {"wire"},
    "clients": {"wire"},
    "results": {"wire"},
    "loadtests": {"clients", "wire", "results"},
    "notebooks": {"results", "clients", "wire"},
}
ROOMS = [room for room in ARROWS if room != "notebooks"]
# The rooms that need nothing but Python itself.
BARE_ROOMS = ["wire", "clients"]
# What only one room may import: an event loop here, monkey-patched sockets there.
KEPT_APART = {"locust": "loadtests", "gevent": "loadtests", "httptools": "servers"}
# What the wire room never touches: it turns values into bytes and back, others move them.
INPUT_AND_OUTPUT = {
    *["asyncio", "ftplib", "http", "io", "logging", "mmap", "multiprocessing", "os", "pathlib"],
    *["queue", "select", "selectors", "shutil", "signal", "smtplib", "socket", "socketserver"],
    *["ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "_thread"],
}
# One file of each technique in each column of the grid.
GRID = [
    "servers/{slug}.py",
    "clients/{slug}.py",
    "loadtests/{slug}.py",
    "clients/browser/{slug}.js",
]
LONGEST_TECHNIQUE = 110
LONGEST_MODULE = 300
MEASURED_ROOMS = ["wire", "servers", "clients", "loadtests", "results"]
# Rooms of which each module has a test module of its own, but for those with a reason.
TESTED_ROOMS = ["wire"]
WITHOUT_TEST_MODULE: dict[str, str] = {}


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(source: str, package: str = "") -> Iterator[str]:
    """Every module that ``source`` imports, at its top or inside functions, by its full name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{package}.{node.module}" if node.level else str(node.module)


def roots(source: str, package: str = "") -> set[str]:
    """The first part of each imported name: a room of ours, or a package."""
    return {module.partition(".")[0] for module in imports(source, package)}


@cache
def roots_of(path: Path) -> set[str]:
    return roots(path.read_text(encoding="utf-8"), path.parent.name)


def code_of(notebook: Path) -> Iterator[str]:
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            lines = "".join(cell["source"]).splitlines()
            yield "\n".join(line for line in lines if not line.startswith(("%", "!")))


def test_the_reader_of_imports_sees_all_of_them():
    source = """
import a.b, c
from d.e import f
from . import g
def inside():
    import h
"""
    assert roots(source, "room") == {"a", "c", "d", "room", "h"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_its_arrows_lead_to(room: str):
    paths = modules(room)
    assert paths
    for path in paths:
        wrong = roots_of(path) & {*ARROWS, "tests", "lab"} - {room, *ARROWS[room]}
        assert not wrong, f"{name(path)} imports {', '.join(sorted(wrong))}"


def test_notebooks_import_only_the_rooms_their_arrows_lead_to():
    for notebook in (ROOT / "notebooks").rglob("*.ipynb"):
        for code in code_of(notebook):
            wrong = roots(code) & {*ARROWS} - ARROWS["notebooks"]
            assert not wrong, f"{name(notebook)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("room", BARE_ROOMS)
def test_wire_and_clients_need_nothing_but_python(room: str):
    for path in modules(room):
        outside = roots_of(path) - sys.stdlib_module_names - {*ARROWS}
        assert not outside, f"{name(path)} imports {', '.join(sorted(outside))}"


def test_the_wire_room_does_no_input_or_output():
    for path in modules("wire"):
        assert not roots_of(path) & INPUT_AND_OUTPUT, name(path)
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        assert not names & {"open", "print", "input"}, name(path)


@pytest.mark.parametrize(("package", "home"), KEPT_APART.items())
def test_packages_that_must_not_meet_stay_in_their_room(package: str, home: str):
    users = {room for room in ROOMS for path in modules(room) if package in roots_of(path)}
    assert users <= {home}


@pytest.mark.parametrize("room", ROOMS)
def test_an_init_file_loads_nothing(room: str):
    tree = ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"the rules of {room} stand on its door"
    loaded = {
        module
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in imports(ast.unparse(node))
    }
    assert loaded <= {"typing"}


@pytest.mark.parametrize("slug", SLUGS)
def test_each_technique_has_its_file_in_each_column_of_the_grid(slug: str):
    missing = [cell for cell in GRID if not (ROOT / cell.format(slug=slug)).is_file()]
    assert not missing


def test_no_file_hides_the_websocket_library():
    # Locust puts the folder of its locustfile first on sys.path.
    assert not [name(p) for room in ARROWS for p in (ROOT / room).rglob("websocket.py")]


@pytest.mark.parametrize("room", MEASURED_ROOMS)
def test_no_module_outgrows_what_one_can_read_in_one_sitting(room: str):
    lengths = {
        name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(room)
    }
    techniques = {cell.format(slug=slug) for cell in GRID for slug in SLUGS}
    too_long = {
        file: length
        for file, length in lengths.items()
        if length > (LONGEST_TECHNIQUE if file in techniques else LONGEST_MODULE)
    }
    assert not too_long


@pytest.mark.parametrize("room", TESTED_ROOMS)
def test_each_module_has_a_test_module_of_its_own_or_a_reason(room: str):
    untested = [
        name(path)
        for path in modules(room)
        if path.name != "__init__.py"
        and not (ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.name}")).is_file()
    ]
    assert untested == [file for file in WITHOUT_TEST_MODULE if file.startswith(f"{room}/")]
    assert all(WITHOUT_TEST_MODULE.values())
