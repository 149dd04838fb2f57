"""What one Locust process run leaves behind: one JSON file that ``compare`` reads."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hdrh.histogram import HdrHistogram

from loadtests.measures.condition import Condition
from loadtests.measures.measure import Doubts, Flow
from loadtests.measures.tally import Tally
from loadtests.plan.options import Settings
from results.record.histogram import decode, encode
from results.record.rows import Audit, HostRow

_EARLY_S = 0.05  # what timers may be wrong by


@dataclass(frozen=True, slots=True)
class TechniqueResult:
    """One technique's figures.

    ``seconds`` and ``answers`` are as in :class:`~loadtests.measures.measure.Measure`.
    """

    histograms: dict[str, HdrHistogram]
    audit: Audit
    flow: Flow
    deliveries: int
    doubts: Doubts = field(default_factory=Doubts)
    seconds: dict[int, Tally] = field(default_factory=dict)
    answers: list[list[int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Result:
    """One test's figures; ``conditions`` by process, ``published`` as in ``publisher``.

    ``stamped`` says who tells when a message arrived: ``kernel`` or ``process``. A time of
    any process may be wrong by ``clock_error_ns``.
    """

    settings: Settings
    users: int
    connected: int
    techniques: dict[str, TechniqueResult]
    published: dict[str, Any]
    conditions: dict[str, Condition]
    failures: dict[str, int]
    stamped: str = "process"
    hosts: list[HostRow] = field(default_factory=list)
    clock_error_ns: int = 0


def write(path: str, result: Result) -> None:
    """Write the file in one step, so that nobody reads half of it."""
    values = {
        "settings": asdict(result.settings),
        "users": result.users,
        "connected": result.connected,
        "published": result.published,
        "conditions": {name: asdict(item) for name, item in result.conditions.items()},
        "failures": result.failures,
        "stamped": result.stamped,
        "hosts": [asdict(row) for row in result.hosts],
        "clock_error_ns": result.clock_error_ns,
        "techniques": {
            slug: {
                "histograms": {name: encode(item) for name, item in found.histograms.items()},
                "audit": asdict(found.audit),
                "flow": asdict(found.flow),
                "deliveries": found.deliveries,
                "doubts": asdict(found.doubts),
                "seconds": [(at_s, list(tally.items())) for at_s, tally in found.seconds.items()],
                "answers": found.answers,
            }
            for slug, found in result.techniques.items()
        },
    }
    part = Path(path + ".part")
    part.write_text(json.dumps(values), encoding="utf-8")
    part.replace(path)


def tell_begun(path: str, began_ns: int) -> None:
    """Say beside the file to come when the measured time begins, by the server's clock."""
    part = Path(path + ".begun.part")
    part.write_text(str(began_ns), encoding="ascii")
    part.replace(path + ".begun")


def read_begun(path: Path) -> int | None:
    """Read what :func:`tell_begun` wrote, if it did by now."""
    try:
        return int(Path(f"{path}.begun").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def read(path: Path | str) -> Result:
    """Read what :func:`write` wrote."""
    values: Mapping[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return Result(
        settings=Settings(**values["settings"]),
        users=values["users"],
        connected=values["connected"],
        published=values["published"],
        conditions={name: Condition(**item) for name, item in values["conditions"].items()},
        failures=values["failures"],
        stamped=values["stamped"],
        hosts=[HostRow(**row) for row in values["hosts"]],
        clock_error_ns=values["clock_error_ns"],
        techniques={
            slug: TechniqueResult(
                {name: decode(text) for name, text in item["histograms"].items()},
                Audit(**item["audit"]),
                Flow(**item["flow"]),
                item["deliveries"],
                Doubts(**item["doubts"]),
                seconds={at_s: Tally(map(tuple, pairs)) for at_s, pairs in item["seconds"]},
                answers=item["answers"],
            )
            for slug, item in values["techniques"].items()
        },
    )


def unlike(result: Result, asked: Settings) -> str:
    """Say in what the load that was measured is not the one that was asked for, if anything."""
    found, wanted = asdict(result.settings), asdict(asked)
    differing = [f"{name} was {found[name]!r}" for name in wanted if found[name] != wanted[name]]
    began_ns, ended_ns = (result.published.get(f"{what}_ns", 0) for what in ("began", "ended"))
    measured_s = (ended_ns - began_ns) / 1e9
    if began_ns and ended_ns and measured_s < asked.seconds - _EARLY_S:
        differing.append(f"it ended after {max(measured_s, 0.0):.1f} of {asked.seconds:g} s")
    return ", ".join(differing)
