import asyncio
from itertools import pairwise

import pytest

from servers.answering import Question, due_ns, read_question
from servers.app import running
from servers.front.problems import Problem
from servers.service import Settings
from tests.servers.asking import Link, ask
from tests.support.waiting import until
from wire.message import Message, decode_message


def test_what_is_asked_and_what_is_only_said() -> None:
    assert read_question('{"answer":{}}') == Question()
    assert read_question('{"answer":{"tokens":7,"seed":3}}') == Question(tokens=7, seed=3)
    for body in ("hola", '{"text":"hola"}', b'{"answer":{}}', ' {"answer":{}}'):
        assert read_question(body) is None


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        ("7", "is an object"),
        ('{"tokens":-1}', "from 0 to 10,000"),
        ('{"tokens":1.5}', "a whole number"),
        ('{"tokens":true}', "a whole number"),
        ('{"per_second":0}', "from 0.1 to 1,000"),
        ('{"per_second":NaN}', "from 0.1 to 1,000"),
        ('{"per_second":"30"}', "a number"),
        ('{"wrds":1}', "there are tokens, per_second"),
        ('{"sender":7}', "up to 100 characters"),
        ("{", "not JSON"),
        ('{"seed":' + "1" * 1000 + "}", "at most 1000 characters"),
    ],
)
def test_a_question_that_cannot_be_answered(inside: str, says: str) -> None:
    with pytest.raises(Problem, match=says):
        read_question(f'{{"answer":{inside}}}')


def test_tokens_are_due_by_chance_and_at_the_rate() -> None:
    question = Question(tokens=3000, per_second=30, first_ms=300)
    times = list(due_ns(question))
    assert times == list(due_ns(question))
    assert times != list(due_ns(Question(tokens=3000, seed=1)))
    assert times[0] == 300_000_000
    gaps = [(b - a) * 30 / 1e9 for a, b in pairwise(times)]
    assert 0.5 <= min(gaps) < 0.51
    assert 1.49 < max(gaps) <= 1.5
    assert sum(gaps) / len(gaps) == pytest.approx(1, rel=0.02)


async def test_an_answer_is_messages_with_the_times_at_which_they_were_due() -> None:
    async with running(Settings(answers=True)) as here:
        channel = here.service.channel("x")
        question = b'{"answer":{"tokens":5,"per_second":200,"first_ms":1,"characters":6}}'
        async with Link(here.port) as link:
            link.ask("POST /fetch_stream?channel=x", "Content-Type: text/plain", body=question)
            await until(lambda: channel.log.last == 6, "the question and five tokens")
        found = [decode_message(json) for _, json in channel.log.read(1, 10_000)]
        tokens = [one for one in found if isinstance(one, Message)]
        assert "".join(str(one.body) for one in tokens) == "A page could only ask, and a s"
        assert {one.sender for one in tokens} == {"answer"}
        first = tokens[0].sent_ns - 1_000_000
        wanted = Question(tokens=5, per_second=200, first_ms=1)
        assert [one.sent_ns - first for one in tokens] == list(due_ns(wanted))
        assert all(one.sent_ns <= one.published_ns for one in tokens)


async def test_another_question_ends_the_answer_before_it() -> None:
    async with running(Settings(answers=True)) as here:
        answers, channel = here.service.answers, here.service.channel("x")
        assert answers is not None
        async with Link(here.port) as link:
            link.ask("GET /sse?channel=x")
            await link.head()
            for tokens, open_then in ((9000, 1), (9000, 1), (0, 0)):
                body = f'{{"answer":{{"tokens":{tokens}}}}}'.encode()
                answer = await ask(
                    here, "POST /publish?channel=x", "Content-Type: text/plain", body=body
                )
                assert answer.status == 201
                assert answers.open == open_then
            said = channel.log.last
            await asyncio.sleep(0)
            assert channel.log.last == said


async def test_what_cannot_be_answered_is_refused_and_without_the_option_nothing_is_asked() -> None:
    for answers, status in ((True, 400), (False, 201)):
        async with running(Settings(answers=answers)) as here:
            answer = await ask(
                here, "POST /publish", "Content-Type: text/plain", body=b'{"answer":{"tokens":"x"}}'
            )
            assert answer.status == status
