"""Plain Locust works with our users, as the README says it."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.measures import result_file
from loadtests.trials.processes import Server

ROOT = Path(__file__).resolve().parents[2]


def run_locust(line: str, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run Locust with the words of `line`, and then `words`, which may hold spaces."""
    return subprocess.run(
        [sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py", *line.split(), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.mark.slow
def test_headless_with_locusts_own_options(tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    with Server(["sse"]) as server:
        done = run_locust(
            f"SseUser --headless --host {server.url} -u 5 -r 5 -t 3s --json-file",
            str(table.with_suffix("")),
        )
    assert done.returncode == 0, done.stderr
    rows = {(row["method"], row["name"]): row for row in json.loads(table.read_text())}
    assert rows["CONNECT", "sse"]["num_requests"] == 5
    assert rows["MESSAGE", "sse"]["num_requests"] > 50
    assert rows["PUBLISH", "publisher"]["num_requests"] > 10
    assert all(row["num_failures"] == 0 for row in rows.values())


@pytest.mark.slow
def test_without_a_host_it_says_what_is_missing() -> None:
    done = run_locust("SseUser --headless -u 1 -t 2s")
    assert "--host" in done.stdout + done.stderr


@pytest.mark.slow
def test_all_eight_users_are_there() -> None:
    listed = run_locust("--list").stdout.split()
    users = [word for word in listed if word.endswith("User")]
    assert len(users) == 8


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["chat", "echo", "idle"])
def test_the_other_scenarios(tmp_path: Path, scenario: str) -> None:
    result = tmp_path / "result.json"
    with Server(["web_socket"]) as server:
        done = run_locust(
            f"WebSocketUser --headless --host {server.url} -u 4 -r 4 "
            f"--scenario {scenario} --rate 20 --seconds 1.5 --result",
            str(result),
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(result.read_text())["techniques"]["web_socket"]
    audit = found["audit"]
    assert audit["received"] == audit["expected"] > 0
    metric = {"chat": "delivery", "echo": "round_trip", "idle": "delivery"}[scenario]
    assert metric in found["histograms"]


@pytest.mark.slow
def test_users_that_join_later_are_audited_from_where_they_began(tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    with Server(["sse"]) as server:
        done = run_locust(
            f"SseUser --headless --host {server.url} -u 6 -r 2 -t 5s --rate 50 --result",
            str(result),
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(result.read_text())
    audit = found["techniques"]["sse"]["audit"]
    published = found["published"]["accepted"]
    assert 0 < audit["received"] == audit["expected"] < 6 * published


@pytest.mark.slow
def test_a_master_and_two_workers_of_their_own_give_one_result(tmp_path: Path) -> None:
    result, rate, seconds, users = tmp_path / "result.json", 50, 2, 10
    locust = [sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py"]
    with socket.create_server(("127.0.0.1", 0)) as probe:  # Locust's master cannot choose one
        door = str(probe.getsockname()[1])
    with Server(["sse"]) as server:
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
