"""Exact oracles: sizes, counts and keys that allow no tolerance, on real sockets.

What is expected is computed by ``wire`` from the messages themselves; what is measured are the
kernel's and the relay's counts of the same exchange.
"""

import os
import re
import socket
from collections.abc import Callable, Iterable
from typing import Any

import clients
from clients.client import Client
from clients.net.desk import Desk
from clients.net.schedule import await_true
from clients.net.traffic import TcpTotals
from loadtests.calibration.checks import exactly
from loadtests.trials.processes import Core, Relay, Server
from results.models import frame_head
from results.record.rows import CheckRow
from wire import line_stream
from wire.chunked import encode_chunk
from wire.event_stream import encode_event
from wire.json_lines import encode_line
from wire.message import Message, encode_message, load_json
from wire.script_stream import encode_script
from wire.tcp_info import SIZE, decode_tcp_info
from wire.techniques import BY_SLUG, OWN_PORT, SLUGS, TECHNIQUES, Delivery
from wire.web_socket_frames import Opcode, encode_frame
from wire.web_socket_handshake import accept_key, encode_opening

# The key of RFC 6455, 1.3, and one whose answer a lecture once printed four characters short.
ACCEPTS = {
    "dGhlIHNhbXBsZSBub25jZQ==": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    "x3JJHMbDL1EzLkh9GBhXDw==": "HSmrc0sMlYUkAGmm5OPpG2HaGWk=",
}
FRAME_SIZES = (125, 126, 65_535, 65_536)
# What each codec makes of a message on a stream, from its JSON and its cursor.
FRAMINGS: dict[str | None, Callable[[bytes, str], bytes]] = {
    "json_lines": lambda body, _: encode_line(body),
    "script_stream": lambda body, _: encode_chunk(encode_script(body)),
    "line_stream": lambda body, _: encode_chunk(line_stream.encode_line(body)),
    "event_stream": lambda body, cursor: encode_chunk(encode_event(body, cursor)),
    "web_socket_frames": lambda body, _: encode_frame(Opcode.TEXT, body),
}
_WAIT_S = 10.0


class CountingRelay(Relay):
    """A relay that can be asked what passed it, in front of HTTP port and plugin port."""

    def __init__(self, server: Server, core: Core = None) -> None:
        super().__init__(server, core=core, has_door=True)
        self._desk = Desk(self.door, _WAIT_S)

    def end(self) -> None:
        """End the relay, and close the line to its door."""
        self._desk.close()
        super().end()

    def await_quiet(self) -> None:
        """Wait until no connection is open, so that nothing of earlier ones is still counted."""
        await_true(lambda: not any(item["open"] for item in self._state()), _WAIT_S, 0.01)

    def _state(self) -> list[dict[str, Any]]:
        relays = load_json(self._desk.ask("GET", "/state", 200))["relays"]
        return [relay["connections"] for relay in relays]

    def counts(self) -> tuple[int, int, int]:
        """Return connections opened, bytes up and bytes down so far, of both relays."""
        found = self._state()
        return (
            sum(item["opened"] for item in found),
            sum(item["bytes_up"] for item in found),
            sum(item["bytes_down"] for item in found),
        )


def accept_checks(server: Server) -> Iterable[CheckRow]:
    """Open WebSockets by hand with known keys, and compare the server's answers and our own."""
    for key, expected in ACCEPTS.items():
        with socket.create_connection((server.host, server.port), _WAIT_S) as sock:
            sock.sendall(
                b"GET /web_socket HTTP/1.1\r\nHost: %b\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Key: %b\r\n"
                b"Sec-WebSocket-Version: 13\r\n\r\n" % (server.host.encode(), key.encode())
            )
            head = _until(sock, b"\r\n\r\n").decode("latin-1")
        found = re.search(r"(?i)^sec-websocket-accept: (\S+)\r$", head, re.MULTILINE)
        same = found is not None and found[1] == expected == accept_key(key)
        yield exactly(f"accept of {key[:6]}...", 1, int(same), "equal", expected)


def frame_checks(server: Server) -> Iterable[CheckRow]:
    """Echo frames of the sizes at which their heads grow; the kernel counts."""
    with socket.create_connection((server.host, server.port), _WAIT_S) as sock:
        fields = [("Host", server.host)]
        sock.sendall(encode_opening("/web_socket/echo", fields, os.urandom(16)))
        _until(sock, b"\r\n\r\n")
        for size in FRAME_SIZES:
            sent, received = _kernel_counts(sock)
            sock.sendall(encode_frame(Opcode.BINARY, bytes(size), mask=os.urandom(4)))
            left = size + frame_head(size)
            while left > 0 and (data := sock.recv(left)):
                left -= len(data)
            now_sent, now_received = _kernel_counts(sock)
            up, down = now_sent - sent - size, now_received - received - size
            yield exactly(f"frame head up at {size} B", frame_head(size, True), up, "bytes")
            yield exactly(f"frame head down at {size} B", frame_head(size), down, "bytes")


def message_checks(server: Server, slug: str, count: int = 50) -> Iterable[CheckRow]:
    """Receive messages one at a time; each costs exactly its JSON and the technique's framing."""
    framed = FRAMINGS[BY_SLUG[slug].codec]
    options = {"plugin_port": server.plugin_port} if slug in OWN_PORT else {}
    with (
        clients.open(slug, server.url, f"sizes-{slug}", **options) as client,
        clients.open("polling", server.url, f"sizes-{slug}") as sender,
    ):
        before = _received(client)
        expected = 0
        for number in range(count):
            sender.send(f"message {number} äöü <&> " + "x" * number * 7, sender="calibrate")
            item = client.receive(_WAIT_S)
            assert isinstance(item, Message), f"{slug} did not deliver"
            expected += len(framed(encode_message(item), client.cursor or ""))
        measured = _received(client) - before
    yield exactly(f"{count} messages down", expected, measured, "bytes", "TCP payload, kernel")


def exchange_checks(server: Server, relay: CountingRelay, slug: str) -> Iterable[CheckRow]:
    """Send and receive through the relay: connections, and relay and kernel agree on bytes."""
    relay.await_quiet()
    opened, up, down = relay.counts()
    technique = BY_SLUG[slug]
    options: dict[str, float] = {}
    if technique.own_port:
        options["plugin_port"] = relay.plugin_port
    if technique.asks:
        options["interval"] = 0.05
    with clients.open(slug, relay.url, f"exchange-{slug}", **options) as client:
        for number in range(3):
            client.send(f"message {number}")
            assert client.receive(_WAIT_S) is not None, f"{slug} did not deliver"
        if technique.delivery is Delivery.REQUEST:
            client.receive(0.0)  # the next request is under way when the counts are compared
        now, kernel = _settled(relay, client, up, down)
    expected = 1 if technique.two_way else 2
    note = "one both ways" if technique.two_way else "one to receive on, one to send on"
    yield exactly("TCP connections", expected, now[0] - opened, "connections", note)
    if kernel is not None:
        yield exactly("bytes up", kernel.bytes_sent, now[1] - up, "bytes", "relay and kernel")
        yield exactly(
            "bytes down", kernel.bytes_received, now[2] - down, "bytes", "relay and kernel"
        )


def _settled(
    relay: CountingRelay, client: Client, up: int, down: int
) -> tuple[tuple[int, int, int], TcpTotals | None]:
    """Read relay and kernel until nothing is under way between them, or long enough."""
    seen: list[tuple[tuple[int, int, int], TcpTotals | None]] = []

    def agree() -> bool:
        now, kernel = relay.counts(), client.tcp_info()
        seen.append((now, kernel))
        return kernel is None or (kernel.bytes_sent, kernel.bytes_received) == (
            now[1] - up,
            now[2] - down,
        )

    await_true(agree, 2.0)
    return seen[-1]


def all_checks(server: Server, relay: CountingRelay) -> Iterable[tuple[str, CheckRow]]:
    """Yield every exact check with its technique."""
    for check in (*accept_checks(server), *frame_checks(server)):
        yield "web_socket", check
    for technique in TECHNIQUES:
        if technique.streams:
            for check in message_checks(server, technique.slug):
                yield technique.slug, check
    for slug in SLUGS:
        for check in exchange_checks(server, relay, slug):
            yield slug, check


def _received(client: Client) -> int:
    totals = client.tcp_info()
    return totals.bytes_received if totals is not None else client.bytes_down


def _kernel_counts(sock: socket.socket) -> tuple[int, int]:
    info = decode_tcp_info(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, SIZE))
    # What had to be sent again, as happens on a busy host, counts there twice.
    return (info.bytes_sent or 0) - (info.bytes_retrans or 0), info.bytes_received or 0


def _until(sock: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end) and (more := sock.recv(1)):
        data += more
    return data
