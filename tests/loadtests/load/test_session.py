"""The end of a test: who is accounted for when. In a process of its own, for Locust patches it."""

import pytest

from tests.loadtests.brood import Brood

PRELUDE = """
import time
from locust.env import Environment
from loadtests.load import session
from loadtests.measures.audit import Auditor
from loadtests.load.session import Session
from loadtests.plan.options import Settings
from loadtests.load.subscriber import Subscriber

def user(epoch, received):
    found = Subscriber.__new__(Subscriber)
    found.epoch, found.auditor = epoch, Auditor(0)
    for number in range(1, received + 1):
        found.auditor.take(number)
    return found
"""


@pytest.mark.slow
def test_who_has_all_does_not_go_on_asking_while_another_waits_in_vain(brood: Brood) -> None:
    brood.apart(
        PRELUDE
        + """
class Member:
    begun = settled_s = 0.0
    def __init__(self, complete): self.complete = complete
    def begin(self): self.begun += 1
    def has_all(self, finals): return self.complete
    def settle(self, finals): self.settled_s = self.settled_s or time.monotonic()

run = Session(Environment(), Settings())
quick, lossy = Member(True), Member(False)
run.members = {quick, lossy}
run.begin_load(0)
assert (quick.begun, lossy.begun) == (1, 1)
run.settle({}, 0.3)
assert lossy.settled_s - quick.settled_s >= 0.25, (quick.settled_s, lossy.settled_s)
"""
    )


@pytest.mark.slow
def test_who_has_not_come_back_after_a_restart_is_waited_for(brood: Brood) -> None:
    brood.apart(
        PRELUDE
        + """
finals = {"old": 5, "new": 3}
assert not user("old", 5).has_all(finals)
assert not user("new", 2).has_all(finals)
assert user("new", 3).has_all(finals)
assert not user("", 2).has_all({"only": 3})  # the channel began after this user
assert user("old", 0).has_all({})  # at an echo nothing is awaited
"""
    )
