"""The page of cures: what the record says of each intermediary, and what was tried against it.

``python -m loadtests.between.page`` writes it anew.
"""

import textwrap
from collections.abc import Sequence

from loadtests.between.intermediary import SHELF, Intermediary, read_shelf
from loadtests.trials.processes import ROOT
from results.record.crossings import DISTRIBUTED, PUSH, Matrix, Word, read_matrix
from wire.techniques import BY_SLUG

PAGE = SHELF.parent / "README.md"
REFERENCE = ROOT / "results" / "reference" / "between"
BEGIN, END = "<!-- cures -->", "<!-- end of cures -->"
_SAID = {DISTRIBUTED: "as distributed", PUSH: "set for push"}


def with_cures(page: str, matrix: Matrix, shelf: Sequence[Intermediary]) -> str:
    """Return the page with what stands between its marks written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{cures(matrix, shelf)}\n{END}{after}"


def cures(matrix: Matrix, shelf: Sequence[Intermediary]) -> str:
    """Return a section for each intermediary of the record, in Markdown."""
    by_name = {one.name: one for one in shelf}
    return "\n".join(
        _section(f"{told['title']} {told['version']}", by_name[told["name"]], matrix)
        for told in matrix.head["intermediaries"]
    )


def _section(title: str, one: Intermediary, matrix: Matrix) -> str:
    lines = [f"### {title.strip()}", "", "| | way | what does not pass |", "|---|---|---|"]
    for name, setup, way in matrix.ways():
        if name == one.name:
            lines.append(f"| {_SAID[setup]} | {way} | {_troubles(matrix, name, setup, way)} |")
    lines.append("")
    if one.cure_said:
        folder = f"shelf/{one.name}"
        files = [file.name for setup in one.setups[1:] for file in setup.files]
        named = ", ".join(f"[{file}]({folder}/{file})" for file in files) or "its command line"
        lines += [f"What cures, of {named}:", "", "```"]
        lines += textwrap.dedent("\n".join(one.cure_said)).splitlines()
        lines += ["```", ""]
    return "\n".join(lines)


def _troubles(matrix: Matrix, *way: str) -> str:
    """Say what does not pass, those of the same fate together."""
    fates: dict[str, list[str]] = {}
    found = matrix.at(*way)
    for slug, one in found.items():
        if one.word is not Word.PASSES:
            fates.setdefault(one.text, []).append(BY_SLUG[slug].title)
    if len(fates) == 1 and all(len(titles) == len(found) for titles in fates.values()):
        return f"all: {next(iter(fates))}"
    return "; ".join(f"{', '.join(titles)}: {fate}" for fate, titles in fates.items()) or "-"


def main() -> None:
    """Write the part of the page anew that the record and the shelf tell."""
    text = with_cures(PAGE.read_text(encoding="utf-8"), read_matrix(REFERENCE), read_shelf())
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
