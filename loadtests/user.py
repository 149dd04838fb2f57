"""The abstract user: what Locust starts, stops and counts.

A concrete user names its technique and what the technique's client is told; what it does is the
scenario's business (:mod:`loadtests.scenarios`), done by its subscriber
(:mod:`loadtests.load.subscriber`).
"""

import random
from typing import Any, ClassVar

import gevent
from locust import User, task

from loadtests import scenarios
from loadtests.load import session
from loadtests.load.subscriber import Subscriber
from loadtests.plan.options import Settings
from wire.techniques import BY_SLUG


class SubscriberUser(User):
    """Subscribes by ``technique`` and does what the test's scenario says."""

    abstract = True
    technique: ClassVar[str]
    host: str = "http://127.0.0.1:8000"  # where `lab.py serve` listens, unless told otherwise
    subscriber: Subscriber | None = None

    @classmethod
    def options(cls, settings: Settings) -> dict[str, Any]:
        """Return what the technique's client is told; a technique adds its own."""
        return {"headers": settings.headers, "jitter": settings.jitter}

    def on_start(self) -> None:
        """Connect and join the session."""
        run = session.current(self.environment)
        self.subscriber = Subscriber(run, self.technique, self.host, self.options(run.settings))
        if BY_SLUG[self.technique].asks:
            # Users who came in the same instant would else poll in the same instant for ever.
            chance = random.Random(f"{run.settings.seed} {self.subscriber.number}")
            gevent.sleep(chance.uniform(0, run.settings.poll_interval))
        self.subscriber.join()

    @task
    def live(self) -> None:
        """Do what the scenario says, until stopped."""
        assert self.subscriber is not None
        scenarios.BEHAVIOURS[self.subscriber.session.settings.scenario](self.subscriber)

    def on_stop(self) -> None:
        """Leave in good order."""
        if self.subscriber is not None:
            self.subscriber.leave()
