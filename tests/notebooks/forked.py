"""Kernels that are forked from one process which has loaded what all notebooks load.

Each is a kernel as any other, with its own process, folder and environment; only the loading of
the libraries, which takes most of a kernel's time, is done once. Run as a program, this is the
process that forks: for each line of JSON on its input it writes the id of a new kernel's process.
"""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from typing import Any

import psutil
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from tests.notebooks.books import ROOT

NAME = "forked"
COARSE = 30  # dots per inch of a picture: few are packed sooner, and no test looks at them here
Parent = subprocess.Popen[str]


class Process(psutil.Process):
    """A kernel's process as Jupyter's client wants one: it is a child of another process."""

    stdin = stdout = stderr = None

    def poll(self) -> int | None:
        return None if self.is_running() else 0


class Forked(LocalProvisioner):
    """Has kernels forked instead of starting them."""

    parent_of_all: Parent
    process: Any

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        words = cmd[cmd.index("ipykernel_launcher") + 1 :]
        asked = {"words": words, "env": kwargs["env"], "folder": kwargs["cwd"]}
        stdin, stdout = self.parent_of_all.stdin, self.parent_of_all.stdout
        assert stdin
        assert stdout
        print(json.dumps(asked), file=stdin, flush=True)
        self.pid = int(stdout.readline())
        self.process = Process(self.pid)
        return self.connection_info


@contextmanager
def parent_of_kernels() -> Iterator[Parent]:
    """Start the process that loads the libraries and forks; it ends with its input."""
    command, pipe = [sys.executable, "-m", __name__], subprocess.PIPE
    # As kernels have it: else the debugger, which is loaded along, warns of frozen modules.
    env = {**os.environ, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    with Parent(command, cwd=ROOT, env=env, text=True, stdin=pipe, stdout=pipe) as parent:
        yield parent


@contextmanager
def kernels_forked_from(parent: Parent) -> Iterator[None]:
    """Let all kernels that are started meanwhile be forked ones."""
    Forked.parent_of_all = parent
    factory = KernelProvisionerFactory.instance()
    group = KernelProvisionerFactory.GROUP_NAME
    factory.provisioners[NAME] = EntryPoint(NAME, f"{__name__}:{Forked.__name__}", group)
    before = factory.default_provisioner_name
    factory.default_provisioner_name = NAME
    try:
        yield
    finally:
        factory.default_provisioner_name = before


def become_kernel(words: list[str], env: dict[str, str], folder: str) -> None:
    from ipykernel.kernelapp import launch_new_instance

    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # which are for what is asked and answered
        os.dup2(nothing, stream)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    sys.path[0] = ""
    launch_new_instance(argv=words)


def load() -> None:
    """Load what kernels and notebooks load, and what is loaded with the first picture only."""
    import ipykernel.debugger  # which every kernel loads, used or not
    import ipykernel.kernelapp  # noqa: F401
    import ipywidgets  # noqa: F401

    import notebooks.course.exercises
    import notebooks.course.figures
    import notebooks.course.hands_on
    import notebooks.course.lab
    import results.summary  # noqa: F401
    from results.figures import style

    style.PNG_DPI = COARSE
    notebooks.course.figures.dots({"sse": [1.0, 2.0]}, "the first").png()


def main() -> None:
    load()
    gc.freeze()  # what all share is no kernel's garbage
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who has ended is gone at once
    for line in sys.stdin:
        if not (child := os.fork()):
            become_kernel(**json.loads(line))
            return
        print(child, flush=True)


if __name__ == "__main__":
    main()
