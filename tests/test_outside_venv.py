"""Outside of .venv every command module says how to enter it, in a few lines and no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

import lab
from outside_venv import words

ROOT = Path(__file__).resolve().parent.parent
STARTED = {
    "servers": "python3 lab.py serve",
    "loadtests": "python3 lab.py compare",
    "loadtests.limits": "python3 lab.py",
    "results": "python3 lab.py results",
    "notebooks.course": "python3 lab.py course",
    "tests": "python3 lab.py test",
}


def outside(*words: str) -> subprocess.CompletedProcess[str]:
    """Start the Python of which .venv was made, without any package that it may have itself."""
    python = str(getattr(sys, "_base_executable", sys.executable))
    return subprocess.run(
        [python, "-S", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("module", "command"), STARTED.items())
def test_who_starts_a_module_elsewhere_is_told_how_to_enter(module: str, command: str) -> None:
    done = outside("-m", module, "anything")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "is missing in this Python" in done.stderr
    assert lab.ENTER in done.stderr
    assert done.stderr.rstrip().endswith(f"or let lab.py do it: {command}")


def test_locusts_file_tells_it_too() -> None:
    done = outside(
        "-c",
        "import sys; sys.argv[1:] = ['-f', 'loadtests/locustfile.py']\n"
        "import loadtests.load.recorder, locust",
    )
    assert lab.ENTER in done.stderr
    assert "Traceback" not in done.stderr


def test_clients_need_nothing_but_python() -> None:
    assert outside("-m", "clients", "--help").returncode == 0


def test_who_only_imports_us_and_faults_of_ours_are_left_alone() -> None:
    assert "Traceback" in outside("-c", "import servers.app").stderr
    assert "No module named servers.none" in outside("-m", "servers.none").stderr


def test_inside_of_venv_the_part_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(lab.VENV))
    said = words("nbclient", "notebooks.course")
    assert "python3 lab.py course" in said
    assert lab.ENTER not in said
