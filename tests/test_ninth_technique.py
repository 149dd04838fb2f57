"""A ninth technique is four files and one row: everything else finds it there."""

from pathlib import Path

import pytest

from results.record.reading import read_run
from results.record.verdicts import Verdict
from tests.support.ninth import COLOR, SLUG, TITLE, add_technique, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
TESTS = ("pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    house = tmp_path_factory.mktemp("copy") / "house"
    add_technique(house)
    return house


def test_it_has_its_place_in_the_plan_and_conforms(house: Path) -> None:
    """Of the plan, what asks for rooms where it has a file or a row; all else is as it was."""
    places = "in_a_room or (arrows and techniques) or (outgrows and wire)"
    said = run(
        house, *TESTS, "tests/test_structure.py", "tests/conformance", "-k", f"{places} or {SLUG}"
    )
    assert int(said.splitlines()[-1].split(" passed")[0]) > 50, said


@pytest.mark.parametrize("package", ["servers", "clients", "loadtests"])
def test_the_help_names_it(house: Path, package: str) -> None:
    assert SLUG in run(house, package, "--help")


def test_it_is_compared_and_drawn(house: Path, tmp_path: Path) -> None:
    """Under load, in the table, in the report and in figures."""
    folder = tmp_path / "run"
    words = ["--users", "1", "--delay", "0", "--seconds", "1", "--warm-up", "0", "--repeat", "1"]
    words += ["--require", *Verdict]  # whatever else this machine does
    said = run(house, "loadtests", "--techniques", SLUG, *words, "--out", str(folder))
    assert TITLE in said
    assert TITLE in (folder / "report.html").read_text(encoding="utf-8")
    run_read = read_run(folder)
    toy = run_read.latency[run_read.latency["technique"] == SLUG]
    assert (toy["received"] == toy["expected"]).all()
    assert (toy["received"] > 0).any()
    figures = [path.read_text(encoding="utf-8") for path in folder.rglob("*.svg")]
    assert any(COLOR.lower() in figure.lower() for figure in figures)
    assert any(f"<!-- {TITLE} -->" in figure for figure in figures)
