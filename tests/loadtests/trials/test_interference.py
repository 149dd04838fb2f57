"""When the server is frozen or restarted."""

import signal
from typing import Any, Self, cast

from loadtests.plan.options import Settings
from loadtests.trials.interference import Scene, stall, storm


class StandIn:
    """Notes what is done to a server."""

    def __init__(self) -> None:
        self.done: list[int | str] = []

    def signal(self, number: int) -> None:
        self.done.append(number)

    def successor(self) -> Self:
        self.done.append("restart")
        return self


def stand_in() -> tuple[StandIn, Scene]:
    server, nobody = StandIn(), cast(Any, None)
    return server, Scene(cast(Any, server), nobody)


def test_a_stall_freezes_once_and_ends_after_a_second() -> None:
    (server, scene), act = stand_in(), stall(Settings(seconds=10.0))
    for tenths in range(-10, 120):
        act(scene, tenths / 10)
        if tenths == 45:
            assert server.done == [signal.SIGSTOP]
    assert server.done == [signal.SIGSTOP, signal.SIGCONT]


def test_a_storm_restarts_once() -> None:
    (server, scene), act = stand_in(), storm(Settings(seconds=10.0))
    for tenths in range(-10, 120):
        act(scene, tenths / 10)
        if tenths == 29:
            assert server.done == []
    assert server.done == ["restart"]
