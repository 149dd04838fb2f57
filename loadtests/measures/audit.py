"""Did everything arrive, once, in order? By ids, which a channel counts without holes.

A subscriber knows the id at which it began and learns, when all is over, the last one that was
published. What lies between must have come exactly once. In order this takes two integers of
memory; only what is missing is remembered one by one.
"""

from results.record.rows import Audit


class Auditor:
    """Follows the ids that one subscriber receives, beginning after ``start``."""

    __slots__ = ("_duplicated", "_missing", "_next", "_reordered", "_start")

    def __init__(self, start: int) -> None:
        self._start = start
        self._next = start + 1
        self._missing: set[int] | None = None
        self._duplicated = 0
        self._reordered = 0

    @property
    def last(self) -> int:
        """The highest id seen, or the start."""
        return self._next - 1

    @property
    def missing(self) -> int:
        """How many ids before the highest one have not come yet."""
        return len(self._missing or ())

    def take(self, message_id: int) -> bool:
        """Note one received id; return whether it came for the first time."""
        if message_id == self._next:
            self._next += 1
            return True
        return self._take_unexpected(message_id)

    def has_all(self, final: int) -> bool:
        """Whether nothing up to ``final`` is missing."""
        return self._next > final and not self._missing

    def close(self, final: int) -> Audit:
        """Return the audit over all ids after the start and up to ``final``.

        Ids beyond ``final`` that came nevertheless are expected too.
        """
        final = max(final, self.last)
        expected = final - self._start
        missing = final - self.last + self.missing
        return Audit(expected, expected - missing, self._duplicated, self._reordered)

    def _take_unexpected(self, message_id: int) -> bool:
        if message_id > self._next:
            self._missing = self._missing or set()
            self._missing.update(range(self._next, message_id))
            self._next = message_id + 1
            return True
        if self._missing and message_id in self._missing:
            self._missing.remove(message_id)
            self._reordered += 1
            return True
        self._duplicated += 1
        return False
