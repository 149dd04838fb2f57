"""The rules that say whether a figure may be believed."""

from dataclasses import replace

import pytest

from results.record.verdicts import (
    Judgement,
    Limits,
    Load,
    Verdict,
    judge,
    judge_repeats,
    quantile,
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
    short = replace(GOOD, generator_lag_ms=[1.0, 2.0, 60.0])
    assert judge(short).verdict is Verdict.VALID


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


def test_quantile() -> None:
    assert quantile([], 0.5) == 0
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([4, 1, 2, 3], 0.5) == 2.5
    assert quantile(list(range(10)), 0.9) == 9
