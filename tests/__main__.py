"""Every gate in one go, the fast ones first: `python3 lab.py test`, or `python -m tests`.

ruff, tsc, mypy, the fast tests, then the slow ones; the first that fails ends it. Where all tests
run, those of types are two of the slow ones: mypy keeps one core for most of a minute, and tsc
needs programs that may only be coming (tests/parts.py).
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path

from tests.parts import Coming

ROOT = Path(__file__).resolve().parent.parent
FAILED, NOTHING_SELECTED = 1, 5  # pytest's exit statuses
CORES = min(os.cpu_count() or 1, 4)
MORE_WORKERS = {"not slow": 1, "slow": 3}  # than cores: tests wait, slow ones most of the time
GATES = {
    "ruff check": ("ruff", "check"),
    "ruff format": ("ruff", "format", "--check"),
    "tsc": ("tests.javascript",),
    "mypy": ("mypy",),
}
TESTS_TOO = ("tsc", "mypy")


def main(arguments: Sequence[str]) -> int:
    """Run the gates that a command line asks for and return the exit status."""
    parser = argparse.ArgumentParser(
        os.environ.pop("DUPLEX_COMMAND", "python -m tests"), description="Check everything."
    )
    parser.add_argument(
        "--fast",
        action="store_true",
        help="leave out the tests marked slow, and try fewer random examples in the others",
    )
    parser.add_argument("pytest", nargs="*", help="after --: goes on to pytest")
    options = parser.parse_args(arguments)
    import_module("ruff")  # where that is missing, all gates would fail, and none say why
    if options.fast:
        return check_code(GATES) or run_tests(True, options.pytest)
    coming = Coming()
    try:
        if options.pytest:
            coming.settle()
        if not coming.is_under_way and not coming.are_enough():
            return 1
        gates = [name for name in GATES if options.pytest or name not in TESTS_TOO]
        return check_code(gates) or run_tests(False, options.pytest, coming.are_enough)
    finally:
        coming.settle()


def run(*command: str) -> int:
    """Run a command in the project's folder and return its exit status.

    It may keep what it compiles: else each worker, and each server that a test starts, compiles
    every module of every library anew, three times the work to begin. And it may read and write
    any letter: xdist tells its workers the project's path by their standard input. And modules
    come from the current folder first: some tests run a changed copy of the tree.
    """
    unwanted = ("PYTHONDONTWRITEBYTECODE", "PYTHONIOENCODING", "PYTHONSAFEPATH")
    environment = {k: v for k, v in os.environ.items() if k not in unwanted}
    with subprocess.Popen(command, cwd=ROOT, env=environment) as child:
        try:
            return child.wait()
        except KeyboardInterrupt:  # the child was told too: let it end what it started
            child.wait()
            raise


def check_code(gates: Iterable[str], run: Callable[..., int] = run) -> int:
    """Run those gates that only read the code, up to the first that fails."""
    for name in gates:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        status = run(sys.executable, "-m", *GATES[name])
        print(f"   {name}: {time.monotonic() - started:.1f} s", flush=True)
        if status:
            print(f"== {name} failed (exit status {status})", flush=True)
            return status
    return 0


def run_tests(
    fast: bool,
    pytest: Sequence[str],
    are_parts_enough: Callable[[], bool] = lambda: True,
    run: Callable[..., int] = run,
) -> int:
    """Run the fast tests, then the slow ones unless `fast`; `pytest` narrows both.

    Between them it asks whether the slow ones have the programs that they need.

    Pytest says the last word: its closing line is what a reader and a CI look for. A run in which
    no test was selected is a failure, but for a side on which there is nothing: no slow test
    exists, or the selection names tests of the other side only. A slow one that fails in this crowd
    is run again alone; that counts.
    """
    ran = False
    for name, mark in [("fast tests", "not slow"), ("slow tests", "slow")][: 1 if fast else 2]:
        if mark == "slow" and not are_parts_enough():
            return 1
        print(f"== {name}", flush=True)
        select = (sys.executable, "-m", "pytest", "-m", mark)
        crowd = ["-n", str(CORES + MORE_WORKERS[mark]), "--dist", "loadfile"]
        if mark == "slow":
            crowd.append("--no-loadscope-reorder")
        if fast:
            crowd.append("--hypothesis-profile=fast")
        status = run(*select, *crowd, *pytest)
        if status == FAILED and mark == "slow":
            print("== slow tests that failed beside others, now alone", flush=True)
            again = run(*select, "--last-failed", "--last-failed-no-failures", "none", *pytest)
            status = FAILED if again == NOTHING_SELECTED else again
        if status == NOTHING_SELECTED and (mark == "slow" or pytest):
            continue
        if status:
            return status
        ran = True
    return 0 if ran else NOTHING_SELECTED


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
