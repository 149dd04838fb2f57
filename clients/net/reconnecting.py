"""What becomes of a client whose connection is lost: it tries again, waits, or gives up."""

import enum
import random
import time
from dataclasses import dataclass
from typing import Final

from clients.errors import ClientError, ConnectionLostError, RefusedError, UnexpectedAnswerError
from clients.net.backoff import LONGEST_S, delay_s
from wire.errors import WireError

_PASSING: Final = (502, 503, 504)  # a server or the proxy before it that will be well again


class State(enum.Enum):
    """Where a client is between being made and being closed."""

    NEW = "was never open"
    OPEN = "is connected, as far as it knows"
    LOST = "is to be opened again at ``retry_at``"


@dataclass(slots=True)
class Reconnecting:
    """When a client connects, and how often in a row it tries.

    ::

        NEW --opened--> OPEN --lost--> LOST --opened--> OPEN
        NEW, LOST --lost--> LOST, or an error once it has tried ``reconnects`` times in a row

    Without ``jitter`` all wait the same time before they try again. A connection that held for
    ``mended_s`` seconds, or on which something came, ends a row of attempts. ``server_wait_s`` is
    how long the server asked all clients to wait; to a refusal it may give a time of its own.
    """

    reconnects: int = 10
    jitter: bool = True
    mended_s: float = LONGEST_S
    server_wait_s: float = 0.0
    state: State = State.NEW
    retry_at: float = 0.0  # monotonic time of the next attempt, while LOST
    _opened_at: float = 0.0
    _attempt: int = 0  # how many were made in a row

    @property
    def was_open(self) -> bool:
        """Whether the client was connected at least once."""
        return self._opened_at > 0

    def opened(self) -> None:
        """The client has connected and subscribed."""
        self.state = State.OPEN
        self._opened_at = time.monotonic()

    def proved(self) -> None:
        """Something came: the connection works."""
        self._attempt = 0

    def lost(self, error: ClientError | WireError) -> None:
        """Plan the next attempt after ``error``.

        Raises what the caller must hear of: any error that another attempt would not mend, and
        that it gave up. Whoever goes on all the same begins a new row of attempts, at once.
        """
        now = time.monotonic()
        if self.state is State.OPEN and now - self._opened_at > self.mended_s:
            self._attempt = 0
        self.state, self.retry_at = State.LOST, now
        if isinstance(error, WireError):
            raise UnexpectedAnswerError(str(error)) from error
        wait_s = self.server_wait_s
        if isinstance(error, RefusedError) and error.status in _PASSING:
            wait_s = error.retry_after_s or 0.0
        elif not isinstance(error, ConnectionLostError):
            self._attempt = 0
            raise error
        attempt, self._attempt = self._attempt, self._attempt + 1
        if attempt >= self.reconnects:
            self._attempt = 0
            if isinstance(error, RefusedError):
                raise error
            raise ConnectionLostError(f"{error}; gave up after {attempt} reconnects") from error
        luck = random.random() if self.jitter else 0.5
        self.retry_at = now + delay_s(attempt, luck, wait_s)
