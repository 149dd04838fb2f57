"""The terminal of the commands that print tables: every text is shown as it is.

rich would read ``[red]`` in a file's name or in a server's last words as its own markup, hand on
escape sequences, and end with an error for a letter that the output's encoding lacks. So colours
are given by styles alone, here and to whoever prints by this console.
"""

import io
from typing import Any

import rich.console
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from wire.terminal import visible_lines

_WIDE = 10_000


class Console(rich.console.Console):
    """A console that takes no text for more than text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, highlight=False, emoji=False, **options)
        if isinstance(self.file, io.TextIOWrapper):
            self.file.reconfigure(errors="backslashreplace")

    def render_str(self, text: str, **options: Any) -> Text:
        """Make a text of a string: all that is printed, be it in a table, comes through here."""
        options |= {"markup": False, "emoji": False}
        return super().render_str(visible_lines(text), **options)

    def print_table(self, table: Table) -> None:
        """Print a table: words may break, and where numbers would have to, each row is a line."""
        unbounded = self.options.update(width=_WIDE)  # else it tells no more than there is room for
        needed = self.measure(table, options=unbounded).minimum
        self.print(table if needed <= self.width else _lines(table))


def _lines(table: Table) -> RenderableType:
    headings = [str(column.header).replace("\n", " ").strip() for column in table.columns]
    text = Text(visible_lines(f"{table.title}\n") if table.title else "")
    for first, *others in zip(*(column.cells for column in table.columns), strict=True):
        text.append(f"{_plain(first)}: ", style="bold")
        told = [
            f"{heading} {words}".strip()
            for heading, cell in zip(headings[1:], others, strict=True)
            if (words := _plain(cell))
        ]
        text.append(", ".join(told) + "\n")
    return text


def _plain(cell: RenderableType) -> str:
    return visible_lines(cell.plain if isinstance(cell, Text) else str(cell))
