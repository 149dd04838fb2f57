"""``python -m servers.relay.har FILE.pcapng``: a capture's HTTP exchanges as an HTTP Archive.

HAR 1.2 is what browsers export from their network panels, and what many viewers and scripts read:
a question and its answer each, with heads, bodies and times. It is read out of what the relay
wrote (``--pcap``), so every client has it, and the times are those at the client. An answer that
never ends (a stream) is told as far as it came; behind ``101 Switching Protocols`` HTTP is over.
"""

import argparse
import base64
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httptools

from wire.errors import CaptureError
from wire.pcapng import Packet, PcapngDecoder
from wire.tcp_packets import Flag


@dataclass(slots=True)
class _Message:
    """A request or an answer; times in ns since 1970."""

    began: int = 0
    ended: int = 0
    first: str = ""  # the method, or the status in words
    target: str = ""
    status: int = 0
    protocol: str = "HTTP/1.1"
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)


class _Reader:
    """Reads one direction of a connection; httptools calls the ``on_`` methods."""

    def __init__(self, requests: bool) -> None:
        kind = httptools.HttpRequestParser if requests else httptools.HttpResponseParser
        self.messages: list[_Message] = []
        self.is_http = True
        self._parser, self._now, self._over = kind(self), 0, False

    def read(self, data: bytes, now: int) -> None:
        """Take bytes that passed now."""
        self._now = now
        if not self.is_http or self._over:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._over = True
        except httptools.HttpParserError:
            self.is_http = bool(self.messages)
            self._over = True

    def on_message_begin(self) -> None:
        self.messages.append(_Message(began=self._now, ended=self._now))

    def on_url(self, url: bytes) -> None:
        self.messages[-1].target += url.decode("latin-1")

    def on_status(self, status: bytes) -> None:
        self.messages[-1].first += status.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.messages[-1].fields.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        message = self.messages[-1]
        message.protocol = f"HTTP/{self._parser.get_http_version()}"
        if isinstance(self._parser, httptools.HttpRequestParser):
            message.first = self._parser.get_method().decode("ascii")
        else:
            message.status = self._parser.get_status_code()
        message.ended = self._now

    def on_body(self, body: bytes) -> None:
        self.messages[-1].body += body
        self.messages[-1].ended = self._now

    def on_message_complete(self) -> None:
        self.messages[-1].ended = self._now


@dataclass(slots=True)
class _Talk:
    client: tuple[str, int]
    server: tuple[str, int]
    up: _Reader = field(default_factory=lambda: _Reader(requests=True))
    down: _Reader = field(default_factory=lambda: _Reader(requests=False))


def archive(capture: bytes) -> dict[str, Any]:
    """Return a HAR of a capture of ours, whose segments are in order.

    Raises :class:`~wire.errors.CaptureError` for what is no capture.
    """
    talks: dict[frozenset[tuple[str, int]], _Talk] = {}
    done: list[_Talk] = []
    for packet in PcapngDecoder().decode(capture):
        source, target, flags, data = _segment(packet)
        ends = frozenset((source, target))
        if flags & Flag.SYN and not flags & Flag.ACK:
            talks[ends] = _Talk(source, target)
            done.append(talks[ends])
        elif data and (talk := talks.get(ends)):
            reader = talk.up if source == talk.client else talk.down
            reader.read(data, packet.time_ns)
    entries = [entry for talk in done for entry in _entries(talk)]
    entries.sort(key=lambda entry: str(entry["startedDateTime"]))
    creator = {"name": "Duplex", "version": "unreleased"}
    return {"log": {"version": "1.2", "creator": creator, "entries": entries}}


def _segment(packet: Packet) -> tuple[tuple[str, int], tuple[str, int], Flag, bytes]:
    """Take an IP packet of ours apart: from where, to where, what for, and its data."""
    ip = packet.data
    begin, at, size = (20, 12, 4) if ip[0] >> 4 == 4 else (40, 8, 16)
    source, target = (str(ip_address(ip[n : n + size])) for n in (at, at + size))
    tcp = ip[begin:]
    ports = (int.from_bytes(tcp[n : n + 2], "big") for n in (0, 2))
    return (source, next(ports)), (target, next(ports)), Flag(tcp[13]), tcp[tcp[12] // 4 & ~3 :]


def _entries(talk: _Talk) -> list[dict[str, Any]]:
    if not (talk.up.is_http and talk.down.is_http):
        return []  # the plugin socket's own protocol
    answers = iter(talk.down.messages)
    return [_entry(talk, asked, next(answers, None)) for asked in talk.up.messages if asked.first]


def _entry(talk: _Talk, asked: _Message, answer: _Message | None) -> dict[str, Any]:
    host = dict((name.lower(), value) for name, value in asked.fields).get("host", "")
    url = f"http://{host or ':'.join(map(str, talk.server))}{asked.target}"
    told = answer or _Message(began=asked.ended, ended=asked.ended, first="(no answer)")
    timings = {
        "send": _ms(asked.ended - asked.began),
        "wait": _ms(max(told.began - asked.ended, 0)),
        "receive": _ms(told.ended - told.began),
    }
    began = datetime.fromtimestamp(asked.began / 1e9, UTC)
    return {
        "startedDateTime": began.isoformat(timespec="microseconds"),
        "time": round(sum(timings.values()), 3),
        "request": {
            "method": asked.first,
            "url": url,
            "httpVersion": asked.protocol,
            "cookies": [],
            "headers": _fields(asked),
            "queryString": [
                {"name": name, "value": value}
                for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)
            ],
            **({"postData": {"mimeType": _type(asked), **_text(asked)}} if asked.body else {}),
            "headersSize": -1,
            "bodySize": len(asked.body),
        },
        "response": {
            "status": told.status,
            "statusText": told.first,
            "httpVersion": told.protocol,
            "cookies": [],
            "headers": _fields(told),
            "content": {"size": len(told.body), "mimeType": _type(told), **_text(told)},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,  # chunks have their own framing, which is no part of the body
        },
        "cache": {},
        "timings": timings,
        "serverIPAddress": talk.server[0],
        "connection": str(talk.client[1]),
    }


def _fields(message: _Message) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in message.fields]


def _type(message: _Message) -> str:
    return next((value for name, value in message.fields if name.lower() == "content-type"), "")


def _text(message: _Message) -> dict[str, str]:
    with contextlib.suppress(UnicodeDecodeError):
        return {"text": message.body.decode()}
    return {"text": base64.b64encode(message.body).decode(), "encoding": "base64"}


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 3)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the archive beside the capture, or where ``--out`` says."""
    parser = argparse.ArgumentParser(
        "python -m servers.relay.har",
        description="Write the HTTP exchanges of a relay's capture as an HTTP Archive (HAR 1.2).",
    )
    parser.add_argument("capture", type=Path, help="a file of `python -m servers.relay --pcap`")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where to (default: beside it, .har)"
    )
    asked = parser.parse_args(arguments)
    out = asked.out or asked.capture.with_suffix(".har")
    try:
        found = archive(asked.capture.read_bytes())
        out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    except (OSError, CaptureError) as error:
        parser.exit(2, f"har: {error}\n")
    print(f"{out}: {len(found['log']['entries'])} exchanges")
    return 0


if __name__ == "__main__":
    sys.exit(main())
