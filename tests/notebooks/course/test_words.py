"""All that the course's library says is there in each language, with the same values in it."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from notebooks.course import words
from notebooks.course.building import SITUATIONS
from notebooks.course.exercises import check, questions, reveal
from notebooks.course.explorations import EXPLORATIONS
from tests.notebooks.books import PATHS, cells
from tests.notebooks.solutions import SOLUTIONS

OTHERS = [code for code in words.LANGUAGES if code != "en"]
UNIT = re.compile(r'\breveal\(.*?, "([^"]+)"|\bbeside\(\s*"([^"]+)"')


def said_by(path: Path) -> Iterator[str]:
    """Yield the sentences that a module says: constants, by themselves or by a name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    named.setdefault(target.id, []).append(str(node.value.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
            (first,) = node.args
            if isinstance(first, ast.Constant):
                yield str(first.value)
            elif isinstance(first, ast.Name):
                yield from named.get(first.id, ())


@cache
def sentences() -> set[str]:
    """Return all that may be said: by the library, by the questions, and as units."""
    found = {one for path in words.HERE.rglob("*.py") for one in said_by(path)}
    for question in questions().values():
        hints = list(question.get("hints", ()))
        hints += [hint for case in question.get("cases", ()) for hint in case.get("hints", ())]
        found |= {question["why"], question.get("hint", ""), question.get("unit", "")}
        found |= {hint["says"] for hint in hints}
        found |= {*question.get("choices", {}), *question.get("choices", {}).values()}
    for path in PATHS:
        for code in cells(path, "code"):
            found |= {unit for match in UNIT.findall(code) for unit in match}
    found |= set(SITUATIONS)
    for one in EXPLORATIONS.values():
        found |= {one.y_label, *(dial.label for dial in one.dials)}
    from notebooks.course.units import SLIPS

    found |= {*SLIPS, *(other for slips in SLIPS.values() for other in slips.values())}
    return found - {""}


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    words.language.cache_clear()
    monkeypatch.setenv("DUPLEX_LANGUAGE", request.param)
    yield request.param
    words.language.cache_clear()


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_is_there_and_no_other(language: str) -> None:
    told, wanted = words.catalogue(language), sentences()
    assert not wanted - set(told), f"{language}/words.toml lacks these"
    assert not set(told) - wanted, f"{language}/words.toml has these for nothing"


@pytest.mark.parametrize("language", OTHERS)
def test_values_numbers_and_code_stay(language: str) -> None:
    for english, told in words.catalogue(language).items():
        for pattern in (r"\d+(?:[.,]\d+)*", r"\\\w", r"</?\w+>|0x\w+"):
            assert Counter(re.findall(pattern, told)) == Counter(re.findall(pattern, english)), told
        assert values(told) == values(english), told


def values(sentence: str) -> list[tuple[str, str, str]]:
    try:
        parts = list(Formatter().parse(sentence))
    except ValueError:  # braces that are meant as braces
        return []
    return sorted((name, how or "", as_ or "") for _, name, how, as_ in parts if name is not None)


@pytest.mark.parametrize("spoken", OTHERS, indirect=True)
def test_every_answer_is_judged_in_the_readers_language(spoken: str) -> None:
    told = words.catalogue(spoken)
    for key, question in questions().items():
        assert told["not yet."] in check(key, object()).text
        for choice, says in question.get("choices", {}).items():
            for answer in (choice, told[choice]):
                wanted = told[says] if says else told[question["why"]]
                assert check(key, answer).text.endswith(wanted), (key, answer)
    assert check("00.1", eval(SOLUTIONS["00.1"])).text == (
        f"00.1: {told['right']}. {told[questions()['00.1']['why']]}"
    )
    assert reveal(told["yes"], True).endswith(told["right"])
    assert told["a share from 0 to 1"] in reveal(0.2, 0.5, "a share from 0 to 1", within=0.1)


def test_a_folder_named_by_a_language_speaks_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DUPLEX_LANGUAGE", raising=False)
    for name, code in {"ro": "ro", "es": "es", "fr": "en"}.items():
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        words.language.cache_clear()
        assert words.language() == code
    words.language.cache_clear()
