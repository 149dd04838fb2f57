"""A capture's exchanges as an HTTP Archive: what was asked, what was answered, and when."""

import json
from pathlib import Path

import pytest

from servers.relay.har import archive, main
from wire.batch import decode_batch
from wire.errors import CaptureError

TRACES = Path(__file__).parents[3] / "notebooks" / "wireshark"


def test_each_poll_is_an_exchange_with_its_body_and_its_round_trip() -> None:
    log = archive((TRACES / "1_polling.pcapng").read_bytes())["log"]
    assert log["version"] == "1.2"
    assert [entry["response"]["status"] for entry in log["entries"]].count(204) >= 1
    polls = [entry for entry in log["entries"] if "/polling" in entry["request"]["url"]]
    assert len(polls) >= 4
    for entry in polls:
        assert entry["request"]["method"] == "GET"
        assert {"name": "channel"}.items() <= entry["request"]["queryString"][0].items()
        assert entry["timings"]["wait"] > 50  # 25 ms there, 25 ms back
        assert entry["time"] == pytest.approx(sum(entry["timings"].values()))
        if entry["response"]["status"] == 200:
            assert entry["response"]["content"]["mimeType"] == "application/json"
            assert decode_batch(entry["response"]["content"]["text"].encode()).cursor
    begun = [entry["startedDateTime"] for entry in log["entries"]]
    assert begun == sorted(begun)


def test_a_stream_is_told_as_far_as_it_came_and_a_web_socket_up_to_its_101() -> None:
    (stream, *_) = archive((TRACES / "3_sse.pcapng").read_bytes())["log"]["entries"]
    assert stream["response"]["content"]["mimeType"].startswith("text/event-stream")
    assert stream["response"]["content"]["text"].count("data:") >= 2
    assert stream["timings"]["receive"] > 0
    (socket,) = archive((TRACES / "4_web_socket.pcapng").read_bytes())["log"]["entries"]
    assert (socket["response"]["status"], socket["response"]["content"]["size"]) == (101, 0)


def test_the_command_writes_beside_the_capture_and_refuses_what_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = tmp_path / "my.pcapng"
    capture.write_bytes((TRACES / "1_polling.pcapng").read_bytes())
    assert main([str(capture)]) == 0
    written = json.loads((tmp_path / "my.har").read_text(encoding="utf-8"))
    assert written == archive(capture.read_bytes())
    assert f"{len(written['log']['entries'])} exchanges" in capsys.readouterr().out
    capture.write_bytes(b"no capture at all")
    with pytest.raises(SystemExit, match="2"):
        main([str(capture)])
    assert "this is no capture" in capsys.readouterr().err
    with pytest.raises(CaptureError):
        archive(b"x" * 64)
