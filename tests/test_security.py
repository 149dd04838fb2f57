"""Each row of SECURITY.md's table is held by tests, with the defence off and with it on."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.support.processes import ROOT

SIDES = {"off", "on"}
LINK = re.compile(r"\[\w+\]\((tests/[\w/]+\.py)\)")

Marks = list[tuple[str, str, set[str]]]


def rows() -> Iterator[tuple[str, list[str]]]:
    """Read what each row's attacker would like, and the files of its tests."""
    for line in (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and "tests/" in line:
            _, _, aim, _, tests, _ = re.split(r" *\| *", line)
            yield aim, LINK.findall(tests)


@cache
def marks() -> Marks:
    """Read the attacks of all tests: their file, their aim, and their sides."""
    found: Marks = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        if "mark.attack(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for call in node.decorator_list:
                    if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".attack"):
                        aim, *sides = map(ast.literal_eval, call.args)
                        found.append((path.relative_to(ROOT).as_posix(), aim, set(sides)))
    return found


@pytest.mark.parametrize(("aim", "files"), [*rows()])
def test_a_row_is_held_in_every_file_that_it_names_and_on_both_sides(
    aim: str, files: list[str]
) -> None:
    assert files
    own = [(file, sides) for file, begins, sides in marks() if aim.startswith(begins)]
    assert {file for file, _ in own} == {*files}
    assert set().union(*(sides for _, sides in own)) == SIDES


def test_every_attack_is_the_aim_of_one_row() -> None:
    aims = [aim for aim, _ in rows()]
    assert len(aims) == len(set(aims)) > 15
    for file, begins, sides in marks():
        assert sum(aim.startswith(begins) for aim in aims) == 1, f"{file}: {begins}"
        assert sides
        assert sides <= SIDES, f"{file}: {begins}"
