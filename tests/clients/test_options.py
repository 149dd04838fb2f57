"""What clients can be told, and what they refuse to be told, before they connect."""

import math
import re
from typing import Any

import pytest

import clients
from tests.support.processes import ServerProcess
from wire.message import Message
from wire.techniques import SLUGS


def open_with(slug: str, options: dict[str, Any]) -> None:
    """Open a client of a server that is never dialled: all of this is refused before."""
    clients.open(slug, "http://127.0.0.1:9", **options)


@pytest.mark.parametrize("slug", SLUGS)
def test_an_option_that_does_not_exist_is_named_with_a_guess(slug: str) -> None:
    for wrong, guess in (("reconects", "reconnects"), ("jiter", "jitter"), ("Timeout", "timeout")):
        with pytest.raises(TypeError, match=f"{wrong}.*Did you mean {guess}"):
            open_with(slug, {wrong: 1})
    with pytest.raises(TypeError, match=r"'colour'\. There are after, .*dial, "):
        open_with(slug, {"colour": "blue"})


@pytest.mark.parametrize(
    ("slug", "wrong", "guess"),
    [
        ("polling", "intervall", "interval"),
        ("page_reload", "keepalive", "keep_alive"),
        ("long_polling", "hold", "hold_s"),
        ("forever_frame", "paddin", "padding"),
        ("plugin_socket", "plugin", "plugin_port"),
        ("web_socket", "binary", "binary_frames"),
    ],
)
def test_the_guess_knows_the_technique_s_own_options(slug: str, wrong: str, guess: str) -> None:
    with pytest.raises(TypeError, match=f"'{wrong}'. Did you mean {guess}"):
        open_with(slug, {wrong: 0.1})


def test_an_option_of_another_technique_is_unknown() -> None:
    with pytest.raises(TypeError, match="SseClient has no option 'interval'"):
        open_with("sse", {"interval": 1})


@pytest.mark.parametrize(
    ("slug", "options", "accepted"),
    [
        *[("sse", {"timeout": value}, "0.001 to 1,000,000") for value in (0, -1, math.nan, "5")],
        *[("sse", {"reconnects": value}, "whole number from 0") for value in (-1, 1.5, True)],
        ("sse", {"dial": ("127.0.0.1", 83537)}, "1 to 65535"),
        ("sse", {"dial": ("127.0.0.1", 0)}, "1 to 65535"),
        ("sse", {"dial": "127.0.0.1:8000"}, "(host, port)"),
        *[("polling", {"interval": value}, "above 0") for value in (0, -1, math.inf, math.nan)],
        *[("plugin_socket", {"plugin_port": value}, "1 to 65535") for value in (0, -1, 83537)],
        *[("long_polling", {"hold_s": value}, "0.001 to 86,400") for value in (0, 1e6, 1e-7, -1)],
        ("long_polling", {"hold_s": math.nan}, "0.001 to 86,400"),
        *[("forever_frame", {"padding": value}, "0 to 65536") for value in (-1, 65537, 1.5)],
        ("sse", {"headers": "fat"}, "lean, browser, heavy"),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_what_can(
    slug: str, options: dict[str, Any], accepted: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(accepted)):
        open_with(slug, options)


def test_the_port_after_the_last_is_no_port() -> None:
    with pytest.raises(ValueError, match="plugin_port=65536"):
        clients.open("plugin_socket", "http://127.0.0.1:65535")


@pytest.mark.parametrize("hold_s", [0.001, 0.0123456, 7, 1e5 / 3, 86_400])
def test_seconds_are_written_as_the_server_reads_them(
    server: ServerProcess, channel: str, hold_s: float
) -> None:
    with clients.open("long_polling", server.url, channel, hold_s=hold_s) as client:
        client.send("hola")
        item = client.receive(10)
    assert isinstance(item, Message)
    assert item.body == "hola"
