"""``--help`` of every command is shown by the command itself, and prints every default."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("wire", "servers", "clients", "loadtests", "results", "notebooks", "tests")
COMMANDS = (
    "servers",
    "servers.relay",
    "servers.relay.faulty",
    "servers.relay.har",
    "servers.peers.baselines",
    "clients",
    "loadtests",
    "loadtests calibrate",
    "loadtests knee",
    "loadtests start",
    "loadtests between",
    "loadtests worker",
    "loadtests.calibration.bare",
    "loadtests.calibration.hog",
    "loadtests.calibration.pairs",
    "loadtests.limits",
    "loadtests.limits.deflate",
    "loadtests.limits.probe",
    "results",
    "notebooks.course",
    "notebooks.course grades",
    "notebooks.course site",
    "notebooks.course.experiments",
    "tests",
)
# Not of a command, or shown together with Locust's own options.
NO_COMMAND = {"loadtests/plan/options.py", "tests/loadtests/plan/test_options.py"}
# Each command shows its help for real; what its parser knows of itself is told beside it.
SHOW_ALL = """
import argparse, contextlib, io, json, runpy, sys

made = []

begin = argparse.ArgumentParser.__init__

def watched(self, *words, **more):
    begin(self, *words, **more)
    made.append((self, sys._getframe(1).f_code.co_filename))

argparse.ArgumentParser.__init__ = watched
found = {}
for command in json.loads(sys.argv[1]):
    module, *words = command.split()
    sys.argv[1:] = [*words, "--help"]
    made.clear()
    shown = io.StringIO()
    status = None
    with contextlib.redirect_stdout(shown):
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            status = end.code
    parser, file = made[0]
    defaults = {
        action.option_strings[0]: action.default
        for action in parser._actions
        if action.option_strings and action.nargs != 0 and action.default != argparse.SUPPRESS
    }
    found[command] = [status, shown.getvalue(), file, defaults]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def helps() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", SHOW_ALL, json.dumps(COMMANDS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def told(option: str, shown: str) -> str:
    """What the help says of an option, on one line."""
    lines = iter(shown.partition("\noptions:\n")[2].splitlines())
    words = ""
    for line in lines:
        if line.startswith("  -"):
            if words:
                break
            if option in line.replace(",", " ").split():
                words = line
        elif words:
            words += " " + line
    return " ".join(words.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_prints_every_default(command: str, helps: dict[str, Any]) -> None:
    status, shown, _, defaults = helps[command]
    assert status == 0
    assert f"python -m {command}" in shown or command == "tests"
    for option, default in defaults.items():
        if default in (None, [], ""):
            continue
        values = default if isinstance(default, list) else [default]
        said = told(option, shown).partition("default: ")[2]
        for value in values:
            word = f"{value:g}" if isinstance(value, float) else str(value)
            assert word in said, f"{command} {option} does not say that its default is {word}"


def test_every_command_that_takes_options_was_asked(helps: dict[str, Any]) -> None:
    asked = {Path(file).relative_to(ROOT).as_posix() for _, _, file, _ in helps.values()}
    takers = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "ArgumentParser(" in path.read_text(encoding="utf-8") and path != Path(__file__)
    }
    assert takers - NO_COMMAND == asked
