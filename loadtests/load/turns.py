"""When the loop last looked whether something had come: how late a read may have been.

A kernel stamps what it takes in, but one read gives everything in it the last stamp. What is read
in one turn of the loop was not there yet when the loop looked in the turn before, else it would
have been read then. So messages that are read together lie no further apart than that.
"""

import time

import gevent

# The watch wakes the loop every few ms. A look that took longer was asleep or stopped, and then
# the system may have ended it without telling what had come meanwhile.
_PROMPT_NS = 10_000_000


class Turns:
    """Notes the turns of this process' loop; ``before_ns`` is monotonic."""

    def __init__(self) -> None:
        self.before_ns = 0
        self._began_ns = self._ended_ns = 0
        loop = gevent.get_hub().loop
        self._prepare, self._check = loop.prepare(ref=False), loop.check(ref=False)

    def start(self) -> None:
        """Begin to note."""
        self.before_ns = self._began_ns = self._ended_ns = time.monotonic_ns()
        self._prepare.start(self._begin_look)
        self._check.start(self._end_look)

    def stop(self) -> None:
        """Note nothing any more."""
        self._prepare.stop()
        self._check.stop()

    def _begin_look(self) -> None:
        prompt = self._ended_ns - self._began_ns < _PROMPT_NS
        self.before_ns = self._ended_ns if prompt else self._began_ns
        self._began_ns = time.monotonic_ns()

    def _end_look(self) -> None:
        self._ended_ns = time.monotonic_ns()
