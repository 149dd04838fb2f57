"""Foreign servers in trials: whatever is wrong with one has a clear reason, and nobody is left."""

import math
from pathlib import Path
from typing import Any

import psutil
import pytest

from clients.foreign.peer_file import read_peer_file
from clients.foreign.table import PeerFileError
from clients.net.schedule import await_true
from loadtests.plan.options import Settings, foreign
from loadtests.trials.compare import parse_arguments
from loadtests.trials.family import tree
from loadtests.trials.measuring import measure
from loadtests.trials.peers import SHELF, Peer, find_peer, techniques_of, try_out
from loadtests.trials.processes import ProcessError
from wire.peer_text import LEAST

# A server of few lines: what is POSTed goes to every event stream; MODE is how it misbehaves.
SERVER = """
import os, subprocess, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
mode, streams = os.environ.get("MODE", ""), []
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if mode == "answers nothing": time.sleep(60)
        if mode == "dies": os._exit(7)
        if mode == "says something else": text = "hola"
        for stream in list(streams):
            for _ in range(2 if mode == "echoes twice" else 1):
                stream.write(f"data: {text}\\n\\n".encode()); stream.flush()
        self.send_response(500 if mode == "refuses" else 200)
        self.send_header("Content-Length", "0"); self.end_headers()
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        if mode == "floods":
            while True: self.wfile.write(b"data: spam spam spam\\n\\n" * 1000)
        streams.append(self.wfile)
        threading.Event().wait()
if mode == "has a child": subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)"],
                                           start_new_session=True)
if mode == "ends": sys.exit("no licence")
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

IN_VAIN = "did not come back within 1 s"


def write(tmp_path: Path, mode: str = "") -> Path:
    (tmp_path / "server.py").write_text(SERVER, encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(
        'start = ["{python}", "server.py"]\n'
        f'env.MODE = "{mode}"\npublish.path = "/say"\n[subscribe.sse]\npath = "/events"\n',
        encoding="utf-8",
    )
    return path


def lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("ends", r"ended with status 1 at port \d+:\nno licence"),
        ("dies", r"\[publish\]: "),
        ("refuses", r"\[publish\]: 500 Internal Server Error"),
        ("says something else", f"{IN_VAIN}; . times something else .*'hola'"),
        ("floods", f"{IN_VAIN}; .* times something else came, first 'spam"),
        ("echoes twice", r"\[subscribe.sse\]: a text came back more than once"),
    ],
)
def test_a_misbehaving_server_is_told_of_before_any_load(
    mode: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if said.startswith(IN_VAIN):  # what does come has all its time
        monkeypatch.setattr("loadtests.trials.peers._ANSWER_S", 1)
    before = children()
    with pytest.raises(ProcessError, match=said):
        try_out(read_peer_file(write(tmp_path, mode)), "sse")
    assert children() == before


def test_a_server_that_cannot_be_started_is_told_of(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text().replace("{python}", "no-such-program"), encoding="utf-8")
    with pytest.raises(ProcessError, match="cannot be started in the file's folder: No such"):
        Peer(read_peer_file(path))


@pytest.mark.slow
def test_what_a_server_started_ends_with_it(tmp_path: Path) -> None:
    with Peer(read_peer_file(write(tmp_path, "has a child"))) as server:
        family = tree(server.pid)
        assert len(family) > 1
    await_true(lambda: not any(map(lives, family)), 10)
    assert not any(map(lives, family))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"server": "nobody"}, "'nobody' is no file, no http:// address and no peer of .*duplex"),
        ({"server": "ftp://here"}, "'ftp://here' is no server's address"),
        ({"server": "duplex", "scenario": "echo"}, "measured by feed or idle, not by echo"),
        ({"server": "duplex", "size": 20}, f"at least {LEAST} bytes"),
    ],
)
def test_what_cannot_be_measured_is_refused(told: dict[str, Any], said: str) -> None:
    with pytest.raises(PeerFileError, match=said):
        techniques_of(Settings(**told), ["sse"], all_of_them=False)
    with pytest.raises(ValueError, match=said):
        measure("sse", **told)


def test_without_techniques_those_of_the_file_are_measured(tmp_path: Path) -> None:
    path = str(write(tmp_path))
    assert parse_arguments(["--server", path]).techniques == ("sse",)
    with pytest.raises(SystemExit):
        parse_arguments(["--server", path, "--techniques", "polling"])


@pytest.mark.parametrize("path", sorted(SHELF.glob("*/peer.toml")), ids=lambda p: p.parent.name)
def test_every_file_of_the_shelf_is_right(path: Path) -> None:
    assert find_peer(path.parent.name).title


@pytest.mark.parametrize(
    ("server", "mark"),
    [
        ("nchan", "foreign nchan"),
        ("/somewhere/my chat.toml", "foreign my chat"),
        ("a,b.toml", "foreign a_b"),
        ("http://127.0.0.1:9", "foreign http://127.0.0.1:9"),
    ],
)
def test_a_row_is_marked_foreign(server: str, mark: str) -> None:
    assert foreign(server) == mark


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
@pytest.mark.timeout(90)
def test_a_foreign_server_is_measured_like_ours(tmp_path: Path) -> None:
    run = measure("sse", server=str(write(tmp_path)), users=3, rate=40, seconds=1)
    assert run.audit.clean
    assert run.audit.received > 0
    assert set(run.latency["metric"]).isdisjoint({"publish", "wait", "transfer"})
    assert set(run.latency["variant"]) == {"foreign mine"}
    layers = run.bytes[run.bytes["role"] == "subscriber"].set_index(["direction", "layer"])
    assert layers["per_message"]["down", "message"] == 100
    # "data: " and an empty line around each text.
    assert layers["per_message"]["down", "framing"] == 8
    assert (run.ledger["server_rss_bytes"] > 0).all()
    assert run.ledger["requests_per_s"].isna().all()


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
@pytest.mark.timeout(120)
def test_a_peer_file_of_ours_agrees_with_our_own_clients() -> None:
    load: dict[str, Any] = {"users": 3, "rate": 40, "seconds": 1, "arrivals": "constant"}
    ours = measure("web_socket", **load)
    theirs = measure("web_socket", server="duplex", **load)
    assert theirs.audit == ours.audit
    sums = []
    for run in (ours, theirs):
        rows = run.bytes[(run.bytes["role"] == "subscriber") & (run.bytes["direction"] == "down")]
        sums.append(rows[rows["layer"] != "tcp_ip_headers"]["bytes"].sum())
    assert sums[0] == sums[1]
    assert not math.isnan(theirs.ledger["server_cpu"].median())
