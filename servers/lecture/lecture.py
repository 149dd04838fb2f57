"""The lecture: the page, its doors, the lines, and the techniques' server behind them.

    browser -- page and doors -----------------------> this process, page port
    browser -- lane -- line (a relay, one for each) -> the stage, a process of its own
    browser -- HAProxy -- the limits lab's line          where HTTP/2 is asked for

``python -m servers --lecture`` runs it. ``--port`` is the techniques' own door, on loopback, as
without ``--lecture``, so that all other commands find it; page and lines have the ports after it.
"""

import argparse
import asyncio
import contextlib
import ipaddress
import os
import secrets
import signal
import socket
import sys
import webbrowser

import segno
from aiohttp import web

from servers.app import most_sockets, raise_most_sockets
from servers.front.handover import Listener
from servers.front.ledger import Ledger
from servers.front.listening import bound_socket, listen, own_host
from servers.front.places import Places
from servers.lecture.doors import Doors
from servers.lecture.entrance import Entrance
from servers.lecture.front import Front
from servers.lecture.lines import Lines
from servers.lecture.source import Source
from servers.lecture.stage import HEARTBEAT
from servers.lecture.stage_process import StageProcess
from wire.ready_line import ReadyLine, encode_ready_line
from wire.techniques import OWN_PORT, SLUGS

_PAGE, _LINES = 2, 3  # ports after the techniques' own and the plugin's
_SHUTDOWN_SECONDS = 1.0
_OWN_SOCKETS = 48  # to the stage and the plugins, and for newcomers that are only asked
_SEND_BUFFER = 64 * 2**10


async def lecture(options: argparse.Namespace) -> None:
    """Run the lecture until SIGTERM or Ctrl-C. Raises :class:`OSError` where a port is taken."""
    raise_most_sockets()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(name, stop.set)
    port = options.port
    plugin_port = options.plugin_port
    if plugin_port is None:
        plugin_port = port + 1 if port else 0
    async with contextlib.AsyncExitStack() as stack:
        # The page's port is found first: it is named in what the stage lets embed itself.
        listening = bound_socket(options.host, port + _PAGE if port else 0)
        stack.callback(listening.close)
        page_port = listening.getsockname()[1]
        hosts = {*options.allow_host, options.host}
        stage = StageProcess(page_port, port, plugin_port, hosts)
        stack.push_async_callback(stage.stop)
        await stage.start()
        places = Places(most := most_sockets() - _OWN_SOCKETS, most // 4)
        lines = Lines(_targets(stage, port), options.host, places)
        await lines.start(stack)
        front_port = port + _LINES + len(lines.ports) if port else 0
        front = Front(options.host, front_port, lines.ports["limits"], hosts)
        stack.push_async_callback(front.stop)
        room = _room_address(options.host, page_port)
        doors: Doors
        source = Source(stage, lambda: doors.bulletin.tell_soon())
        key = secrets.token_urlsafe(9)
        doors = Doors(key, lines, stage, source, front, room, hosts)
        publishing = loop.create_task(source.run())
        stack.callback(publishing.cancel)
        runner = web.AppRunner(
            doors.app(), handler_cancellation=True, shutdown_timeout=_SHUTDOWN_SECONDS
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        assert runner.server is not None
        listener = Listener(runner.server, Ledger(), most)
        entrance = Entrance(listener, places, doors.has_key)
        server = await listen(entrance, listening, send_buffer=_SEND_BUFFER, heartbeat=HEARTBEAT)
        stack.callback(server.close)
        host = own_host(options.host)
        own = f"http://{f'[{host}]' if ':' in host else host}:{page_port}/#key={key}"
        _announce(own, room, stage, lines)
        if _can_open() if options.open is None else options.open:
            await asyncio.to_thread(webbrowser.open, own)
        await stop.wait()


def _can_open() -> bool:
    """Whether somebody sits here, at a screen: a browser in the terminal would take it over."""
    has_screen = sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    return sys.stdout.isatty() and has_screen


def _targets(stage: StageProcess, port: int) -> list[tuple[str, int, int]]:
    """List each line: its technique, its port, and the stage's port behind it."""
    return [
        (
            slug,
            port + _LINES + number if port else 0,
            stage.plugin_port if slug in OWN_PORT else stage.lines_port,
        )
        for number, slug in enumerate((*SLUGS, "limits"))
    ]


def _room_address(host: str, port: int) -> str:
    """Return the page's address for other devices; empty where only this one may come in."""
    with contextlib.suppress(ValueError):  # a name, or digits that are no whole address
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return ""
    if host in ("0.0.0.0", "::", ""):
        # Connecting a UDP socket sends nothing; it only asks which way it would go.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))
                host = probe.getsockname()[0]
            except OSError:
                host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _announce(own: str, room: str, stage: StageProcess, lines: Lines) -> None:
    ports = sorted(lines.ports.values())
    print(encode_ready_line(ReadyLine("lecture", own)), flush=True)
    print(
        f"  The address holds the lecturer's key: who has it may change the network.\n"
        f"  The techniques themselves: http://127.0.0.1:{stage.port} "
        f"plugin 127.0.0.1:{stage.plugin_port}"
    )
    if room:
        print(f"  The room's address: {room}")
        with contextlib.suppress(UnicodeEncodeError):  # a stdout of few letters: the page has it
            segno.make(room, error="m").terminal(out=sys.stdout, compact=True)
        print(
            f"  WARNING: whoever reaches this machine can open the page (port "
            f"{room.rstrip('/').rpartition(':')[2]}) and the lines (ports {ports[0]} to "
            f"{ports[-1]}),\n  watch and write to the chat, but change the network or the server "
            "only with your key,\n  which, as nothing is encrypted, those can read who can listen "
            "to the network."
        )
    print("  Ctrl-C ends it.", flush=True)
