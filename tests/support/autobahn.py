"""The Autobahn Testsuite: where it is, how it is made, and what it said.

The suite (``wstest``) judges both ends of a WebSocket connection by 517 cases. It is written for
Python 2.7. It is taken from DUPLEX_WSTEST or the PATH; else, where a Python 2.7 is found (on the
PATH or among pyenv's), an environment for it is made once, inside ``.venv``, in about a minute.
Where there is none, the tests that need it are skipped and say how to get it.

By default those cases run that reach code of their own. What is UTF-8, Python itself decides for
us: of each group of such texts (6.5 to 6.23) one is sent. Our two ends share one decoder, so what
only that decides is asked at one of them: those texts at the server; at either in turn, of chapter
9 (megabytes whole, in frames and in pieces of them, and many round trips) each way of cutting with
text or with bytes, one megabyte as well as sixteen, which the old Python masks byte by byte; and of
12 and 13 (a thousand compressed messages in each) one in frames, one that is no text, and each
value that stands in an offer.
``DUPLEX_WSTEST_CASES=all`` (or ``DUPLEX_DEPTH=full``) runs all 517, which takes some ten minutes.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from tests.support.depth import is_full

try:
    import fcntl
except ImportError:  # Windows, for which no Python 2.7 is looked for
    fcntl = None  # type: ignore[assignment]

End = Literal["server", "client"]
VERSION = "autobahntestsuite==0.8.2"
_MAKER = "virtualenv<20.22"  # the last that makes environments for Python 2.7
_FOLDER = Path(sys.prefix) / "autobahn"
HOW_TO_GET_IT = (
    "wstest, the Autobahn Testsuite, is not here: it needs a Python 2.7 (python2.7 on the PATH, or "
    f"`pyenv install 2.7.18`; the test makes the rest), or `pip install {VERSION}` in a virtualenv "
    "of one and the address of its wstest in DUPLEX_WSTEST"
)
# What is asked at which end, and how many cases that is.
_EVERYWHERE = {
    **{"1.*": 16, "2.*": 11, "3.*": 7, "4.*": 10, "5.*": 20, "7.*": 37, "10.*": 1},
    **{"6.1.*": 3, "6.2.*": 4, "6.3.*": 2, "6.4.*": 4},
}
_AT: dict[End, dict[str, int]] = {
    "server": {
        **{f"6.{group}.1": 1 for group in range(5, 24)},
        **dict.fromkeys(("9.2.3", "9.3.4", "9.5.4", "9.7.4"), 1),
        **dict.fromkeys(("12.1.11", "13.4.1", "13.7.1"), 1),
    },
    "client": {
        **dict.fromkeys(("9.1.3", "9.4.4", "9.6.4", "9.8.4"), 1),
        **dict.fromkeys(("12.2.1", "13.5.1"), 1),
    },
}
_ALL = is_full() or os.environ.get("DUPLEX_WSTEST_CASES") == "all"
MOST_SECONDS = 3600 if _ALL else 300
_GOOD = ("OK", "NON-STRICT", "INFORMATIONAL")


def cases(end: End) -> tuple[list[str], int]:
    """Return the patterns of the cases to run at that end, and how many cases they are."""
    asked = {"*": 517} if _ALL else _EVERYWHERE | _AT[end]
    return list(asked), sum(asked.values())


def find_wstest() -> str | None:
    """Return the suite's program, made if need be and if it can be; else ``None``."""
    asked = shutil.which(os.environ.get("DUPLEX_WSTEST") or "wstest")
    if asked is not None:
        return asked
    made = _FOLDER / "bin" / "wstest"
    with _one_at_a_time():
        if made.exists():
            return str(made)
        old = next(_old_pythons(), None)
        return None if old is None else _make(old, made)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let no two workers make the environment at once."""
    if fcntl is None:
        yield
        return
    with Path(sys.prefix, "autobahn.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def bad_cases(index: Path, agent: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Read the suite's report: how many cases ran, and which failed or closed wrongly."""
    results: dict[str, dict[str, Any]] = json.loads(index.read_text())[agent]
    verdicts = {case: (one["behavior"], one["behaviorClose"]) for case, one in results.items()}
    bad = {
        case: verdict
        for case, verdict in verdicts.items()
        if verdict[0] not in _GOOD or verdict[1] not in ("OK", "INFORMATIONAL")
    }
    return len(verdicts), bad


def _old_pythons() -> Iterator[str]:
    on_path = shutil.which("python2.7")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for python in [on_path, *sorted(pyenv.glob("versions/2.7*/bin/python2.7"))]:
        check = [str(python), "-c", "import ssl"]
        if python and subprocess.run(check, capture_output=True).returncode == 0:
            yield str(python)


def _make(old: str, program: Path) -> str | None:
    """Make the environment; the suite's program comes last, so a broken-off one is made anew."""
    pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as maker:
        steps = [
            [sys.executable, "-m", "venv", maker],
            [f"{maker}/bin/python", *pip, _MAKER],
            [f"{maker}/bin/virtualenv", "-q", "--clear", "-p", old, str(_FOLDER)],
            [str(_FOLDER / "bin" / "python"), "-W", "ignore", *pip, VERSION],
        ]
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True)
            if done.returncode:
                shutil.rmtree(_FOLDER, ignore_errors=True)
                print(f"{' '.join(step)}: {done.stderr}", file=sys.stderr)
                return None
    return str(program)
