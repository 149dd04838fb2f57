"""The server and the relay of a lesson, as processes that end with the notebook's kernel.

They run out of process so that what is measured and what measures do not share an interpreter,
and because the clients' room knows nothing of servers but their command lines.
"""

from loadtests.trials import processes
from wire.techniques import SLUGS


class Server(processes.Server):
    """A server of all techniques, with more options as they stand on its command line."""

    def __init__(self, *flags: str) -> None:
        super().__init__(SLUGS, flags=flags, lifeline=True)


class Relay(processes.Relay):
    """A relay before both ports of a server, with a door for orders."""

    def __init__(self, server: Server, delay_ms: float) -> None:
        super().__init__(server, delay_ms, has_door=True, lifeline=True)
