"""Locust's web UI shows our tab with live figures, and the charts page draws them.

One page for all: those that start no test come first, for it keeps what was last filled in.
"""

import json
import re
import socket
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.net.schedule import await_true
from loadtests.trials.generator import free_port
from loadtests.trials.processes import Child, Server
from tests.loadtests.brood import Brood

ROOT = Path(__file__).resolve().parents[3]
USERS = ["SseUser", "PollingUser"]


class LocustUi(Child):
    """Locust with its web UI on a free port."""

    def __init__(self) -> None:
        self.port = free_port()
        file = str(ROOT / "loadtests" / "locustfile.py")
        web = ["--web-host", "127.0.0.1", "--web-port", str(self.port)]
        super().__init__("locust", ["loadtests.load", "-f", file, *USERS, *web])
        self.await_match("Starting web interface")
        self.url = f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(["sse", "polling"]) as server:
        yield server


@pytest.fixture(scope="module")
def locust() -> Iterator[LocustUi]:
    """One for all; who starts a test stops it."""
    with LocustUi() as locust:
        await_answer(locust.url)
        yield locust


def await_answer(url: str) -> bytes:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bytes(answer.read())
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.slow
def test_the_form_is_filled_in_with_our_own_server_and_users_for_all(locust: LocustUi) -> None:
    page = await_answer(locust.url).decode()
    found = re.search(r"window\.templateArgs = (\{.*?\});?\s*$", page, re.MULTILINE)
    assert found is not None
    filled = json.loads(found[1])
    assert filled["host"] == "http://127.0.0.1:8000"
    assert (filled["num_users"], filled["spawn_rate"]) == (40, 40)


def swarm(locust: LocustUi, **entries: object) -> Any:
    """Send the form that starts a test."""
    body = urllib.parse.urlencode({"user_count": 2, "spawn_rate": 2, **entries}).encode()
    return json.loads(urllib.request.urlopen(f"{locust.url}/swarm", body, 5).read())


def stop(locust: LocustUi) -> None:
    urllib.request.urlopen(f"{locust.url}/stop", b"", 30).close()


def state(locust: LocustUi) -> str:
    return str(json.loads(await_answer(f"{locust.url}/stats/requests"))["state"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"host": "http://127.0.0.1:9", "rate": "0"}, "greater than 0"),
        ({"host": "127.0.0.1:9"}, "http://"),
        ({"host": "ftp://127.0.0.1:9"}, "http://"),
    ],
)
def test_what_cannot_be_measured_starts_no_test(
    locust: LocustUi, entries: dict[str, str], said: str
) -> None:
    before = state(locust)
    answer = swarm(locust, **entries)
    assert answer["success"] is False
    assert said in answer["message"]
    assert state(locust) == before != "running"


@pytest.mark.slow
def test_the_tab_shows_live_figures_of_a_test_started_in_the_browser(
    browser: Any, locust: LocustUi, server: Server
) -> None:
    from playwright import sync_api

    page = browser.new_page()
    page.goto(locust.url)
    page.fill("input[name=userCount]", "6")
    page.fill("input[name=spawnRate]", "6")
    page.fill("input[name=host]", server.url)
    page.click("button:has-text('Start')")
    page.click("button[role=tab]:has-text('Duplex')")
    row = page.locator("tr", has_text="Server-Sent Events")
    sync_api.expect(row).to_be_visible(timeout=15_000)
    cells = row.locator("td")
    sync_api.expect(cells.nth(1)).to_have_text("3", timeout=15_000)
    sync_api.expect(cells.nth(2)).to_have_text(re.compile(r"[1-9]\d+"), timeout=15_000)
    assert float(cells.nth(3).inner_text()) > 0
    assert cells.nth(7).inner_text() == "0"
    sync_api.expect(page.locator("tr", has_text="Polling")).to_be_visible()
    page.goto(f"{locust.url}/duplex")
    # A flat line has no height, and so does not count as visible.
    line = page.locator("#latency polyline").first
    sync_api.expect(line).to_have_attribute("points", re.compile(r"\d"), timeout=15_000)
    assert page.locator("#table tr").count() == 3
    page.goto(locust.url)
    page.click("button:has-text('Stop')")
    sync_api.expect(page.locator("text=STOPPED")).to_be_visible(timeout=20_000)
    page.context.close()
    rows = json.loads(await_answer(f"{locust.url}/duplex/data"))["rows"]
    assert {row["lost"] for row in rows} == {0}
    assert all(row["bytes"] > 100 for row in rows)


@pytest.mark.slow
def test_a_host_where_nobody_answers_measures_nothing_and_a_better_one_may_follow(
    locust: LocustUi, server: Server
) -> None:
    def rows() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(await_answer(f"{locust.url}/duplex/data"))["rows"]
        return found

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        assert swarm(locust, host=f"http://127.0.0.1:{nobody.getsockname()[1]}")["success"]
        assert await_true(lambda: any("cannot connect" in row["verdict"] for row in rows()), 20)
        assert all(row["verdict"].startswith("INVALID nothing was measured") for row in rows())
        stop(locust)
    assert swarm(locust, host=server.url)["success"]
    assert await_true(lambda: any(row["deliveries"] for row in rows()), 20)
    stop(locust)


@pytest.mark.slow
def test_a_port_in_use_is_told_in_words(brood: Brood) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = brood.locust(f"--web-host 127.0.0.1 --web-port {port}")
    assert ended.returncode == 1
    assert f"cannot listen on port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr
