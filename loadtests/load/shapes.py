"""Locust's load shapes for our users: more every ten seconds, or many for a moment.

``--user-shape steps`` finds the knee: so many users again and again, until something gives way.
``--user-shape spike`` shows the crowd that comes at once and goes. ``--users`` is the step, and
what is there before and after the spike; ``--run-time`` ends both.
"""

from locust import LoadTestShape
from locust.env import Environment

from loadtests.plan.schedule import SPIKE_FROM_S, SPIKE_TIMES, SPIKE_UNTIL_S, STEP_S


def users_at(shape: str, users: int, t: float) -> int:
    """Return how many users there are ``t`` seconds after the start."""
    if shape == "steps":
        return users * (1 + int(t / STEP_S))
    if shape == "spike" and SPIKE_FROM_S <= t < SPIKE_UNTIL_S:
        return int(users * SPIKE_TIMES)
    return users


class UserShape(LoadTestShape):
    """Lets Locust follow :func:`users_at`."""

    use_common_options = True

    def __init__(self, shape: str, environment: Environment) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._shape = shape
        self._environment = environment

    def tick(self) -> tuple[int, float] | None:
        """Return users and spawn rate for now; None ends the test."""
        options = self._environment.parsed_options
        t: float = self.get_run_time()  # type: ignore[no-untyped-call]
        if options is None or (options.run_time and t >= options.run_time):
            return None
        users = users_at(self._shape, options.num_users or 1, t)
        return users, max(options.spawn_rate or 0, users)


def attach(environment: Environment, **_: object) -> None:
    """Use the shape that ``--user-shape`` names; a listener of Locust's ``init``."""
    shape = getattr(environment.parsed_options, "user_shape", "steady")
    if shape != "steady":
        environment.shape_class = UserShape(shape, environment)
        environment.shape_class.runner = environment.runner
