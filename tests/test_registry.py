"""The registry says everything once: no other collection of techniques stands anywhere."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from wire.techniques import SLUGS

ROOT = Path(__file__).resolve().parent.parent
# The specification is held to it, too. Other tests and the lessons choose their examples on
# purpose: a technique that they leave out is tested and told elsewhere.
ROOMS = ["wire", "servers", "clients", "loadtests", "results", "notebooks", "tests/conformance"]
# Where techniques may be named side by side: the registry, what people read of each, and what a
# lesson asks, or a benchmark promises, of the few that it is about.
ABOUT_TECHNIQUES = [
    "wire/techniques.py",
    "clients/browser/page/hall",
    "clients/browser/page/script",
    "clients/browser/page/words",
    "loadtests/limits/shared.py",
    "notebooks/course/explorations.py",
    "notebooks/course/traces.py",
]
NAMED = re.compile(rf"\b(?:{'|'.join(SLUGS)})\b")
LISTS = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.BoolOp, ast.Call, ast.Constant)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def named(text: str) -> set[str]:
    """The techniques that stand in ``text`` as words of their own."""
    return {*NAMED.findall(text)}


@cache
def constants(node: ast.AST) -> frozenset[str]:
    """The techniques that are constants of the program in ``node``, or keywords of calls."""
    found: set[str] = set().union(*map(constants, ast.iter_child_nodes(node)))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        words = set(re.split(r"[\s,|]+", node.value))
        found |= words if words <= set(SLUGS) else set()
    elif isinstance(node, ast.keyword) and node.arg in SLUGS:
        found.add(node.arg)
    return frozenset(found)


def conditions(node: ast.If | ast.IfExp) -> Iterator[ast.expr]:
    """What an ``if`` asks, and each of its ``elif``."""
    yield node.test
    others = node.orelse if isinstance(node.orelse, list) else [node.orelse]
    if len(others) == 1 and isinstance(others[0], ast.If | ast.IfExp):
        yield from conditions(others[0])


def collections(source: str) -> Iterator[int]:
    """The lines of Python on which two techniques or more are listed, or told apart."""
    if len(named(source)) < 2:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, LISTS):
            parts: list[ast.AST] = [node]
        elif isinstance(node, ast.If | ast.IfExp):
            parts = [*conditions(node)]
        elif isinstance(node, ast.Match):
            parts = [case.pattern for case in node.cases]
        else:
            continue
        if len(set().union(*map(constants, parts))) > 1:
            yield getattr(node, "lineno", 0)
    constants.cache_clear()


def script_collections(source: str) -> list[str]:
    """The statements of JavaScript that name two techniques or more, comments left out."""
    code = re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", source, flags=re.S)
    return [statement for statement in code.split(";") if len(named(statement)) > 1]


@pytest.mark.parametrize(
    "source",
    [
        'x = ("sse", "polling")',
        'x = [("sse", 3), ("polling", 4)]',
        'x = {"sse": 3, "polling": 4}',
        "x = dict(sse=3, polling=4)",
        'x = "sse polling".split()',
        'if x == "sse":\n    y = 1\nelif x == "polling":\n    y = 2',
        'y = 1 if x == "sse" else 2 if x == "polling" else 3',
        'y = x == "sse" or x == "polling"',
        'match x:\n    case "sse":\n        y = 1\n    case "polling":\n        y = 2',
    ],
)
def test_the_reader_of_collections_sees_all_of_them(source: str) -> None:
    assert list(collections(source))
    assert not list(collections(source.replace("polling", "lobby")))


def test_the_reader_of_scripts_sees_collections() -> None:
    assert script_collections('const x = { sse: 1, "polling": 2 };')
    assert script_collections('if (x === "sse" || x === "polling") y();')
    assert not script_collections('// sse or polling\nopen("/sse"); close("/polling");')


def test_no_collection_of_techniques_stands_in_python() -> None:
    """What is forgotten in a list is forgotten in silence: ask what a technique is like."""
    paths = [ROOT / "lab.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
    found = [
        f"{name(path)}:{line}"
        for path in paths
        if name(path) not in ABOUT_TECHNIQUES
        for line in collections(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_no_collection_of_techniques_stands_in_the_browsers_code() -> None:
    found = {}
    for path in (ROOT / "clients" / "browser").rglob("*.*"):
        text = "" if path.suffix == ".png" else path.read_text(encoding="utf-8")
        if name(path.parent) in ABOUT_TECHNIQUES:
            continue
        if path.suffix == ".js" and (several := script_collections(text)):
            found[name(path)] = several
        elif path.suffix != ".js" and len(named(text)) > 1:
            found[name(path)] = [text]
    assert not found
