"""Conducts a test: begins the load, ends it in good order, and gathers what all measured.

One process conducts: the only one, or Locust's master. It waits for the users, publishes on
schedule, then lets everybody fall silent, learns the channel's last id, gives the subscribers time
to receive it, and only then lets Locust stop them. So "lost" never means "stopped too early".

Between master and workers go four messages, each answered by every worker:
``duplex-begin``, ``duplex-silent``, ``duplex-settle`` and, from the workers, ``duplex-done``.
"""

import sys
import time
from itertools import takewhile
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from clients.errors import ClientError
from loadtests.load import locust_rows as rows
from loadtests.load import naive, session
from loadtests.load.publisher import Publisher
from loadtests.load.session import Session
from loadtests.load.totals import Totals
from loadtests.load.worker import Worker
from loadtests.measures import result_file
from loadtests.measures.condition import LEFT
from loadtests.measures.published import Published
from loadtests.plan.options import OWN_CHANNELS, PUBLISHED, wrong_address
from loadtests.plan.schedule import due_times

# Until all users are connected, and a second for every 50 of them, and for who polls an interval,
# over which they come.
_PATIENCE_S = 30.0
_ANSWER_S = 5.0


class Conductor:
    """Conducts the tests of one environment, one after the other."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.totals = Totals()
        self.publisher: Publisher | None = None
        self.published = Published()
        self.session: Session | None = None
        self.target = 0
        self._conducting: gevent.Greenlet | None = None
        self._settled = True
        self._answers: dict[str, dict[str, Any]] = {}
        self._doubts_ns: dict[str, int] = {}  # of the workers' clocks
        self._workers = 0
        events = environment.events
        events.test_start.add_listener(self._on_start)
        events.test_stopping.add_listener(self._on_stopping)
        events.worker_report.add_listener(self._on_worker_report)
        if isinstance(environment.runner, MasterRunner):
            environment.runner.register_message("duplex-connected", self._on_connected)
            environment.runner.register_message("duplex-done", self._on_done)

    # Locust's events.

    def _on_start(self, environment: Environment, **_: object) -> None:
        self.session = session.begin(environment)
        self.totals, self.published, self.publisher = Totals(), Published(), None
        self._doubts_ns.clear()
        self._settled = False
        self._conducting = gevent.spawn(self._conduct, self.session)

    def _on_stopping(self, **_: object) -> None:
        self.finish()

    def _on_worker_report(self, client_id: str, data: dict[str, Any], **_: object) -> None:
        if parcel := data.get("duplex"):
            self.totals.add(client_id, parcel, self.published)

    def _on_connected(self, msg: Any, **_: object) -> None:
        self.totals.note_connected(msg.node_id, msg.data["connected"])
        self._doubts_ns[msg.node_id] = msg.data["clock_error_ns"]

    def _on_done(self, msg: Any, **_: object) -> None:
        self._answers[msg.node_id] = msg.data or {}

    # The course of a test.

    def _conduct(self, run: Session) -> None:
        settings = run.settings
        url = settings.publish_to or session.server_url(self.environment)
        if not url:
            return  # the users say so
        late, text = run.watch.late, settings.text
        self.publisher = Publisher(
            url, settings.channel, text, self._report, late, run.peer, run.clock
        )
        self.published = self.publisher.published
        self._await_users(run)
        now_ns = run.clock.to_server(time.monotonic_ns())
        doubt_ns = max(run.clock.error_ns, *self._doubts_ns.values(), 0)
        told = {"talkers": self.target, "now_ns": now_ns, "doubt_ns": doubt_ns}
        self._workers = self._tell_all("duplex-begin", told)
        run.begin_load(self.target, doubt_ns)
        began_ns = run.begun_ns + int(settings.warm_up * 1e9)
        self.published.began_ns = run.clock.to_server(began_ns)
        if settings.result:
            result_file.tell_begun(settings.result, self.published.began_ns)
        end_s = settings.warm_up + settings.seconds if settings.seconds else float("inf")
        began = time.monotonic()
        prober = gevent.spawn(naive.probe, run, *self._technique(run)) if settings.naive else None
        if settings.scenario in PUBLISHED:
            due = takewhile(lambda t: t < end_s, due_times(settings.pace))
            # What is under way at the end is waited for as long on the way up as on the way down.
            patience_s = end_s + settings.drain if settings.seconds else None
            self.publisher.run(due, settings.warm_up, run.begun_ns, patience_s)
        if settings.seconds:
            gevent.sleep(max(began + end_s - time.monotonic(), 0.0))
            gevent.spawn(self._end)
        if prober is not None:
            prober.join() if not settings.seconds else prober.kill()

    def _technique(self, run: Session) -> tuple[str, dict[str, Any]]:
        """Return the slug that this test measures, and what its clients are told."""
        user = self._ours()[0]
        return user.technique, user.options(run.settings)

    def _await_users(self, run: Session) -> None:
        """Wait until the load may begin: all users if the time is measured, else the first."""
        patience = time.monotonic() + _PATIENCE_S + run.settings.poll_interval
        while True:
            self._count_own(run)
            self.target = self._subscribers()
            wanted = self.target if run.settings.seconds else 1
            if wanted and self.totals.most_connected >= wanted and run.clock.settled:
                return
            if time.monotonic() > patience + self.target / 50:
                run.fail(f"only {self.totals.most_connected} of {wanted} users could connect")
                return
            gevent.sleep(0.05)

    def _subscribers(self) -> int:
        """Return how many users are ours; Locust's others may stand beside them."""
        runner = self.environment.runner
        if runner is None:
            return 0
        ours = {found.__name__ for found in self._ours()}
        # Of each class Locust tells only once all are there.
        told = runner.target_user_classes_count.items()
        others = sum(count for name, count in told if name not in ours)
        return int(runner.target_user_count) - others

    def _ours(self) -> list[Any]:
        return [found for found in self.environment.user_classes if hasattr(found, "technique")]

    def _count_own(self, run: Session) -> None:
        if not isinstance(self.environment.runner, MasterRunner):
            self.totals.note_connected("", run.connected)

    def _report(self, milliseconds: float, error: BaseException | None) -> None:
        rows.add_event(self.environment, rows.PUBLISH, "publisher", milliseconds, error)

    def _end(self) -> None:
        runner = self.environment.runner
        if runner is None:
            return
        options = self.environment.parsed_options
        if options is not None and options.headless:
            runner.quit()
        else:
            runner.stop()

    def finish(self) -> None:
        """End the load in good order and gather everything; called twice it does nothing."""
        run = self.session
        if self._settled or run is None:
            return
        self._settled = True
        self.published.ended_ns = run.clock.to_server(time.monotonic_ns())
        if self._conducting is not None:
            self._conducting.kill()
        left = self._workers - self._tell_all("duplex-silent", {}, answered=True)
        if left > 0:
            run.fail(f"{left} of {self._workers} workers {LEFT}")
        run.fall_silent()
        finals = self._learn_finals(run)
        drain_s = run.settings.drain
        self._tell_all("duplex-settle", {"finals": finals}, answered=True, patience_s=drain_s)
        run.settle(finals, drain_s)
        self.gather()
        run.end()

    def _learn_finals(self, run: Session) -> dict[str, int]:
        publisher, scenario = self.publisher, run.settings.scenario
        if publisher is None or scenario in OWN_CHANNELS:
            return {}  # all have channels of their own, and wait for each message
        if scenario == "idle":
            # One message, so that the audit tells who of the idle still lives.
            publisher.run([0.0], 0.0, time.monotonic_ns())
        try:
            publisher.cursor()
        except ClientError as error:
            run.fail(f"the server did not tell its last cursor: {error}")
        publisher.close()
        return self.published.finals

    def gather(self) -> Totals:
        """Add this process' own measures to the totals, and return them."""
        if self.session is not None:
            self.totals.add("", self.session.take(), self.published)
        return self.totals

    def _tell_all(
        self, what: str, data: Any, answered: bool = False, patience_s: float = 0.0
    ) -> int:
        """Send a message to all workers, and return how many there are.

        Where that is asked, wait for every answer.
        """
        runner = self.environment.runner
        if not isinstance(runner, MasterRunner):
            return 0
        self._answers.clear()
        runner.send_message(what, data)
        workers = {client.id for client in runner.clients.all}
        end = time.monotonic() + _ANSWER_S + patience_s
        while answered and not workers <= self._answers.keys() and time.monotonic() < end:
            gevent.sleep(0.01)
        silent = len(workers - self._answers.keys())
        if answered and silent and self.session is not None:
            self.session.fail(f"{silent} workers did not answer {what}")
        for process, parcel in self._answers.items():
            if "measures" in parcel:
                self.totals.add(process, parcel, self.published)
        return len(workers)


def attach(environment: Environment, **_: object) -> None:
    """Take part in an environment's tests; a listener of Locust's ``init``."""
    # The loop's clock still shows the time before the imports, and Locust's --run-time, set from
    # it next, would end that much too early.
    gevent.get_hub().loop.update_now()
    _check_addresses(environment)
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        Worker(environment, runner)
    else:
        _conductors[id(environment)] = Conductor(environment)


def _check_addresses(environment: Environment) -> None:
    """End with a line for a person, where every user would end with a traceback."""
    options = environment.parsed_options
    for name, url in (
        ("host", session.server_url(environment)),
        ("publish-to", getattr(options, "publish_to", "")),
    ):
        if wrong := wrong_address(url):
            sys.exit(f"--{name}: {wrong}")


_conductors: dict[int, Conductor] = {}


def conductor_of(environment: Environment) -> Conductor | None:
    """Return who conducts in this process; ``None`` in a worker."""
    return _conductors.get(id(environment))
