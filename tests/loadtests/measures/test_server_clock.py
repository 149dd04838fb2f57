"""The server's clock is found by asking it, drift and doubt included."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from clients.errors import UnexpectedAnswerError
from loadtests.measures.measure import Measure
from loadtests.measures.server_clock import (
    ClockDesk,
    ClockFacts,
    Reading,
    ServerClock,
    largest_error,
)
from tests.support.processes import ServerProcess
from wire.message import Message

S, US, MS = 1_000_000_000, 1_000, 1_000_000
OFFSET_NS = -93 * S


def test_on_one_host_the_clock_is_ours_and_nothing_is_changed(server: ServerProcess) -> None:
    clock = ServerClock()
    with ClockDesk(server.url) as desk:
        clock.note(desk.read())
    now_ns = time.monotonic_ns()
    assert (clock.known, clock.settled, clock.apart) == (True, True, False)
    assert (clock.to_server(now_ns), clock.error_ns) == (now_ns, 0)


def drifting(ppm: float, at_ns: int) -> int:
    """Return what the server's clock shows when ours shows ``at_ns``."""
    return at_ns + OFFSET_NS + round(at_ns * ppm / 1e6)


@pytest.mark.parametrize("ppm", [-50.0, 0.0, 3.0, 50.0])
def test_a_drift_is_followed_between_and_after_the_readings(ppm: float) -> None:
    chance, clock = random.Random(1), ServerClock()
    for second in range(60):
        # The way there and back: the server reads its clock anywhere between.
        trip_ns, read_ns = chance.randint(50, 400) * US, second * S
        asked_ns = read_ns - round(chance.random() * trip_ns)
        middle_ns = asked_ns + trip_ns // 2
        offset_ns = drifting(ppm, read_ns) - middle_ns
        clock.note(Reading(middle_ns, offset_ns, trip_ns // 2 + 1))
    assert clock.apart
    for at_ns in (10 * S, 30 * S + 500 * MS, 59 * S, 60 * S):
        assert abs(clock.to_server(at_ns) - drifting(ppm, at_ns)) <= clock.error_ns
    assert clock.rate * 1e6 == pytest.approx(ppm, abs=2)
    assert clock.error_ns < 200 * US


def test_a_clock_that_jumps_makes_all_times_doubtful() -> None:
    clock = ServerClock()
    for second in range(5):
        clock.note(Reading(second * S, OFFSET_NS, 50 * US))
    assert clock.error_ns == 50 * US
    clock.note(Reading(6 * S, OFFSET_NS + 20 * MS, 50 * US))  # it stood still, as a machine asleep
    assert clock.error_ns == 20 * MS


def test_the_least_sure_clock_tells_what_the_times_are_worth() -> None:
    found = [ClockFacts(error_ns=ns) for ns in (30, 50, 20)]
    assert largest_error(found) == 50
    assert largest_error([]) == 0


@contextmanager
def telling(body: bytes) -> Iterator[str]:
    """Serve one answer, whatever is asked; yields where."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        thread.join()


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"monotonic_ns":"1"}', b'{"monotonic_ns":-1}', b"no JSON"]
)
def test_what_a_clock_tells_that_is_no_time_is_refused(body: bytes) -> None:
    with (
        telling(body) as url,
        ClockDesk(url) as desk,
        pytest.raises(UnexpectedAnswerError, match="/clock"),
    ):
        desk.read(1)


def test_times_of_another_host_are_measured_by_the_servers_clock() -> None:
    clock = ServerClock()
    clock.note(Reading(0, OFFSET_NS, 50 * US))
    measure = Measure(clock=clock)
    sent_ns = 5 * S
    own_ns = sent_ns + 3 * MS - OFFSET_NS  # 3 ms later, as our clock shows it
    measure.take_message(Message(1, "", sent_ns, sent_ns + MS, "text"), 0, own_ns)
    assert measure.tallies["delivery"].percentile_ms(50) == pytest.approx(3, rel=1e-3)
    # Earlier than it was published, by less than the clocks are known to: the same moment.
    measure.take_message(Message(2, "", sent_ns, sent_ns, "text"), 0, own_ns - 3 * MS - 40 * US)
    assert (min(measure.tallies["delivery"]), measure.doubts.impossible) == (0, 0)
    # By more than that, and it was not so.
    measure.take_message(Message(3, "", sent_ns, sent_ns, "text"), 0, own_ns - 3 * MS - 60 * US)
    assert (measure.doubts.impossible, measure.doubts.most_ns) == (1, 60 * US)
    clock.senders_error_ns = 20 * US
    measure.take_message(Message(4, "", sent_ns, sent_ns, "text"), 0, own_ns - 3 * MS - 60 * US)
    assert measure.doubts.impossible == 1
