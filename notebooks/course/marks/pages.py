"""What a reader sees of the record: a page to start from, a summary to print, a notebook's end.

The pages stand in the copy of the course (``start.md``, ``my-summary.html``) and are written anew
whenever something was answered.
"""

import json
import re
import time
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from notebooks.course.judging import questions
from notebooks.course.marks.record import Record
from notebooks.course.marks.shown import INKS, OPEN, RIGHT, SIGNS, WRONG, marked
from notebooks.course.words import say

START, SUMMARY = "start.md", "my-summary.html"
NOTEBOOKS = Path(__file__).resolve().parents[2]


@cache
def titles(folder: Path = NOTEBOOKS) -> dict[str, tuple[str, str]]:
    """Return each notebook's file and title by its number, ``"04"``."""
    found = {}
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            title = heading("".join(cells[0]["source"]))
        except (OSError, ValueError, LookupError):  # readers may do to their copies what they like
            title = path.stem
        found[path.name[:2]] = (path.name, title)
    return found


def heading(text: str) -> str:
    """Return the title in a notebook's first text, without its number."""
    return re.sub(r"^# *(\d\d · )?", "", text.splitlines()[0])


def exercises(notebook: str) -> list[str]:
    """Return the numbers of a notebook's exercises."""
    return [key for key in questions() if key.startswith(f"{notebook}.")]


def state(record: Record, key: str) -> str:
    """Say how an exercise stands: right, wrong, or open."""
    given = record.answers.get(key)
    return OPEN if given is None else RIGHT if given["passed"] else WRONG


@dataclass(frozen=True)
class Done:
    """The end of a notebook: how many exercises are right, which are not, and what comes next."""

    notebook: str
    record: Record

    def __repr__(self) -> str:
        keys, right = exercises(self.notebook), self.record.passed(self.notebook)
        said = say("{right} of {all} exercises are right.", right=len(right), all=len(keys))
        if left := [key for key in keys if key not in right]:
            said += " " + say("Still open: {keys}.", keys=", ".join(left))
        return said

    def _repr_html_(self) -> str:
        keys = exercises(self.notebook)
        whole = len(self.record.passed(self.notebook)) == len(keys)
        known = titles(self.record.path.parent if self.record.path else NOTEBOOKS)
        following = [number for number in known if number > self.notebook][:1]
        links = [(START, say("All notebooks, and how far you are"))] if self.record.path else []
        for number in following:
            name, title = known[number]
            links.insert(0, (name, say("Next: {title}", title=f"{number} · {title}")))
        row = " ".join(_sign(state(self.record, key), key) for key in keys)
        linked = " · ".join(f'<a href="{name}">{escape(text)}</a>' for name, text in links)
        return marked(RIGHT if whole else OPEN, repr(self)) + f"<p>{row}</p><p>{linked}</p>"


def renew(record: Record) -> None:
    """Write the pages of a reader's copy anew; nothing where there is no copy."""
    if record.path is None:
        return
    folder = record.path.parent
    for name, text in ((START, start_page(record, folder)), (SUMMARY, summary_page(record))):
        draft = folder / f".{name}.new"
        draft.write_text(text, encoding="utf-8")
        draft.replace(folder / name)


def start_page(record: Record, folder: Path) -> str:
    """Return the page from which a reader starts: every notebook, and how far one is in it."""
    rows, right, every = [], 0, 0
    for number, (name, title) in titles(folder).items():
        keys, passed = exercises(number), len(record.passed(number))
        right, every = right + passed, every + len(keys)
        signs = " ".join(SIGNS[state(record, key)] for key in keys)
        count = say("{right} of {all}", right=passed, all=len(keys))
        rows.append(f"| [{number} · {title}]({name}) | {signs} | {count} |")
    predicted = list(record.predictions.values())
    well = sum(one["right"] for one in predicted)
    lines = [
        f"# {say('The course, and how far you are')}",
        "",
        f"**{say('{right} of {all} exercises are right.', right=right, all=every)}** "
        + say("{right} of {all} predictions were right.", right=well, all=len(predicted)),
        "",
        f"| {say('notebook')} | {say('exercises')} | |",
        "|---|---|---|",
        *rows,
        "",
        f"✓ {say('right')} · ✗ {say('not yet')} · ○ {say('open')}",
        "",
        say("To hand in, run in any notebook:")
        + ' `from notebooks.course.exercises import submit; submit("Ada Lovelace")`',
        "",
        say("This page is written anew with each answer: *File*, *Reload from Disk* shows it."),
        "",
        " · ".join(
            [
                f"[{say('About the course')}](README.md)",
                f"[{say('A summary to print')}]({SUMMARY})",
                f"[{say('The claims')}](claims.md)",
            ]
        ),
    ]
    return "\n".join(lines) + "\n"


def summary_page(record: Record, name: str = "") -> str:
    """Return a page to print: every answer, and every prediction beside what was found."""
    parts = [f"<h1>{escape(name or say('What I predicted and answered'))}</h1>"]
    parts.append(f"<p>{time.strftime('%Y-%m-%d')}</p>")
    for number, (_, title) in titles().items():
        answered = [key for key in exercises(number) if key in record.answers]
        predicted = [one for key, one in record.predictions.items() if key.startswith(number)]
        if not answered and not predicted:
            continue
        parts.append(f"<h2>{number} · {escape(title)}</h2>")
        if predicted:
            rows = [
                f"<tr><td>{_sign(RIGHT if one['right'] else WRONG)}</td><td>{escape(one['said'])}"
                for one in predicted
            ]
            parts.append(_table([say("prediction and result")], rows))
        if answered:
            rows = []
            for key in answered:
                given = record.answers[key]
                tries = say("{count} tries", count=given["tries"])
                rows.append(
                    f"<tr><td>{_sign(state(record, key), key)}</td>"
                    f"<td><code>{escape(given['answer'])}</code></td><td>{tries}</td>"
                )
            parts.append(_table([say("answer"), ""], rows))
    style = (
        "body{font:11pt sans-serif;max-width:46em;margin:2em auto}table{border-collapse:collapse;"
        "width:100%}td,th{text-align:left;border-bottom:1px solid #ccc;padding:3px 8px;"
        "vertical-align:top}code{white-space:pre-wrap}h2{break-after:avoid}tr{break-inside:avoid}"
    )
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{say("Summary")}</title>'
        f"<style>{style}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _table(names: list[str], rows: list[str]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in ["", *names])
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _sign(state: str, key: str = "") -> str:
    words = {RIGHT: say("right"), WRONG: say("not yet"), OPEN: say("open")}[state]
    sign = f'<span role="img" aria-label="{escape(words)}">{SIGNS[state]}</span>'
    return f'<span style="color:{INKS[state]};font-weight:bold">{sign} {key}</span>'
