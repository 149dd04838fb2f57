"""The figures that a closed-loop tool would report, kept beside the honest ones for the lesson.

One prober sends to itself at the publisher's rate: it sends, waits for its own message, counts the
time since it really sent, sleeps, and goes on. While the server stands still it asks nothing, so
one bad sample is all that it ever sees of a stall (coordinated omission).
"""

import time
from typing import Any

import gevent

import clients
from clients.errors import ClientError
from loadtests.load.session import Session, server_url
from wire.message import Message

TIMEOUT_S = 30.0


def probe(run: Session, slug: str, options: dict[str, Any]) -> None:
    """Count round trips in the measure's ``naive`` tally, for ever.

    ``options`` are those of the technique's client.
    """
    settings, host = run.settings, server_url(run.environment)
    tally = run.measure(slug).tallies["naive"]
    with clients.open(slug, host, f"{settings.channel}.naive", **options) as client:
        gevent.sleep(settings.warm_up)
        while True:
            began_ns = time.monotonic_ns()
            try:
                client.send(settings.text, sender="naive", sent_ns=began_ns)
                while True:
                    item = client.receive(TIMEOUT_S)
                    if item is None or (isinstance(item, Message) and item.sent_ns == began_ns):
                        break
            except ClientError:
                gevent.sleep(1 / settings.rate)
                continue
            tally.record(time.monotonic_ns() - began_ns)
            gevent.sleep(1 / settings.rate)
