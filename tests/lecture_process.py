"""The lecture in a process of its own."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from wire.ready_line import decode_ready_lines

ROOT = Path(__file__).resolve().parent.parent


class Lecture:
    """`python -m servers --lecture` on free ports."""

    python: Sequence[str] = (sys.executable,)
    folder = ROOT
    environment: Mapping[str, str] | None = None

    def __init__(self, *arguments: str) -> None:
        command = [*self.python, "-m", "servers", "--lecture", "--port", "0", "--no-open"]
        self.child = subprocess.Popen(
            [*command, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.child.stdout is not None
        self.said = [self.child.stdout.readline()]
        while "Ctrl-C" not in self.said[-1]:
            assert self.said[-1], f"the lecture ended; it said {self.said}"
            self.said.append(self.child.stdout.readline())
        (ready,) = decode_ready_lines(self.said[0], "lecture")
        direct = re.search(r"techniques themselves: (\S+)", "".join(self.said))
        assert direct
        self.url, _, self.key = ready.url.partition("#key=")
        self.direct = direct[1]

    def stop(self) -> None:
        self.child.terminate()
        self.child.communicate(timeout=20)
