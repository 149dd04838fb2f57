"""What users do: receive a feed, talk to all, or wait for their own echo.

``feed``  receive what one open-loop publisher sends;
``chat``  receive, and talk too: everybody's share of the channel's rate, by chance;
``echo``  a closed loop: send, wait until it comes back, wait one interval, send again;
``idle``  be connected, while nothing is said (one message at the end shows that all still live);
``storm`` and ``stall`` are a feed whose server is restarted or frozen by ``compare``.
"""

import random
import time
from collections.abc import Callable, Iterator
from itertools import takewhile

import gevent

from clients.errors import ClientError
from loadtests.load import locust_rows as rows
from loadtests.load.publisher import sleep_until
from loadtests.load.subscriber import Subscriber
from loadtests.measures.measure import WARM_UP
from loadtests.plan.schedule import Pace, due_times
from wire.message import Message


def feed(user: Subscriber) -> None:
    """Receive."""
    user.receive()


def chat(user: Subscriber) -> None:
    """Receive, and talk beside it: reading must never wait for an answer to what was said."""
    user.talker = gevent.spawn(talk, user)
    user.receive()


def talk(user: Subscriber) -> None:
    """Send this user's share of the messages at times drawn for this user."""
    session, settings = user.session, user.session.settings
    session.begun.wait()
    share = settings.rate / max(session.talkers, 1)
    seed = hash((settings.seed, session.process, user.number))
    start_ns = free_ns = session.begun_ns
    times = due_times(Pace(share, "poisson", seed=seed))
    for seconds in times:
        due_ns = start_ns + int(seconds * 1e9)
        if settings.seconds and seconds >= settings.warm_up + settings.seconds:
            return
        sleep_until(due_ns)
        began_ns = time.monotonic_ns()
        # Waiting for the answer to what was said before is the technique's lateness.
        session.watch.late(began_ns - max(due_ns, free_ns))
        timed = seconds >= settings.warm_up
        session.asked += timed
        error: ClientError | None = None
        try:
            user.count_up(settings.text)
            user.client.send(
                settings.text, sender=f"user {user.number}" if timed else WARM_UP, sent_ns=due_ns
            )
            session.accepted += timed
        except ClientError as problem:
            error = problem
        except gevent.GreenletExit:
            # The end: nobody knows what became of this one, and what was due behind it never left.
            session.asked += sum(t >= settings.warm_up for t in _overdue(times, start_ns)) - timed
            raise
        free_ns = time.monotonic_ns()
        took = (free_ns - began_ns) / 1e6
        rows.add_event(user.environment, rows.PUBLISH, user.technique, took, error)


def _overdue(times: Iterator[float], start_ns: int) -> Iterator[float]:
    """Yield the next of ``times`` (seconds after ``start_ns``) that are past already."""
    now = (time.monotonic_ns() - start_ns) / 1e9
    return takewhile(lambda seconds: seconds < now, times)


def echo(user: Subscriber) -> None:
    """Measure round trips, one at a time: the closed loop that most tools are."""
    session, settings = user.session, user.session.settings
    session.begun.wait()
    chance = random.Random(hash((settings.seed, session.process, user.number)))
    gevent.sleep(chance.uniform(0, 1 / settings.rate))
    while not session.silent:
        began_ns = time.monotonic_ns()
        timed = began_ns >= session.begun_ns + int(settings.warm_up * 1e9)
        try:
            user.count_up(settings.text)
            sender = f"user {user.number}" if timed else WARM_UP
            user.client.send(settings.text, sender=sender, sent_ns=began_ns)
            _await_own(user, began_ns)
        except ClientError as error:
            rows.add_event(user.environment, rows.PUBLISH, user.technique, 0.0, error)
            gevent.sleep(1.0)
            continue
        # A closed loop asks for no rate: what came back is all that was asked for.
        session.asked += timed
        session.accepted += timed
        took_ns = time.monotonic_ns() - began_ns
        if timed:
            user.measure.tallies["round_trip"].record(took_ns)
        rows.add_event(user.environment, rows.PUBLISH, user.technique, took_ns / 1e6)
        gevent.sleep(1 / settings.rate)
    user.receive()


def _await_own(user: Subscriber, sent_ns: int) -> None:
    """Receive until the message of ``sent_ns`` is among it."""
    while True:
        items = user.client.receive_many()
        user.take_all(items)
        if any(isinstance(item, Message) and item.sent_ns == sent_ns for item in items):
            return


BEHAVIOURS: dict[str, Callable[[Subscriber], None]] = {
    "feed": feed,
    "chat": chat,
    "echo": echo,
    "idle": feed,
    "storm": feed,
    "stall": feed,
}
