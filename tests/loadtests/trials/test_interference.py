"""When the server is frozen or restarted."""

import signal

from loadtests.plan.options import Settings
from loadtests.trials.interference import stall, storm


class StandIn:
    """Notes what is done to a server."""

    def __init__(self) -> None:
        self.done = []

    def signal(self, number) -> None:
        self.done.append(number)

    def successor(self):
        self.done.append("restart")
        return self


class Scene:
    def __init__(self) -> None:
        self.server = StandIn()


def test_a_stall_freezes_once_and_ends_after_a_second() -> None:
    scene, act = Scene(), stall(Settings(seconds=10.0))
    for tenths in range(-10, 120):
        act(scene, tenths / 10)
        if tenths == 45:
            assert scene.server.done == [signal.SIGSTOP]
    assert scene.server.done == [signal.SIGSTOP, signal.SIGCONT]


def test_a_storm_restarts_once() -> None:
    scene, act = Scene(), storm(Settings(seconds=10.0))
    for tenths in range(-10, 120):
        act(scene, tenths / 10)
        if tenths == 29:
            assert scene.server.done == []
    assert scene.server.done == ["restart"]
