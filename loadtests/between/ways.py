"""The ways through an intermediary: how a client is told to go, and to which server they lead."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from loadtests.between.standing import HERE, Standing
from results.record.crossings import NOTHING
from wire.techniques import BY_SLUG

ASK_S = 0.5  # between two requests of what asks on a timer
PAGES, TUNNEL, TUNNEL_TLS = "http://", "CONNECT, http", "CONNECT, https"
DIRECT, DIRECT_TLS, BEFORE, BEFORE_TLS = "http", "https", "in front", "in front, https"


@dataclass(frozen=True)
class Origin:
    """A server of ours: its ``url``, whom to trust there, and its plugin socket's port."""

    url: str
    plugin_port: int
    cafile: str | None = None


@dataclass(frozen=True)
class Way:
    """One way: ``url`` and ``options`` are what a client is told, ``origin`` where it leads.

    What goes straight to the origin, on the same ``channel``, knows what comes and went.
    ``control`` is the way with nothing in between to compare it with.
    """

    intermediary: str
    setup: str
    name: str
    url: str
    origin: Origin
    channel: str
    plugin_port: int
    control: str
    options: dict[str, Any] = field(default_factory=dict)

    def options_for(self, slug: str) -> dict[str, Any]:
        """Return what a client of this technique is told besides the URL."""
        technique = BY_SLUG[slug]
        more: dict[str, Any] = {"plugin_port": self.plugin_port} if technique.own_port else {}
        if technique.asks:
            more["interval"] = ASK_S
        return {**self.options, **more}

    def dump(self) -> dict[str, Any]:
        """Return it as JSON would have it."""
        return asdict(self)

    @classmethod
    def load(cls, told: dict[str, Any]) -> "Way":
        """Make it of what :meth:`dump` returned."""
        return cls(**{**told, "origin": Origin(**told["origin"])})


def ways_without(plain: Origin, secure: Origin | None, group: int = 0) -> Iterable[Way]:
    """Return the ways with nothing in between, with which the others are compared.

    Each ``group`` of others has its own, on channels of its own.
    """
    for name, origin in ((DIRECT, plain), (DIRECT_TLS, secure)):
        if origin is not None:
            yield Way(
                *(NOTHING, "", name, origin.url, origin),
                channel=_channel(NOTHING, name, str(group)),
                plugin_port=origin.plugin_port,
                control=name,
                options={"cafile": origin.cafile},
            )


def ways_through(
    standing: Standing, plain: Origin, secure: Origin | None, cafile: str | None
) -> Iterable[Way]:
    """Return the ways through an intermediary; ``cafile`` has whom to trust where it speaks TLS."""
    one = standing.intermediary
    here = f"{HERE}:{standing.port}"

    def way(name: str, url: str, origin: Origin, control: str, plugin: int, **options: Any) -> Way:
        channel = _channel(one.name, standing.setup.name, name)
        options["cafile"] = cafile if origin.cafile is None else origin.cafile
        named = one.name, standing.setup.name, name
        return Way(*named, url, origin, channel, plugin, control, options)

    if one.kind != "forward":
        # What is no HTTP comes to the only port there is, and sees what that makes of it.
        plugin = standing.plugin_port if one.carries_plugin else standing.port
        secured = one.kind == "tls"
        name, scheme = (BEFORE_TLS, "https") if secured else (BEFORE, "http")
        yield way(name, f"{scheme}://{here}", plain, DIRECT, plugin)
        return
    for name, tunnel in ((PAGES, False), (TUNNEL, True)):
        told = {"proxy": f"http://{here}", "tunnel": tunnel}
        yield way(name, plain.url, plain, DIRECT, plain.plugin_port, **told)
    if secure is not None:
        told = {"proxy": f"http://{here}"}
        yield way(TUNNEL_TLS, secure.url, secure, DIRECT_TLS, secure.plugin_port, **told)


def _channel(*words: str) -> str:
    return "-".join("".join(letter for letter in word if letter.isalnum()) for word in words)
