"""The matrix for the terminal: a row for each way, a column for each technique, and the cures."""

from rich.table import Table
from rich.text import Text

from results.console import Console
from results.record.crossings import NOTHING, Matrix, Word
from wire.techniques import TECHNIQUES

_STYLES = {
    Word.PASSES: "green",
    Word.LATE: "yellow",
    Word.CUT: "yellow",
    Word.HALF: "red",
    Word.HELD: "red",
    Word.REFUSED: "red",
}
SETUPS = {"distributed": "as distributed", "push": "set for push", "": ""}


def tell(console: Console, matrix: Matrix) -> None:
    """Print the matrix."""
    silent = f"silence {matrix.silence_s:g} s" if matrix.silence_s else "silence not tried: --long"
    table = Table("in between", title=f"Which technique gets through ({silent})")
    for technique in TECHNIQUES:
        table.add_column(technique.slug.replace("_", " "))
    titles = matrix.titles | {NOTHING: "nothing"}
    for name, setup, way in matrix.ways():
        found = matrix.at(name, setup, way)
        cells = [
            Text(found[one.slug].text, style=_STYLES[found[one.slug].word])
            for one in TECHNIQUES
            if one.slug in found
        ]
        table.add_row(", ".join(filter(None, (titles[name], SETUPS[setup], way))), *cells)
    console.print_table(table)
    for one in matrix.head["intermediaries"]:
        if one["cure"]:
            console.print(f"What cures {one['title']} {one['version']}:", style="bold")
            for line in one["cure"]:
                console.print(f"  {line}", soft_wrap=True)
