"""The models against numbers worked out by hand or measured independently of them."""

import random
from math import isclose
from types import SimpleNamespace
from typing import Any

import pytest

from results import models
from tests.notebooks.books import PATHS, cells
from wire.techniques import SLUGS
from wire.web_socket_frames import Opcode, encode_frame


def test_asking_costs_half_an_interval_and_the_way() -> None:
    assert models.polling_mean(1.0, 0.025) == 0.525
    assert models.polling_worst(1.0, 0.025) == 1.025


@pytest.mark.parametrize(("rate", "mean_ms"), [(20, 43.3), (2, 27.5)])
def test_long_polling_waits_in_the_gap(rate: float, mean_ms: float) -> None:
    assert models.long_polling_mean(rate, 0.025, 0.05) * 1000 == pytest.approx(mean_ms, abs=0.06)
    assert models.long_polling_mean(1e6, 0.025, 0.05) == pytest.approx(0.05, rel=1e-3)


def test_long_polling_agrees_with_a_simulation() -> None:
    # After every answer the client is deaf for `gap`; what came meanwhile is answered at its end,
    # and then it is deaf again. The naive one drops what came meanwhile and listens at its end.
    chance, rate, gap, count = random.Random(1), 20.0, 0.05, 200_000
    times = [chance.expovariate(rate)]
    while len(times) < count:
        times.append(times[-1] + chance.expovariate(rate))
    deaf_until, answers, waited = 0.0, 0, 0.0
    waiting: list[float] = []
    for now in times:
        while waiting and deaf_until <= now:
            waited += sum(deaf_until - one for one in waiting)
            waiting, answers, deaf_until = [], answers + 1, deaf_until + gap
        if now < deaf_until:
            waiting.append(now)
        else:
            answers, deaf_until = answers + 1, now + gap
    assert waited / count == pytest.approx(models.long_polling_mean(rate, 0, gap), rel=0.02)
    assert answers / count == pytest.approx(models.long_polling_requests(rate, gap), rel=0.02)
    lost, deaf_until = 0, 0.0
    for now in times:
        lost += now < deaf_until
        deaf_until = deaf_until if now < deaf_until else now + gap
    assert lost / count == pytest.approx(models.naive_loss(rate, gap), rel=0.02)


def test_requests_per_message_fall_from_one() -> None:
    assert models.long_polling_requests(1e-9, 0.05) == pytest.approx(1)
    assert models.long_polling_requests(20, 0.05) == pytest.approx(0.731, abs=0.001)


def test_empty_polls_and_coherence() -> None:
    assert models.empty_share(0.1, 1) == pytest.approx(0.905, abs=0.001)
    assert models.coherence(1, 1) == pytest.approx(0.632, abs=0.001)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frame_heads_agree_with_the_codec(size: int, masked: bool) -> None:
    frame = encode_frame(Opcode.BINARY, bytes(size), mask=bytes(4) if masked else None)
    assert models.frame_head(size, masked) == len(frame) - size


def test_the_border_is_where_both_weigh_the_same() -> None:
    head, h, size = 292.0, 52.0, 73.0
    border = models.batching_wins(head, h)
    assert border == pytest.approx(4.2, abs=0.05)
    polls = models.polling_bytes(size, head, border, 1, h)
    assert isclose(polls, models.frame_bytes(int(size), h))


def test_rates_queues_and_stalls() -> None:
    assert models.polling_requests(10_000, 60) == pytest.approx(166.7, abs=0.1)
    assert int(models.ports_rate()) == 470
    assert models.queue_wait(0.5, 1.0) == 0.5
    assert models.stalled_extra(1, 10) == 0.05
    assert models.stalled_share(1, 10) == 0.1
    assert models.fan_out_last(1000, 8e-6, 0.0) == pytest.approx(0.008)
    assert models.base64_size(512_000) == 682_668
    with pytest.raises(ValueError, match="below 1"):
        models.queue_wait(1.0, 1.0)


def test_the_guides_traffic_lets_messages_share_a_poll() -> None:
    """Notebook 12 for a reader with many messages: what 09 measured must hold there as well."""
    path = next(path for path in PATHS if path.name.startswith("12"))
    (code,) = (text for text in cells(path, "code") if "Traffic for each client" in text)
    layers = {
        slug: {"message": 106.0, "framing down": 2.0, "TCP/IP headers": 104.0} for slug in SLUGS
    }
    layers["polling"] = {"message": 106.0, "framing down": 147.0, "requests up": 95.5}
    layers["polling"]["TCP/IP headers"] = 156.0
    per_message = {slug: sum(parts.values()) for slug, parts in layers.items()}
    for rate, lighter in ((0.5, False), (3.0, False), (5.0, True), (10.0, True)):
        given: dict[str, Any] = {
            "layers": layers,
            "per_message": per_message,
            "rate": rate,
            "interval": 1.0,
        }
        given |= {"lab": SimpleNamespace(slugs=SLUGS), "bars": lambda *_, **__: None}
        exec(code, given)
        traffic = given["traffic"]
        assert (traffic["polling"] < traffic["web_socket"]) == lighter, rate
        model = models.polling_bytes(106, 147 + 95.5, rate, 1, 52) * rate
        assert traffic["polling"] == pytest.approx(model)
