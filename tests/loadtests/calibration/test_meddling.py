"""Whatever meddles with a trial, its verdict is true."""

import pytest

from loadtests.calibration import meddling
from loadtests.calibration.meddling import ALL, meddle
from results.record.verdicts import Verdict
from tests.support.depth import is_full

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
BY_WORDS = {how.words: how for how in ALL}
USERS = 8


@pytest.mark.parametrize("processes", [2, *[0] * is_full()])
def test_a_clock_of_its_own_that_nobody_corrects_measures_nothing(processes: int) -> None:
    if not meddling.clocks_differ():
        pytest.skip("no process may have a clock of its own here: unshare --time needs Linux, root")
    how = BY_WORDS["nobody corrects that clock"]
    _, outcome, checks = meddle(how, processes, users=USERS, seconds=1.0)
    assert all(check.passed for check in checks), checks
    assert "delivery" not in outcome.histograms
    assert "before they were sent" in outcome.judgement.reason


@pytest.mark.usefixtures("forked_programs")
@pytest.mark.parametrize(
    ("words", "processes"),
    [
        ("a generator process stopped for 3 s", 2),
        ("generators stopped 90 of 100 ms", 0),
        *[("generators stopped 90 of 100 ms", 2)] * is_full(),
    ],
)
def test_a_stopped_generator_is_not_the_servers_fault(words: str, processes: int) -> None:
    """On a host that others use, too, what kept it waiting may be named first.

    Nothing is lost: of all processes together each user counts once.
    """
    cell, outcome, _ = meddle(BY_WORDS[words], processes, tries=1, users=USERS)
    assert outcome.judgement.verdict in (Verdict.GENERATOR_BOUND, Verdict.HOST_BUSY)
    published = outcome.result.published
    timed, all_of_them = published["accepted"], published["accepted"] + published["warm_up"]
    assert outcome.audit.clean
    assert outcome.audit.received == cell.users * all_of_them
    assert outcome.histograms["delivery"].get_total_count() == cell.users * timed
    assert len(outcome.result.conditions) == 1 + processes
