"""The line by which a program of the suite says that it listens, written and read in one place.

Whoever starts it with port 0 learns from it where. After the program's name and ``ready`` stands
what that program has to tell:

    servers ready http://127.0.0.1:8000 plugin 127.0.0.1:8001
    servers ready https://127.0.0.1:8000 plugin 127.0.0.1:8001 trust /home/ana/duplex/.tls/ca.pem
    relay ready http://127.0.0.1:9000 -> 127.0.0.1:8000
    control ready http://127.0.0.1:9001
    baseline ready 8000 8001
    peer ready http://127.0.0.1:8000
"""

import re
from dataclasses import dataclass

_LINE = re.compile(
    r"^(?P<who>\w+) ready(?: (?P<url>https?://\S+))?(?: plugin (?P<plugin>\S+:\d+))?"
    r"(?: -> (?P<to>\S+:\d+))?(?P<ports>(?: \d+)*)(?: trust (?P<trust>[^\r\n]+))?\r?\n",
    re.MULTILINE,
)
_PLACE = re.compile(r"https?://(\[[^]]+\]|[^:/]+):(\d+)")


@dataclass(frozen=True, slots=True)
class ReadyLine:
    """What ``who`` says: its ``url``, the ``host:port`` of its plugin socket, ``to`` which
    ``host:port`` it leads, bare ``ports``, and whom to ``trust`` (a file of certificates); each
    only where there is something to tell.
    """

    who: str
    url: str = ""
    plugin: str = ""
    to: str = ""
    ports: tuple[int, ...] = ()
    trust: str = ""

    @property
    def host(self) -> str:
        """The host of the URL, an address of IPv6 in brackets; empty without a URL."""
        match = _PLACE.match(self.url)
        return match[1] if match else ""

    @property
    def port(self) -> int:
        """The port of the URL, 0 without one."""
        match = _PLACE.match(self.url)
        return int(match[2]) if match else 0

    @property
    def plugin_port(self) -> int:
        """The port of the plugin socket, 0 without one."""
        return int(self.plugin.rpartition(":")[2] or 0)


def encode_ready_line(line: ReadyLine) -> str:
    """Write the line, without its end."""
    parts = [f"{line.who} ready"]
    if line.url:
        parts.append(line.url)
    if line.plugin:
        parts.append(f"plugin {line.plugin}")
    if line.to:
        parts.append(f"-> {line.to}")
    parts += map(str, line.ports)
    if line.trust:
        parts.append(f"trust {line.trust}")  # at the end, as there may be spaces in it
    return " ".join(parts)


def decode_ready_lines(output: str, who: str) -> list[ReadyLine]:
    """Find all that ``who`` said so far in a program's ``output``; other lines may be among it.

    A line without its end is not read: the rest of it is still to come.
    """
    return [
        ReadyLine(
            who,
            match["url"] or "",
            match["plugin"] or "",
            match["to"] or "",
            tuple(map(int, match["ports"].split())),
            match["trust"] or "",
        )
        for match in _LINE.finditer(output)
        if match["who"] == who
    ]
