import io
import re
import sys
from pathlib import Path

import pytest
import rich.console
from rich.table import Table
from rich.text import Text

from results.__main__ import main
from results.console import Console
from tests.unbreakable.undefended import DEFENCES
from wire import terminal

EVIL = "[red]/[/x] \x1b[2J \x1b]0;t\x07 :smile:"
SHOWN = r"[red]/[/x] \x1b[2J \x1b]0;t\x07 :smile:"


def printed(what: object, width: int = 200, **options: object) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, **options)
    console.print_table(what) if isinstance(what, Table) else console.print(what)
    return file.getvalue()


def a_table(*rows: tuple[str, ...]) -> Table:
    table = Table(title=EVIL)
    table.add_column("technique")
    for heading in ("p50\nms", "p99\nms", "bytes\ndown", "bytes\nup"):
        table.add_column(heading, no_wrap=True)
    table.add_column("audit")
    for row in rows:
        table.add_row(*row)
    return table


def test_foreign_text_is_shown_as_it_is_wherever_it_stands() -> None:
    assert printed(EVIL) == SHOWN + "\n"
    assert printed(a_table((EVIL, "1", "2", "3", "4", EVIL))).count(SHOWN) == 3
    narrow = printed(a_table((EVIL, "1", "2", "3", "4", EVIL)), width=20)
    assert "\x1b" not in narrow
    assert printed(Text("fine", style="red"), force_terminal=True) == "\x1b[31mfine\x1b[0m\n"


@pytest.mark.slow
@pytest.mark.attack("steer the terminal of who reads a run", "off", "on")
def test_the_reasons_in_a_foreign_run_steer_no_terminal(
    lost_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = lost_run / "latency.csv"
    evil = "[bold]owned[/bold] \x1b]0;owned\x07"
    table.write_text(table.read_text().replace("invented for this test", evil))

    def attack() -> str:
        assert main([str(lost_run)]) == 0
        return capsys.readouterr().out

    shown = attack()
    assert "[bold]owned[/bold] \\x1b]0;owned\\x07" in shown
    assert "\x1b" not in shown
    with monkeypatch.context() as kept:  # what the defence is lifted by is put back
        for name in ("visible", "visible_lines"):
            kept.setattr(terminal, name, getattr(terminal, name))
        kept.setitem(sys.modules, "results.console", sys.modules["results.console"])
        kept.setattr(rich.console.Console, "print_table", None, raising=False)
        DEFENCES["words"]()
        steered = attack()
    assert "\x1b]0;owned" in steered
    assert "[bold]" not in steered


@pytest.mark.parametrize("width", [120, 80, 60, 40, 24])
def test_numbers_stay_whole_in_any_width(width: int) -> None:
    numbers = ["1,234,567", "98,765.4", "1,234", "56.78"]
    faults = "1,234 lost, 321 doubled, 45 reordered"
    table = printed(a_table(("Server-Sent Events", *numbers, faults)), width=width)
    assert {*numbers, "1,234", "321", "45"} <= {*re.findall(r"\d[\d,.]*\d", table)}
    assert "…" not in table
    assert all(len(line) <= width for line in table.splitlines())


def test_a_letter_that_the_output_cannot_write_is_escaped() -> None:
    raw = io.BytesIO()
    output = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    Console(file=output).print("ñ 日 …")
    assert raw.getvalue() == b"\\xf1 \\u65e5 \\u2026\n"
