"""How long to wait before connecting again: exponential, with full jitter.

When a server restarts, all its clients lose their connections in the same instant. If all came
back after the same time they would come as one herd; so each waits a random part of a limit that
doubles with every failure.
"""

FIRST_S = 0.5
LONGEST_S = 30.0


def delay_s(attempt: int, luck: float, least_s: float = 0.0) -> float:
    """Return the seconds to wait before reconnect ``attempt`` (0 is the first).

    ``luck`` is a random number of 0 <= luck < 1. ``least_s`` is what the server asked for
    (``retry:`` of an event stream, ``Retry-After``); the jitter is added to it.
    """
    limit = min(LONGEST_S, FIRST_S * 2.0 ** min(attempt, 32))
    return least_s + luck * limit
