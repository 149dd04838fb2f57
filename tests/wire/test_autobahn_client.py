"""The Autobahn Testsuite's server against our codec as a client: no case may fail."""

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.autobahn import HOW_TO_GET_IT, MOST_SECONDS, bad_cases, cases, find_wstest
from tests.support.engines import free_port
from wire import web_socket_deflate
from wire.errors import WebSocketError
from wire.http_head import END, decode_response_head
from wire.web_socket_deflate import Agreement
from wire.web_socket_frames import Opcode, encode_frame
from wire.web_socket_handshake import check_response, encode_opening
from wire.web_socket_messages import Binary, Close, MessageDecoder, Ping, Text, encode_close

AGENT = "wire"

CASES, COUNT = cases("client")
# Not strict: text in one frame that TCP brings in pieces is checked when the frame is there.


class Connection:
    """A blocking WebSocket connection to the suite, as small as it can be."""

    def __init__(self, port: int, target: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        try:
            self._shake_hands(port, target)
        except BaseException:
            self.socket.close()  # or its warning comes up in whichever test runs next
            raise
        self.decoder = MessageDecoder(
            masked=False, limit=64 * 2**20, deflate=self.agreement is not None
        )

    def _shake_hands(self, port: int, target: str) -> None:
        nonce, offer = os.urandom(16), web_socket_deflate.offer()
        host = ("Host", f"127.0.0.1:{port}")
        self.socket.sendall(encode_opening(target, [host], nonce, extension=offer))
        data = b""
        while END not in data:
            data += self.socket.recv(65536)
        head, _, self.rest = data.partition(END)
        _, self.agreement = check_response(decode_response_head(head), nonce, extension=offer)

    def echo(self) -> list[str]:
        """Send back what comes until the connection ends; return the texts."""
        texts = []
        data = self.rest
        with self.socket, contextlib.suppress(ConnectionError):
            while data or (data := self.socket.recv(2**18)):
                answer, last = self.answer(data)
                texts += [event.text for event in self.decoder.events if isinstance(event, Text)]
                self.socket.sendall(answer)
                if last:
                    while self.socket.recv(65536):
                        pass  # the server closes first, as RFC 6455, 7.1.1 asks
                    break
                data = b""
        return texts

    def answer(self, data: bytes) -> tuple[bytes, bool]:
        """Return what to say to ``data``, and whether that ends the conversation."""
        fault = b""
        try:
            self.decoder.decode(data)
        except WebSocketError as error:
            fault = encode_close(error.code, error.reason, os.urandom(4))
        out = b""
        for event in self.decoder.events:
            if isinstance(event, Text):
                out += message(Opcode.TEXT, event.text.encode(), self.agreement)
            elif isinstance(event, Binary):
                out += message(Opcode.BINARY, event.data, self.agreement)
            elif isinstance(event, Ping):
                out += encode_frame(Opcode.PONG, event.payload, mask=os.urandom(4))
            elif isinstance(event, Close):
                return out + encode_close(event.code, mask=os.urandom(4)), True
        return out + fault, bool(fault)


def message(opcode: Opcode, payload: bytes, agreement: Agreement | None) -> bytes:
    if agreement is None:
        return encode_frame(opcode, payload, mask=os.urandom(4))
    data = web_socket_deflate.deflate(payload, agreement.window_bits)
    return encode_frame(opcode, data, mask=os.urandom(4), rsv1=True)


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[int]:
    """Start the suite's server and return its port."""
    program = find_wstest()
    if program is None:
        pytest.skip(HOW_TO_GET_IT)
    port = free_port()
    plan = {"url": f"ws://127.0.0.1:{port}", "outdir": str(tmp_path), "cases": CASES}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    command = [program, "-m", "fuzzingserver", "-s", str(tmp_path / "plan.json"), "--webport=0"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
    try:
        wait_for(port, process, tmp_path / "log")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    pytest.fail(f"wstest does not listen: {log.read_text()}")


@pytest.mark.slow
@pytest.mark.timeout(MOST_SECONDS)
def test_no_case_of_the_suite_fails_with_the_codec_as_a_client(suite: int, tmp_path: Path) -> None:
    (count,) = Connection(suite, "/getCaseCount").echo()
    assert int(count) == COUNT
    for case in range(1, int(count) + 1):
        Connection(suite, f"/runCase?case={case}&agent={AGENT}").echo()
    Connection(suite, f"/updateReports?agent={AGENT}").echo()
    assert bad_cases(tmp_path / "index.json", AGENT) == (int(count), {})
