"""Answers that are written word by word: whoever goes away is written to no more.

A model's words cost money. What nobody reads any more must not be written, whichever way it went.
"""

import time

import pytest

from tests.conformance.steps import join, take
from tests.support.processes import ServerAddress, ServerProcess
from tests.support.waiting import PATIENCE_S
from wire.message import Message

TOKENS = 2000
QUESTION = f'{{"answer":{{"tokens":{TOKENS},"per_second":100,"first_ms":10}}}}'
STILL_S = 0.3  # thirty tokens' time


def said(server: ServerAddress, channel: str) -> int:
    return int(server.stats()["channels"][channel]["messages"])


@pytest.mark.slow
def test_an_aborted_answer_is_written_no_further(
    technique: str, optioned: ServerProcess, channel: str
) -> None:
    """The work ends within a second of the asker's leaving."""
    with join(technique, optioned, channel) as client:
        client.send(QUESTION)
        received = take(client, 4)
    left_ns = time.monotonic_ns()
    deadline = time.monotonic() + PATIENCE_S
    before = -1
    while before != (now := said(optioned, channel)):
        assert time.monotonic() < deadline
        before = now
        time.sleep(STILL_S)  # long enough that an answer which goes on is seen to do so
    assert now <= TOKENS
    first = received[0]
    assert isinstance(first, Message)
    assert first.body == QUESTION
    epoch = str(client.cursor).rpartition("-")[0]
    with join("polling", optioned, channel, after=f"{epoch}-{now - 1}") as later:
        (last,) = take(later, 1)
    assert isinstance(last, Message)
    assert last.published_ns - left_ns < 1e9


def test_a_whole_answer_comes_by_every_technique(
    technique: str, optioned: ServerProcess, channel: str
) -> None:
    """The question goes up as the technique does it, the words come down so."""
    with join(technique, optioned, channel) as client:
        client.send('{"answer":{"tokens":20,"per_second":200,"first_ms":10,"characters":5}}')
        items = [one for one in take(client, 21) if isinstance(one, Message)]
    assert "".join(str(one.body) for one in items[1:]).startswith("A page could only ask, and a")
