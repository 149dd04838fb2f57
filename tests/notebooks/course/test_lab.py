"""The laboratory: what is measured live comes back the same from the recording."""

import re
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from notebooks.course.errors import LabError, ReplayError, Stopped
from notebooks.course.lab import Lab, open_lab
from notebooks.course.raw_line import RawLine
from notebooks.course.talk import opening, shake, talk
from wire.pcapng import PcapngDecoder
from wire.web_socket_frames import Opcode, encode_frame
from wire.web_socket_messages import Close


def test_the_environment_forces_a_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUPLEX_LIVE", "0")
    lab = open_lab("00", live=True)
    assert not lab.live
    assert repr(lab).startswith("Recorded on ")


def test_what_was_not_recorded_says_what_was(tmp_path: Path) -> None:
    (tmp_path / "07.json").write_text(
        '{"format":1,"recorded":"2026-01-01","host":"x","entries":{"feed {\\"rate\\": 1}":[]}}'
    )
    lab = Lab("07", False, tmp_path)
    with pytest.raises(LabError, match=r'recorded are\n  feed \{"rate": 1\}'):
        lab.measure("feed", rate=2)
    with pytest.raises(LabError, match="no run 'far' was recorded"):
        lab.load("far")
    with pytest.raises(LabError, match="nothing was recorded"):
        Lab("08", False, tmp_path)
    (tmp_path / "07.json").write_text('{"format":2}')
    with pytest.raises(LabError, match="of format 2, not 1"):
        Lab("07", False, tmp_path)


def test_who_is_stopped_while_a_measurement_starts_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopping(subprocess.Popen[str]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("loadtests.trials.processes.subprocess.Popen", Stopping)
    lab = Lab("99", True, tmp_path)
    with pytest.raises(Stopped, match=r"feed .* was ended; the lab is ready"):
        lab.make("feed", {}, 0, {"technique": "sse"})
    with pytest.raises(Stopped, match="the load run far was ended"):
        lab.load("far")
    with pytest.raises(Stopped, match="the start was ended"):
        lab.server()


def test_a_replayed_talk_answers_only_what_was_said() -> None:
    talk = [["send", [[0.0, "aGk="]]], ["read", [[1.5, "aG8="]]]]
    wire = RawLine(None, talk)
    assert wire.send(b"hi") == 2
    assert wire.read() == b"ho"
    with pytest.raises(ReplayError, match="no read here"):
        wire.read()
    with pytest.raises(ReplayError, match="answers only"):
        RawLine(None, talk).send(b"he")


def test_an_opening_may_lose_and_change_fields() -> None:
    changed = opening({"Upgrade": "", "Sec-WebSocket-Version": "8"})
    assert b"\r\nUpgrade:" not in changed
    assert b"Version: 8\r\n" in changed
    assert changed.endswith(b"\r\n\r\n")


@pytest.mark.slow
def test_live_recorded_and_replayed_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUPLEX_RECORD", "1")
    lab = Lab("06", True, tmp_path)
    try:
        live = lab.measure("layers", technique="web_socket", count=2)
        _, answer = shake(lab, "one")
        events = talk(lab, "two", [encode_frame(Opcode.TEXT, b"unmasked")])
        with pytest.raises(LabError, match="no_such"):
            lab.measure("no_such")
        with pytest.raises(LabError, match="no folder"):
            lab.capture(tmp_path / "no" / "where.pcapng", "feed", technique="sse")
        file = tmp_path / "feed.pcapng"
        feed = lab.capture(file, "feed", delay_ms=5, technique="sse", rate=20, count=4)
    finally:
        port = lab.server().port
        lab.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    packets = PcapngDecoder().decode(file.read_bytes())
    passed = sum(one.length - 20 - (one.data[32] >> 4) * 4 for one in packets)
    assert passed == feed["bytes_up"] + feed["bytes_down"]
    with pytest.raises(LabError, match="nothing passes in a replay"):
        Lab("06", False, tmp_path).capture("x.pcapng", "feed")
    assert live["framing down"] == 2
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert isinstance(events[-1], Close)
    assert events[-1].code == 1002
    again = Lab("06", False, tmp_path)
    assert again.measure("layers", technique="web_socket", count=2) == live
    assert shake(again, "one")[1] == answer
    assert talk(again, "two", [encode_frame(Opcode.TEXT, b"unmasked")]) == events


@pytest.mark.slow
def test_every_experiment_is_used_by_a_notebook() -> None:
    from notebooks.course.experiments.__main__ import EXPERIMENTS
    from tests.notebooks.books import PATHS, cells

    code = "\n".join(text for path in PATHS for text in cells(path, "code"))
    for name in EXPERIMENTS:
        assert re.search(rf'(lab\.measure\(|visit\w*\([^)]*, )"{name}"', code), name
