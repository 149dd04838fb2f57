"""What is done to the server while it is measured: it freezes, or it is restarted.

An interference is called again and again with the running scene and the seconds since the
measured time began (negative before), and acts when its time has come.
"""

import signal
from collections.abc import Callable, Mapping

from loadtests.plan.options import Settings
from loadtests.trials.generator import Locust
from loadtests.trials.processes import Server

STALL_FROM, STALL_S = 0.4, 1.0  # the share of the measured time at which it begins; its length
RESTART_AT = 0.3


class Scene:
    """The processes of a running trial; the server may be replaced."""

    def __init__(self, server: Server, locust: Locust) -> None:
        self.server = server
        self.locust = locust


Interference = Callable[[Scene, float], None]


def stall(settings: Settings) -> Interference:
    """Freeze the server for a second, as a long garbage collection or a full disk would."""
    begin = settings.seconds * STALL_FROM
    steps = [(begin, signal.SIGSTOP), (begin + STALL_S, signal.SIGCONT)]

    def act(scene: Scene, seconds: float) -> None:
        if steps and seconds >= steps[0][0]:
            scene.server.signal(steps.pop(0)[1])

    return act


def storm(settings: Settings) -> Interference:
    """Restart the server: it says goodbye, all lose their connections, and all come back."""
    pending = [settings.seconds * RESTART_AT]

    def act(scene: Scene, seconds: float) -> None:
        if pending and seconds >= pending[0]:
            pending.clear()
            scene.server = scene.server.successor()

    return act


BY_SCENARIO: Mapping[str, Callable[[Settings], Interference]] = {"stall": stall, "storm": storm}
