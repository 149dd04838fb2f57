"""How many bytes a process may hold for peers that do not finish sending, or do not read.

Sockets are counted, and so each may hold a little for nothing. What is larger shares one amount:
the unfinished bodies, messages and lines, and the answers that nobody takes. Where that is used
up, large things are refused, and whatever is small goes on as before.
"""

from typing import Final

from servers.front.problems import Problem

FREE: Final = 64 * 2**10  # bytes that each may hold without being counted
NO_ROOM: Final = Problem(
    503,
    "too much is under way here that is not finished or not read; large things must wait",
    Retry_After="5",
)


class Budget:
    """``most`` bytes for all; ``used`` are taken."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0

    def change(self, held: int, wanted: int) -> bool:
        """Hold ``wanted`` bytes instead of ``held``; false where there is no room for more.

        Then ``held`` stay held. What is given back always finds room.
        """
        before, after = _counted(held), _counted(wanted)
        if after > before and self.used - before + after > self.most:
            return False
        self.used += after - before
        return True


def _counted(size: int) -> int:
    return size if size > FREE else 0
