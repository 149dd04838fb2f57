"""A lecture of few descriptors and little memory, and one hostile address that spares it nothing.

It outlives one attack after the other: the lecturer's orders are answered, another page finds a
seat, another's race goes on, and nothing grows. A few seconds of each attack by default;
``DUPLEX_SIEGE_SECONDS=60`` besieges for a minute, holds every order to a second, and with ``-s``
prints what was measured.

And the other side of each: with that bound lifted, the same attack works within seconds.
"""

import contextlib
import html
import http.client
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from servers.lecture.viewers import MOST_PAGES
from tests.support.depth import amount
from tests.support.processes import Lecture, Started
from tests.unbreakable.siege import ATTACKS
from tests.unbreakable.undefended import without

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="addresses and limits as Linux has them"),
]
SECONDS = amount("DUPLEX_SIEGE_SECONDS", usual=2, full=60)
IS_LONG = SECONDS >= 60
FILES, MEMORY = 1024, 300 * 2**20
LIMITS = {"NOFILE": FILES, "AS": MEMORY}
FULL = 200 * 2**20  # bytes, where each of the two processes starts with a fifth of them
MOST_LOG = 10**6
PATIENCE_S = 30.0
RATE = 10


def order(
    lecture: Lecture, name: str, fields: dict[str, object], patience: float = PATIENCE_S
) -> float:
    """Give one of the lecturer's orders on a new connection; return its seconds."""
    started = time.monotonic()
    connection = http.client.HTTPConnection(urlsplit(lecture.url).netloc, timeout=patience)
    with contextlib.closing(connection):
        path, key = f"/lecture/{name}", {"Duplex-Key": lecture.key}
        connection.request("POST", path, json.dumps(fields), key)
        answer = connection.getresponse()
        answer.read()
    assert answer.status == 200
    return time.monotonic() - started


def seat(lecture: Lecture, viewer: str) -> int:
    """Open a page's event stream from an address of its own, and leave; return the status."""
    connection = http.client.HTTPConnection(
        urlsplit(lecture.url).netloc, timeout=PATIENCE_S, source_address=("127.0.0.4", 0)
    )
    with contextlib.closing(connection):
        connection.request("GET", f"/lecture/events?viewer={viewer}")
        return connection.getresponse().status


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


@contextlib.contextmanager
def attacked(lecture: Lecture, attack: str, ports: dict[str, int]) -> Iterator[None]:
    """Attack, and be sure that the attack went on to the end."""
    words = [attack, str(SECONDS + 60), json.dumps(ports)]
    hostile = Started("-m", "tests.unbreakable.siege", *words)
    try:
        assert hostile.line() == "attacking\n"
        yield
        assert hostile.child.poll() is None
    finally:
        hostile.child.kill()
        hostile.stop()


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lecture]:
    """Run a lecture within its limits; it must have had little to complain about in the end."""
    log = tmp_path_factory.mktemp("lecture") / "log"
    with log.open("wb") as errors:
        lecture = Lecture(limits=LIMITS, errors=errors)
    yield lecture
    lecture.stop()
    assert log.stat().st_size < MOST_LOG
    assert b"Traceback" not in log.read_bytes()


@pytest.fixture(scope="module")
def race(lecture: Lecture) -> Iterator[Race]:
    """Watch a race all the while."""
    race = Race(ports_of(lecture)["sse"])
    order(lecture, "source", {"rate": RATE, "size": 40})
    yield race
    race.stop()


@pytest.mark.attack("fill it by what is unfinished", "on")
@pytest.mark.attack("fill the memory by what is unread", "on")
@pytest.mark.attack("take all seats", "on")
@pytest.mark.attack("take all sockets, so", "on")
@pytest.mark.timeout(SECONDS * 2 + 120)
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_lecture_withstands_one_hostile_address(
    attack: str, lecture: Lecture, race: Race
) -> None:
    processes = [lecture.process, *lecture.process.children()]
    assert len(processes) == 2
    usual, size = lecture.descriptors(), sum(one.memory_info().rss for one in processes)
    with attacked(lecture, attack, ports_of(lecture)):
        began, raced = time.monotonic(), len(race.numbers)
        waits, sizes, most = [], [], [0, 0]
        while time.monotonic() - began < SECONDS:
            waits.append(order(lecture, "fits", {}, 1.0 if IS_LONG else PATIENCE_S))
            assert seat(lecture, f"friend{len(waits):09}") == 200
            each = [one.memory_info().rss for one in processes]
            sizes.append(sum(each))
            most = [max(pair) for pair in zip(most, each, strict=True)]
            time.sleep(0.1)
        took = time.monotonic() - began
        heard = len(race.numbers) - raced
    if IS_LONG:
        print(
            f"\n{attack}: {len(waits)} orders, the slowest {max(waits) * 1000:.0f} ms; "
            f"{heard} of about {RATE * took:.0f} messages; {sizes[0] / 2**20:.0f} MiB at first,"
            f" {max(sizes[: len(sizes) // 2]) / 2**20:.0f} and "
            f"{max(sizes[len(sizes) // 2 :]) / 2**20:.0f} at most in each half; "
            f"lecture {most[0] / 2**20:.0f} and stage {most[1] / 2**20:.0f} MiB"
        )
        assert max(sizes[len(sizes) // 2 :]) < 1.2 * max(sizes[: len(sizes) // 2])
    assert heard > RATE * took / 2
    assert race.numbers == list(range(race.numbers[0], race.numbers[0] + len(race.numbers)))
    assert max(sizes) - size < FULL  # the attacks before have left their part of it
    # And nothing of it is left; to the stage it may keep a few connections of its own.
    wait_until(lambda: lecture.descriptors() <= usual + 20)


# With a bound lifted


@contextlib.contextmanager
def undefended(bounds: str, log: Path) -> Iterator[Lecture]:
    """Run a lecture of the same limits without these bounds, whatever becomes of it."""

    class Undefended(Lecture):
        command = (*without(bounds), *Lecture.command)

    with log.open("wb") as errors:
        lecture = Undefended(limits=LIMITS, errors=errors)
    stage = lecture.process.children()
    try:
        yield lecture
    finally:
        lecture.child.kill()  # of which the stage hears
        lecture.stop()
        psutil.wait_procs(stage, PATIENCE_S)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for an attack's success, or its end, which takes a few seconds."""
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, "it does not come to that"
        time.sleep(0.1)


@pytest.mark.attack("take all sockets, so", "off")
def test_without_bounded_sockets_no_order_comes_through(tmp_path: Path) -> None:
    with undefended("sockets", tmp_path / "log") as lecture:
        with attacked(lecture, "idle", ports_of(lecture)):
            wait_until(lambda: lecture.descriptors() >= FILES)
            with pytest.raises((TimeoutError, ConnectionError)):
                order(lecture, "fits", {}, 2.0)
        order(lecture, "fits", {})  # and who was locked out comes in when the attack has ended


@pytest.mark.attack("take all sockets, so", "off")
def test_without_a_sparing_log_the_disk_is_filled(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with undefended("sockets,log", log) as lecture, attacked(lecture, "idle", ports_of(lecture)):
        wait_until(lambda: log.stat().st_size > MOST_LOG)


@pytest.mark.attack("fill the memory by what is unread", "off")
def test_without_bounded_bytes_unread_news_fill_the_memory(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with undefended("bytes", log) as lecture, attacked(lecture, "unread", ports_of(lecture)):
        wait_until(lambda: lecture.resident_bytes() > FULL)


@pytest.mark.attack("fill it by what is unfinished", "off")
def test_without_a_budget_and_sizes_what_is_unfinished_fills_the_memory(tmp_path: Path) -> None:
    with undefended("bytes,sizes", tmp_path / "log") as lecture:
        (stage,) = lecture.process.children()
        with attacked(lecture, "large", ports_of(lecture)):
            wait_until(lambda: stage.memory_info().rss > FULL)


@pytest.mark.attack("take all seats", "off")
@pytest.mark.parametrize("bounds", ["seats", "seats,kept seats"])
def test_without_bounded_seats_everybody_is_locked_out(bounds: str, tmp_path: Path) -> None:
    with undefended(bounds, tmp_path / "log") as lecture:
        order(lecture, "fits?viewer=lecturer", {})
        before = lecture.descriptors()
        with attacked(lecture, "streams", ports_of(lecture)):
            # Not before all have come: whoever has a seat meanwhile keeps one from being taken.
            wait_until(lambda: lecture.descriptors() >= before + MOST_PAGES)
            wait_until(lambda: seat(lecture, "friend00") == 503)
            assert seat(lecture, "lecturer") == (200 if bounds == "seats" else 503)
