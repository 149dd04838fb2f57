"""Plain Locust works with our users, as the README says it."""

import contextlib
import csv
import json
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.net.schedule import await_true
from loadtests.measures import result_file
from loadtests.trials.generator import free_port
from loadtests.trials.processes import Child, Server
from tests.loadtests.brood import Brood
from wire.techniques import SLUGS

pytestmark = pytest.mark.timeout(180)

ROOT = Path(__file__).resolve().parents[2]
FILE = ["-f", "loadtests/locustfile.py"]


@pytest.fixture(scope="module")
def server(forked_programs: None) -> Iterator[Server]:
    """Start one server for all of them: each subscribes from where its own users began."""
    with Server(SLUGS, flags=["--answers"]) as server:
        yield server


@pytest.mark.slow
def test_headless_with_locusts_own_options(server: Server, tmp_path: Path) -> None:
    """Those users come one after the other; each is audited from where it began."""
    table = tmp_path / "table.json"
    words = f"SseUser --headless --host {server.url} -u 5 -r 2 -t 5s --json-file".split()
    done = subprocess.run(
        [sys.executable, "-m", "locust", *FILE, *words, str(table.with_suffix(""))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = {(row["method"], row["name"]): row for row in json.loads(table.read_text())}
    assert rows["CONNECT", "sse"]["num_requests"] == 5
    assert rows["MESSAGE", "sse"]["num_requests"] > 50
    published = rows["PUBLISH", "publisher"]["num_requests"]
    assert 10 < published < rows["MESSAGE", "sse"]["num_requests"] < 5 * published
    assert all(row["num_failures"] == 0 for row in rows.values())
    # Locust's last words are ours: the verdict, and a row for each technique.
    verdict, heading, row = done.stdout.rstrip().splitlines()[-3:]
    assert re.fullmatch(r"Duplex: [A-Z-]+(: .+)?", verdict)
    assert heading.split() == [
        "technique",
        "deliveries",
        "p50",
        "ms",
        "p90",
        "ms",
        "p99",
        "ms",
        "max",
        "ms",
        "audit",
    ]
    assert re.fullmatch(r"Server-Sent Events +[\d,]+( +\d+\.\d\d){4}  clean", row)


# The users say where to go: there is no --host.
OWN_FILE = """
from locust import HttpUser, constant, task

from loadtests.locustfile import SseUser


class Listener(SseUser):
    fixed_count = 3
    host = {url!r}


class Shopper(HttpUser):
    fixed_count = 2
    host = {url!r}
    wait_time = constant(0.1)

    @task
    def look(self):
        self.client.get("/stats")


SseUser.abstract = True
"""


@pytest.mark.slow
def test_our_users_stand_beside_an_http_user_in_somebodys_own_file(
    server: Server, brood: Brood, tmp_path: Path
) -> None:
    (tmp_path / "shop.py").write_text(OWN_FILE.format(url=server.url))
    done = brood.locust(
        "--headless -u 5 -r 5 --seconds 3 --rate 20 --naive --json-file",
        str(tmp_path / "table"),
        file=str(tmp_path / "shop.py"),
    )
    assert done.returncode == 0, done.stderr
    rows = {
        (row["method"], row["name"]): row
        for row in json.loads((tmp_path / "table.json").read_text())
    }
    assert rows["CONNECT", "sse"]["num_requests"] == 3
    assert rows["GET", "/stats"]["num_requests"] > 10
    assert rows["MESSAGE", "sse"]["num_requests"] > 30
    assert re.match(r"Server-Sent Events +[1-9].* clean$", done.stdout.splitlines()[-1])
    assert "Traceback" not in done.stderr
    assert "were not connected" not in done.stdout, "only three of five users subscribe"


@pytest.mark.slow
def test_locusts_tables_have_the_last_second_too(
    server: Server, brood: Brood, tmp_path: Path
) -> None:
    """And what changed nothing is told at the end."""
    done = brood.locust(
        f"SseUser --headless --host {server.url} -u 5 -r 5 --rate 50 --seconds 1.5 "
        "--poll-interval 9 --csv",
        str(tmp_path / "table"),
    )
    assert "Duplex: --poll-interval changed nothing" in done.stdout
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "table_stats.csv", newline="") as file:
        rows = {row["Type"]: int(row["Request Count"]) for row in csv.DictReader(file)}
    deliveries = re.search(r"^Server-Sent Events +([\d,]+) ", done.stdout, re.MULTILINE)
    assert deliveries is not None, done.stdout
    assert rows["MESSAGE"] == int(deliveries[1].replace(",", "")) > 300


@pytest.mark.slow
def test_prometheus_can_read_the_figures_of_a_test_that_runs(server: Server) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    words = ["loadtests.load", *FILE, "SseUser", "--headless"]
    words += f"--host {server.url} -u 4 -r 4 --rate 50 --metrics-port {port}".split()
    with Child("locust", words):
        page = ""

        def came() -> bool:
            nonlocal page
            with contextlib.suppress(OSError), urllib.request.urlopen(url) as answer:
                kind = answer.headers["Content-Type"]
                assert kind.startswith("text/plain; version=0.0.4")
                page = answer.read().decode()
            users = 'duplex_load_users{technique="sse"} 4\n' in page
            return users and bool(re.search(r"deliveries_total\S+ [1-9]", page))

        await_true(came, 30)
        assert came()
    values = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    sse = {key: float(value) for key, value in values.items() if 'technique="sse"' in key}
    assert sse['duplex_load_users{technique="sse"}'] == 4
    buckets = [
        value for key, value in sse.items() if key.startswith("duplex_load_delivery_seconds_b")
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == sse['duplex_load_delivery_seconds_count{technique="sse"}'] > 0
    assert buckets[-1] == sse['duplex_load_deliveries_total{technique="sse"}']
    assert float(values["duplex_load_published_total"]) > 0


@pytest.mark.slow
def test_a_host_where_nobody_answers_is_told_in_words(brood: Brood) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        host = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        done = brood.locust(f"SseUser --headless -u 2 -r 2 -t 2s --host {host}")
    assert "Traceback" not in done.stdout + done.stderr
    assert "Duplex: INVALID: nothing was measured: " in done.stdout
    assert f"cannot connect to {host.removeprefix('http://')}" in done.stdout


@pytest.mark.slow
def test_users_who_come_over_an_interval_are_waited_for_as_long(
    server: Server, brood: Brood
) -> None:
    """Apart from that interval, patience is short here; it would not do for the last of them."""
    words = "PollingUser --headless -u 8 -r 8 --poll-interval 4"
    words += f" --host {server.url} --rate 20 --seconds 1 --seed 1"
    done = brood.apart(f"""
import sys
from loadtests.load.__main__ import imported, main
imported()
from loadtests.load import conductor
conductor._PATIENCE_S = 0.1
sys.argv[1:] = {[*FILE, *words.split()]}
main()
""")
    assert re.search(r"^Polling +160 .* clean$", done.stdout, re.MULTILINE), done.stdout
    assert "not connected" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--host", "--publish-to"])
def test_an_address_of_another_form_is_told_in_one_line(brood: Brood, option: str) -> None:
    others = "" if option == "--host" else "--host http://127.0.0.1:9"
    done = brood.locust(f"SseUser --headless -u 1 -t 2s {others} {option} 127.0.0.1:8000")
    assert f"{option}: '127.0.0.1:8000' is no server's address; accepted is http://" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 1


@pytest.mark.slow
def test_users_of_all_techniques_beside_each_other_receive_everything(
    server: Server, brood: Brood, tmp_path: Path
) -> None:
    """Who names no users has those of each technique."""
    result, users = tmp_path / "result.json", 2 * len(SLUGS)
    done = brood.locust(
        f"--headless --host {server.url} --plugin-port {server.plugin_port} -u {users} -r {users} "
        "--rate 20 --seconds 1 --poll-interval 0.2 --drain 10 --result",
        str(result),
    )
    assert done.returncode == 0, done.stderr
    found = result_file.read(result)
    assert set(found.techniques) == set(SLUGS)
    for slug, one in found.techniques.items():
        assert one.audit.clean, slug
        assert one.audit.received == one.audit.expected > 0, slug
        delivery = one.histograms["delivery"]
        assert delivery.get_total_count() == 2 * found.published["accepted"], slug
        assert 0 < delivery.get_min_value() <= delivery.get_max_value(), slug
        assert one.flow.tcp_down > 0, slug


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["echo", "idle", "tokens"])
def test_the_other_scenarios(server: Server, brood: Brood, tmp_path: Path, scenario: str) -> None:
    result = tmp_path / "result.json"
    done = brood.locust(
        f"WebSocketUser --headless --host {server.url} -u 4 -r 4 "
        f"--scenario {scenario} --rate 20 --tokens 10 --seconds 1.5 --result",
        str(result),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(result.read_text())["techniques"]["web_socket"]
    audit = found["audit"]
    assert audit["received"] == audit["expected"] > 0
    metrics = {"echo": {"round_trip"}, "tokens": {"first_token", "gap", "answer"}}
    assert metrics.get(scenario, {"delivery"}) <= set(found["histograms"])
    assert [len(answer) for answer in found["answers"]] == [10] * 3 * (scenario == "tokens")


@pytest.mark.slow
def test_an_echo_that_is_lost_counts_as_lost_and_is_told(
    server: Server, brood: Brood, tmp_path: Path
) -> None:
    result = tmp_path / "result.json"
    done = brood.locust(
        f"LongPollingUser --headless --host {server.url} -u 4 -r 4 --scenario echo --no-cursor "
        "--rate 5 --seconds 5 --drain 1 --hold 25 --result",
        str(result),
    )
    found = json.loads(result.read_text())
    audit = found["techniques"]["long_polling"]["audit"]
    # Without a cursor each gets its first one, and waits for the second between two polls.
    assert audit["expected"] - audit["received"] >= 4
    assert found["failures"]["an echo did not come back within 1 s"] == 4
    assert "did not come back" in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "seconds", "sent"), [("steady", 4, 40), ("steps", 11, 120)])
def test_a_chat_heeds_arrivals_and_shape(
    server: Server, brood: Brood, tmp_path: Path, shape: str, seconds: int, sent: int
) -> None:
    result = tmp_path / "result.json"
    done = brood.locust(
        f"WebSocketUser --headless --host {server.url} -u 5 -r 5 --scenario chat --rate 10 "
        f"--arrivals constant --rate-shape {shape} --seconds {seconds} --result",
        str(result),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(result.read_text())
    audit = found["techniques"]["web_socket"]["audit"]
    assert audit["received"] == audit["expected"] > 0
    assert "delivery" in found["techniques"]["web_socket"]["histograms"]
    asked = found["published"]["asked"]
    assert asked == pytest.approx(sent, abs=5), "one message of each user at most"
