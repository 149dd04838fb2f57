"""What users do: receive a feed, talk to all, or wait for their own echo.

``feed``  receive what one open-loop publisher sends;
``chat``  receive, and talk too: everybody's share of the channel's rate;
``echo``  a closed loop: send, wait until it comes back, wait one interval, send again;
``tokens``  ask, and receive an answer that the server writes word by word; ask again;
``idle``  be connected, while nothing is said (one message at the end shows that all still live);
``storm`` and ``stall`` are a feed whose server is restarted or frozen by ``compare``.
"""

import random
import time
from collections.abc import Callable

import gevent

from clients.errors import ClientError
from loadtests.load import locust_rows as rows
from loadtests.load.publisher import overdue, sleep_until
from loadtests.load.subscriber import Subscriber
from loadtests.measures.measure import WARM_UP
from loadtests.plan.schedule import Pace, due_times
from wire.message import Message, dump_json

_BETWEEN_ANSWERS_S = 0.5


def feed(user: Subscriber) -> None:
    """Receive."""
    user.receive()


def chat(user: Subscriber) -> None:
    """Receive, and talk beside it: reading must never wait for an answer to what was said."""
    user.talker = gevent.spawn(talk, user)
    user.receive()


def talk(user: Subscriber) -> None:
    """Send this user's share of the messages, at times of its own."""
    session, settings = user.session, user.session.settings
    session.begun.wait()
    share = settings.rate / max(session.talkers, 1)
    seed = hash((settings.seed, session.process, user.number))
    start_ns = free_ns = session.begun_ns
    pace = Pace(share, settings.arrivals, settings.rate_shape, seed)
    # Who talks evenly begins anywhere in the first interval, or all would talk in the same instant.
    even = settings.arrivals == "constant"
    phase = random.Random(seed).uniform(0, 1 / share) if even else 0.0
    times = (phase + seconds for seconds in due_times(pace))
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
            sender = f"user {user.number}" if timed else WARM_UP
            user.client.send(settings.text, sender=sender, sent_ns=session.clock.to_server(due_ns))
            session.accepted += timed
        except ClientError as problem:
            error = problem
        except gevent.GreenletExit:
            # The end: nobody knows what became of this one, and what was due behind it never left.
            session.asked += sum(t >= settings.warm_up for t in overdue(times, start_ns)) - timed
            raise
        free_ns = time.monotonic_ns()
        took = (free_ns - began_ns) / 1e6
        rows.add_event(user.environment, rows.PUBLISH, user.technique, took, error)


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
            sent_ns = session.clock.to_server(began_ns)
            user.client.send(settings.text, sender=sender, sent_ns=sent_ns)
            user.sent += 1
            # A closed loop asks for no rate: what was sent is all that was asked for.
            session.asked += timed
            session.accepted += timed
            if not _await_own(user, sent_ns):
                continue
        except ClientError as error:
            rows.add_event(user.environment, rows.PUBLISH, user.technique, 0.0, error)
            gevent.sleep(1.0)
            continue
        took_ns = time.monotonic_ns() - began_ns
        if timed:
            user.measure.tallies["round_trip"].record(took_ns)
        rows.add_event(user.environment, rows.PUBLISH, user.technique, took_ns / 1e6)
        gevent.sleep(1 / settings.rate)
    user.receive()


def tokens(user: Subscriber) -> None:
    """Ask for one answer after the other, and measure how smoothly its words come."""
    session, settings = user.session, user.session.settings
    session.begun.wait()
    chance = random.Random(hash((settings.seed, session.process, user.number)))
    gevent.sleep(chance.uniform(0, _BETWEEN_ANSWERS_S + settings.tokens / settings.rate))
    while not session.silent:
        began_ns = time.monotonic_ns()
        timed = began_ns >= session.begun_ns + int(settings.warm_up * 1e9)
        asked = {
            "tokens": settings.tokens,
            "per_second": settings.rate,
            "characters": settings.size,
            "seed": chance.getrandbits(32),
            # Who asks on a timer is silent so long; on a slow line the question itself takes time.
            "silence_ms": 2000 * (1 + settings.poll_interval),
            "sender": f"user {user.number}" if timed else WARM_UP,
        }
        question = dump_json({"answer": asked}).decode()
        try:
            user.count_up(question)
            sent_ns = session.clock.to_server(began_ns)
            user.client.send(question, sender=WARM_UP, sent_ns=sent_ns)
            user.sent += 1 + settings.tokens
            session.asked += timed
            session.accepted += timed
            _await_answer(user, began_ns, sent_ns, timed)
        except ClientError as error:
            rows.add_event(user.environment, rows.PUBLISH, user.technique, 0.0, error)
            session.fail(f"{type(error).__name__}: {error}")
            gevent.sleep(1.0)
            continue
        took_ms = (time.monotonic_ns() - began_ns) / 1e6
        rows.add_event(user.environment, rows.PUBLISH, user.technique, took_ms)
        gevent.sleep(_BETWEEN_ANSWERS_S)
    user.receive()


def _await_answer(user: Subscriber, began_ns: int, sent_ns: int, timed: bool) -> None:
    """Receive all tokens; those that were read together came without a gap between them.

    The question left at ``began_ns`` by our clock, at ``sent_ns`` by the server's.
    """
    tallies, left, last_ns = user.measure.tallies, user.session.settings.tokens, 0
    came_ns: list[int] = []
    while left > 0:
        items = user.client.receive_many()
        user.take_all(items)
        now_ns = user.client.arrived_ns
        for item in items:
            if not isinstance(item, Message) or item.sent_ns == sent_ns:
                continue
            left -= 1
            if not timed:
                continue
            came_ns.append(now_ns - began_ns)
            if last_ns:
                tallies["gap"].record(max(now_ns - last_ns, 0))
            else:
                tallies["first_token"].record(now_ns - began_ns)
            last_ns = now_ns
    if timed:
        tallies["answer"].record(last_ns - began_ns)
        user.measure.keep_answer(came_ns)


def _await_own(user: Subscriber, sent_ns: int) -> bool:
    """Receive until the message of ``sent_ns`` is among it; false if that counts as lost.

    Whoever waits longer than what is under way at the end is waited for is told of at once, and
    goes on as soon as its technique lets it.
    """
    told = False

    def tell() -> None:
        nonlocal told
        told = True
        lost = TimeoutError(f"an echo did not come back within {user.session.settings.drain:g} s")
        rows.add_event(user.environment, rows.PUBLISH, user.technique, 0.0, lost)
        user.session.fail(str(lost))

    watchdog = gevent.spawn_later(user.session.settings.drain, tell)
    try:
        while not told:
            items = user.client.receive_many()
            user.take_all(items)
            if any(isinstance(item, Message) and item.sent_ns == sent_ns for item in items):
                return True
        return False
    finally:
        watchdog.kill()


BEHAVIOURS: dict[str, Callable[[Subscriber], None]] = {
    "feed": feed,
    "chat": chat,
    "echo": echo,
    "tokens": tokens,
    "idle": feed,
    "storm": feed,
    "stall": feed,
}
