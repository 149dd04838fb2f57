"""A copy of the tree with a ninth technique: four files, and one row of the registry.

The toy is Server-Sent Events under another name, so that what a test finds is about the place that
a technique is given, and not about the technique.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ("servers/{}.py", "clients/{}.py", "loadtests/{}.py", "clients/browser/{}.js")
SLUG, TITLE, COLOR = "toy_events", "Toy events", "#B8860B"
ROW = f"""    Technique(
        slug="{SLUG}",
        title="{TITLE}",
        year=2026,
        idea="a test of the registry",
        down="an event stream again",
        up="POST",
        source="tests/support/ninth.py",
        delivery=Delivery.STREAM,
        codec="event_stream",
        color="{COLOR}",
        marker=">",
    ),
"""
# What is compiled comes along, but for what is being written by others.
_LEFT_BEHIND = (".*", "*.pyc.*", "node_modules", "runs", "reference", "build", "*.egg-info")


def add_technique(house: Path) -> None:
    """Copy the tree to ``house``, which must not be there, and add the toy."""
    shutil.copytree(ROOT, house, ignore=shutil.ignore_patterns(*_LEFT_BEHIND))
    for column in COLUMNS:
        text = (house / column.format("sse")).read_text(encoding="utf-8")
        toy = re.sub(r"(?<!\w)sse(?!\w)", SLUG, text).replace("Sse", "ToyEvents")
        (house / column.format(SLUG)).write_text(toy, encoding="utf-8")
    registry = house / "wire" / "techniques.py"
    rows, end, rest = registry.read_text(encoding="utf-8").partition(")\n\nSLUGS")
    registry.write_text(rows + ROW + end + rest, encoding="utf-8")


def run(house: Path, *words: str) -> str:
    """Run a module of the copy; return what it printed, and fail where it failed."""
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=house,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout
