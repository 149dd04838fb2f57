"""What our users can be told, as options of Locust's own command line and web UI."""

from argparse import Namespace
from dataclasses import dataclass, fields
from typing import Any

from clients.net.headers import PROFILES
from loadtests.plan.amounts import AMOUNTS
from loadtests.plan.schedule import ARRIVALS, SHAPES, Pace

SCENARIOS = ("feed", "chat", "echo", "idle", "storm", "stall")
PUBLISHED = ("feed", "storm", "stall")  # whose messages come from the publisher


@dataclass(frozen=True, slots=True)
class Settings:
    """One test's settings, the same in every process of it.

    ``rate`` is messages per second in the channel (``echo``: per user); ``seconds`` is how long
    to measure, 0 for as long as Locust runs; ``publish_to`` is the server's own address where
    ``host`` is a relay's, so that only the subscribers' way is longer; without ``cursor`` users of
    long-polling forget where they were, as before there were cursors; ``naive`` asks for the
    closed-loop figures beside the honest ones; ``result`` is the file to write at the end.
    """

    channel: str = "lobby"
    scenario: str = "feed"
    rate: float = 10.0
    arrivals: str = "constant"
    rate_shape: str = "steady"
    size: int = 100
    warm_up: float = 0.0
    seconds: float = 0.0
    poll_interval: float = 1.0
    hold: float = 25.0
    keep_alive: bool = True
    cursor: bool = True
    headers: str = "lean"
    jitter: bool = True
    plugin_port: int = 0
    publish_to: str = ""
    seed: int = 0
    naive: bool = False
    drain: float = 10.0
    result: str = ""

    @property
    def pace(self) -> Pace:
        """The publisher's pace."""
        return Pace(self.rate, self.arrivals, self.rate_shape, self.seed)

    @property
    def text(self) -> str:
        """The text of every message: ``size`` bytes."""
        return ("duplex " * (self.size // 7 + 1))[: self.size]


def read_settings(options: Namespace | None) -> Settings:
    """Take our settings out of Locust's parsed options; what is missing has its default."""
    known = {item.name for item in fields(Settings)}
    given = {name: value for name, value in vars(options or Namespace()).items() if name in known}
    # The web UI's form sends text.
    kinds = {item.name: type(item.default) for item in fields(Settings)}
    return Settings(**{name: _typed(kinds[name], value) for name, value in given.items()})


def _typed(kind: type, value: Any) -> Any:
    if kind is bool and isinstance(value, str):
        return value.lower() in ("1", "true", "yes", "on")
    return kind(value)


def add_options(parser: Any, **_: object) -> None:
    """Add our options to Locust's parser; a listener of ``init_command_line_parser``."""
    add = parser.add_argument
    preset = Settings()
    add("--channel", default=preset.channel, help="channel to subscribe and publish to")
    add("--scenario", default=preset.scenario, choices=SCENARIOS, help="what the users do")
    add(
        "--rate",
        type=AMOUNTS["rate"],
        default=preset.rate,
        help="messages/s in the channel (open load)",
    )
    add("--arrivals", default=preset.arrivals, choices=ARRIVALS, help="even or by chance")
    add("--rate-shape", default=preset.rate_shape, choices=SHAPES, help="rate over time")
    add("--user-shape", default="steady", choices=SHAPES, help="users over time")
    add("--size", type=AMOUNTS["size"], default=preset.size, help="bytes of each message's text")
    add(
        "--poll-interval",
        type=AMOUNTS["poll_interval"],
        default=preset.poll_interval,
        help="seconds between polls",
    )
    add(
        "--hold",
        type=AMOUNTS["hold"],
        default=preset.hold,
        help="seconds that a long-poll may be held",
    )
    add("--headers", default=preset.headers, choices=PROFILES, help="request header fields")
    add(
        "--no-keep-alive",
        dest="keep_alive",
        action="store_false",
        default=preset.keep_alive,
        help="a new TCP connection for every request",
    )
    add(
        "--no-cursor",
        dest="cursor",
        action="store_false",
        default=preset.cursor,
        help="long-poll without a cursor, and lose what falls between two polls",
    )
    add(
        "--no-jitter",
        dest="jitter",
        action="store_false",
        default=preset.jitter,
        help="reconnect without a random wait (storm)",
    )
    add(
        "--plugin-port",
        type=AMOUNTS["plugin_port"],
        default=preset.plugin_port,
        help="port of the plugin socket (0: the host's port + 1)",
    )
    add("--publish-to", default=preset.publish_to, help="where to publish, if not at the host")
    add(
        "--warm-up",
        type=AMOUNTS["warm_up"],
        default=preset.warm_up,
        help="seconds of untimed messages",
    )
    add(
        "--seconds",
        type=AMOUNTS["seconds"],
        default=preset.seconds,
        help="measure so long once all users are there, then end (0: until stopped)",
    )
    add("--seed", type=int, default=preset.seed, help="seed of everything random")
    add(
        "--naive",
        action="store_true",
        default=preset.naive,
        help="measure as a closed loop too, beside the honest figures",
    )
    add(
        "--drain",
        type=AMOUNTS["drain"],
        default=preset.drain,
        help="seconds to wait at the end for messages still under way",
    )
    add("--result", default=preset.result, include_in_web_ui=False, help="write figures here")
