"""A copy of the suite in which one line of ``Settings`` was added."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ADDED = (
    '    courtesy: float = setting(3.0, "bows", NOT_NEGATIVE, compared=Compared(), '
    'variant="{:g} bows")\n'
)


def copied_with_one_more_field(house: Path) -> Path:
    """Make such a copy in a folder, and return that."""
    ignored = shutil.ignore_patterns("*.pyc.*", "runs", "reference", "browser", "*.png")
    for package in ("wire", "clients", "servers", "loadtests", "results"):
        shutil.copytree(ROOT / package, house / package, ignore=ignored)
    file = house / "loadtests" / "plan" / "options.py"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    number = next(i for i, line in enumerate(lines) if line.startswith("    channel: str"))
    file.write_text("".join([*lines[:number], _ADDED, *lines[number:]]), encoding="utf-8")
    return house
