"""What stands on the shelf, and what is said of what does not."""

import re
from pathlib import Path

import pytest

from loadtests.between.intermediary import FILE, SHELF, ShelfError, read_intermediary, read_shelf
from loadtests.between.page import PAGE, REFERENCE, with_cures
from results.record.crossings import PUSH, read_matrix

PLACES = {"PORT", "PLUGIN_PORT", "FOLDER", "CONFIG", "CERTIFICATE"} | {
    *("SERVER", "SERVER_HOST", "SERVER_PORT", "PLUGIN_SERVER")
}


@pytest.mark.parametrize("one", read_shelf(), ids=lambda one: one.name)
def test_who_is_set_for_push_says_by_which_lines(one: object) -> None:
    found = read_intermediary(SHELF / one.name)  # type: ignore[attr-defined]
    texts = [word for setup in found.setups for word in (*setup.lines, *found.start)]
    assert any("@PORT@" in text for text in texts)
    assert set(re.findall(r"@(\w+)@", " ".join(texts))) <= PLACES
    assert bool(found.cure) == any(setup.name == PUSH for setup in found.setups)
    assert found.package


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('kind = "backward"', "line 1: kind: 'backward' is none of reverse, tls, forward"),
        ('kind = "tls"\nstrat = ["a"]', "line 2: strat: there is no such key. Did you mean start?"),
        ('kind = "tls"', "nor words to start it by"),
        ("kind =", "Invalid value"),
    ],
)
def test_a_wrong_file_is_told(line: str, says: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(line, encoding="utf-8")
    with pytest.raises(ShelfError, match=re.escape(says)):
        read_intermediary(tmp_path)


def test_a_name_that_is_none() -> None:
    with pytest.raises(ShelfError, match=r"'ngnix' is no intermediary of the shelf: .*nginx"):
        read_shelf(["ngnix"])


def test_the_page_of_cures_says_what_was_recorded() -> None:
    text = PAGE.read_text(encoding="utf-8")
    message = "python -m loadtests.between.page writes it anew"
    assert with_cures(text, read_matrix(REFERENCE), read_shelf()) == text, message


def test_the_record_has_every_intermediary_of_the_shelf() -> None:
    told = {one["name"]: one for one in read_matrix(REFERENCE).head["intermediaries"]}
    assert sorted(told) == sorted(one.name for one in read_shelf())
    assert all(one["version"] for one in told.values())
