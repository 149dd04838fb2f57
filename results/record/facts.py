"""Where and with what a run was made. Nothing that is recorded names a host, a user or a path."""

import contextlib
import importlib.metadata
import os
import platform
import shlex
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

PACKAGES = (
    "aiohttp",
    "gevent",
    "hdrhistogram",
    "httptools",
    "locust",
    "matplotlib",
    "numpy",
    "pandas",
    "uvloop",
)


@dataclass(frozen=True, slots=True)
class ForeignServer:
    """Somebody else's server: what it is called, and the version of each of its parts.

    A version is empty where nobody tells it.
    """

    title: str
    versions: Mapping[str, str]

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {told or 'unknown'}" for name, told in self.versions.items())
        return f"{self.title}: {parts or 'versions not known'}"


_PROJECT = Path(__file__).resolve().parents[2]


def host_facts() -> dict[str, object]:
    """Return CPU model, cores (all, and usable by this process), memory in bytes, kernel, OS."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "usable_cores": _usable_cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "kernel": f"{platform.system()} {platform.release()}",
        "os": _os_name(),
        "machine": platform.machine(),
    }


def clock_facts() -> dict[str, object]:
    """Return what the monotonic clock is and its resolution in ns."""
    info = time.get_clock_info("monotonic")
    return {"name": info.implementation, "resolution_ns": info.resolution * 1e9}


@cache  # the sheets of nine packages are read for it
def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change a measurement."""
    versions = {"python": f"{platform.python_implementation()} {platform.python_version()}"}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def commit() -> str:
    """Return the commit of this code, ``+changes`` added if files differ; empty without Git."""
    here = Path(__file__).parent
    try:
        # Installed inside of another project's folder, the commit found would be that project's.
        _git("ls-files", "--error-unmatch", Path(__file__).name, cwd=here)
        head = _git("rev-parse", "HEAD", cwd=here)
        changed = _git("status", "--porcelain", "--untracked-files=no", cwd=here)
    except (OSError, subprocess.SubprocessError):
        return ""
    return head + ("+changes" if changed else "")


def command_line(words: Iterable[str]) -> str:
    """Join a command line, quoted for a shell, with every absolute path cut to its last name."""
    return shlex.join(_without_folder(word) for word in words)


def to_repeat(command: str) -> str:
    """Return the line that measures a run again, from its recorded command, for any shell.

    It starts our Python by itself, and names no folder: that one has its run already.
    """
    try:
        words = shlex.split(command)
    except ValueError:  # a run of before, or of a stranger, whose quotes do not pair
        return command
    if words[:3] != ["python", "-m", "loadtests"]:
        return command
    kept: list[str] = []
    for word, before in zip(words[3:], words[2:], strict=False):
        if before != "--out" and word != "--out" and not word.startswith("--out="):
            kept.append(word)
    return shlex.join(["python3", "lab.py", "compare", *kept])


def to_redraw(folder: Path) -> str:
    """Return the line that draws a run again; it is for the project's folder, as all of lab.py."""
    path = folder.resolve()
    with contextlib.suppress(ValueError):
        path = path.relative_to(_PROJECT)
    return shlex.join(["python3", "lab.py", "results", str(path)])


def _without_folder(word: str) -> str:
    option, equals, value = word.rpartition("=")
    return option + equals + (os.path.basename(value) if os.path.isabs(value) else value)


def _git(*words: str, cwd: Path) -> str:
    done = subprocess.run(
        ["git", *words], cwd=cwd, capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 0


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
