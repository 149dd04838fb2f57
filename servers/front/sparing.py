"""A log that nobody can flood: the same complaint is written a few times, then counted."""

import logging
import time

_SECONDS = 60.0
_MOST_ALIKE = 5  # in so many seconds
_MOST_KINDS = 100


class Sparing(logging.Filter):
    """Lets through a few records of each kind, which is the place that they come from."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int], int] = {}
        self._since = time.monotonic()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written; the last one tells that more may come."""
        now = time.monotonic()
        if now - self._since > _SECONDS:
            self._seen.clear()
            self._since = now
        kind = (record.pathname, record.lineno)
        if kind not in self._seen and len(self._seen) >= _MOST_KINDS:
            return False
        count = self._seen[kind] = self._seen.get(kind, 0) + 1
        if count == _MOST_ALIKE:
            record.msg = f"{record.msg} (more like this are not shown for a while)"
        return count <= _MOST_ALIKE


def log_sparingly() -> None:
    """Write the log to stderr, a line for each warning or error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    handler.addFilter(Sparing())
    logging.basicConfig(handlers=[handler])
