"""The conductor's counterpart in a worker process: it does what the master says, and answers."""

import time
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import WorkerRunner

from loadtests.load import session
from loadtests.load.session import Session
from loadtests.measures.server_clock import CLOCK_APART

_MOST_UNDER_WAY_S = 5.0  # of a message from the master


class Worker:
    """Begins, falls silent and settles when it is told to."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        self.environment = environment
        self.runner = runner
        self._told: dict[str, int] = {}
        events = environment.events
        events.test_start.add_listener(self._on_start)
        events.test_stop.add_listener(self._on_stop)
        events.report_to_master.add_listener(self._on_report)
        runner.register_message("duplex-begin", self._on_begin)
        runner.register_message("duplex-silent", self._on_silent, concurrent=True)
        runner.register_message("duplex-settle", self._on_settle, concurrent=True)

    def _on_start(self, environment: Environment, **_: object) -> None:
        self._told = {}
        session.begin(environment)
        gevent.spawn(self._tell_connected, session.current(environment))

    def _on_stop(self, **_: object) -> None:
        session.end(self.environment)

    def _tell_connected(self, run: Session) -> None:
        while session.current(self.environment) is run and not run.silent:
            now = {"connected": run.connected, "clock_error_ns": run.clock.error_ns}
            if now != self._told:
                self._told = now
                self.runner.send_message("duplex-connected", now)
            gevent.sleep(0.1)

    def _on_report(self, data: dict[str, Any], **_: object) -> None:
        data["duplex"] = session.current(self.environment).take()

    def _on_begin(self, msg: Any, **_: object) -> None:
        run = session.current(self.environment)
        doubt_ns = msg.data["doubt_ns"]
        now_ns = run.clock.to_server(time.monotonic_ns())
        apart_s = (now_ns - msg.data["now_ns"]) / 1e9
        if not -doubt_ns - run.clock.error_ns <= apart_s * 1e9 <= _MOST_UNDER_WAY_S * 1e9:
            run.fail(f"{CLOCK_APART}: by {apart_s:+,.3f} s from the master's")
        run.begin_load(msg.data["talkers"], doubt_ns)

    def _on_silent(self, **_: object) -> None:
        session.current(self.environment).fall_silent()
        self.runner.send_message("duplex-done")

    def _on_settle(self, msg: Any, **_: object) -> None:
        run = session.current(self.environment)
        run.settle(msg.data["finals"], run.settings.drain)
        self.runner.send_message("duplex-done", run.take())
