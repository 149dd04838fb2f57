"""The page on measuring names every scenario, shape, option and verdict there is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.plan.options import SCENARIOS
from loadtests.plan.schedule import ARRIVALS, SHAPES
from results.record.verdicts import Verdict

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "loadtests" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", [*SCENARIOS, *ARRIVALS, *SHAPES, *Verdict])
def test_every_word_is_explained(word: str) -> None:
    assert f"`{word}`" in README


@pytest.mark.slow
@pytest.mark.parametrize("command", ["compare", "options"])
def test_every_option_is_named(command: str) -> None:
    words = ["options"] if command == "options" else ["compare", "--help"]
    told = subprocess.run(
        [sys.executable, "-m", "loadtests", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    options = set(re.findall(r"--[a-z][a-z-]+", told)) - {"--help"}
    assert options <= set(re.findall(r"--[a-z][a-z-]+", README))
