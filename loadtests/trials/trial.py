"""One trial for real: a server of its own, perhaps a relay, Locust, and what came of it."""

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from hdrh.histogram import HdrHistogram

from clients.foreign.peer_file import PeerFile
from clients.foreign.table import PeerFileError
from loadtests.measures import result_file
from loadtests.measures.layers import bytes_rows
from loadtests.measures.measure import Flow, impossible
from loadtests.measures.result_file import Result
from loadtests.plan.plan import Trial
from loadtests.trials.evidence import lateness, percentiles, trouble, waits
from loadtests.trials.generator import Locust, descriptors_missing, usable_cores
from loadtests.trials.hosts import WAIT_S, Hosts
from loadtests.trials.interference import BY_SCENARIO, Interference, Scene
from loadtests.trials.peer_sampler import PeerSampler
from loadtests.trials.peers import find_peer, start_peer, techniques_of, try_out
from loadtests.trials.processes import (
    ROOT,
    Core,
    ProcessError,
    Relay,
    Server,
    Way,
    cores,
    share_a_core,
)
from loadtests.trials.sampler import Sampler, ledger_rows, period_s, stalls
from loadtests.trials.versions import versions_of
from results.record.facts import ForeignServer
from results.record.rows import AnswerRow, Audit, BytesRow, Cell, CheckRow, LedgerRow, SecondRow
from results.record.verdicts import Judgement, Load, judge
from results.record.writer import RunWriter, second_row
from wire.techniques import BY_SLUG

_SPARE_S = 60.0  # beyond the planned time, until a generator counts as hanging


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that is recorded of one trial."""

    histograms: dict[str, HdrHistogram]
    audit: Audit
    judgement: Judgement
    ledger: list[LedgerRow]
    bytes: list[BytesRow]
    seconds: list[SecondRow]
    answers: list[AnswerRow]
    result: Result
    server: ForeignServer | None = None

    def write(self, run: RunWriter, cell: Cell, checks: Iterable[CheckRow] = ()) -> None:
        """Keep all of it, and what was checked of it, as one cell of a run."""
        run.add(
            cell,
            histograms=self.histograms,
            audit=self.audit,
            judgement=self.judgement,
            ledger=self.ledger,
            bytes=self.bytes,
            seconds=self.seconds,
            hosts=self.result.hosts,
            answers=self.answers,
            checks=checks,
            server=self.server,
        )


@dataclass(frozen=True, slots=True)
class Staging:
    """How a trial is staged, where that is out of the ordinary.

    ``interference`` replaces that of the scenario; ``on_cores`` are those of server and generator
    (two different ones by default); ``spawn_rate`` is how many users connect in a second (all by
    default); ``processes`` shares them among so many workers; ``way`` starts another way to the
    server than the relay; ``server_root`` is the copy of the project whose server is measured;
    ``clock_s`` is by how much the generator's monotonic clock differs from ours; ``hosts`` are
    others, where the users are.
    """

    interference: Interference | None = None
    on_cores: tuple[Core, Core] | None = None
    spawn_rate: int | None = None
    processes: int = 0
    way: Callable[[Server], Way] | None = None
    server_root: Path = ROOT
    clock_s: float = 0.0
    hosts: Hosts | None = None


def run(trial: Trial, staging: Staging | None = None) -> Outcome:
    """Measure one trial. Raises :class:`~loadtests.trials.processes.ProcessError`."""
    staging = staging or Staging()
    if not staging.hosts and (missing := descriptors_missing(trial.cell.users)):
        raise ProcessError(missing)
    near, far = staging.on_cores or cores()
    cell = trial.cell
    interference = staging.interference
    if interference is None and cell.scenario in BY_SCENARIO:
        interference = BY_SCENARIO[cell.scenario](trial.settings)
    way = staging.way
    if way is None and trial.network:
        network = trial.network
        limit = network.kilobytes_per_s
        way = partial(Relay, delay_ms=network.delay_ms, core=near, kilobytes_per_s=limit)
    user = f"{BY_SLUG[cell.technique].class_stem}User"
    with ExitStack() as stack:
        path = Path(stack.enter_context(TemporaryDirectory(prefix="duplex-"))) / "result.json"
        server, peer = _serve(trial, near, staging.server_root, staging.hosts)
        stack.enter_context(server)
        host, plugin_port = server.url, server.plugin_port
        between = stack.enter_context(way(server)) if way is not None else None
        if between is not None:
            host, plugin_port = between.url, between.plugin_port
        settings = replace(
            trial.settings,
            plugin_port=plugin_port,
            publish_to=server.url,
            result=str(path),
            server=str(peer.path) if peer is not None else "",
        )
        sampler = _watch(trial, server, between.pid if between else None)
        stack.callback(sampler.close)
        locust = stack.enter_context(
            Locust(
                user,
                host,
                cell.users,
                settings,
                far,
                staging.spawn_rate,
                staging.processes,
                staging.clock_s,
                server.trust,
                staging.hosts,
            )
        )
        scene = Scene(server, locust)
        stack.callback(lambda: scene.server.end())
        try:
            spare_s = _SPARE_S + (WAIT_S if staging.hosts else 0)
            _attend(scene, path, trial, interference, between, spare_s)
        except ProcessError as error:
            silent_s = sampler.silence_s(time.monotonic() - _SPARE_S, time.monotonic())
            if scene.server.ended or silent_s < _SPARE_S / 2:
                raise
            words = f"the server did not answer /stats for {silent_s:.0f} s"
            raise ProcessError(f"{words}; {error}") from error
        sampler.close()
        shared = share_a_core(scene.server, locust)
        result = result_file.read(path)
        if other := result_file.unlike(result, settings):
            raise ProcessError(f"the load was another one than was asked for: {other}")
        if peer is not None:
            _check_heard(trial, result)
        known_cores = 0 if staging.hosts else usable_cores(locust)
        outcome = _outcome(trial, result, sampler, shared, known_cores)
        if peer is None:
            return outcome
        return replace(outcome, server=ForeignServer(peer.title, versions_of(peer)))


def _serve(
    trial: Trial, core: Core, root: Path, hosts: Hosts | None
) -> tuple[Server, PeerFile | None]:
    """Start the server of a trial, ours or another that is known to take and bring a text."""
    slug = trial.cell.technique
    if not trial.settings.server:
        flags = ["--tls"] if trial.cell.carrier == "h1+tls" else []
        flags += ["--host", hosts.address] if hosts else []
        flags += ["--answers"] if trial.cell.scenario == "tokens" else []
        return Server([slug], core, flags=flags, root=root), None
    try:
        peer = find_peer(trial.settings.server)
        techniques_of(trial.settings, [slug], all_of_them=False)
        try_out(peer, slug)
        return start_peer(peer, core), peer
    except PeerFileError as error:
        raise ProcessError(str(error)) from None


def _watch(trial: Trial, server: Server, relay_pid: int | None) -> Sampler:
    period = period_s(trial.settings.seconds)
    if trial.settings.server:
        return PeerSampler(server.pid, relay_pid, period)
    return Sampler(server.url, trial.cell.technique, relay_pid, period, server.trust)


def _check_heard(trial: Trial, result: Result) -> None:
    """Raise if of all that was published nothing came back: then there is only a fault to tell."""
    found = result.techniques.get(trial.cell.technique)
    if result.published["accepted"] and not (found and found.audit.received):
        why = "; ".join(result.failures) or "nothing else came either"
        raise ProcessError(f"the server took messages and none came back: {why}")


def _attend(
    scene: Scene,
    path: Path,
    trial: Trial,
    interference: Interference | None,
    between: Way | None,
    spare_s: float,
) -> None:
    """Wait, and interfere, until Locust has written its result."""
    settings = trial.settings
    patience = settings.warm_up + settings.seconds + settings.drain + spare_s
    patience += settings.poll_interval  # which some wait before they connect
    end = time.monotonic() + patience + trial.cell.users / 50
    begun_ns: int | None = None
    while not path.exists():
        if scene.locust.ended:
            raise ProcessError(f"locust wrote no result:\n{scene.locust.last_words()}")
        if scene.server.ended:
            words = f"with status {scene.server.status}:\n{scene.server.last_words()}"
            raise ProcessError(f"the server ended during the run {words}")
        if between is not None and between.ended:
            # Else what it swallowed would count as lost by the server.
            raise ProcessError(f"{between.name} ended during the run:\n{between.last_words()}")
        if time.monotonic() > end:
            raise ProcessError(f"locust did not end:\n{scene.locust.last_words()}")
        begun_ns = begun_ns or result_file.read_begun(path)
        if interference is not None and begun_ns:
            interference(scene, time.monotonic() - begun_ns / 1e9)
        time.sleep(0.01)


def _outcome(
    trial: Trial, result: Result, sampler: Sampler, shared: str, generator_cores: int
) -> Outcome:
    found = result.techniques[trial.cell.technique]
    began_s = result.published["began_ns"] / 1e9
    ended_s = began_s + result.settings.seconds
    conditions = list(result.conditions.values())
    ledger = ledger_rows(sampler.readings, conditions, began_s, ended_s, generator_cores)
    # Where the server is restarted, what fails or is lost is the finding, not a doubt about it.
    storm = trial.cell.scenario == "storm"
    outage = result.published["failed"] if storm else 0
    lost_by_restart = found.audit.lost if storm else 0
    load = Load(
        generator_cpu=[row.generator_cpu for row in ledger],
        generator_lag_ms=lateness(trial.cell.technique, result, began_s, ended_s),
        server_cpu=[row.server_cpu for row in ledger],
        asked=result.published["asked"] - outage,
        published=result.published["accepted"],
        expected=found.audit.expected - lost_by_restart,
        received=found.audit.received,
        trouble=shared or trouble(result),
        impossible=impossible(found.doubts, found.deliveries, result.failures),
        waits_ms=waits(ledger),
        stalls_ms=stalls(sampler.readings, began_s, ended_s),
        percentiles=percentiles(found, result.published["accepted"]),
        seconds=result.settings.seconds,
        silence_s=0.0 if storm else sampler.silence_s(began_s, ended_s),
        clock_error_ms=result.clock_error_ns / 1e6,
    )
    rows = bytes_rows("subscriber", found.flow, found.audit.received)
    published = result.published["accepted"] + result.published["warm_up"]
    rows += bytes_rows("publisher", Flow(**result.published["flow"]), published)
    seconds = [
        second_row(round(at_s - began_s, 3), tally.histogram())
        for at_s, tally in sorted(found.seconds.items())
    ]
    answers = [
        AnswerRow(answer, token, round(at_ns / 1e6, 3))
        for answer, tokens_ns in enumerate(found.answers, 1)
        for token, at_ns in enumerate(tokens_ns, 1)
    ]
    return Outcome(
        found.histograms, found.audit, judge(load), ledger, rows, seconds, answers, result
    )
