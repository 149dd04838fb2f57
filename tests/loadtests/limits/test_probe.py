"""The receiving end of the limits benchmark counts what came, and sees what did not."""

from collections.abc import Iterator

import pytest

from loadtests.limits.count import Count
from loadtests.limits.subscribers import Timetable
from loadtests.limits.tools import Probe, Target, window

MESSAGE = bytearray(b'{"id":%d,"sender":"x","sent_ns":1000,"text":"x"}')


def heard(count: Count, number: int, *sockets: int) -> None:
    data = MESSAGE.replace(b"%d", b"%d" % number)
    for place, fd in enumerate(sockets):
        count.read(fd, data, len(data), now_ns=5_000_000 * place)
        if fd == 1:
            count.sample(fd, bytes(data), arrived_ns=2_001_000)


def test_what_all_heard_is_counted_once() -> None:
    count = Count([1, 2, 3], [1])
    heard(count, 1, 1, 2, 3)
    heard(count, 2, 1, 2, 3)
    report = count.report(same_bytes=True)
    assert report["messages"] == 2
    assert report["spread_ms"] == 10.0
    assert report["latency_ms"] == {"p50": 2.0, "p99": 2.0, "max": 2.0}


def test_a_socket_that_missed_a_message_is_seen() -> None:
    count = Count([1, 2], [1])
    heard(count, 1, 1, 2)
    heard(count, 2, 1)
    assert count.report(same_bytes=True)["messages"] == -1
    assert count.report(same_bytes=False)["messages"] == 2


def test_a_socket_in_place_of_another_is_counted_from_nothing() -> None:
    count = Count([1, 2], [1])
    heard(count, 1, 2)
    count.replace(2, 7)
    assert count.report(same_bytes=True)["bytes"] == 0
    heard(count, 2, 7)
    assert count.report(same_bytes=True)["bytes"] == len(MESSAGE) - 1


def test_a_timetable_lets_each_ask_once_in_an_interval() -> None:
    table = Timetable([4, 5], interval=1000.0)
    assert table.take_due() == [4]
    assert table.take_due() == []
    assert 0 < table.seconds_left(at_most=9999.0) <= 500.0
    assert table.seconds_left(at_most=0.5) == 0.5
    assert Timetable([], 1.0).take_due() == []


@pytest.fixture(scope="module")
def target(forked_programs: None) -> Iterator[Target]:
    """Start one server for all: whoever comes hears what is said from then on."""
    with Target("ours") as target:
        yield target


@pytest.mark.slow
@pytest.mark.parametrize("slug", ["sse", "web_socket", "plugin_socket", "long_polling"])
def test_a_window_reaches_every_subscriber(slug: str, target: Target) -> None:
    with Probe(slug, target.port_of(slug)) as probe:
        probe.tell("open", count=30)
        seen = window(target, probe, 30, 20, 0.5)
        assert seen.report["messages"] == seen.sent == 10
        assert seen.report["ended"] == 0
        probe.tell("measure")
        probe.tell("pause", count=5)
        probe.tell("resume")
        assert window(target, probe, 30, 20, 0.5).report["messages"] == 10


@pytest.mark.slow
def test_polls_ask_at_their_pace(target: Target) -> None:
    with Probe("polling", target.port, interval=0.1) as probe:
        probe.tell("open", count=10)
        seen = window(target, probe, 10, 20, 0.5)
        assert seen.report["messages"] == 10
        assert seen.report["answers"] >= 10


@pytest.mark.slow
def test_those_that_were_cut_lose_nothing(target: Target) -> None:
    with Probe("sse", target.port, audit=True) as probe:
        probe.tell("open", count=30)
        for _ in range(3):
            window(target, probe, 30, 20, 0.5)
            probe.tell("churn", count=10)
        window(target, probe, 30, 20, 0.5)
        audit = probe.tell("report")["audit"]
    assert (audit["lost"], audit["doubled"], audit["gaps"]) == (0, 0, 0)
    assert audit["received"] == 4 * 10 * 30
