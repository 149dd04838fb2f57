"""What a server knows of itself, alone or together with the other workers of a shared log."""

import asyncio
import os
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Any

from servers.front.ledger import Row, resident_bytes
from servers.service import Service

_SUMMED = ("cpu_s", "rss_bytes", "open_sockets")


def snapshot(service: Service) -> dict[str, Any]:
    """Tell what this process knows of itself."""
    process = {
        "pid": os.getpid(),
        "cpu_s": time.process_time(),
        "rss_bytes": resident_bytes(),
        "open_sockets": service.ledger.sockets,
        "loop": type(asyncio.get_running_loop()).__module__.partition(".")[0],
    }
    channels = {
        name: {
            "cursor": channel.cursor(),
            "messages": channel.log.last,
            "bytes": channel.log.size,
            "subscribers": channel.size,
        }
        for name, channel in service.hub.channels.items()
    }
    return {
        "host": socket.gethostname(),
        "process": process,
        "channels": channels,
        "techniques": service.ledger.as_json(),
    }


def all_together(service: Service) -> dict[str, Any]:
    """Tell what ``/stats`` shows: of this process, or of all workers.

    Of several, counts are sums, in which those of workers that are gone stay; ``process`` has the
    ``pid`` of this one; and ``workers`` lists all that serve.
    """
    mine, elsewhere = snapshot(service), service.elsewhere
    host = mine.pop("host")
    if elsewhere is None:
        return mine
    everybody = [mine | {"host": host}, *elsewhere.others]
    gone = elsewhere.gone
    mine["workers"] = [
        {"host": one["host"]} | {name: one["process"][name] for name in ("pid", *_SUMMED)}
        for one in everybody
    ]
    mine["process"] |= {
        name: sum(one["process"][name] for one in everybody) + gone.get(name, 0) for name in _SUMMED
    }
    mine["channels"] = _channels(one["channels"] for one in everybody)
    mine["techniques"] = {
        slug: {
            name: sum(one["techniques"][slug][name] for one in everybody)
            + round(gone.get(f"{slug}.{name}", 0))
            for name in Row.__slots__
        }
        for slug in mine["techniques"]
    }
    return mine


def _channels(all_of_them: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for channels in all_of_them:
        for name, row in channels.items():
            if name not in found:
                found[name] = dict(row)
            else:
                found[name]["subscribers"] += row["subscribers"]
    return found


def counted(told: Mapping[str, Any]) -> dict[str, float]:
    """Return what a worker that is gone has counted, which only grows, by counter."""
    rows = told["techniques"]
    totals = [name for name in Row.__slots__ if name not in ("open", "held")]
    found = {f"{slug}.{name}": rows[slug][name] for slug in rows for name in totals}
    return {name: value for name, value in found.items() if value} | {
        "cpu_s": told["process"]["cpu_s"]
    }
