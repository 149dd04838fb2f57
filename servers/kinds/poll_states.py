"""What a kept connection of polls may be about, and for how long."""

import enum
import math

_HEAD_SECONDS = 10.0  # a head that takes longer is an attack or a broken line
_IDLE_SECONDS = 75.0


class State(enum.Enum):
    """What a kept connection is about::

    READING <-- bytes ------------- IDLE
       |                             ^
       |-- the log is not here --> LOADING -- it is --.
       |<---------------------------------------------'
       |-- answered ---------------->|  (or READING, if the next request is there already)
       |                             |
       `-- nothing new --> WAITING --' a message, or the timeout

    any <-- the answer is taken --> FULL
    any --- last answer, end of input, or given back --> CLOSING
    """

    IDLE = "waits for a request"
    READING = "has bytes of a request that is not served yet"
    LOADING = "its request waits for the log"
    WAITING = "its request waits in a pool"
    FULL = "does not take its answers, so no request is served"
    CLOSING = "gets no more than was written"


IDLE, READING, LOADING, WAITING, FULL, CLOSING = State
# Seconds that a state may last; where an answer is on its way, without a byte of it being taken.
LONGEST = {
    IDLE: _IDLE_SECONDS,
    READING: _HEAD_SECONDS,
    LOADING: math.inf,  # which has its own deadline, as has the next
    WAITING: math.inf,
    FULL: _IDLE_SECONDS,
    CLOSING: _IDLE_SECONDS,
}
