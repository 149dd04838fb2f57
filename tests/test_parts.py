"""The programs that tests need: found, on their way, or told of."""

import os
import sys
from pathlib import Path

import pytest

from tests.parts import PARTS, Coming, explain, missing_parts
from tests.support.waiting import eventually


def test_parts_are_found_on_the_path_or_where_debian_keeps_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    have = {part.programs[-1] for part in PARTS} - {"haproxy", "nginx"} | {"/usr/sbin/nginx"}
    monkeypatch.setattr("tests.support.chromium.node_starts", lambda: True)
    missing = missing_parts(lambda name: name if name in have else None)
    assert [part.name for part in missing] == ["HAProxy"]


def test_a_library_that_playwright_misses_is_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.chromium.node_starts", lambda: False)
    (missing,) = missing_parts(lambda name: name)
    assert missing.package == "libatomic1"


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_missing_part_says_how_to_get_it(part: object) -> None:
    for known in PARTS:
        said = explain(known, in_ci=False)
        assert f"apt install {known.package}" in said
        assert "elsewhere" in said
        assert "skipped" in said
        assert "in CI" in explain(known, in_ci=True)


@pytest.mark.parametrize(("ci", "may_go_on"), [("true", False), ("", True)])
def test_only_ci_stops_for_a_missing_part(
    ci: str, may_go_on: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr("tests.parts.missing_parts", lambda: list(PARTS[:1]))
    monkeypatch.setattr("shutil.which", lambda name: None)  # no apt-get either
    assert Coming().are_enough() is may_go_on
    assert "Chromium is missing" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no apt-get")
def test_on_debian_others_are_told_one_line_for_all_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("tests.parts.missing_parts", lambda: list(PARTS))
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("tests.parts.has", lambda package: package != "firefox-esr")
    assert Coming().are_enough()
    said = capsys.readouterr().out
    assert "Firefox is missing: tests that need it are skipped" in said
    assert all(part.name in said for part in PARTS)
    lines = [line for line in said.splitlines() if line.startswith("    sudo ")]
    assert len(lines) == 1
    told = lines[0].partition("systemctl")[0].split()
    assert all((part.package in told) is (part.name != "Firefox") for part in PARTS)


def test_what_not_every_system_offers_is_spared_in_ci(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", "true")
    spared = [part for part in PARTS if part.spared]
    assert spared
    monkeypatch.setattr("tests.parts.missing_parts", lambda: spared)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert Coming().are_enough()
    assert "tests that need it are skipped" in capsys.readouterr().out


APT_GET = """#!/bin/sh
echo "$@" >> {told}
case "$*" in
  *chromium*)
    while [ ! -e {go} ] && kill -0 $PPID; do sleep 0.02; done
    echo "no room for it"
    exit 100 ;;
esac
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no apt-get")
def test_what_comes_is_awaited_only_when_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    told, go, apt_get = tmp_path / "told", tmp_path / "go", tmp_path / "apt-get"
    apt_get.write_text(APT_GET.format(told=told, go=go))
    apt_get.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("tests.parts.missing_parts", lambda: list(PARTS))
    monkeypatch.setattr("tests.parts.has", lambda package: False)
    monkeypatch.setattr("tests.parts.services_of", lambda parts: [])
    coming = Coming()
    assert coming.is_under_way
    # What fast tests need is there; the rest takes as long as it takes.
    eventually(lambda: "chromium" in told.read_text(), "apt-get is asked for the rest")
    update, early, _ = [line.split() for line in told.read_text().splitlines()]
    assert "update" in update
    assert {"curl", "openssl"} <= {*early}
    assert "chromium" not in early
    go.touch()
    assert not coming.are_enough()
    assert not coming.is_under_way
    said = capsys.readouterr().out
    assert "no room for it" in said
    assert "in CI no test may be skipped" in said
    assert not coming.are_enough()
    assert capsys.readouterr().out == ""  # it was told
