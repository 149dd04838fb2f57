"""The order and the exit status of `lab.py test`."""

import subprocess
import sys
from collections.abc import Iterable, Sequence

import pytest

from tests.__main__ import GATES, NOTHING_SELECTED, ROOT, TESTS_TOO, check_code, main, run_tests


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
        ([], {*GATES, "not slow", "slow"} - {*TESTS_TOO}),
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

    def run_tests(fast: bool, pytest: Sequence[str], *_: object) -> int:
        ran.extend(["not slow"] if fast else ["not slow", "slow"])
        return 0

    monkeypatch.setattr("tests.parts.missing_parts", list)
    monkeypatch.setattr("tests.__main__.check_code", check)
    monkeypatch.setattr("tests.__main__.run_tests", run_tests)
    assert main(words) == 0
    assert set(ran) == expected


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_all_types_fit() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", *GATES["mypy"]], cwd=ROOT, capture_output=True, text=True
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
    assert run_tests(fast, narrowed, run=runs) == expected
    assert runs.statuses == []
    assert all(list(command)[-len(narrowed) :] == narrowed for command in runs.commands if narrowed)


def test_slow_tests_wait_for_their_programs_and_do_not_begin_without_them() -> None:
    runs = Runs(0)
    assert run_tests(False, [], lambda: not runs.commands, runs) == 1
    assert len(runs.commands) == 1
