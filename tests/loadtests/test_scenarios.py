"""What talkers count as asked for, and as bytes; in a process of its own, for Locust patches it."""

import pytest

from tests.loadtests.brood import Brood

PRELUDE = """
import gevent
from locust.env import Environment
from loadtests import scenarios
from loadtests.measures.measure import WARM_UP, Measure
from loadtests.plan.options import Settings
from loadtests.load.session import Session
from loadtests.load.subscriber import Subscriber

class Client:
    def __init__(self, takes_s): self.takes_s, self.senders = takes_s, []
    def send(self, text, sender, sent_ns):
        self.senders.append(sender)
        gevent.sleep(self.takes_s)

def make(takes_s, **settings):
    user = Subscriber.__new__(Subscriber)
    user.session = Session(Environment(), Settings(**settings))
    user.environment, user.number, user.technique = user.session.environment, 1, "sse"
    user.measure, user.client = Measure(), Client(takes_s)
    user.session.begin_load(1)
    return user, user.session
"""


@pytest.mark.slow
def test_a_talker_that_waits_for_answers_is_not_late_and_the_end_loses_nothing(
    brood: Brood,
) -> None:
    brood.apart(
        PRELUDE
        + """
user, session = make(0.2, scenario="chat", rate=50.0)
late_ns = []
session.watch.late = late_ns.append
talker = gevent.spawn(scenarios.talk, user)
gevent.sleep(0.7)
talker.kill()
assert len(user.client.senders) == session.accepted + 1  # one was under way
# Some 35 were due and 4 could leave: the others must not vanish from what was asked for.
assert session.asked > 3 * session.accepted, (session.asked, session.accepted)
assert sorted(late_ns)[len(late_ns) // 2] < 0.1e9, late_ns  # an answer takes 200 ms
sent = len(user.client.senders) * len(session.settings.text)
assert user.measure.flow.message_bytes_up == sent
"""
    )


@pytest.mark.slow
def test_an_echo_of_the_warm_up_is_not_timed(brood: Brood) -> None:
    brood.apart(
        PRELUDE
        + """
user, session = make(0.0, scenario="echo", rate=50.0, warm_up=0.2)
scenarios._await_own = lambda user, sent_ns: None
user.receive = lambda: None
echo = gevent.spawn(scenarios.echo, user)
gevent.sleep(0.5)
session.silent = True
echo.join()
senders = user.client.senders
warm = senders.count(WARM_UP)
assert 0 < warm < len(senders) and senders == [WARM_UP] * warm + ["user 1"] * session.asked
"""
    )
