"""A process and all that it started, looked at without being felt.

What a look costs is taken from server or load beside it, and shows in their p99: asking the kernel
for every connection of a host takes tens of ms of a core, and for every process several. On Linux
a process' own folder in ``/proc`` tells both in a fraction of that.
"""

import contextlib
import os
import sys
import time
from pathlib import Path

import psutil


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and all that it started and still knows, without those that are gone."""
    found = []
    try:
        for one in _tree_on_linux(pid) if sys.platform == "linux" else [pid]:
            with contextlib.suppress(psutil.Error):
                found.append(psutil.Process(one))
        if sys.platform != "linux" and found:
            found += found[0].children(recursive=True)
    except psutil.Error:
        return []
    return found


def _tree_on_linux(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError), os.scandir(f"/proc/{one}/task") as tasks:
            for task in tasks:  # it, or all of it, may have ended just now
                found += map(int, Path(task.path, "children").read_bytes().split())
    return found


def cpu_s(process: psutil.Process) -> float:
    """Return the CPU time of all a process' threads, of those that ended, too.

    On Linux it is exact; elsewhere, and in ``/proc``, it counts in hundredths of a second, which at
    a light load are all that a second costs. Raises ``psutil.Error`` where it is gone.
    """
    if sys.platform == "linux":
        # The kernel's own number for another process' clock (clock_getcpuclockid(3)).
        with contextlib.suppress(OSError):
            return time.clock_gettime(~process.pid << 3 | 2)
    times = process.cpu_times()
    return float(times.user + times.system)


def connections(process: psutil.Process) -> int:
    """Count a process' connections. Raises ``psutil.Error`` where it is gone."""
    return sum(one.status == psutil.CONN_ESTABLISHED for one in process.net_connections("tcp"))


def sockets(process: psutil.Process) -> int:
    """Count what grows and shrinks as a process' connections do, and is counted at once.

    On Linux these are all its sockets, so those that listen, too. Raises ``psutil.Error`` where it
    is gone.
    """
    if sys.platform != "linux":
        return connections(process)
    folder, found = f"/proc/{process.pid}/fd", 0
    try:
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # closed just now
                found += os.readlink(f"{folder}/{name}").startswith("socket:")
    except PermissionError as error:
        raise psutil.AccessDenied(process.pid) from error
    except OSError as error:
        raise psutil.NoSuchProcess(process.pid) from error
    return found
