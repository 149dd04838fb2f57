"""The audit of the limits benchmark: every message of every socket, by its bytes."""

import re

from wire.http_head import END

_WHOLE_ID = re.compile(rb'"id":(\d+),"sender"')
_START = re.compile(rb"Duplex-Cursor: (\w+)-(\d+)")


class Audit:
    """Checks that each socket gets every id, once and in order."""

    def __init__(self) -> None:
        self.counts = {"received": 0, "lost": 0, "doubled": 0, "gaps": 0}
        self._last: dict[int, int] = {}
        self._rest: dict[int, bytes] = {}
        self._epoch = b""

    def begin(self, fd: int, head: bytes, last: int | None) -> None:
        """Start a socket behind its ``head``, at the cursor that it names or at ``last``."""
        found = _START.search(head)
        assert found is not None
        self._epoch = found[1]
        self._last[fd] = int(found[2]) if last is None else last
        self._rest[fd] = b""
        self.take(fd, head.partition(END)[2])

    def take(self, fd: int, data: bytes) -> None:
        """Read what came on a socket."""
        data = self._rest[fd] + data
        end = 0
        for found in _WHOLE_ID.finditer(data):
            self.counts["received"] += 1
            number, last = int(found[1]), self._last[fd]
            self.counts["lost"] += max(number - last - 1, 0)
            self.counts["doubled"] += number <= last
            self._last[fd] = max(number, last)
            end = found.end()
        self.counts["gaps"] += data.count(b'"gap":true')
        # An id may be cut in two by the end of what was read.
        self._rest[fd] = data[max(end, len(data) - 40) :]

    def forget(self, fd: int) -> tuple[bytes, int]:
        """Return where a socket stood, as a cursor and as an id."""
        del self._rest[fd]
        last = self._last.pop(fd)
        return self._epoch + b"-%d" % last, last
