"""The exact oracles hold on the real server: sizes, counts and keys without tolerance."""

import pytest

from loadtests.calibration import oracles
from loadtests.calibration.oracles import CountingRelay
from loadtests.trials.processes import Server
from wire.techniques import SLUGS, TECHNIQUES


def test_the_exact_size_of_a_message_is_known_for_every_stream() -> None:
    assert {one.codec for one in TECHNIQUES if one.streams} <= set(oracles.FRAMINGS)


@pytest.mark.slow
def test_every_exact_check_passes_and_every_technique_is_checked() -> None:
    with Server(SLUGS) as server, CountingRelay(server) as relay:
        found = list(oracles.all_checks(server, relay))
    failed = [(slug, check) for slug, check in found if not check.passed]
    assert failed == []
    assert {slug for slug, _ in found} == set(SLUGS)
    assert len(found) > 30
