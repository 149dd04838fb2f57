"""``python -m loadtests start``: a foreign server by itself, which ends when it is told to."""

import sys
from pathlib import Path

import psutil
import pytest

from clients.foreign.peer_file import read_peer_file
from clients.foreign.table import PeerFileError
from clients.net.desk import Desk
from loadtests.trials.processes import Child
from loadtests.trials.start import main

FILE = """
title = "Mine"
start = ["{python}", "-m", "http.server", "--bind", "127.0.0.1", "{port}"]
publish.path = "/say"
subscribe.sse.path = "/events"

[also]
silent = ["{python}", "-c", "raise SystemExit('no licence')"]
"""


def write(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_program_beside_a_server_takes_its_place(tmp_path: Path) -> None:
    peer = read_peer_file(write(tmp_path))
    assert peer.program("silent").start[0] == "{python}"
    assert peer.program("silent").title == "Mine, silent"
    with pytest.raises(PeerFileError, match="no program 'loud' beside it; there are silent"):
        peer.program("loud")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody"], "'nobody' is no file"),
        (["http://127.0.0.1:9"], "runs already, at http://127.0.0.1:9"),
        (["ws", "loud"], "has no program 'loud' beside it; there are none"),
    ],
)
def test_what_cannot_be_started_is_told(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_one_that_ends_by_itself_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(write(tmp_path)), "silent"]) == 1
    assert "no licence" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that can be caught")
def test_it_says_where_it_listens_and_leaves_nothing(tmp_path: Path) -> None:
    with Child("it", ["loadtests", "start", str(write(tmp_path))]) as command:
        (line,) = command.await_ready("peer")
        with Desk(line.url) as desk:
            assert b"mine.toml" in desk.ask("GET", "/", 200)
        family = psutil.Process(command.pid).children(recursive=True)
        assert family
    assert not any(process.is_running() for process in family)
