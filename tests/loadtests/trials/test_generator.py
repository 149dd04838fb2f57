"""The load is the one that was asked for, wherever the project stands and whatever the user has."""

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from clients.net.schedule import await_true
from loadtests.measures.result_file import Result, unlike
from loadtests.plan.options import Settings
from loadtests.trials.ending import INCOMPLETE
from loadtests.trials.generator import free_port
from tests.loadtests.house import copied_with_one_more_field

pytestmark = pytest.mark.timeout(180)

EPHEMERAL = 32_768  # Linux' first; the others' are higher
FEW = "compare --techniques sse --users 2 --delay 0 --seconds 1 --rate 20 --warm-up 0 --courtesy 5"


def interrupted(root: Path, out: Path, **env: str) -> str:
    """Compare nine times, press Ctrl-C within the second, and return what was said."""
    words = [*FEW.split(), "--repeat", "9", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "loadtests", *words],
        cwd=root,
        env={**os.environ, "PYTHONPATH": "", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        await_true((out / "latency.csv").exists, 60)
        # Somewhere within the second cell, so that there are children to end.
        parent = psutil.Process(process.pid)
        await_true(lambda: len(parent.children(recursive=True)) >= 2, 60)
        children = parent.children(recursive=True)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == INCOMPLETE, said
    assert len(children) >= 2, said
    assert not psutil.wait_procs(children, timeout=5)[1]
    return said


def result(settings: Settings, began_ns: int = 0, ended_ns: int = 0) -> Result:
    published = {"began_ns": began_ns, "ended_ns": ended_ns}
    return Result(settings, 1, 1, {}, published, {}, {})


def test_a_load_that_was_another_one_is_told() -> None:
    asked = Settings(seconds=4, rate=20.0)
    assert unlike(result(asked, 10**9, 5 * 10**9), asked) == ""
    assert unlike(result(replace(asked, rate=3.0)), asked) == "rate was 3.0"
    assert unlike(result(asked, 10**9, 3 * 10**9), asked) == "it ended after 2.0 of 4 s"


@pytest.mark.slow
def test_the_load_is_what_was_asked_for_in_any_folder_and_whatever_the_user_set_for_locust(
    tmp_path: Path,
) -> None:
    """A field of ours that is new, too: it is measured with, and recorded.

    Interrupted, the command keeps what was measured, and leaves no process.
    """
    (tmp_path / ".locust.conf").write_text("run-time = 1s\nno-cursor = true\nrate = 3\n")
    own = {"LOCUST_RUN_TIME": "1s", "LOCUST_TAGS": "smoke", "LOCUST_USERS": "1"}
    name = "a, b [red] it's %s"
    house = copied_with_one_more_field(tmp_path / name)
    figures = house / "results" / "figures" / "of_a_run.py"
    with figures.open("a") as file:  # of eight, one is enough for a report
        file.write("\n_OF_A_RUN = (latency_distribution,)\n")
    folder = house / "results" / "runs" / "one"
    said = interrupted(house, folder, HOME=str(tmp_path), **own)
    assert "clean" in said, said
    assert f"{name}/results/runs/one/report.html" in said
    assert (folder / "report.html").exists()
    head = json.loads((folder / "run.json").read_text())
    assert head["finished"] is False
    assert 1 <= len(head["cells"]) < 9
    cell = head["cells"][0]
    assert (cell["users"], cell["rate"], cell["variant"]) == (2, 20.0, "5 bows")
    assert "another one than was asked for" not in said
    settings = head["plan"]["settings"]
    assert settings["courtesy"] == 5
    assert settings.keys() == asdict(Settings()).keys() | {"courtesy"}


def test_a_free_port_is_none_that_systems_give_to_connections() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as server:
        assert server.getsockname()[1] == port
        assert port < EPHEMERAL
        assert port != free_port()
