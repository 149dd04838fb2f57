"""The audit finds every planted fault, to the message."""

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from loadtests.measures.audit import Auditor
from results.record.rows import Audit


def audit(ids: Sequence[int], start: int = 0, final: int | None = None) -> Audit:
    auditor = Auditor(start)
    for number in ids:
        auditor.take(number)
    return auditor.close(max(ids, default=start) if final is None else final)


def test_all_in_order_is_clean() -> None:
    assert audit(range(1, 1001)) == Audit(1000, 1000)


def test_it_begins_after_the_start() -> None:
    assert audit(range(18, 21), start=17) == Audit(3, 3)


def test_nothing_expected_and_nothing_received() -> None:
    assert audit([], start=17, final=17) == Audit(0, 0)


def test_a_drop_in_the_middle_is_one_lost() -> None:
    assert audit([1, 2, 4, 5]) == Audit(5, 4)


def test_what_never_came_at_the_end_is_lost() -> None:
    assert audit([1, 2, 3], final=5) == Audit(5, 3)


def test_what_never_came_at_the_beginning_is_lost() -> None:
    assert audit([3, 4]) == Audit(4, 2)


def test_a_double_counts_once_as_received() -> None:
    assert audit([1, 2, 2, 3]) == Audit(3, 3, duplicated=1)


def test_a_swap_is_one_reordered() -> None:
    assert audit([1, 3, 2, 4]) == Audit(4, 4, reordered=1)


def test_a_late_message_that_comes_again_is_reordered_and_doubled() -> None:
    assert audit([1, 3, 2, 2, 4]) == Audit(4, 4, duplicated=1, reordered=1)


def test_what_came_from_before_the_start_is_a_double() -> None:
    assert audit([17, 18], start=17) == Audit(1, 1, duplicated=1)


def test_it_has_all_only_without_holes() -> None:
    auditor = Auditor(0)
    auditor.take(1)
    auditor.take(3)
    assert not auditor.has_all(3)
    auditor.take(2)
    assert auditor.has_all(3)
    assert not auditor.has_all(4)


def test_take_tells_whether_it_is_the_first_time() -> None:
    auditor = Auditor(0)
    assert [auditor.take(number) for number in (1, 3, 2, 2, 1)] == [True, True, True, False, False]


def test_in_order_it_remembers_nothing_one_by_one() -> None:
    auditor = Auditor(0)
    for number in range(1, 100_000):
        auditor.take(number)
    assert auditor._missing is None


@given(st.integers(0, 2**32), st.integers(1, 300))
def test_planted_faults_are_counted_exactly(seed: int, count: int) -> None:
    """Drops, doubles and neighbours swapped, at places that do not touch one another."""
    chance = random.Random(seed)
    sent = []
    lost = doubled = swapped = 0
    number = 1
    while number <= count:
        fault = chance.choice(["none"] * 6 + ["drop", "double", "swap"])
        if fault == "drop":
            lost += 1
        elif fault == "double":
            doubled += 1
            sent += [number, number]
        elif fault == "swap" and number < count:
            swapped += 1
            sent += [number + 1, number]
            number += 1
        else:
            sent.append(number)
        number += 1
    assert audit(sent, final=count) == Audit(count, count - lost, doubled, swapped)
