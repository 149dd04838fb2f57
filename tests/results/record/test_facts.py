"""What is told of the host, and what is not."""

import getpass
import json
import platform
import shlex
from pathlib import Path

import pytest

from results.record import facts


def test_facts_are_complete_json() -> None:
    host = facts.host_facts()
    assert host["cores"] >= host["usable_cores"] >= 1  # type: ignore[operator]
    assert host["memory_bytes"] > 2**20  # type: ignore[operator]
    assert all(host[name] for name in ("cpu", "kernel", "os", "machine"))
    assert facts.clock_facts()["resolution_ns"] > 0  # type: ignore[operator]
    assert "python" in facts.package_versions()
    json.dumps([host, facts.clock_facts(), facts.package_versions()])


def test_facts_name_neither_host_nor_user() -> None:
    told = json.dumps([facts.host_facts(), facts.package_versions(), facts.clock_facts()])
    for secret in (platform.node(), getpass.getuser()):
        if len(secret) > 4:  # shorter names occur in other words
            assert secret not in told


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["python", "-m", "loadtests", "--users", "20"], "python -m loadtests --users 20"),
        (["/usr/bin/python3", "-m", "loadtests"], "python3 -m loadtests"),
        (["loadtests", "--out=/home/ana/runs/one"], "loadtests --out=one"),
        (["loadtests", "--out", "results/runs/one"], "loadtests --out results/runs/one"),
        (["loadtests", "--out", "/x/my runs/first one"], "loadtests --out 'first one'"),
    ],
)
def test_command_line_holds_no_machine_path(words: list[str], expected: str) -> None:
    assert facts.command_line(words) == expected


def test_commit_without_git_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert facts.commit() == ""


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        ("python -m loadtests --users 20", "python3 lab.py compare --users 20"),
        ("python -m loadtests calibrate", "python3 lab.py compare calibrate"),
        (
            "python -m loadtests --out 'first one' --seed 3 --out=b",
            "python3 lab.py compare --seed 3",
        ),
        ("python -m loadtests --out", "python3 lab.py compare"),
        ("chrt -r 10 python3 lab.py compare", "chrt -r 10 python3 lab.py compare"),
        ("python -m loadtests --out it's", "python -m loadtests --out it's"),
        ("", ""),
    ],
)
def test_a_recorded_command_is_shown_as_it_can_be_given(recorded: str, shown: str) -> None:
    assert facts.to_repeat(recorded) == shown


def test_the_line_that_draws_again_finds_the_run_from_the_projects_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path(facts.__file__).resolve().parents[2]
    assert facts.to_redraw(project / "results" / "reference" / "compare") == (
        "python3 lab.py results results/reference/compare"
    )
    folder = tmp_path / "my runs" / "it's one"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    for path in (Path(), folder, Path("../it's one")):
        *words, named = shlex.split(facts.to_redraw(path))
        assert words == ["python3", "lab.py", "results"]
        assert (project / named).samefile(folder)
