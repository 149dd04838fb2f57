"""Pages of other sites against Locust's page: what works without the guard fails with it."""

import http.server
import json
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clients.net.schedule import await_true
from loadtests.load.web_guard import foreign
from loadtests.trials.generator import free_port
from loadtests.trials.processes import Child
from servers.front.hosts import Hosts

ROOT = Path(__file__).resolve().parents[3]
OPEN = """
from loadtests.load import web_guard
web_guard.attach = lambda *_, **__: None
from loadtests.locustfile import *
"""


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "127.0.0.1:8089"},
        {"Host": "localhost:8089", "Origin": "http://localhost:8089"},
        {"Host": "[::1]:8089", "Origin": "http://[::1]:8089", "Sec-Fetch-Site": "same-origin"},
        {"Host": "127.0.0.1:8089", "Sec-Fetch-Site": "none"},
        {"Host": "locust.lan", "Origin": "https://locust.lan"},
    ],
)
def test_own_pages_and_programs_may(headers: dict[str, str]) -> None:
    assert foreign(headers, Hosts(["locust.lan"])) == ""


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:8089"},
        {"Host": "127.0.0.1:8089@evil.example"},
        {"Host": "127.0.0.1:8089,evil.example"},
        {"Host": "127.0.0.1:8089", "Origin": "http://evil.example"},
        {"Host": "127.0.0.1:8089", "Origin": "http://127.0.0.1:8090"},
        {"Host": "127.0.0.1:8089", "Origin": "http://127.0.0.1:8089.evil.example"},
        {"Host": "127.0.0.1:8089", "Origin": "http://localhost:8089"},
        {"Host": "127.0.0.1:8089", "Origin": "ftp://127.0.0.1:8089"},
        {"Host": "127.0.0.1:8089", "Origin": "null"},
        {"Host": "127.0.0.1:8089", "Origin": ""},
        {"Host": "127.0.0.1:8089", "Sec-Fetch-Site": "cross-site"},
        {"Host": "127.0.0.1:8089", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_others_may_not(headers: dict[str, str]) -> None:
    assert foreign(headers, Hosts())


@contextmanager
def locust_page(file: Path) -> Iterator[tuple[Child, str]]:
    port = free_port()
    web = ["--web-host", "127.0.0.1", "--web-port", str(port)]
    with Child("locust", ["loadtests.load", "-f", str(file), "SseUser", *web]) as locust:
        locust.await_match("Starting web interface")
        await_true(lambda: is_there(port), 20)
        yield locust, f"http://127.0.0.1:{port}"


def is_there(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def evil_site(target: str, victim: Path) -> Iterator[str]:
    """Serve a page that attacks ``target`` as soon as it is opened."""
    form = urllib.parse.urlencode(
        {
            "user_count": 1,
            "spawn_rate": 1,
            "host": "http://127.0.0.1:9/chosen-by-evil",
            "result": str(victim),
        }
    )
    page = f"""<!doctype html><title>evil</title><iframe src="{target}/"></iframe><script>
    fetch("{target}/swarm", {{method: "POST", mode: "no-cors", body: "{form}",
      headers: {{"Content-Type": "application/x-www-form-urlencoded"}}}})
      .finally(() => document.title = "done")</script>""".encode()

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def statistics(url: str, **headers: str) -> tuple[int, dict[str, object]]:
    asked = urllib.request.Request(f"{url}/stats/requests", headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, {}


@pytest.mark.attack("start a load by Locust's page", "off", "on")
@pytest.mark.slow
@pytest.mark.parametrize("guarded", [False, True], ids=["open", "guarded"])
def test_a_foreign_page_cannot_drive_a_load_read_it_or_frame_it(
    guarded: bool, browser: Any, tmp_path: Path
) -> None:
    victim = tmp_path / "thesis.txt"
    victim.write_text("mine")
    file = ROOT / "loadtests" / "locustfile.py"
    if not guarded:
        file = tmp_path / "locustfile.py"
        file.write_text(OPEN)
    with locust_page(file) as (locust, url), evil_site(url, victim) as evil:
        rebound = url.replace("127.0.0.1", "evil.example")
        with browser.new_page() as page:
            page.goto(evil)
            page.wait_for_function("document.title == 'done'")
            framed = page.frames[1]
            framed.wait_for_load_state()
            shown = framed.url.startswith(url) and "Locust" in framed.title()
            read = page.goto(f"{rebound}/stats/requests")
            assert read is not None
            read_status, read_by_name = read.status, read.text()
        state = statistics(url)[1]["state"]
        if not guarded:
            await_true(lambda: statistics(url)[1]["state"] != "ready", 20)
            assert shown
            assert '"state"' in read_by_name
        else:
            assert state == "ready"
            assert not shown
            assert (read_status, '"state"' in read_by_name) == (403, False)
            assert statistics(url, Origin="http://evil.example")[0] == 403
        locust.signal(15)
        await_true(lambda: locust.ended, 30)
    assert (victim.read_text() == "mine") is guarded


@pytest.mark.slow
def test_where_files_go_is_the_command_lines_alone() -> None:
    with locust_page(ROOT / "loadtests" / "locustfile.py") as (_, url):
        for name in ("result", "html_file", "csv_prefix", "logfile", "nonsense"):
            form = {"user_count": 1, "spawn_rate": 1, "host": "http://127.0.0.1:9", name: "x"}
            body = urllib.parse.urlencode(form).encode()
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{url}/swarm", body, 10)
            assert refused.value.code == 403
            assert f"{name}: only the command line" in refused.value.read().decode()
        assert statistics(url)[1]["state"] == "ready"
