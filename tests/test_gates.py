"""The order and the exit status of `lab.py test`, and its words on missing system parts."""

import subprocess
import sys
from collections.abc import Iterable, Sequence

import pytest

from tests.__main__ import (
    A_TEST_TOO,
    GATES,
    NOTHING_SELECTED,
    PARTS,
    ROOT,
    check_code,
    explain,
    main,
    missing_parts,
    provide_parts,
    run_tests,
)


class Runs:
    """Stands in for `run`: gives back the given exit statuses in turn and notes the commands."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.commands: list[tuple[str, ...]] = []

    def __call__(self, *command: str) -> int:
        self.commands.append(command)
        return self.statuses.pop(0)


def test_code_gates_stop_at_the_first_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    runs = Runs(0, 3)
    assert check_code(GATES, runs) == 3
    assert len(runs.commands) == 2
    assert "ruff format failed (exit status 3)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--fast"], {*GATES, "not slow"}),
        ([], {*GATES, "not slow", "slow"} - {A_TEST_TOO}),
        (["--", "-k", "one"], {*GATES, "not slow", "slow"}),
    ],
)
def test_types_are_a_gate_or_a_test(
    words: list[str], expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def check(gates: Iterable[str]) -> int:
        ran.extend(gates)
        return 0

    def run_tests(fast: bool, pytest: Sequence[str]) -> int:
        ran.extend(["not slow"] if fast else ["not slow", "slow"])
        return 0

    monkeypatch.setattr("tests.__main__.provide_parts", lambda: True)
    monkeypatch.setattr("tests.__main__.check_code", check)
    monkeypatch.setattr("tests.__main__.run_tests", run_tests)
    assert main(words) == 0
    assert set(ran) == expected


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_all_types_fit() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", *GATES[A_TEST_TOO]], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_code_gates_all_run_with_this_python() -> None:
    runs = Runs(*[0] * len(GATES))
    assert check_code(GATES, runs) == 0
    assert [command[:2] for command in runs.commands] == [(sys.executable, "-m")] * len(GATES)


@pytest.mark.parametrize(
    ("fast", "narrowed", "statuses", "expected"),
    [
        (True, [], [0], 0),
        (False, [], [0, 0], 0),
        (False, [], [1], 1),  # failing fast tests: the slow ones are not started
        (False, [], [0, 1, 1], 1),  # slow ones that failed in the crowd fail alone too
        (False, [], [0, 1, 0], 0),
        (False, [], [0, 1, NOTHING_SELECTED], 1),  # a worker died: nothing to run again
        (False, [], [NOTHING_SELECTED], NOTHING_SELECTED),  # fast tests must exist
        (False, [], [0, NOTHING_SELECTED], 0),  # slow ones need not
        (False, ["-k", "slow_one"], [NOTHING_SELECTED, 0], 0),
        (False, ["-k", "nothing"], [NOTHING_SELECTED, NOTHING_SELECTED], NOTHING_SELECTED),
        (True, ["-k", "nothing"], [NOTHING_SELECTED], NOTHING_SELECTED),
        (False, [], [2], 2),
    ],
)
def test_exit_status_of_the_tests(
    fast: bool, narrowed: list[str], statuses: list[int], expected: int
) -> None:
    runs = Runs(*statuses)
    assert run_tests(fast, narrowed, runs) == expected
    assert runs.statuses == []
    assert all(list(command)[-len(narrowed) :] == narrowed for command in runs.commands if narrowed)


def test_parts_are_found_on_the_path_or_where_debian_keeps_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    have = {part.programs[-1] for part in PARTS} - {"haproxy", "nginx"} | {"/usr/sbin/nginx"}
    monkeypatch.setattr("tests.support.chromium.node_starts", lambda: True)
    missing = missing_parts(lambda name: name if name in have else None)
    assert [part.name for part in missing] == ["HAProxy"]


def test_a_library_that_playwright_misses_is_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.chromium.node_starts", lambda: False)
    (missing,) = missing_parts(lambda name: name)
    assert missing.package == "libatomic1"


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_missing_part_says_how_to_get_it(part: object) -> None:
    for known in PARTS:
        said = explain(known, in_ci=False)
        assert f"apt install {known.package}" in said
        assert "elsewhere" in said
        assert "skipped" in said
        assert "in CI" in explain(known, in_ci=True)


@pytest.mark.parametrize(("ci", "may_go_on"), [("true", False), ("", True)])
def test_only_ci_stops_for_a_missing_part(
    ci: str, may_go_on: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr("tests.__main__.missing_parts", lambda: list(PARTS[:1]))
    monkeypatch.setattr("shutil.which", lambda name: None)  # no apt-get either
    assert provide_parts() is may_go_on
    assert "Chromium is missing" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no apt-get")
def test_on_debian_others_are_told_one_line_for_all_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("tests.__main__.missing_parts", lambda: list(PARTS))
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("tests.__main__.has", lambda package: package != "firefox-esr")
    assert provide_parts()
    said = capsys.readouterr().out
    assert "Firefox is missing: tests that need it are skipped" in said
    assert all(part.name in said for part in PARTS)
    lines = [line for line in said.splitlines() if line.startswith("    sudo ")]
    assert len(lines) == 1
    told = lines[0].partition("systemctl")[0].split()
    assert all((part.package in told) is (part.name != "Firefox") for part in PARTS)


def test_what_not_every_system_offers_is_spared_in_ci(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", "true")
    spared = [part for part in PARTS if part.spared]
    assert spared
    monkeypatch.setattr("tests.__main__.missing_parts", lambda: spared)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert provide_parts()
    assert "tests that need it are skipped" in capsys.readouterr().out
