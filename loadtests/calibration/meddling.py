"""Trials with which something meddles: each must end in the verdict that is true.

Generators are stopped or throttled, the server's core is taken, other loads run beside, and the
generator's clock is not the server's; with one generator process, and with two workers.
"""

import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace

import psutil

from loadtests.calibration.checks import exactly, within
from loadtests.calibration.planted import beside_bare_sockets, one_trial
from loadtests.plan.options import Settings
from loadtests.trials.interference import Interference, Scene
from loadtests.trials.processes import Child, ProcessError, cores
from loadtests.trials.trial import Outcome, Staging, run
from results.record.histogram import NS_PER_MS, percentiles_ms
from results.record.rows import Cell, CheckRow
from results.record.verdicts import CLOCK_UNSURE, Verdict

_LOAD = Settings(rate=20.0, arrivals="poisson", warm_up=0.5, seconds=5.0, drain=6.0, seed=4)
_USERS = 40
_BEGIN_S, _STOP_S = 0.5, 3.0
_RUNNING_MS, _STOPPED_MS = 10, 90
_CLOCK_S = -50.0
_TRIES = 3


def receivers(locust: Child, processes: int) -> list[psutil.Process]:
    """Return the processes in which the users live: the workers, or the only one."""
    first = psutil.Process(locust.pid)
    return first.children() if processes else [first]


class _Meddler:
    """Sends signals to the receivers from a thread of its own, once the load has begun."""

    def __init__(self, processes: int, one_only: bool, steps: Iterator[tuple[float, int]]) -> None:
        self._processes, self._one_only, self._steps = processes, one_only, steps
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, scene: Scene, seconds: float) -> None:
        if self._thread is None and seconds >= _BEGIN_S:
            self._thread = threading.Thread(target=self._run, args=(scene.locust,))
            self._thread.start()

    def _run(self, locust: Child) -> None:
        found = receivers(locust, self._processes)[: 1 if self._one_only else None]
        for wait_s, number in self._steps:
            over = self._ended.wait(wait_s)
            for process in found:
                _signal(process, signal.SIGCONT if over else number)
            if over:
                return

    def end(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _stop_once() -> Iterator[tuple[float, int]]:
    yield 0.0, signal.SIGSTOP
    yield _STOP_S, signal.SIGCONT


def _stop_again_and_again() -> Iterator[tuple[float, int]]:
    while True:
        yield _RUNNING_MS / 1000, signal.SIGSTOP
        yield _STOPPED_MS / 1000, signal.SIGCONT


@contextmanager
def _meddling(meddler: _Meddler) -> Iterator[Interference]:
    try:
        yield meddler
    finally:
        meddler.end()


def _stopped(processes: int) -> AbstractContextManager[Interference | None]:
    return _meddling(_Meddler(processes, True, _stop_once()))


def _throttled(processes: int) -> AbstractContextManager[Interference | None]:
    return _meddling(_Meddler(processes, False, _stop_again_and_again()))


@contextmanager
def _core_taken(_: int) -> Iterator[None]:
    with Child("the hog", ["loadtests.calibration.hog"], cores()[0]):
        yield


@contextmanager
def _other_loads(_: int) -> Iterator[None]:
    # More than a generator can take in, so that they never rest, however fast the machine is; and
    # two, as what one makes ours wait is hardly more than the limit.
    settings = replace(_LOAD, rate=150.0, seconds=9.0, drain=0.5)

    def load() -> None:
        try:
            run(one_trial("web_socket", 400, settings))
        except ProcessError as error:
            failures.append(error)

    failures: list[ProcessError] = []
    others = [threading.Thread(target=load) for _ in range(2)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.join()
    if failures:
        raise failures[0]


def _nothing(_: int) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Meddling:
    """One way to meddle, and what is true of the trial then.

    ``clock_s`` is by how much the generator's clock differs, which it may have ``corrected``.
    """

    words: str
    verdict: Verdict
    begin: Callable[[int], AbstractContextManager[Interference | None]]
    clock_s: float = 0.0
    corrected: bool = True


ALL = (
    # The others' twin: a host that is busy anyway would be said to be so whoever meddles.
    Meddling("nobody meddles", Verdict.VALID, _nothing),
    Meddling("a generator process stopped for 3 s", Verdict.GENERATOR_BOUND, _stopped),
    Meddling("generators stopped 90 of 100 ms", Verdict.GENERATOR_BOUND, _throttled),
    Meddling("the server's core taken", Verdict.HOST_BUSY, _core_taken),
    Meddling("other loads on this host", Verdict.HOST_BUSY, _other_loads),
    Meddling("a generator on a clock of its own", Verdict.VALID, _nothing, _CLOCK_S),
    Meddling("nobody corrects that clock", Verdict.INVALID, _nothing, _CLOCK_S, corrected=False),
)


def clocks_differ() -> bool:
    """Whether processes with a monotonic clock of their own can be made here (Linux, as root)."""
    if shutil.which("unshare") is None:
        return False
    made = subprocess.run(
        ["unshare", "--time", "--monotonic", "1", "--fork", "true"],
        capture_output=True,
        check=False,
    )
    return made.returncode == 0


def meddle(
    how: Meddling,
    processes: int,
    slug: str = "sse",
    tries: int = _TRIES,
    users: int = _USERS,
    seconds: float = _LOAD.seconds,
) -> tuple[Cell, Outcome, list[CheckRow]]:
    """Measure while something meddles, and check the verdict.

    Where others on this host meddled, too, it is measured again, ``tries`` at most. A verdict of
    ``HOST-BUSY`` proves something only beside the twin with which nobody meddles.
    """
    variant = f"{how.words}, {'2 workers' if processes else 'one process'}"
    settings = replace(_LOAD, clock=how.corrected, seconds=seconds)
    trial = one_trial(slug, users, settings, variant=variant)
    for _ in range(tries):
        with how.begin(processes) as interference:
            staging = Staging(interference=interference, processes=processes, clock_s=how.clock_s)
            outcome = run(trial, staging)
        said = outcome.judgement
        # Where all are near, a tenth of the latency may be less than a clock can be known within.
        honest = bool(how.clock_s and how.corrected) and CLOCK_UNSURE in said.reason
        fits = said.verdict is how.verdict or honest
        spoiled = said.verdict is Verdict.HOST_BUSY or how.verdict is Verdict.VALID
        if fits or not spoiled:
            break
    note = f"{said.verdict}: {said.reason}"
    check = exactly(how.verdict, 1, int(fits), "said", note)
    return trial.cell, outcome, [check]


def workers_beside_bare_sockets(
    users: int, rate: float, slug: str = "web_socket"
) -> tuple[Cell, Outcome, list[CheckRow]]:
    """Hold two workers' percentiles against bare sockets': they agree, or are not called VALID."""
    settings = replace(_LOAD, arrivals="constant", rate=rate)
    outcome, bare = beside_bare_sockets(slug, settings, users, processes=2)
    said = outcome.judgement
    cell = one_trial(slug, users, settings, variant="2 workers beside bare sockets").cell
    checks = []
    for percent in (50, 99):
        truth = bare[min(len(bare) * percent // 100, len(bare) - 1)] / NS_PER_MS
        (measured,) = percentiles_ms(outcome.histograms["delivery"], percent)
        name = f"p{percent} as bare sockets saw it"
        check = within(name, truth, measured, max(0.1 * truth, 0.5), "ms", said.reason)
        if said.verdict is not Verdict.VALID and not check.passed:
            words = f"{name}, or not VALID"
            check = exactly(words, 1, 1, "said", f"{measured:.2f} / {truth:.2f} ms: {said.reason}")
        checks.append(check)
    return cell, outcome, checks
