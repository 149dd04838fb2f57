"""A lecture of few descriptors and little memory, and one hostile address that spares it nothing.

The lecturer's orders are answered, another page's race goes on, and nothing grows. A few seconds of
each attack by default; ``DUPLEX_SIEGE_SECONDS=60`` besieges for a minute, holds every order to a
second, and with ``-s`` prints what was measured.
"""

import html
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.processes import Lecture
from tests.unbreakable.siege import ATTACKS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="addresses and limits as Linux has them"),
]
SECONDS = float(os.environ.get("DUPLEX_SIEGE_SECONDS", "4"))
IS_LONG = SECONDS >= 60
FILES, MEMORY = 1024, 300 * 2**20
MOST_LOG = 10**6
PATIENCE_S = 30.0
RATE = 10


def order(lecture: Lecture, name: str, fields: dict[str, object]) -> float:
    """Give one of the lecturer's orders on a new connection; return its seconds."""
    started = time.monotonic()
    patience = 1.0 if IS_LONG else PATIENCE_S
    connection = http.client.HTTPConnection(urlsplit(lecture.url).netloc, timeout=patience)
    connection.request("POST", f"/lecture/{name}", json.dumps(fields), {"Duplex-Key": lecture.key})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 200
    return time.monotonic() - started


def ports_of(lecture: Lecture) -> dict[str, int]:
    """Read in the page where its lines are."""
    address = urlsplit(lecture.url)
    connection = http.client.HTTPConnection(address.netloc, timeout=PATIENCE_S)
    connection.request("GET", "/")
    page = html.unescape(connection.getresponse().read().decode())
    connection.close()
    lines = re.search(r"data-lines=.(\{[^}]*\})", page)
    assert lines, page
    return {**json.loads(lines[1]), "page": address.port}


class Race:
    """Another viewer's lane: an event stream of the race through its line."""

    def __init__(self, port: int) -> None:
        self.numbers: list[int] = []
        self._talk = socket.create_connection(
            ("127.0.0.1", port), PATIENCE_S, source_address=("127.0.0.3", 0)
        )
        self._talk.sendall(b"GET /sse?channel=race HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        rest = b""
        try:
            while chunk := self._talk.recv(65536):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if found := re.search(rb'"sender":"source (\d+)"', line):
                        self.numbers.append(int(found[1]))
        except OSError:
            pass

    def stop(self) -> None:
        self._talk.shutdown(socket.SHUT_RDWR)
        self._talk.close()
        self._thread.join()


@pytest.mark.timeout(SECONDS * 2 + 120)
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_lecture_withstands_one_hostile_address(attack: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as errors:
        lecture = Lecture(limits=(FILES, MEMORY), errors=errors)
    race: Race | None = None
    hostile = None
    try:
        processes = [lecture.process, *lecture.process.children()]
        assert len(processes) == 2
        ports = ports_of(lecture)
        race = Race(ports["sse"])
        order(lecture, "source", {"rate": RATE, "size": 40})
        hostile = subprocess.Popen(
            [sys.executable, "-m", "tests.unbreakable.siege", attack, str(SECONDS + 60),
             json.dumps(ports)],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert hostile.stdout is not None
        assert hostile.stdout.readline() == b"attacking\n"
        began, raced = time.monotonic(), len(race.numbers)
        waits, sizes, most = [], [], [0, 0]
        while time.monotonic() - began < SECONDS:
            waits.append(order(lecture, "fits", {}))
            each = [one.memory_info().rss for one in processes]
            sizes.append(sum(each))
            most = [max(pair) for pair in zip(most, each, strict=True)]
            assert hostile.poll() is None
            time.sleep(0.1)
        took = time.monotonic() - began
        heard = len(race.numbers) - raced
        if IS_LONG:
            print(
                f"\n{attack}: {len(waits)} orders, the slowest {max(waits) * 1000:.0f} ms; "
                f"{heard} of about {RATE * took:.0f} messages; {sizes[0] / 2**20:.0f} MiB at first,"
                f" {max(sizes[: len(sizes) // 2]) / 2**20:.0f} and "
                f"{max(sizes[len(sizes) // 2 :]) / 2**20:.0f} at most in each half; "
                f"{log.stat().st_size} bytes of log; lecture {most[0] / 2**20:.0f} and stage "
                f"{most[1] / 2**20:.0f} MiB"
            )
            assert max(sizes[len(sizes) // 2 :]) < 1.2 * max(sizes[: len(sizes) // 2])
        assert heard > RATE * took / 2
        assert race.numbers == list(range(race.numbers[0], race.numbers[0] + len(race.numbers)))
        assert max(sizes) < MEMORY
    finally:
        if hostile is not None:
            hostile.kill()
            hostile.communicate()
        if race is not None:
            race.stop()
        lecture.stop()
    assert log.stat().st_size < MOST_LOG
    assert b"Traceback" not in log.read_bytes()
