"""The rules that say whether a figure may be believed."""

import random
from dataclasses import replace

import pytest

from results.record.verdicts import (
    Blurred,
    Judgement,
    Limits,
    Load,
    Verdict,
    judge,
    judge_repeats,
    worst,
)

GOOD = Load(
    generator_cpu=[0.3] * 10,
    generator_lag_ms=[1.0] * 10,
    server_cpu=[0.4] * 10,
    asked=1000,
    published=1000,
    expected=20_000,
    received=20_000,
)


def test_good_is_valid() -> None:
    assert judge(GOOD) == Judgement(Verdict.VALID)


@pytest.mark.parametrize(
    ("change", "verdict", "reason"),
    [
        ({"generator_cpu": [0.95] * 10}, Verdict.GENERATOR_BOUND, "95% of a core"),
        ({"generator_lag_ms": [30.0] * 10}, Verdict.GENERATOR_BOUND, "30 ms late in the median"),
        ({"generator_lag_ms": [1.0] * 8 + [180.0] * 2}, Verdict.GENERATOR_BOUND, "180 ms late in"),
        ({"trouble": "no free ports"}, Verdict.GENERATOR_BOUND, "no free ports"),
        ({"published": 970}, Verdict.GENERATOR_BOUND, "only 970 of 1,000"),
        ({"server_cpu": [0.97] * 10}, Verdict.SERVER_BOUND, "97% of a core"),
        ({"server_cpu": [0.97] * 10, "published": 500}, Verdict.SERVER_BOUND, "the server used"),
        ({"received": 19_999}, Verdict.SERVER_BOUND, "1 of 20,000 deliveries were lost"),
        ({"impossible": "before it was sent"}, Verdict.INVALID, "before it was sent"),
        (
            {"clock_error_ms": 0.3, "percentiles": [Blurred("p50", 2.0, 2.0)]},
            Verdict.INVALID,
            "known within 0.300 ms only, which is more than 10% of the p50 of 2.000 ms",
        ),
        ({"server_cpu": []}, Verdict.INVALID, "the CPU of the server was not measured"),
        ({"generator_cpu": []}, Verdict.INVALID, "the CPU of the generator was not measured"),
        ({"expected": 0, "received": 0}, Verdict.INVALID, "nothing was measured"),
        ({"silence_s": 3.0}, Verdict.SERVER_BOUND, "did not answer /stats for 3.0 s"),
        ({"silence_s": 3.0, "trouble": "no message"}, Verdict.SERVER_BOUND, "did not answer"),
        ({"waits_ms": [("the server", [3.0] * 10)]}, Verdict.HOST_BUSY, "the server 3.0 ms"),
        (
            {"waits_ms": [("the server", [0.3] * 10), ("the relay", [0.3] * 10)]},
            Verdict.HOST_BUSY,
            "the server 0.3 ms, the relay 0.3 ms",
        ),
        (
            {"waits_ms": [("the server", [0.0] * 8 + [400.0] * 2)]},
            Verdict.HOST_BUSY,
            "the server had to wait 400 ms",
        ),
        (
            {"waits_ms": [("the server", [3.0] * 10)], "generator_lag_ms": [60.0] * 10},
            Verdict.HOST_BUSY,  # which made the generator late
            "the server 3.0 ms",
        ),
        (
            {"generator_lag_ms": [1.0] * 9 + [3000.0]},
            Verdict.GENERATOR_BOUND,
            "stood still for 3.0 s of about 10",
        ),
        (
            {"percentiles": [Blurred("p50", 2.0, 1.9), Blurred("p99", 90.0, 3.2)]},
            Verdict.GENERATOR_BOUND,
            "p99 lies anywhere between 3.2 and 90.0 ms",
        ),
    ],
)
def test_each_rule(change: dict[str, object], verdict: Verdict, reason: str) -> None:
    found = judge(replace(GOOD, **change))  # type: ignore[arg-type]
    assert found.verdict is verdict
    assert reason in found.reason


def test_a_tired_generator_is_not_a_slow_server() -> None:
    both = replace(GOOD, generator_cpu=[0.99] * 10, server_cpu=[0.99] * 10, received=1)
    assert judge(both).verdict is Verdict.GENERATOR_BOUND


def test_one_bad_second_of_thirty_is_forgiven() -> None:
    load = replace(GOOD, generator_lag_ms=[1.0] * 29 + [500.0])
    assert judge(load).verdict is Verdict.VALID
    short = replace(GOOD, generator_lag_ms=[1.0, 2.0, 104.0])
    assert judge(short).verdict is Verdict.VALID


def test_a_late_read_counts_beyond_what_so_few_messages_tell_anyway() -> None:
    pairs = Blurred("p99", 2.8, 1.7, by_chance_ms=1.9)
    assert judge(replace(GOOD, percentiles=[pairs])).verdict is Verdict.VALID
    many = replace(pairs, by_chance_ms=2.5)
    assert judge(replace(GOOD, percentiles=[many])).verdict is Verdict.GENERATOR_BOUND


def test_a_wait_for_a_core_counts_beside_the_latency_that_it_is_part_of() -> None:
    waits = [("the server", [2.0] * 10)]
    far = replace(GOOD, waits_ms=waits, percentiles=[Blurred("p50", 500.0, 500.0)])
    assert judge(far).verdict is Verdict.VALID
    near = replace(far, percentiles=[Blurred("p50", 3.0, 3.0)])
    assert judge(near).verdict is Verdict.HOST_BUSY


def held_up(stalls: list[float], p99_ms: float, seconds: float = 4.0) -> Verdict:
    at99 = Blurred("p99", p99_ms, p99_ms)
    stalls_ms = [("the server", stalls)]
    return judge(replace(GOOD, seconds=seconds, stalls_ms=stalls_ms, percentiles=[at99])).verdict


def test_a_p99_that_is_one_standstill_of_the_host_is_told() -> None:
    # 120 of 4,000 ms: 3 % were due in it, so 1 % waited for 80 ms or more.
    assert held_up([1.0, 120.0, 1.0, 1.0], p99_ms=82.0) is Verdict.HOST_BUSY
    assert held_up([0.0, 60.0, 60.0, 1.0], p99_ms=42.0) is Verdict.HOST_BUSY  # two of them: 40 ms
    assert held_up([1.0, 120.0] + [1.0] * 10, p99_ms=2.0, seconds=12) is Verdict.VALID  # just 1 %
    assert held_up([1.0, 120.0, 1.0, 1.0], p99_ms=990.0) is Verdict.VALID  # that is polling's
    assert held_up([60.0] * 4, p99_ms=3.0) is Verdict.VALID  # many short waits are no standstill
    assert held_up([], p99_ms=82.0) is Verdict.VALID


@pytest.mark.parametrize("seed", range(5))
def test_what_a_standstill_makes_of_a_p99_is_what_the_rule_expects(seed: int) -> None:
    chance = random.Random(seed)
    begins = (chance.uniform(0, 1500), chance.uniform(2000, 3500))
    lengths = [chance.uniform(50, 200) for _ in begins]
    waits = []
    for _ in range(40_000):
        due = chance.uniform(0, 4000)
        inside = (b + s - due for b, s in zip(begins, lengths, strict=True) if b <= due < b + s)
        waits.append(1.0 + next(inside, 0.0))
    p99_ms = sorted(waits)[int(0.99 * len(waits))]
    assert held_up([*lengths, 0.0, 0.0], p99_ms) is Verdict.HOST_BUSY
    assert held_up([*lengths, 0.0, 0.0], 3 * p99_ms) is Verdict.VALID


def test_a_server_that_uses_all_of_its_core_is_not_said_to_wait_for_it() -> None:
    full = replace(GOOD, server_cpu=[0.98] * 10, waits_ms=[("the server", [3.0] * 10)])
    assert judge(full).verdict is Verdict.SERVER_BOUND


def test_limits_are_the_callers() -> None:
    assert judge(GOOD, Limits(generator_cpu=0.2)).verdict is Verdict.GENERATOR_BOUND


@pytest.mark.parametrize(
    ("medians", "verdict"),
    [
        ([], Verdict.VALID),
        ([525.0], Verdict.VALID),
        ([520.0, 525.0, 531.0], Verdict.VALID),
        ([0.4, 0.5, 0.9], Verdict.VALID),  # far apart in percent, not in ms
        ([20.0, 21.0, 40.0], Verdict.UNSTABLE),
    ],
)
def test_repeats(medians: list[float], verdict: Verdict) -> None:
    assert judge_repeats(medians).verdict is verdict


def test_worst() -> None:
    valid, unstable = Judgement(Verdict.VALID), Judgement(Verdict.UNSTABLE, "u")
    bound = Judgement(Verdict.GENERATOR_BOUND, "g")
    assert worst([]) == valid
    assert worst([valid, unstable]) == unstable
    assert worst([unstable, bound, valid]) == bound
