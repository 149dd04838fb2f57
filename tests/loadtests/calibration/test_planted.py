"""The suite against what is known, for real: planted faults are found to the message, and a
throttled generator says so.
"""

import os
from dataclasses import replace

import pytest

from loadtests.calibration import planted
from loadtests.plan.options import Settings
from results.record.verdicts import Verdict

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.usefixtures("forked_programs"),
]
SHORT = Settings(rate=20.0, arrivals="poisson", warm_up=0.5, seconds=2.0, drain=3.0)


def test_every_spoiled_message_is_found_to_the_message() -> None:
    """Of nine for each user three are dropped, three come twice, and three too late."""
    outcome, count = planted.with_fault("drop", "double", "swap", every=34, messages=310)
    audit = outcome.audit
    assert count == 27
    assert (audit.lost, audit.duplicated, audit.reordered) == (9, 9, 9)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
def test_a_generator_on_the_servers_core_says_so() -> None:
    judgement = planted.on_one_core(SHORT).judgement
    assert judgement.verdict is Verdict.GENERATOR_BOUND
    assert "core" in judgement.reason


def test_bare_sockets_hear_a_foreign_server_beside_its_users() -> None:
    settings = replace(SHORT, server="my_chat")
    outcome, latencies_ns = planted.beside_bare_sockets("sse", settings, users=8)
    assert outcome.audit.clean
    # Whoever came before the last users heard the warm-up, too.
    least = planted.GROUPS * planted.EACH * outcome.result.published["accepted"]
    assert len(latencies_ns) >= least > 0
    assert latencies_ns[0] > 0
