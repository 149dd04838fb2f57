"""The scheduler tells how long somebody waited for a core."""

import os
import sys
import time

import pytest

from loadtests.measures.core_time import busy_s, core_time, wait_ms


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_our_own_time_grows_with_what_we_do() -> None:
    before = core_time()
    sum(range(2_000_000))
    now = core_time(os.getpid())
    assert before is not None
    assert now is not None
    assert now.ran_s > before.ran_s
    assert now.waited_s >= before.waited_s
    assert now.turns >= before.turns


def test_what_anybody_computes_is_seen_and_never_less_than_before() -> None:
    before = busy_s()
    began = time.process_time()
    while time.process_time() < began + 0.1:  # ten ticks of the slowest kernels
        pass
    assert busy_s() > before


def test_a_process_that_is_not_there_has_none() -> None:
    assert core_time(2**22 + 1) is None


def test_what_our_own_processes_used_is_no_wait_for_others() -> None:
    assert wait_ms(0.5, 100, 0.0) == 5
    assert wait_ms(0.5, 100, 0.4) == pytest.approx(1)
    assert wait_ms(0.5, 100, 0.9) == 0
    assert wait_ms(0.5, 0, 0.0) == 0
