"""Several servers beside each other: ``compare --servers NAME FILE URL ...``.

Each is measured by the techniques that it speaks of those that are asked for, under the same load
and in one random order; a table and two figures show them side by side.
"""

import argparse
from dataclasses import replace

from clients.foreign.table import PeerFileError
from loadtests.plan.options import Settings, foreign, variant
from loadtests.plan.plan import Beside, Plan
from loadtests.trials.peers import techniques_of


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--servers`` to a parser."""
    parser.add_argument(
        "--servers",
        nargs="+",
        default=[],
        metavar="SERVER",
        help="measure several other servers side by side, each as --server takes it",
    )


def techniques_by_server(
    options: argparse.Namespace, settings: Settings
) -> dict[str, tuple[str, ...]]:
    """Return what each server that is asked for speaks of the techniques that are.

    Raises :class:`~clients.foreign.table.PeerFileError` for what cannot be measured.
    """
    found: dict[str, tuple[str, ...]] = {}
    also = {
        "--server": options.server or None,
        "--and": options.other,
        "--against": options.against,
    }
    for flag, value in also.items():
        if options.servers and value is not None:
            raise PeerFileError(f"several are measured without {flag}")
    for server in options.servers:
        if foreign(server) in map(foreign, found):
            raise PeerFileError(f"{server} would be called like another one of them")
        asked = replace(settings, server=server)
        found[server] = techniques_of(asked, options.techniques, True, options.tls)
        if not found[server]:
            raise PeerFileError(f"{server} speaks none of {', '.join(options.techniques)}")
    return found


def make_beside(plan: Plan, spoken: dict[str, tuple[str, ...]]) -> Beside:
    """Return the plan of all servers, each by what it speaks."""
    plans = []
    for server, slugs in spoken.items():
        settings = replace(plan.settings, server=server)
        words = variant(settings, slugs)
        plans.append(replace(plan, techniques=slugs, settings=settings, variant=words))
    return Beside(tuple(plans))
