"""Follow one channel in the terminal: ``python -m clients sse --channel lobby``.

One line for each message: time, id, sender, text, and how long ago it was published (which is
right on the server's own host, where both read the same monotonic clock). On a terminal, lines
typed are sent.
"""

import argparse
import contextlib
import io
import math
import os
import sys
import threading
import time
from collections.abc import Sequence

from clients import open_client
from clients.client import Client, Item
from clients.errors import ClientError, UnreachableError
from wire.message import Gap
from wire.techniques import TECHNIQUES, known, listing
from wire.terminal import visible

# Options that only some techniques have.
_FITTING = {
    "interval": [one.slug for one in TECHNIQUES if one.asks],
    "plugin_port": [one.slug for one in TECHNIQUES if one.own_port],
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Watch until Ctrl-C and return the exit status."""
    parser = argparse.ArgumentParser(
        os.environ.pop("DUPLEX_COMMAND", "python -m clients"),
        description="Follow one channel.",
        epilog=listing(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("technique", type=known, metavar="TECHNIQUE", help="one of those below")
    parser.add_argument(
        "--url", default="http://127.0.0.1:8000", help="the server (default: %(default)s)"
    )
    parser.add_argument(
        "--cafile", metavar="PEM", help="whom to trust at https:// (default: as this system does)"
    )
    parser.add_argument(
        "--proxy",
        metavar="URL",
        help="go through a proxy: http://[user:password@]host:port; environment takes the one that "
        "its variables name (default: none, and they are not asked)",
    )
    parser.add_argument("--channel", default="lobby", help="what to follow (default: %(default)s)")
    parser.add_argument(
        "--after", metavar="CURSOR", help="resume behind a cursor (default: from now)"
    )
    parser.add_argument("--name", help="tell the others that you are here")
    parser.add_argument(
        "--interval", type=_seconds, help="seconds from request to request (default: 1)"
    )
    parser.add_argument(
        "--plugin-port", type=_port, help="port of the plugin socket (default: the page's + 1)"
    )
    parser.add_argument("--count", type=_count, help="stop after so many messages (default: never)")
    asked = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # people write in letters that it may not have
            stream.reconfigure(errors="backslashreplace")
    names = ("after", "name", "cafile", "proxy")
    options = {name: getattr(asked, name) for name in names}
    for name, fitting in _FITTING.items():
        value = getattr(asked, name)
        if value is not None:
            if asked.technique not in fitting:
                parser.error(f"--{name.replace('_', '-')} is for {', '.join(fitting)}")
            options[name] = value
    try:
        with open_client(asked.technique, asked.url, asked.channel, **options) as client:
            _say(f"{asked.technique} {asked.url} channel {asked.channel}; Ctrl-C ends it")
            if sys.stdin is not None and sys.stdin.isatty():
                threading.Thread(target=_send_lines, args=(client,), daemon=True).start()
            _watch(client, asked.count)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; nobody is left to tell
        return 0
    except (ClientError, ValueError) as error:
        _say(f"error: {error}")
        if isinstance(error, UnreachableError) and not asked.proxy:
            _say("Nothing listens there; start it with: python3 lab.py serve")
        return 1
    return 0


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < (seconds := float(text)) < math.inf:
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")


def _port(text: str) -> int:
    with contextlib.suppress(ValueError):
        if 0 < (port := int(text)) < 2**16:
            return port
    raise argparse.ArgumentTypeError(f"{text!r} is no port from 1 to 65535")


def _count(text: str) -> int:
    with contextlib.suppress(ValueError):
        if (count := int(text)) >= 0:
            return count
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0")


def _watch(client: Client, count: int | None) -> None:
    left = count
    while left is None or left > 0:
        item = client.receive()
        if item is None:
            continue
        print(line_for(item, client.arrived_ns), flush=True)
        if left is not None and not isinstance(item, Gap):
            left -= 1


def line_for(item: Item, arrived_ns: int) -> str:
    """Return what the terminal shows of a message or a gap; neither can steer it."""
    clock = time.strftime("%H:%M:%S")
    if isinstance(item, Gap):
        return visible(f"{clock}  -- gap: some messages are gone; on from {item.cursor} --")
    body = f"({len(item.body)} bytes)" if isinstance(item.body, bytes) else item.body
    text = f"{item.presence} by {body}" if item.presence else body
    age_ms = (arrived_ns - item.published_ns) / 1e6
    return visible(f"{clock}  {item.id:>6}  {item.sender or '-':<12}  {text}  [{age_ms:.1f} ms]")


def _send_lines(client: Client) -> None:
    for line in sys.stdin:
        if text := line.rstrip("\n"):
            try:
                client.send(text)
            except ClientError as error:
                _say(f"not sent: {error}")


def _say(text: str) -> None:
    print(visible(text), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
