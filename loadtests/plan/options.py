"""What our users can be told. Each setting is written here once, as a field.

From the field come the option of ``compare``, Locust's own option, the entry in Locust's page with
its check, what the variant is called, and the column of the plan in the record.
"""

import json
from argparse import Action, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import PurePath
from typing import Any

from clients.net.address import parse_address
from clients.net.headers import PROFILES
from loadtests.plan.amounts import NOT_NEGATIVE, POSITIVE, Amount
from loadtests.plan.schedule import ARRIVALS, SHAPES, Pace
from loadtests.plan.setting import Compared, Setting, setting, setting_of
from results.record.naming import FOREIGN
from wire.techniques import BY_SLUG, SLUGS, Delivery, Technique

SCENARIOS = ("feed", "chat", "echo", "idle", "storm", "stall", "tokens")
OWN_CHANNELS = ("echo", "tokens")  # whose users have a channel each
PUBLISHED = ("feed", "storm", "stall")  # whose messages come from the publisher
# What a scenario does not heed: only in a storm do all reconnect, closed loops have no schedule,
# and idle users say nothing.
UNHEEDED = {
    "feed": ("jitter", "tokens"),
    "chat": ("jitter", "tokens"),
    "echo": ("jitter", "arrivals", "rate_shape", "tokens"),
    "idle": ("jitter", "rate", "arrivals", "rate_shape", "tokens"),
    "storm": ("tokens",),
    "stall": ("jitter", "tokens"),
    "tokens": ("jitter", "arrivals", "rate_shape"),
}
# Whom a setting is about, where it is not all techniques.
_ABOUT: Mapping[str, Callable[[Technique], bool]] = {
    "poll_interval": lambda one: one.asks,
    "hold": lambda one: one.delivery is Delivery.REQUEST,
    "cursor": lambda one: one.delivery is Delivery.REQUEST,
    "keep_alive": lambda one: not one.streams,
    "plugin_port": lambda one: one.own_port,
}


def foreign(server: str) -> str:
    """Mark what was measured of somebody else's server, by its short name.

    A comma would end the mark, so there is none.
    """
    name = PurePath(server).parent.name if PurePath(server).name == "peer.toml" else server
    if "://" not in name:
        name = PurePath(name).stem
    return FOREIGN + name.replace(",", "_")


@dataclass(frozen=True, slots=True)
class Settings:
    """One test's settings, the same in every process of it.

    ``publish_to`` is the server's own address where the host is a relay's, so that only the
    subscribers' way is longer.
    """

    channel: str = setting("lobby", "channel to subscribe and publish to")
    scenario: str = setting("feed", "what the users do", SCENARIOS, compared=Compared())
    rate: float = setting(
        10.0,
        "messages/s in the channel, whoever falls behind (echo, tokens: of each user)",
        POSITIVE,
        compared=Compared(20.0, levels=True),
    )
    # What the server takes as one message, less its JSON.
    size: int = setting(
        100, "bytes of each message's text", Amount(int, most=4_000_000), compared=Compared()
    )
    tokens: int = setting(
        100,
        "tokens of each answer (tokens)",
        Amount(int, least=1, most=10_000),
        compared=Compared(),
        variant="{} tokens",
    )
    warm_up: float = setting(
        0.0, "seconds of untimed messages", NOT_NEGATIVE, compared=Compared(0.5)
    )
    seconds: float = setting(
        0.0,
        "measure so long once all users are there, then end (0: until stopped)",
        NOT_NEGATIVE,
        compared=Compared(4.0, POSITIVE, "measured time of each cell, in seconds"),
    )
    poll_interval: float = setting(
        1.0, "seconds between polls", POSITIVE, compared=Compared(), variant="T={:g} s"
    )
    hold: float = setting(
        25.0,
        "seconds that a long-poll may be held",
        Amount(float, most=86_400, above=True),
        compared=Compared(),
        variant="hold {:g} s",
    )
    # Compared by chance, because an even rate falls into step with long-polling's round trips and
    # polling's interval, and then the same phase decides about every message.
    arrivals: str = setting(
        "constant",
        "messages come evenly or by chance",
        ARRIVALS,
        compared=Compared("poisson"),
        variant="{} arrivals",
    )
    rate_shape: str = setting("steady", "rate over time", SHAPES, compared=Compared(), variant="{}")
    headers: str = setting(
        "lean", "request header fields", PROFILES, compared=Compared(), variant="{} headers"
    )
    keep_alive: bool = setting(
        True, "a new TCP connection for every request", compared=Compared(), variant="no keep-alive"
    )
    # As before there were cursors.
    cursor: bool = setting(
        True, "long-poll without a cursor, and lose what falls between two polls"
    )
    jitter: bool = setting(
        True,
        "reconnect after the same time instead of a random one (storm)",
        compared=Compared(),
        variant="no jitter",
    )
    server: str = setting(
        "",
        "measure another server: a peer's name, its file, or the address of one that runs",
        compared=Compared(),
        variant=foreign,
        on_page=False,
    )
    plugin_port: int = setting(
        0, "port of the plugin socket (0: the host's port + 1)", Amount(int, most=65_535)
    )
    publish_to: str = setting("", "where to publish, if not at the host")
    seed: int = setting(0, "seed of everything random", Amount(int, least=None))
    clock: bool = setting(
        True, "take all clocks for one: do not ask the server's, nor correct by it", on_page=False
    )
    naive: bool = setting(False, "measure as a closed loop too, beside the honest figures")
    drain: float = setting(
        10.0, "seconds to wait at the end for messages still under way", NOT_NEGATIVE
    )
    metrics_port: int = setting(
        0,
        "tell Prometheus live figures at this port's /metrics (0: nowhere)",
        Amount(int, most=65_535),
        on_page=False,
    )
    result: str = setting("", "write figures here", on_page=False)

    @property
    def pace(self) -> Pace:
        """The publisher's pace."""
        return Pace(self.rate, self.arrivals, self.rate_shape, self.seed)

    @property
    def text(self) -> str:
        """The text of every message: ``size`` bytes."""
        return ("duplex " * (self.size // 7 + 1))[: self.size]

    def dump(self) -> str:
        """Return the settings as JSON, for ``--settings``."""
        return json.dumps(asdict(self))


KNOWN: Mapping[str, Setting] = {item.name: setting_of(item) for item in fields(Settings)}
COMPARED = [item.for_compare() for item in KNOWN.values() if item.compared is not None]
# The settings of ``compare`` where it is told nothing.
USUAL = Settings(**{item.name: item.default for item in COMPARED})
# Locust's alone, and of its command line: a test that runs cannot change its shape.
_USER_SHAPE = Setting("user_shape", "steady", "users over time", SHAPES, on_page=False)


def unheeded(settings: Settings, slugs: Iterable[str], usual: Settings) -> list[str]:
    """Name the settings that are not the usual ones and yet change nothing for these techniques."""
    techniques = [BY_SLUG[slug] for slug in slugs]
    names = {name for name, heeds in _ABOUT.items() if not any(map(heeds, techniques))}
    names.update(UNHEEDED.get(settings.scenario, ()))
    return [name for name in KNOWN if name in names and differs(settings, name, usual)]


def differs(settings: Settings, name: str, usual: Settings) -> bool:
    """Whether a setting is not the usual one."""
    return bool(getattr(settings, name) != getattr(usual, name))


def variant(settings: Settings, slugs: Iterable[str] = SLUGS) -> str:
    """Name what differs from the usual, so that unlike cells never look alike.

    It is the word for the load of a run, the same for all its techniques, so that they stand in
    one table; what none of them heeds is not in it.
    """
    ignored = unheeded(settings, slugs, USUAL)
    return ", ".join(
        item.variant(getattr(settings, name))
        if callable(item.variant)
        else item.variant.format(getattr(settings, name))
        for name, item in KNOWN.items()
        if item.variant and name not in ignored and differs(settings, name, USUAL)
    )


def read_settings(options: Namespace | None) -> Settings:
    """Take our settings out of Locust's parsed options; what is missing has its default."""
    given = vars(options or Namespace())
    return Settings(
        **{name: item.read(given[name]) for name, item in KNOWN.items() if name in given}
    )


def load_settings(text: str) -> dict[str, Any]:
    """Read a JSON object of settings, by their names; some may be missing.

    Raises ``ArgumentTypeError``, which says what is wrong with which of them.
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"this is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise ArgumentTypeError('the settings are one JSON object, such as {"rate": 20}')
    if unknown := ", ".join(given.keys() - KNOWN.keys()):
        raise ArgumentTypeError(f"there is no setting {unknown}; there are {', '.join(KNOWN)}")
    try:
        return {(at := name): KNOWN[name].read(value) for name, value in given.items()}
    except ArgumentTypeError as error:
        raise ArgumentTypeError(f"{at}: {error}") from None


class _TakeSettings(Action):
    """Sets what the JSON names; options that come later on the command line win."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option: str | None = None
    ) -> None:
        vars(namespace).update(values)


def add_options(parser: Any, **_: object) -> None:
    """Add our options to Locust's parser; a listener of ``init_command_line_parser``."""
    group = parser.add_argument_group("Duplex", "What our users do; not of Locust itself.")
    for item in (*KNOWN.values(), _USER_SHAPE):
        action: Any = item.for_all().add_by(group.add_argument)
        action.include_in_web_ui = item.on_page
    group.add_argument(
        "--settings",
        action=_TakeSettings,
        type=load_settings,
        metavar="JSON",
        help="settings by their names, in one JSON object; options after it win",
    )


def options_help() -> str:
    """Return what Locust's ``--help`` says of our options, without its own hundred others."""
    parser = ArgumentParser(
        prog="locust -f loadtests/locustfile.py",
        usage="%(prog)s [options] [UserClass ...]",
        add_help=False,
    )
    add_options(parser)
    return parser.format_help()


def wrong_address(url: str) -> str:
    """Say what is wrong with a server's address, if one is given and something is."""
    try:
        if url:
            parse_address(url)
    except ValueError as error:
        return str(error)
    return ""


def complaint(form: Mapping[str, str]) -> str:
    """Say which entry of a form, by the names of the settings, cannot be taken; else nothing."""
    for name in ("host", "publish_to"):
        if wrong := wrong_address(form.get(name, "")):
            return f"{name.replace('_', ' ').capitalize()}: {wrong}."
    for name, item in KNOWN.items():
        if name in form:
            try:
                item.read(form[name])
            except ArgumentTypeError as error:
                return f"{name.replace('_', ' ').capitalize()}: {error}."
    scenario = form.get("scenario", KNOWN["scenario"].default)
    for name in UNHEEDED.get(scenario, ()):
        item = KNOWN[name]
        if name in form and item.read(form[name]) != item.default:
            words = f"{name.replace('_', ' ').capitalize()}: the scenario {scenario}"
            return f"{words} does not heed it; leave it at {item.default}."
    return ""
