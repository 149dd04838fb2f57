"""Every gate in one go, the fast ones first: `python3 lab.py test`, or `python -m tests`.

ruff, tsc, mypy, the fast tests, then the slow ones; the first that fails ends it. Where all tests
run, mypy is one of the slow ones: it keeps one core for most of a minute.
System programs that slow tests need are installed by apt where that is ours to do (root on a
Debian-like system); elsewhere this tells how to get them, and the tests that need them are skipped
and say so. In CI (CI=true) none may be skipped for a program that can be installed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from tests.support import chromium

ROOT = Path(__file__).resolve().parent.parent
NODE = "Playwright's node"
FAILED, NOTHING_SELECTED = 1, 5  # pytest's exit statuses
CORES = min(os.cpu_count() or 1, 4)
MORE_WORKERS = {"not slow": 1, "slow": 3}  # than cores: tests wait, slow ones most of the time


class Part(NamedTuple):
    """A program that tests need and no Python package brings: its names and where to get it.

    Debian starts a `service` as soon as it is installed. What is `spared` not every system has to
    offer: even in CI its tests may be skipped.
    """

    name: str
    programs: tuple[str, ...]
    package: str
    elsewhere: str
    service: bool = False
    spared: bool = False


PARTS = (
    Part(
        "Chromium",
        chromium.NAMES,
        "chromium",
        "elsewhere `brew install --cask chromium`, or any Chrome on the PATH",
    ),
    Part(
        "Chromium without windows",
        ("chromium-headless-shell",),
        "chromium-headless-shell",
        "elsewhere any Chrome stands in for it, so none is, but all take longer",
        spared=True,
    ),
    Part(
        "Firefox",
        ("firefox-esr", "firefox"),
        "firefox-esr",
        "elsewhere `brew install --cask firefox`, or any Firefox on the PATH",
        spared=True,
    ),
    Part("nginx", ("nginx",), "nginx-light", "elsewhere `brew install nginx`, or nginx.org", True),
    Part(
        "nchan",
        ("/usr/lib/nginx/modules/ngx_nchan_module.so",),
        "libnginx-mod-nchan",
        "elsewhere it is a module that nginx is built with: nchan.io",
    ),
    Part("Node.js", ("node",), "nodejs", "elsewhere `brew install node`, or nodejs.org"),
    Part("npm", ("npm",), "npm", "elsewhere it comes with Node.js"),
    Part(
        "HAProxy",
        ("haproxy",),
        "haproxy",
        "elsewhere `brew install haproxy`, or haproxy.org",
        service=True,
    ),
    Part("tshark", ("tshark",), "tshark", "elsewhere `brew install wireshark`, or wireshark.org"),
    Part(
        "nghttpx", ("nghttpx",), "nghttp2-proxy", "elsewhere `brew install nghttp2`", service=True
    ),
    Part("Squid", ("squid",), "squid", "elsewhere `brew install squid`, or squid-cache.org", True),
    Part(
        "tinyproxy",
        ("tinyproxy",),
        "tinyproxy",
        "elsewhere `brew install tinyproxy`, or tinyproxy.github.io",
        service=True,
    ),
    Part("OpenSSL", ("openssl",), "openssl", "elsewhere `brew install openssl`, or openssl.org"),
    Part("curl", ("curl",), "curl", "elsewhere `brew install curl`, or curl.se"),
    Part("ip", ("ip",), "iproute2", "elsewhere there is none: it is Linux's"),
    Part(
        "libatomic (Playwright's Node starts with it)",
        (NODE,),
        "libatomic1",
        "elsewhere it is a part of GCC's libraries",
    ),
)
GATES = {
    "ruff check": ("ruff", "check"),
    "ruff format": ("ruff", "format", "--check"),
    "tsc": ("tests.javascript",),
    "mypy": ("mypy",),
}
A_TEST_TOO = "mypy"


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
    if not options.fast and not provide_parts():
        return 1
    is_whole = not options.fast and not options.pytest
    gates = [name for name in GATES if not (is_whole and name == A_TEST_TOO)]
    return check_code(gates) or run_tests(options.fast, options.pytest)


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


def run_tests(fast: bool, pytest: Sequence[str], run: Callable[..., int] = run) -> int:
    """Run the fast tests, then the slow ones unless `fast`; `pytest` narrows both.

    Pytest says the last word: its closing line is what a reader and a CI look for. A run in which
    no test was selected is a failure, but for a side on which there is nothing: no slow test
    exists, or the selection names tests of the other side only. A slow one that fails in this crowd
    is run again alone; that counts.
    """
    ran = False
    for name, mark in [("fast tests", "not slow"), ("slow tests", "slow")][: 1 if fast else 2]:
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


def provide_parts() -> bool:
    """Install the missing programs where that is ours to do, else tell how to get them.

    False where tests would have to be skipped and may not: in CI.
    """
    missing = missing_parts()
    apt = bool(missing and os.name == "posix" and shutil.which("apt-get"))
    if apt and os.geteuid() == 0:
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        run("apt-get", "update", "-qq")
        packages = [part.package for part in missing if is_offered(part)]
        print(f"== apt-get install {' '.join(packages)}", flush=True)
        options = ("-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0")  # no bars
        run("apt-get", "install", *options, *packages)
        if services := services_of(missing):
            run("systemctl", "disable", "--now", *services)
        missing = missing_parts()
    in_ci = os.environ.get("CI", "").lower() in ("1", "true")
    for_others = [part for part in missing if apt and os.geteuid() != 0 and is_offered(part)]
    for part in missing:
        if in_ci or part not in for_others:
            print(explain(part, in_ci and not part.spared), flush=True)
    if for_others:
        packages = [part.package for part in for_others]
        line = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
        if services := services_of(for_others):
            line += f" && sudo systemctl disable --now {' '.join(services)}"
        print(f"Missing: {', '.join(part.name for part in for_others)}.")
        print("Tests that need these are skipped. To get them all, you or an administrator:")
        print(f"\n    sudo apt-get update && sudo {line}\n", flush=True)
    return not (in_ci and any(not part.spared for part in missing))


def is_offered(part: Part) -> bool:
    """Tell whether apt is to be asked for a part: what it does not know lets it install nothing."""
    return not part.spared or has(part.package)


def services_of(parts: Sequence[Part]) -> list[str]:
    """Return what systemd starts at once, and should not: the tests start their own."""
    here = Path("/run/systemd/system").is_dir()
    return [part.programs[0] for part in parts if part.service and here]


def has(package: str) -> bool:
    """Tell whether apt knows a package: Debian's Firefox has another name elsewhere."""
    return subprocess.run(("apt-cache", "show", package), capture_output=True).returncode == 0


def missing_parts(which: Callable[[str], str | None] = shutil.which) -> list[Part]:
    """Return the parts that are not found: on the PATH, where Debian keeps servers, or a file."""

    def is_here(name: str) -> bool:
        if name is NODE:
            return chromium.node_starts()
        return bool(which(name) or which(f"/usr/sbin/{name}") or Path("/", name).is_file())

    return [part for part in PARTS if not any(map(is_here, part.programs))]


def explain(part: Part, in_ci: bool) -> str:
    """Tell what a missing part means and how to get it."""
    so = "and in CI no test may be skipped for it" if in_ci else "tests that need it are skipped"
    return f"{part.name} is missing: {so}. `apt install {part.package}`; {part.elsewhere}."


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
