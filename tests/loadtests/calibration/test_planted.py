"""The suite against what is known, for real: planted faults are found to the message, a throttled
generator says so, and two workers count what one would.
"""

import os
from dataclasses import replace

import pytest

from loadtests.calibration import capacity, planted
from loadtests.plan.options import Settings
from results.record.verdicts import Verdict

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
SHORT = Settings(rate=20.0, arrivals="poisson", warm_up=0.5, seconds=2.0, drain=3.0)


@pytest.mark.parametrize("fault", ["drop", "double", "swap"])
def test_every_spoiled_message_is_found_to_the_message(fault: str) -> None:
    outcome, count = planted.with_fault(fault, every=100, messages=310)
    audit = outcome.audit
    assert count == 9
    expected = {"drop": (count, 0, 0), "double": (0, count, 0), "swap": (0, 0, count)}[fault]
    assert (audit.lost, audit.duplicated, audit.reordered) == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
def test_a_generator_on_the_servers_core_says_so() -> None:
    judgement = planted.on_one_core(SHORT).judgement
    assert judgement.verdict is Verdict.GENERATOR_BOUND
    assert "core" in judgement.reason


def test_two_workers_give_one_result_whose_counts_are_the_sums() -> None:
    assert all(check.passed for check in capacity.shared_work().checks)


def test_bare_sockets_hear_a_foreign_server_beside_its_users() -> None:
    settings = replace(SHORT, server="my_chat")
    outcome, latencies_ns = planted.beside_bare_sockets("sse", settings, users=8)
    assert outcome.audit.clean
    # Whoever came before the last users heard the warm-up, too.
    least = planted.GROUPS * planted.EACH * outcome.result.published["accepted"]
    assert len(latencies_ns) >= least > 0
    assert latencies_ns[0] > 0
