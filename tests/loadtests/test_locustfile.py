"""Plain Locust works with our users, as the README says it."""

import contextlib
import csv
import json
import os
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
from loadtests.trials.processes import Child, Server
from wire.techniques import SLUGS

pytestmark = pytest.mark.timeout(180)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Start one server for all of them: each subscribes from where its own users began."""
    slugs = ["sse", "polling", "long_polling", "web_socket"]
    with Server(slugs, flags=["--answers"]) as server:
        yield server


def run_locust(
    line: str, *words: str, module: str = "loadtests.load"
) -> subprocess.CompletedProcess[str]:
    """Run Locust with the words of `line`, and then `words`, which may hold spaces.

    Unless its own ``module`` is asked for, it is started as ``compare`` does, a third sooner.
    """
    return subprocess.run(
        [sys.executable, "-m", module, "-f", "loadtests/locustfile.py", *line.split(), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_headless_with_locusts_own_options(server: Server, tmp_path: Path) -> None:
    """Those users come one after the other; each is audited from where it began."""
    table = tmp_path / "table.json"
    done = run_locust(
        f"SseUser --headless --host {server.url} -u 5 -r 2 -t 5s --json-file",
        str(table.with_suffix("")),
        module="locust",
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
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "shop.py").write_text(OWN_FILE.format(url=server.url))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "locust",
            "-f",
            str(tmp_path / "shop.py"),
            "--headless",
            *["-u", "5", "-r", "5", "--seconds", "3", "--rate", "20", "--naive"],
            *("--json-file", str(tmp_path / "table")),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
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
def test_locusts_tables_have_the_last_second_too(server: Server, tmp_path: Path) -> None:
    """And what changed nothing is told at the end."""
    done = run_locust(
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
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/metrics"
    words = ["locust", "-f", "loadtests/locustfile.py", "SseUser", "--headless"]
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
def test_a_host_where_nobody_answers_is_told_in_words() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        host = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        done = run_locust(f"SseUser --headless -u 2 -r 2 -t 2s --host {host}")
    assert "Traceback" not in done.stdout + done.stderr
    assert "Duplex: INVALID: nothing was measured: " in done.stdout
    assert f"cannot connect to {host.removeprefix('http://')}" in done.stdout


@pytest.mark.slow
def test_users_who_come_over_an_interval_are_waited_for_as_long(server: Server) -> None:
    """Apart from that interval, patience is short here; it would not do for the last of them."""
    hasty = (
        "import sys; from locust.main import main; from loadtests.load import conductor;"
        "conductor._PATIENCE_S = 0.1; sys.argv[0] = 'locust'; main()"
    )
    words = "-f loadtests/locustfile.py PollingUser --headless -u 8 -r 8 --poll-interval 4"
    words += f" --host {server.url} --rate 20 --seconds 1 --seed 1"
    done = subprocess.run(
        [sys.executable, "-c", hasty, *words.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert re.search(r"^Polling +160 .* clean$", done.stdout, re.MULTILINE), done.stdout
    assert "not connected" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--host", "--publish-to"])
def test_an_address_of_another_form_is_told_in_one_line(option: str) -> None:
    others = "" if option == "--host" else "--host http://127.0.0.1:9"
    done = run_locust(f"SseUser --headless -u 1 -t 2s {others} {option} 127.0.0.1:8000")
    assert f"{option}: '127.0.0.1:8000' is no server's address; accepted is http://" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 1


@pytest.mark.slow
def test_a_user_of_each_technique_is_there() -> None:
    listed = run_locust("--list").stdout.split()
    users = [word for word in listed if word.endswith("User")]
    assert len(users) == len(SLUGS)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["echo", "idle", "tokens"])
def test_the_other_scenarios(server: Server, tmp_path: Path, scenario: str) -> None:
    result = tmp_path / "result.json"
    done = run_locust(
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
def test_an_echo_that_is_lost_counts_as_lost_and_is_told(server: Server, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    done = run_locust(
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
    server: Server, tmp_path: Path, shape: str, seconds: int, sent: int
) -> None:
    result = tmp_path / "result.json"
    done = run_locust(
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


@pytest.mark.slow
def test_a_master_and_two_workers_of_their_own_give_one_result(
    server: Server, tmp_path: Path
) -> None:
    result, rate, seconds, users = tmp_path / "result.json", 50, 2, 10
    locust = [sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py"]
    with socket.create_server(("127.0.0.1", 0)) as probe:  # Locust's master cannot choose one
        door = str(probe.getsockname()[1])
    workers = [
        subprocess.Popen(
            [*locust, "--worker", "--master-port", door],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    done = run_locust(
        f"SseUser --master --master-bind-port {door} --expect-workers 2 "
        f"--headless --host {server.url} -u {users} -r {users} "
        f"--rate {rate} --seconds {seconds} --warm-up 0.5 --result",
        str(result),
        module="locust",
    )
    said = [worker.communicate(timeout=30)[1] for worker in workers]
    assert done.returncode == 0, done.stderr
    assert [worker.returncode for worker in workers] == [0, 0], said
    found = result_file.read(result)
    one = found.techniques["sse"]
    assert found.published["accepted"] == rate * seconds
    untimed = rate // 2  # of half a second of warm-up: audited, too
    assert one.audit.received == one.audit.expected == users * (rate * seconds + untimed)
    assert one.histograms["delivery"].get_total_count() == users * rate * seconds
    assert len(found.conditions) == 3
