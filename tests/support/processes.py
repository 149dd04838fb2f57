"""Servers somewhere, and programs of ours in processes of their own."""

import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any
from urllib.parse import urlsplit

import psutil

from tests.support.forked import IS_POSSIBLE, Forked
from tests.support.waiting import PATIENCE_S
from wire.ready_line import decode_ready_lines
from wire.techniques import OWN_PORT

ROOT = Path(__file__).resolve().parents[2]
# aiohttp reads whom the system trusts when it is imported, a fifth of what it costs to start a
# server; no server asks.
TRUSTING_NOBODY = {"SSL_CERT_FILE": os.devnull}

# Limits itself, then becomes what is started: nothing of the test's own process changes.
_LIMITED = (
    "import json, os, resource, sys;"
    "[resource.setrlimit(getattr(resource, f'RLIMIT_{name}'), (most, most))"
    " for name, most in json.loads(sys.argv[1]).items()];"
    "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)


class Started:
    """A Python with these words after it; its standard output is read line by line.

    Which ``python``, in which ``folder`` and with which ``environment``, a subclass may say. A
    module of ours begins as a fork, unless ``is_afresh``: where it is tested how one starts, takes
    signals, or ends. ``limits`` of the system hold for it: ``NOFILE`` descriptors, ``AS`` bytes of
    its address space.
    """

    python: Sequence[str] = (sys.executable,)
    folder = ROOT
    environment: Mapping[str, str] | None = None
    is_afresh = False

    def __init__(
        self,
        *words: str,
        errors: IO[bytes] | None = None,
        limits: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        environment = {**(self.environment or os.environ), **TRUSTING_NOBODY}
        is_usual = (self.python, self.folder, self.environment) == (Started.python, ROOT, None)
        self.child: subprocess.Popen[str] | Forked
        if IS_POSSIBLE and is_usual and words[0] == "-m" and not self.is_afresh:
            self.child = Forked(words[1:], ROOT, environment, limits, errors)
        else:
            if limits:
                words = ("-c", _LIMITED, json.dumps(dict(limits)), *words)
            self.child = subprocess.Popen(
                [*self.python, *words],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    @cached_property
    def process(self) -> psutil.Process:
        return psutil.Process(self.child.pid)

    def line(self) -> str:
        """Return the next line, empty where it has ended."""
        assert self.child.stdout is not None
        return self.child.stdout.readline()

    def descriptors(self) -> int:
        return int(self.process.num_fds())

    def resident_bytes(self) -> int:
        return int(self.process.memory_info().rss)

    def stop(self, patience: float = PATIENCE_S) -> int:
        """Send SIGTERM, wait, and return the exit status."""
        if self.child.poll() is None:
            self.child.terminate()
        try:
            return self.child.wait(patience)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise
        finally:
            assert self.child.stdout is not None
            self.child.stdout.close()


def trust_everywhere(cafile: str) -> None:
    """Let the clients that are not ours trust what is in a file of certificates."""
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        os.environ[name] = cafile


class ServerAddress:
    """A server that listens somewhere: ``url`` of its pages, and the port of its plugin socket.

    ``without`` names the techniques that it has not; ``cafile`` has whom to trust, where it speaks
    TLS by a certificate that this system does not trust.
    """

    def __init__(
        self, url: str, plugin_port: int, without: Collection[str] = (), cafile: str | None = None
    ) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        self.host = parts.hostname or ""
        self.is_secure = parts.scheme == "https"
        self.port = parts.port or (443 if self.is_secure else 80)
        self.cafile = cafile
        self.plugin_port = plugin_port
        self.without = frozenset(without)

    def port_of(self, slug: str) -> int:
        return self.plugin_port if slug in OWN_PORT else self.port

    @property
    def context(self) -> ssl.SSLContext | None:
        """Whom to trust there; ``None`` where nothing is encrypted."""
        return ssl.create_default_context(cafile=self.cafile) if self.is_secure else None

    @property
    def ws_url(self) -> str:
        """The same address for a WebSocket."""
        return f"{'wss' if self.is_secure else 'ws'}://{self.url.partition('//')[2]}"

    def stats(self) -> dict[str, Any]:
        asked = f"{self.url}/stats"
        with urllib.request.urlopen(asked, timeout=PATIENCE_S, context=self.context) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def descriptors(self) -> int:
        """How many descriptors it has open, as far as one can see from here."""
        return int(self.stats()["process"]["open_sockets"])


# For servers of which bytes are counted: no sign of life comes in between, once in a thousand runs.
QUIET = ("--heartbeat", "3600")


class ServerProcess(Started, ServerAddress):
    """`python -m servers` on free ports, or another ``module`` that starts them.

    ``launcher`` stands before it on the command line; ``errors`` takes what it says on stderr.
    ``options`` are given to every one.
    """

    module = "servers"
    options: Sequence[str] = ()

    def __init__(
        self,
        *arguments: str,
        port: int = 0,
        launcher: Sequence[str] = (),
        errors: IO[bytes] | None = None,
        limits: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        ports = ["--port", str(port), "--plugin-port", "0"]
        command = ["-m", self.module, *ports, *self.options, *arguments]
        super().__init__(*launcher, *command, errors=errors, limits=limits)
        line = self.line()
        ready = decode_ready_lines(line, "servers")
        if not ready:
            self.stop()
            raise AssertionError(f"the server said {line!r} and ended: {self.said()}")
        trust = ready[0].trust or None
        ServerAddress.__init__(self, ready[0].url, ready[0].plugin_port, cafile=trust)
        if trust:
            trust_everywhere(trust)

    def said(self) -> str:
        """Return what it wrote to stderr so far, where that is kept."""
        return ""


class AfreshServer(ServerProcess):
    """A server that began as `python -m servers` does, and not as a fork."""

    is_afresh = True


class Lecture(Started):
    """`python -m servers --lecture` on free ports."""

    command: Sequence[str] = ("-m", "servers")

    def __init__(
        self,
        *arguments: str,
        errors: IO[bytes] | None = None,
        limits: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        words = [*self.command, "--lecture", "--port", "0", "--no-open", *arguments]
        super().__init__(*words, errors=errors, limits=limits)
        said = [self.line()]
        while "Ctrl-C" not in said[-1]:
            assert said[-1], f"the lecture ended; it said {said}"
            said.append(self.line())
        self.said = said
        (ready,) = decode_ready_lines(said[0], "lecture")
        direct = re.search(r"techniques themselves: (\S+)", "".join(said))
        assert direct
        self.url, _, self.key = ready.url.partition("#key=")
        self.direct = direct[1]


class QuickLecture(Lecture):
    """One whose stages begin as forks, as it does."""

    command = ("-m", "tests.support.forked_stage" if IS_POSSIBLE else "servers")
