"""What is put up for a run: our servers, what stands in between, and the ways through it."""

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from clients.net.address import parse_address
from loadtests.between import network
from loadtests.between.intermediary import Intermediary, ShelfError, read_shelf
from loadtests.between.standing import HERE, Standing
from loadtests.between.ways import Origin, Way, ways_through, ways_without
from loadtests.trials.processes import ProcessError, Server
from results.record.crossings import DISTRIBUTED
from servers.front.certificates import AUTHORITY, FOLDER, signed_for
from wire.techniques import SLUGS

NEVER_S = 32767.0  # the heartbeat of a server that says nothing by itself
PLUGIN_PORT, TLS_PLUGIN_PORT = 8443, 8444
MOST_AT_ONCE = 8  # intermediaries, each twice, through which messages flow; more are late
MOST_SILENCE_S = 60.0  # that is waited for more than once


@dataclass(frozen=True)
class Stage:
    """What was put up: the ways, and of each intermediary what is to be recorded."""

    ways: list[Way]
    intermediaries: list[dict[str, Any]]


@dataclass(frozen=True)
class Origins:
    """Our servers: a plain one, one by TLS where port 443 can be had, and ``places`` of theirs."""

    plain: Origin
    secure: Origin | None
    places: dict[str, str]


def stages(options: argparse.Namespace, stack: contextlib.ExitStack) -> Iterator[Stage]:
    """Put everything up, some intermediaries at a time, which then stand until ``stack`` ends.

    Where nothing is said for minutes, all are put up at once. Raises ShelfError, ProcessError and
    CertificateError.
    """
    if options.front or options.proxy:
        yield what_runs(options)
        return
    chosen, absent = _installed(options.names)
    for one in absent:
        print(f"left out: {one}", file=sys.stderr)
    at_once = len(chosen) if options.silence > MOST_SILENCE_S else MOST_AT_ONCE
    groups = -(-len(chosen) // at_once)
    by_tls = any(one.kind == "forward" for one in chosen)
    origins = _origins(stack, options.heartbeat or NEVER_S, by_tls and network.is_own())
    for number in range(groups):
        yield _put_up(stack, chosen[number::groups], origins, number, bool(options.names))


def _origins(stack: contextlib.ExitStack, heartbeat: float, is_secure: bool) -> Origins:
    """Start our servers, which ``stack`` ends; one by TLS if tunnels to it can be asked for."""
    own = network.is_own()
    flags = ["--heartbeat", f"{heartbeat:g}"]
    plain = stack.enter_context(
        Server(SLUGS, port=80 * own, plugin_port=PLUGIN_PORT * own, flags=flags)
    )
    secure: Origin | None = None
    if is_secure:
        by_tls = Server(SLUGS, port=443, plugin_port=TLS_PLUGIN_PORT, flags=[*flags, "--tls"])
        stack.enter_context(by_tls)
        secure = Origin(f"https://{HERE}", by_tls.plugin_port, by_tls.trust)
    places = {
        "SERVER": f"{HERE}:{plain.port}",
        "SERVER_HOST": HERE,
        "SERVER_PORT": str(plain.port),
        "PLUGIN_SERVER": f"{HERE}:{plain.plugin_port}",
    }
    url = f"http://{HERE}" if own else plain.url
    return Origins(Origin(url, plain.plugin_port), secure, places)


def _put_up(
    stack: contextlib.ExitStack,
    chosen: Sequence[Intermediary],
    origins: Origins,
    group: int,
    named: bool,
) -> Stage:
    """Start a ``group`` of intermediaries in all their set-ups, which ``stack`` ends.

    What does not come up is left out, unless it was ``named``.
    """
    places, authority = dict(origins.places), None
    if any(one.kind == "tls" for one in chosen):
        places["CERTIFICATE"] = str(stack.enter_context(signed_for([HERE, "localhost"])))
        authority = str(FOLDER / AUTHORITY)
    standing = [
        stack.enter_context(Standing(one, setup, places)) for one in chosen for setup in one.setups
    ]
    ways = list(ways_without(origins.plain, origins.secure, group))
    there: list[Intermediary] = []
    for each in standing:
        try:
            each.await_listening()
        except ProcessError as error:
            if named:
                raise
            print(f"left out: {error}", file=sys.stderr)
            continue
        ways += ways_through(each, origins.plain, origins.secure, authority)
        there += [each.intermediary] * (each.intermediary not in there)
        stack.callback(each.signal, signal.SIGTERM)  # all of them, before one is waited for
    return Stage(ways, [_described(one) for one in there])


def _installed(names: list[str]) -> tuple[list[Intermediary], list[str]]:
    """Return those that can be started, and words on those that cannot, if nobody named them."""
    chosen, absent = [], []
    for one in read_shelf(names):
        try:
            one.program()
        except ShelfError as error:
            if names:
                raise
            absent.append(str(error))
        else:
            chosen.append(one)
    if not chosen:
        raise ShelfError("nothing that stands in between is installed: " + "; ".join(absent))
    return chosen, absent


def _described(one: Intermediary) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "kind": one.kind,
        "version": one.version_now(),
        "setups": [setup.name for setup in one.setups],
        "cure": one.cure,
    }


def what_runs(options: argparse.Namespace) -> Stage:
    """Return the ways through what runs already."""
    url = options.server or "http://127.0.0.1:8000"
    port = options.plugin_port or parse_address(url).port + 1
    origin = Origin(url, port)
    named = options.front or options.proxy
    title, kind = ("a front", "reverse") if options.front else ("a proxy", "forward")
    ways = list(ways_without(origin, None))
    control = ways[0].control

    def way(name: str, url: str, plugin: int, **more: Any) -> Way:
        here = "yours", DISTRIBUTED, name
        return Way(*here, url, origin, f"yours-{len(ways)}", plugin, control, more)

    if options.front:
        plugin = parse_address(options.front).port
        ways.append(way("in front", options.front, plugin, cafile=options.cafile))
    else:
        for name, tunnel in (("http://", False), ("CONNECT", True)):
            ways.append(way(name, url, port, proxy=options.proxy, tunnel=tunnel))
    described = {"name": "yours", "title": f"{title}, {named}", "kind": kind, "version": ""}
    return Stage(ways, [{**described, "setups": [DISTRIBUTED], "cure": []}])
