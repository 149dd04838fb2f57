"""How many sockets a process may hold: in all, and for one address, so that nobody takes all."""

from collections import Counter


class Places:
    """``most`` sockets for all, ``each`` for one address."""

    def __init__(self, most: int, each: int) -> None:
        self.most, self.each = most, each
        self.taken = 0
        self._by_address: Counter[str] = Counter()

    def take(self, address: str, sockets: int = 1) -> bool:
        """Take places for ``address``; false where it, or all, would have too many."""
        if self.taken + sockets > self.most or self._by_address[address] + sockets > self.each:
            return False
        self.taken += sockets
        self._by_address[address] += sockets
        return True

    def give(self, address: str, sockets: int = 1) -> None:
        """Give places back."""
        self.taken -= sockets
        self._by_address[address] -= sockets
        if not self._by_address[address]:
            del self._by_address[address]
