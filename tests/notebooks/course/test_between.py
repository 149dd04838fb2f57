"""What is made by a whole command comes back as it was recorded, where it cannot be made, too."""

import pytest

from notebooks.course.lab import RECORDINGS, open_lab
from results.record.crossings import read_matrix


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
