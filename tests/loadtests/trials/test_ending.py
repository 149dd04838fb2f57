"""The last line of a run says why its exit status is not 0."""

import pytest

from loadtests.trials.ending import BROKEN, DONE, INCOMPLETE, NOT_ACCEPTED, ended
from results.holding import Outcome

VALID = Outcome("SSE, loopback", "sse", "the verdict is VALID", of_verdict=True)
BUSY = Outcome(
    "Polling, loopback", "polling", "the verdict is VALID", "HOST-BUSY: others", of_verdict=True
)
SLOW = Outcome("SSE, loopback", "sse", "p99 > 1 ms", "p99 is 3 ms")


@pytest.mark.parametrize(
    ("found", "failed", "status", "words"),
    [
        ([VALID], [], DONE, ""),
        ([VALID, SLOW], [], BROKEN, "a threshold broke"),
        (
            [VALID, BUSY, SLOW],
            [],
            NOT_ACCEPTED,
            "1 of 2 combinations is HOST-BUSY, and only VALID is accepted; measure again, or "
            "accept it with --require VALID HOST-BUSY",
        ),
        ([VALID, BUSY, SLOW], ["a trial failed"], INCOMPLETE, "a trial failed"),
    ],
)
def test_the_first_that_applies_is_the_status_and_is_said(
    found: list[Outcome], failed: list[str], status: int, words: str
) -> None:
    assert ended(found, failed, ["VALID"]) == (status, words)
