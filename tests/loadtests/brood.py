"""Many short runs of Locust from one start: what it imports takes longer than they do.

``python -m tests.loadtests.brood`` imports Locust and our users once, and forks a process for each
line of its input: a command line for Locust or a piece of code, and the files for what is said.
Each such process begins where ``python -m loadtests.load`` is once it has imported, and shares
nothing with the next. Locust patches whoever imports it; the tests' own process stays as it is.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = "loadtests/locustfile.py"
Done = subprocess.CompletedProcess[str]
_LOCUST, _CODE = ["-m", "loadtests.load"], "-c"


class Brood:
    """What starts such processes; where none can fork, each starts from the beginning."""

    def locust(self, line: str, *words: str, file: str = OURS) -> Done:
        """Run it on a locustfile with the words of ``line``; ``words`` may hold spaces."""
        return self._run([*_LOCUST, "-f", file, *line.split(), *words])

    def apart(self, code: str) -> Done:
        """Run code that must not fail."""
        done = self._run([_CODE, code])
        assert done.returncode == 0, done.stderr
        return done

    def _run(self, words: Sequence[str]) -> Done:
        return subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


class _Forking(Brood):
    def __init__(self, parent: subprocess.Popen[str], folder: str) -> None:
        self._parent = parent
        self._said = [f"{folder}/stdout", f"{folder}/stderr"]

    def _run(self, words: Sequence[str]) -> Done:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        print(json.dumps([words, self._said]), file=self._parent.stdin, flush=True)
        status = int(self._parent.stdout.readline())
        texts = [Path(path).read_text(encoding="utf-8") for path in self._said]
        return subprocess.CompletedProcess(words, status, *texts)


@contextmanager
def one_brood() -> Iterator[Brood]:
    """Start one, and end it with all that it started."""
    if not hasattr(os, "fork"):
        yield Brood()
        return
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryDirectory(prefix="duplex-") as folder,
        subprocess.Popen(
            [sys.executable, "-m", "tests.loadtests.brood"],
            cwd=ROOT,
            stdin=pipe,
            stdout=pipe,
            text=True,
            start_new_session=True,
        ) as parent,
    ):
        try:
            yield _Forking(parent, folder)
        finally:
            os.killpg(parent.pid, signal.SIGKILL)


def _be(words: Sequence[str], said: Sequence[str]) -> None:
    """Be what was asked for, in a process of its own."""
    for number, path in enumerate([os.devnull, *said]):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY
        os.dup2(os.open(path, flags, 0o600), number)
    random.seed()
    if words[0] == _CODE:
        exec(words[1], {"__name__": "__main__"})
    else:
        from loadtests.load.__main__ import main

        sys.argv[1:] = words[len(_LOCUST) :]
        main()


def _main() -> None:
    from loadtests.load.__main__ import imported
    from wire.techniques import SLUGS

    imported()
    for name in (*SLUGS, "load.conductor", "load.web_tab", "load.recorder", "load.closing"):
        import_module(f"loadtests.{name}")
    from gevent import get_hub
    from gevent.monkey import get_original
    from gevent.os import fork_gevent

    wait = get_original("os", "waitpid")
    for line in sys.stdin:
        if not (child := fork_gevent()):
            get_hub().loop.update_now()  # which would show the time of the fork's parent
            _be(*json.loads(line))
            return
        print(os.waitstatus_to_exitcode(wait(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _main()
