"""Runs of the suite against things that are known: planted faults, a throttled generator, bare
sockets beside it. What comes out says whether the instrument can be trusted.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from loadtests.plan.options import Settings
from loadtests.plan.plan import Level, Plan, Trial
from loadtests.trials.peers import find_peer
from loadtests.trials.processes import Child, Core, ProcessError, Relay, Server, Way, cores
from loadtests.trials.trial import Outcome, Staging, run
from wire.techniques import OWN_PORT


def one_trial(
    slug: str, users: int, settings: Settings, delay_ms: float = 0.0, variant: str = ""
) -> Trial:
    """Return a single trial; ``settings.rate`` is its rate."""
    level = Level(users, settings.rate, delay_ms)
    plan = Plan((slug,), (level,), seed=settings.seed, variant=variant, settings=settings)
    return plan.trials()[0]


class FaultyWay(Way):
    """A way to the server that spoils event streams (:mod:`servers.relay.faulty`)."""

    def __init__(
        self, server: Server, faults: Sequence[str], every: int, core: Core = None
    ) -> None:
        words = ["servers.relay.faulty", "--to", f"{server.host}:{server.port}"]
        super().__init__(
            "the faulty way", [*words, "--fault", *faults, "--every", str(every)], core
        )
        self.url = self.await_ready("faulty")[0].url


def with_fault(
    *faults: str, every: int = 1000, messages: int = 2100, users: int = 3
) -> tuple[Outcome, int]:
    """Measure a feed with one message in ``every`` spoiled, by each of the faults in its turn.

    Returns the outcome, and how many were spoiled for all users together.
    """
    rate = 500.0
    settings = Settings(rate=rate, seconds=messages / rate, drain=1.0)
    staging = Staging(way=lambda server: FaultyWay(server, faults, every, cores()[0]))
    outcome = run(
        one_trial("sse", users, settings, variant=f"planted: {' '.join(faults)}"), staging
    )
    return outcome, users * (messages // every)


def on_one_core(settings: Settings) -> Outcome:
    """Measure with the generator on the server's own core."""
    core = cores()[0]
    return run(one_trial("sse", 40, settings), Staging(on_cores=(core, core)))


GROUPS = 5  # of bare sockets, between which the users connect in four batches


EACH = 4  # sockets in a group


def _bare(
    slug: str,
    port: int,
    server: Server,
    users: int,
    groups: int,
    each: int,
    out: Path,
    path: str = "",
) -> list[str]:
    words = ["loadtests.calibration.bare", "--technique", slug, "--port", str(port)]
    if path:
        words += ["--path", path, "--pid", str(server.pid)]
    else:
        words += ["--stats-port", str(server.port)]
    words += ["--users", str(users), "--groups", str(groups), "--each", str(each)]
    return [*words, "--out", str(out)]


class Beside(Way):
    """The direct way to the server, with bare sockets beside it (``bare``).

    A foreign server they ask for ``path``.
    """

    def __init__(self, server: Server, slug: str, users: int, out: Path, path: str = "") -> None:
        port = server.plugin_port if slug in OWN_PORT else server.port
        words = _bare(slug, port, server, users, GROUPS, EACH, out, path)
        super().__init__("the bare sockets", words, cores()[1])
        self.url, self.plugin_port = server.url, server.plugin_port
        self.await_ready("bare")


def beside_bare_sockets(
    slug: str, settings: Settings, users: int = 200, processes: int = 0
) -> tuple[Outcome, list[int]]:
    """Measure a feed with bare sockets beside the users; return both sets of latencies (ns).

    ``settings.server`` names a foreign server, whose peer file gives no more than the path.
    """
    path = find_peer(settings.server).subscribe[slug].path if settings.server else ""
    with TemporaryDirectory(prefix="duplex-") as folder:
        out = Path(folder) / "bare.json"
        staging = Staging(
            way=lambda server: Beside(server, slug, users, out, path),
            spawn_rate=users // (GROUPS - 1),
            processes=processes,
        )
        outcome = run(one_trial(slug, users, settings), staging)
        return outcome, _latencies(out)


class BesideShortLine(Relay):
    """The users' relay, with bare sockets beside it whose own relay is like it, but for the delay.

    They are as many as the users, half before these and half behind them in the server's order.
    What they see is what the machine adds to the line: publisher, server and relay at work.
    """

    def __init__(
        self, server: Server, slug: str, users: int, delay_ms: float, out: Path, core: Core
    ) -> None:
        self._others: list[Child] = []
        super().__init__(server, delay_ms, core)
        try:
            short = Relay(server, core=core)
            self._others.append(short)
            port = short.plugin_port if slug in OWN_PORT else short.port
            words = _bare(slug, port, server, users, 2, users // 2, out)
            self._others.append(Child("the bare sockets", words, cores()[1]))
            self._others[-1].await_ready("bare")
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """End the sockets, which write what they saw, then their relay and the users'."""
        while self._others:
            self._others.pop().end()
        super().end()


def beside_short_line(
    slug: str, users: int, settings: Settings, delay_ms: float, late_ms: float = 0.0
) -> tuple[Outcome, list[int]]:
    """Measure a feed over a line; return what bare sockets saw without its delay (ns), too.

    ``late_ms`` is a fault to plant: by so much the line is longer than is said.
    """
    with TemporaryDirectory(prefix="duplex-") as folder:
        out = Path(folder) / "bare.json"

        def way(server: Server) -> Way:
            return BesideShortLine(server, slug, users, delay_ms + late_ms, out, cores()[0])

        outcome = run(one_trial(slug, users, settings, delay_ms), Staging(way=way))
        return outcome, _latencies(out)


def _latencies(out: Path) -> list[int]:
    if not (found := sorted(json.loads(out.read_text(encoding="ascii")))):
        raise ProcessError("the bare sockets received nothing")
    return found
