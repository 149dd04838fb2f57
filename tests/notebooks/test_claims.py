"""The index of claims is complete, and each claim is where the index says."""

import re

from tests.notebooks.books import PATHS, ROOT, cells

ROW = re.compile(r"^\| (\d+) \| (\w+) \| (.+?) \| (.+?) \| (.+?) \| (.+) \|$", re.M)
ROWS = {
    int(number): rest
    for number, *rest in ROW.findall((ROOT / "notebooks/claims.md").read_text(encoding="utf-8"))
}
TEXTS = {path.name: "\n".join(cells(path, "markdown")) for path in PATHS}


def numbers(text: str) -> set[int]:
    """Return the claims that a text names: ``claim 7``, ``**Claims 37, 38**``."""
    found = re.findall(r"[Cc]laims? (\d+(?:(?:, | and )\d+)*)", text)
    return {int(number) for group in found for number in re.findall(r"\d+", group)}


def test_every_claim_has_a_row() -> None:
    assert sorted(ROWS) == list(range(1, 72))
    assert {row[0] for row in ROWS.values()} <= {"Granada", "Olaru", "both", "neither"}


def test_a_claim_is_discussed_where_the_index_says() -> None:
    for number, (_, _, verdict, where, why) in ROWS.items():
        books = re.findall(r"\]\((.+?\.ipynb)\)", where)
        assert (where == "none") == (not books), number
        assert verdict, number
        assert len(why) > 3, number
        for book in books:
            assert number in numbers(TEXTS[book]), (number, book)


def test_no_notebook_speaks_of_a_claim_that_the_index_puts_elsewhere() -> None:
    for name, text in TEXTS.items():
        for number in numbers(text) - {1, 10}:  # these two are mentioned in passing
            assert name in ROWS[number][3], (name, number)
