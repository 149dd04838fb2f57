"""A program with some of its defences lifted, to see what they hold.

``python -m tests.unbreakable.undefended DEFENCE,... -m MODULE ...`` runs that module with the
defences lifted that are named, and so does whatever it starts. All else is as ever.
"""

import asyncio
import html
import importlib.util
import json
import sys
from collections.abc import Callable
from math import inf
from typing import Any

_ENDLESS = sys.maxsize

# Each imports what it changes: the relay or a client shall not load a lecture for it.


def _sockets() -> None:
    """No address and no room is full."""
    from servers.front.places import Places

    Places.take = lambda *_: True  # type: ignore[method-assign]
    Places.give = lambda *_: None  # type: ignore[method-assign]


def _log() -> None:
    """Every complaint is written."""
    from servers.front import listening
    from servers.front.sparing import Sparing

    Sparing.filter = lambda *_: True  # type: ignore[method-assign]
    listening._ACCEPTED_AT_ONCE = listening._MOST_WAITING


def _bytes() -> None:
    """Anything may wait for a page, however much it is."""
    from servers.front.budget import Budget
    from servers.lecture import viewers

    viewers._MOST_BYTES = _ENDLESS  # type: ignore[misc]
    Budget.change = lambda *_: True  # type: ignore[method-assign]


def _sizes() -> None:
    """What is large may be larger, and take its time."""
    from servers.front import bodies
    from servers.lecture import doors, stage

    stage.MOST_MESSAGE = stage._MOST_ECHO = doors._MOST_BODY = 32 * 2**20  # type: ignore[misc]
    bodies._BODY_SECONDS = 3600.0  # type: ignore[misc]


def _seats() -> None:
    """One address may take all seats."""
    from servers.lecture import viewers

    viewers.PAGES_EACH = _ENDLESS  # type: ignore[misc]


def _kept_seats() -> None:
    """No seat is kept for the key."""
    from servers.lecture.viewers import Seats

    Seats.keep = lambda *_: None  # type: ignore[method-assign]


def _key() -> None:
    """Everybody is taken for the lecturer."""
    from servers.lecture.doors import Doors

    Doors._has_key = lambda *_: True  # type: ignore[method-assign]


def _news() -> None:
    """The lines tell of all channels, and a page's name opens its news again."""
    from servers.lecture import stage
    from servers.lecture.viewers import Seats, Viewer

    let_in = Seats.open

    def let_in_again(self: Seats, name: str, address: str) -> Viewer:
        if name in self.viewers:
            return self.viewers[name]
        return let_in(self, name, address)

    def let_out(self: Seats, viewer: Viewer) -> None:
        self.viewers.pop(viewer.name, None)

    stage._PRIVATE = ()  # type: ignore[assignment]
    Seats.open, Seats.close = let_in_again, let_out  # type: ignore[method-assign]


def _markup() -> None:
    """What somebody wrote stands in a document, or in a script, as it was written."""
    from wire import message

    html.escape = lambda s, quote=True: s
    message.dump_json = lambda value: json.dumps(value, ensure_ascii=False).encode()


def _problems() -> None:
    """aiohttp reads, refuses and logs by itself."""
    from aiohttp import web
    from aiohttp.web_protocol import RequestHandler

    from servers.front import bodies
    from servers.front.handler import Handler

    def begin(self: Handler, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        RequestHandler.__init__(self, server, loop=loop)

    async def read(request: web.Request, *_: object) -> bytes:
        return await request.read()

    for name in ("handle_error", "finish_response", "log_exception"):
        delattr(Handler, name)
    Handler.__init__ = begin  # type: ignore[method-assign]
    bodies.read_body = read  # type: ignore[assignment]


def _lines() -> None:
    """A line may be what no line is."""
    from servers.relay import pipe

    pipe._MOST_DELAY_S = pipe._MOST_BYTES_PER_S = inf  # type: ignore[misc]


def _words() -> None:
    """The words of strangers reach the terminal as they are, and rich reads its markup in them."""
    import rich.console

    from wire import terminal

    terminal.visible = terminal.visible_lines = lambda text: text
    sys.modules["results.console"] = rich.console
    rich.console.Console.print_table = rich.console.Console.print  # type: ignore[attr-defined]


DEFENCES: dict[str, Callable[[], None]] = {
    "sockets": _sockets,
    "log": _log,
    "bytes": _bytes,
    "sizes": _sizes,
    "seats": _seats,
    "kept seats": _kept_seats,
    "key": _key,
    "news": _news,
    "markup": _markup,
    "problems": _problems,
    "lines": _lines,
    "words": _words,
}


def without(defences: str) -> list[str]:
    """Return the words that stand between Python and its own, so that it runs without these."""
    return ["-m", "tests.unbreakable.undefended", defences]


def main() -> None:
    """Lift the defences here, and in what is started from here."""
    defences, _, module = sys.argv[1:4]
    for defence in defences.split(","):
        DEFENCES[defence]()
    start = asyncio.create_subprocess_exec

    async def start_undefended(*words: str, **how: Any) -> asyncio.subprocess.Process:
        python, *rest = words
        return await start(python, *without(defences), *rest, **how)

    asyncio.create_subprocess_exec = start_undefended  # type: ignore[assignment]
    del sys.argv[1:4]
    found = importlib.util.find_spec(module)
    if found is not None and found.submodule_search_locations is not None:
        module += ".__main__"
    sys.exit(importlib.import_module(module).main())


if __name__ == "__main__":
    main()
