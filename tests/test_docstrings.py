"""Whatever is public says what it is, but for what was said already by those who promised it.

The linter asks for the docstrings of modules, classes and functions. It cannot see that a method
fulfils a promise, and asks callbacks for words that say nothing; so methods are looked at here.
"""

import ast
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

from tests.test_structure import PACKAGES, ROOT, modules

# What asyncio calls, and documents.
CALLBACKS = {name for name in dir(asyncio.Protocol) if not name.startswith("_")}


def classes() -> Iterator[tuple[Path, ast.ClassDef]]:
    for package in PACKAGES:
        for path in modules(package):
            text = path.read_text(encoding="utf-8")
            if not re.search(r"^ *class ", text, re.MULTILINE):
                continue  # to parse them all takes longest
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef):
                    yield path, node


def methods(kind: ast.ClassDef) -> dict[str, bool]:
    """The public methods of a class, and whether each has a docstring."""
    return {
        node.name: ast.get_docstring(node) is not None
        for node in kind.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name[0] != "_"
        and not any(ast.unparse(each).endswith(".setter") for each in node.decorator_list)
    }


def promised(kind: ast.ClassDef, known: dict[str, ast.ClassDef]) -> set[str]:
    """The methods that the classes above a class have documented."""
    names = set()
    for base in map(ast.unparse, kind.bases):
        if base == "asyncio.Protocol":
            names |= CALLBACKS
        elif base in known:
            told = {name for name, is_told in methods(known[base]).items() if is_told}
            names |= told | promised(known[base], known)
    return names


def test_each_public_method_is_told_of_where_it_stands_or_where_it_was_promised() -> None:
    found = list(classes())
    known = {kind.name: kind for _, kind in found}
    untold = [
        f"{path.relative_to(ROOT)}: {kind.name}.{name}"
        for path, kind in found
        if not kind.name.startswith("_")
        for name, is_told in methods(kind).items()
        if not is_told and name not in promised(kind, known)
    ]
    assert not untold
