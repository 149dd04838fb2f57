"""The text of a message to somebody else's server: which message it is stands in the text itself.

``dx 17 916939316824 publisher xxx...``: its number, when it was due (monotonic nanoseconds), who
sent it, and padding. So a server need know nothing of us; it only has to hand the text on, and
whatever it puts around it is its framing.
"""

import re

from wire.message import Message

LEAST = 48  # bytes: what stands before the padding, however large its numbers are
_TEXT = re.compile(r"dx (\d{1,18}) (\d{1,18}) ([^\s\"\\<]{1,100}) x*", re.ASCII)


def write_text(number: int, sent_ns: int, sender: str, size: int) -> str:
    """Write the text of one message, padded to ``size`` bytes."""
    return f"dx {number} {sent_ns} {sender} ".ljust(size, "x")


def read_text(data: str) -> tuple[Message, ...]:
    """Find the texts that stand anywhere in ``data``, as messages whose body they are.

    When it was published nobody tells, so that is when it was due.
    """
    return tuple(
        Message(int(found[1]), found[3], int(found[2]), int(found[2]), found[0])
        for found in _TEXT.finditer(data)
    )
