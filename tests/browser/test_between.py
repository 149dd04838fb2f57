"""A real browser behind a proxy and before fronts, as the recording for the course has it."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from loadtests.trials.processes import Server
from tests.browser.seeing import (
    RECORDING,
    SOURCES,
    a_page_with_a_socket,
    before_a_front,
    through_a_proxy,
)
from tests.support.programs import need
from wire.techniques import SLUGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
ICON = "GET http://server:80/favicon.ico"  # which is asked for where tabs are to be seen
RECORDED: dict[str, Any] = json.loads(RECORDING.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(SLUGS) as server:
        yield server


def test_a_browser_asks_a_proxy_for_plain_pages_and_for_tunnels_to_web_sockets(
    browser: "Browser", server: Server
) -> None:
    need("tinyproxy")
    asked = through_a_proxy(browser, server)
    assert "GET http://server:80/sse?channel=s0" in asked
    assert "CONNECT server:80" in asked  # ws://
    assert "CONNECT server:443" in asked  # https:// and wss://
    assert {*asked} - {ICON} == {*RECORDED["proxy"]} - {ICON}


@pytest.mark.parametrize("front", ["haproxy", "nghttpx"])
def test_by_http_2_all_streams_open_and_a_web_socket_is_one_of_them(
    browser: "Browser", server: Server, front: str
) -> None:
    need(front)
    found = before_a_front(browser, server, front)
    assert found == RECORDED["fronts"][front]
    assert found["open"] == SOURCES
    assert found["protocol"] == "h2"
    assert found["status"] == 200  # RFC 8441: no 101, as nothing is switched


def test_by_http_1_six_streams_open(browser: "Browser", server: Server) -> None:
    found = before_a_front(browser, server)
    assert found == RECORDED["fronts"]["none"]
    assert (found["open"], found["protocol"], found["status"]) == (6, "http/1.1", 101)


def test_a_page_sees_the_events_and_the_developer_tools_the_frames(
    browser: "Browser", server: Server
) -> None:
    found = a_page_with_a_socket(browser, server)
    for name in ("opened", "refused", "tools"):
        assert found[name] == RECORDED["page"][name]
    assert found["opened"] == ["open", "message hola", "close 1000"]
    assert found["refused"] == ["error", "close 1006"]
    assert {"what": "frame up", "opcode": 1, "text": "hola"} in found["tools"]
