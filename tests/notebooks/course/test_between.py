"""What is made by a whole command comes back as it was recorded, where it cannot be made, too."""

import json

import pytest

from loadtests.between.intermediary import read_shelf
from notebooks.course.exercises import questions
from notebooks.course.lab import RECORDINGS, open_lab
from results.record.crossings import read_matrix
from servers.service import Settings
from tests.browser.seeing import SOURCES
from tests.notebooks.books import PATHS, ROOT, cells
from wire.techniques import SLUGS


def test_what_gets_through_is_replayed() -> None:
    lab = open_lab("16", live=False)
    found = read_matrix(lab.between("fronts", "nginx", "haproxy"))
    assert found.at("nginx", "push", "in front")["web_socket"].text == "passes"
    assert lab.recorded_run("browser.json").is_file()


def test_what_is_not_installed_is_said_and_its_recording_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("loadtests.between.intermediary.find_program", lambda name: None)
    lab = open_lab("16", live=True)
    assert lab.between("proxies", "squid", "tinyproxy") == RECORDINGS / "16" / "proxies"
    assert "apt install squid, apt install tinyproxy" in capsys.readouterr().out


WORDS = {5: "five", 9: "nine", 15: "fifteen", 20: "twenty"}


def test_what_the_prose_says_of_it_is_what_was_found() -> None:
    """Sentences quote numbers of the recordings, and must follow when those are made anew."""
    prose = "\n".join(cells(PATHS[16], "markdown"))
    long = read_matrix(ROOT / "results" / "reference" / "between")
    silent = [one for one in long.crossings if one.technique == "sse" and not one.busy]
    cut = {one.intermediary: one.cut_s for one in silent if one.cut_s}
    assert f"how many of the {WORDS[len(SLUGS)]} techniques" in prose
    programs = {one.title.partition(",")[0] for one in read_shelf()}
    assert f"for {WORDS[len(programs)]} programs" in prose
    assert long.silence_s == 5.5 * 60
    assert "for five and a half minutes" in prose
    assert (round(min(cut.values()), -1), round(max(cut.values()) / 60)) == (30, 5)
    assert "after 30 s to five minutes" in prose
    heartbeat = Settings().heartbeat
    assert f"ours every {heartbeat:g} s" in prose
    assert heartbeat < min(cut.values())
    lab = open_lab("16", live=False)
    fronts = read_matrix(lab.between("fronts", "nginx", "haproxy"))
    late = fronts.at("haproxy", "distributed", "in front")["sse"].late_ms
    assert late is not None
    assert round(late / 1000, 1) == 0.2
    assert "A fifth of a second" in prose
    assert f"open {WORDS[SOURCES]} event streams" in prose


def test_the_exercises_ask_for_what_was_found() -> None:
    seen = json.loads((RECORDINGS / "16" / "browser.json").read_text(encoding="utf-8"))["fronts"]
    assert questions()["16.4"]["right"] == SOURCES - seen["none"]["open"]
    long = read_matrix(ROOT / "results" / "reference" / "between")
    stream = {
        one.intermediary: one.cut_s
        for one in long.crossings
        if (one.technique, one.way, one.busy) == ("sse", "in front", False) and one.cut_s
    }
    cut = [stream[name] for name in ("nginx", "haproxy", "h2o")]
    asked = questions()["16.1"]
    assert asked["right"] == min(cut)
    hints = [one["value"] for one in asked["hints"]]
    assert hints == pytest.approx([sum(cut), *sorted(cut, reverse=True)[:2]])
