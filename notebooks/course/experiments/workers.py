"""Experiments with a server of several processes (``--workers``): who hears whom."""

import time

from notebooks.course.experiments.place import Place, fresh_channel
from wire.message import Message

_UNDER_WAY_S = 0.5  # for the last message to arrive
_QUIET_S = 0.02  # after which nothing more is there


def reach(
    place: Place, technique: str = "sse", subscribers: int = 40, messages: int = 40
) -> list[int]:
    """Publish ``messages``, each by a connection of its own; return how many reached each.

    The kernel deals connections out to the workers, those of the subscribers and of the publishes.
    """
    channel = fresh_channel("reach")
    listening = [place.open(technique, channel) for _ in range(subscribers)]
    for number in range(messages):
        with place.sender(channel) as sender:
            sender.send(str(number))
    time.sleep(_UNDER_WAY_S)
    reached = []
    for client in listening:
        count = 0
        while count < messages and (item := client.receive(_QUIET_S)) is not None:
            count += isinstance(item, Message)
        reached.append(count)
        client.close()
    return reached
