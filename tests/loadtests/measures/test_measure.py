"""What several processes measured adds up to exactly what one would have."""

import json
import random
import time

import pytest

from loadtests.measures.measure import WARM_UP, Flow, Measure
from results.record.rows import Audit
from wire.message import Message, encode_message

MS = 1_000_000


def message(
    number: int, sent_ns: int = 0, published_ns: int | None = None, sender: str = "publisher"
) -> Message:
    published = sent_ns + MS if published_ns is None else published_ns
    return Message(number, sender, sent_ns, published, "text")


def test_a_stream_delivery_is_split_into_publish_and_transfer() -> None:
    measure = Measure()
    measure.take_message(message(1, sent_ns=10 * MS, published_ns=12 * MS), 0, 15 * MS)
    found = measure.histograms()
    for metric, milliseconds in {"delivery": 5, "publish": 2, "wait": 0, "transfer": 3}.items():
        assert found[metric].get_total_count() == 1
        assert found[metric].get_max_value() == pytest.approx(milliseconds * MS, rel=1e-3)


def test_a_polled_delivery_waits_until_it_is_asked_for() -> None:
    measure = Measure()
    measure.take_message(message(1, published_ns=10 * MS), 40 * MS, 42 * MS)
    found = measure.histograms()
    assert found["wait"].get_max_value() == pytest.approx(30 * MS, rel=1e-3)
    assert found["transfer"].get_max_value() == pytest.approx(2 * MS, rel=1e-3)


def test_the_spread_is_from_first_to_last_receiver_whatever_their_order() -> None:
    measure = Measure()
    for arrived in (7, 3, 9, 5):
        measure.take_message(message(1), 0, arrived * MS)
    found = measure.histograms()
    assert found["spread"].get_total_count() == 1
    assert found["spread"].get_max_value() == pytest.approx(6 * MS, rel=1e-3)
    assert found["publish"].get_total_count() == 1


def test_warm_up_messages_cost_bytes_but_are_not_timed() -> None:
    measure = Measure()
    warm = message(1, sender=WARM_UP)
    measure.take_message(warm, 0, 5 * MS)
    assert measure.histograms() == {}
    assert measure.deliveries == 1
    assert measure.flow.message_bytes == len(encode_message(warm))


def test_a_delivery_counts_in_the_second_in_which_its_message_was_due() -> None:
    measure = Measure()
    for due in (900, 1100, 1200):
        measure.take_message(message(1, due * MS, published_ns=2500 * MS + due), 0, 2600 * MS)
    assert {at_s: tally.count for at_s, tally in measure.seconds.items()} == {0: 1, 1: 2}


def test_parcels_of_two_processes_add_up_to_one() -> None:
    chance = random.Random(4)
    one, workers, master = Measure(), [Measure(), Measure()], Measure()
    for number in range(1, 400):
        for worker in workers:
            at_ns = (number + 1) * MS + chance.randrange(90 * MS)
            arguments = message(number, number * MS), 0, at_ns
            one.take_message(*arguments)
            worker.take_message(*arguments)
        if number % 150 == 0:
            for worker in workers:
                master.add(json.loads(json.dumps(worker.take())))
    for worker in workers:
        worker.audit = Audit(399, 398, 1, 2)
        worker.flow.add(Flow(tcp_down=1000, segments_up=7))
        master.add(json.loads(json.dumps(worker.take())))
        assert worker.take()["deliveries"] == 0
    assert master.deliveries == one.deliveries == 798
    assert master.audit == Audit(798, 796, 2, 4)
    assert master.flow.tcp_down == 2000
    assert master.flow.segments_up == 14
    assert master.flow.message_bytes == one.flow.message_bytes
    assert master.seconds == one.seconds
    merged, whole = master.histograms(), one.histograms()
    assert merged.keys() == whole.keys()
    for name, histogram in whole.items():
        assert list(merged[name].counts) == list(histogram.counts), name


def test_what_was_read_together_may_have_come_earlier() -> None:
    measure = Measure()
    measure.take_message(message(1, sent_ns=0, published_ns=1 * MS), 0, 30 * MS, 2 * MS)
    measure.take_message(message(2, sent_ns=0, published_ns=9 * MS), 0, 30 * MS, 2 * MS)
    measure.take_message(message(3, sent_ns=0, published_ns=29 * MS), 0, 30 * MS)
    other = Measure()
    other.add(json.loads(json.dumps(measure.take())))
    assert other.doubts.clumped == 2
    found = other.histograms()
    earliest = found["earliest"]
    assert earliest.get_total_count() == found["delivery"].get_total_count() == 3
    # The second cannot have come before it was published.
    for percent, milliseconds in ((1, 2), (50, 9), (100, 30)):
        at = earliest.get_value_at_percentile(percent)
        assert at == pytest.approx(milliseconds * MS, rel=2e-3)


def test_without_a_doubt_there_is_no_earliest() -> None:
    measure = Measure()
    measure.take_message(message(1), 0, 30 * MS)
    assert "earliest" not in measure.histograms()


def test_what_came_before_it_was_sent_or_published_is_counted_and_not_timed() -> None:
    measure = Measure()
    measure.take_message(message(1, sent_ns=50 * MS, published_ns=51 * MS), 0, 1 * MS)
    measure.take_message(message(2, sent_ns=90 * MS, published_ns=60 * MS), 0, 95 * MS)
    assert (measure.doubts.impossible, measure.doubts.most_ns) == (2, 50 * MS)
    assert measure.histograms() == {}
    assert measure.deliveries == 2


def test_the_handlers_time_ends_when_the_message_is_in_hand() -> None:
    measure = Measure()
    now = time.monotonic_ns()
    measure.take_message(message(1, sent_ns=now - 40 * MS), 0, now - 10 * MS)
    found = measure.histograms()
    assert found["delivery"].get_max_value() == pytest.approx(30 * MS, rel=1e-3)
    assert found["handler"].get_min_value() >= 40 * MS * 0.999


def test_memory_stays_bounded_over_many_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.measures.measure._KEPT_MESSAGES", 10)
    measure = Measure()
    for number in range(1, 1001):
        measure.take_message(message(number, number * MS), 0, (number + 5) * MS)
    assert len(measure.arrivals) <= 20
    assert measure.histograms()["spread"].get_total_count() == 1000


def test_what_came_before_a_subscription_is_not_its_flow() -> None:
    flow = Flow(tcp_down=500, requests=3)
    flow.subtract(Flow(tcp_down=200, requests=1))
    assert flow == Flow(tcp_down=300, requests=2)
