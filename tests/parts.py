"""Programs that tests need and no Python package brings: which are missing, and how to get them.

They are installed by apt where that is ours to do (root on a Debian-like system), beside the gates
and tests that need none of them: it waits for the network and the disk most of the time. Elsewhere
this tells how to get them, and the tests that need them are skipped and say so. In CI (CI=true)
none may be skipped for a program that can be installed.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support import chromium

NODE = "Playwright's node"
UNASKED = ("-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0")


class Part(NamedTuple):
    """A program that tests need and no Python package brings: its names and where to get it.

    Debian starts a `service` as soon as it is installed. What is `spared` not every system has to
    offer: even in CI its tests may be skipped. Fast tests need what comes `early`.
    """

    name: str
    programs: tuple[str, ...]
    package: str
    elsewhere: str
    service: bool = False
    spared: bool = False
    early: bool = False


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
    Part(
        "OpenSSL",
        ("openssl",),
        "openssl",
        "elsewhere `brew install openssl`, or openssl.org",
        early=True,
    ),
    Part("curl", ("curl",), "curl", "elsewhere `brew install curl`, or curl.se", early=True),
    Part("ip", ("ip",), "iproute2", "elsewhere there is none: it is Linux's"),
    Part(
        "libatomic (Playwright's Node starts with it)",
        (NODE,),
        "libatomic1",
        "elsewhere it is a part of GCC's libraries",
    ),
)


class Coming:
    """The missing parts, as they come: asked for when it begins, and awaited when they are needed.

    Those that fast tests need are there at once.
    """

    def __init__(self) -> None:
        missing = missing_parts()
        self._has_apt = os.name == "posix" and shutil.which("apt-get") is not None
        self._is_told = False
        self._install: subprocess.Popen[bytes] | None = None
        if not (missing and self._has_apt and os.geteuid() == 0):
            return
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - open while apt speaks
        self._apt_get("update").wait()
        for early in (True, False):
            packages = [one.package for one in missing if one.early is early and is_offered(one)]
            if packages:
                self._install = self._apt_get("install", *packages)
                if early:
                    self._install.wait()
        self._services = services_of(missing)

    @property
    def is_under_way(self) -> bool:
        """Whether something still comes."""
        return self._install is not None

    def settle(self) -> None:
        """Wait until nothing more comes: what installs is never stopped halfway."""
        if self._install is None:
            return
        started = time.monotonic()
        status = self._install.wait()
        self._install = None
        print(f"== apt-get ended {time.monotonic() - started:.1f} s later", flush=True)
        with self._said as said:
            said.seek(0)
            if status:
                print(said.read().decode(errors="replace")[-5000:], flush=True)
        if self._services:
            subprocess.run(("systemctl", "disable", "--now", *self._services))

    def are_enough(self) -> bool:
        """Wait for them, and tell of each that is missing all the same how to get it.

        False where tests would have to be skipped and may not: in CI.
        """
        self.settle()
        missing = missing_parts()
        in_ci = os.environ.get("CI", "").lower() in ("1", "true")
        if not self._is_told:
            self._is_told = True
            self._tell(missing, in_ci)
        return not (in_ci and any(not part.spared for part in missing))

    def _tell(self, missing: Sequence[Part], in_ci: bool) -> None:
        may_ask = self._has_apt and os.geteuid() != 0
        for_others = [part for part in missing if may_ask and is_offered(part)]
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

    def _apt_get(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start apt-get, which asks nobody, and is heard only where it fails."""
        print(f"== apt-get {' '.join(words)}", flush=True)
        return subprocess.Popen(
            ("apt-get", *UNASKED, *words),
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )


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
