import time

from hypothesis import given
from hypothesis import strategies as st

from clients.net.schedule import await_true, next_tick, sleep_until

MOMENTS = st.floats(0, 1e6)


def test_ticks_stand_fixed() -> None:
    assert next_tick(10.0, 1.0, 9.0) == 10.0
    assert next_tick(10.0, 1.0, 10.0) == 11.0
    assert next_tick(10.0, 1.0, 10.4) == 11.0
    assert next_tick(10.0, 1.0, 13.2) == 14.0  # 11, 12 and 13 passed and are left out


@given(MOMENTS, st.floats(0.001, 100), MOMENTS)
def test_the_next_tick_is_later_but_not_by_more_than_one(
    start: float, interval: float, now: float
) -> None:
    tick = next_tick(start, interval, now)
    assert tick > now or tick == start
    assert tick - now <= max(interval * 1.01, start - now)


def test_sleeps_to_the_earlier_of_both() -> None:
    now = time.monotonic()
    assert sleep_until(now, None)
    assert sleep_until(now - 1, now - 0.5)
    assert not sleep_until(now + 60, now + 0.01)
    assert time.monotonic() - now < 30


def test_waiting_ends_with_the_first_true_answer_or_the_last_false_one() -> None:
    answers = iter([0, 0, 7, 8])
    assert await_true(lambda: next(answers), 10.0, pause=0.0) == 7
    assert await_true(lambda: 0, 0.0) == 0
