"""The lecture with some of its bounds lifted, to see what they hold.

``python -m tests.unbreakable.undefended BOUND,... MODULE`` takes the other arguments of that
module, ``servers`` or ``servers.lecture.stage``; the lecture lifts the bounds of its stage, too.
All else is as ever.
"""

import asyncio
import importlib
import sys
from collections.abc import Callable
from typing import Any

from servers.front import bodies, listening
from servers.front.budget import Budget
from servers.front.places import Places
from servers.front.sparing import Sparing
from servers.lecture import doors, stage, viewers

_ENDLESS = sys.maxsize


def _sockets() -> None:
    """No address and no room is full."""
    Places.take = lambda *_: True  # type: ignore[method-assign]
    Places.give = lambda *_: None  # type: ignore[method-assign]


def _log() -> None:
    """Every complaint is written."""
    Sparing.filter = lambda *_: True  # type: ignore[method-assign]
    listening._ACCEPTED_AT_ONCE = listening._MOST_WAITING


def _bytes() -> None:
    """Anything may wait for a page, however much it is."""
    viewers._MOST_BYTES = _ENDLESS  # type: ignore[misc]
    Budget.change = lambda *_: True  # type: ignore[method-assign]


def _sizes() -> None:
    """What is large may be larger, and take its time."""
    stage.MOST_MESSAGE = stage._MOST_ECHO = doors._MOST_BODY = 32 * 2**20  # type: ignore[misc]
    bodies._BODY_SECONDS = 3600.0  # type: ignore[misc]


def _seats() -> None:
    """One address may take all seats."""
    viewers.PAGES_EACH = _ENDLESS  # type: ignore[misc]


def _kept_seats() -> None:
    """No seat is kept for the key."""
    viewers.Seats.keep = lambda *_: None  # type: ignore[method-assign]


BOUNDS: dict[str, Callable[[], None]] = {
    "sockets": _sockets,
    "log": _log,
    "bytes": _bytes,
    "sizes": _sizes,
    "seats": _seats,
    "kept seats": _kept_seats,
}


def main() -> None:
    """Lift the bounds here, and in what is started from here."""
    bounds, module = sys.argv[1:3]
    for bound in bounds.split(","):
        BOUNDS[bound]()
    start = asyncio.create_subprocess_exec

    async def start_undefended(*words: str, **how: Any) -> asyncio.subprocess.Process:
        python, option, *rest = words
        return await start(python, option, __spec__.name, bounds, *rest, **how)

    asyncio.create_subprocess_exec = start_undefended  # type: ignore[assignment]
    del sys.argv[1:3]
    sys.exit(importlib.import_module(module).main())


if __name__ == "__main__":
    main()
