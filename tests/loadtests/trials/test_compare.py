"""The main job for real, small: all is delivered, and what was measured can be read.

Users of all nine techniques are in ``test_locustfile.py``: one run of theirs has all of them. How
it is as a command, and takes Ctrl-C, is in ``test_generator.py``.
"""

import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from loadtests.trials import ending
from loadtests.trials.compare import main, make_turns, parse_arguments
from results.record.reading import read_run
from results.record.verdicts import Verdict

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

TWO = {"sse", "plugin_socket"}  # on the pages' port, and on one of its own
SMALL = ["--users", "3", "--rate", "20", "--seconds", "1", "--poll-interval", "0.2", "--seed", "1"]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let this process write no more into any file, as on a disk that is full."""
    limits, spared = resource.getrlimit(resource.RLIMIT_FSIZE), sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # else half a module might be kept
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        sys.dont_write_bytecode = spared


@pytest.mark.parametrize(
    "line",
    [
        "--rate 0",
        "--rate nan",
        "--rate 20 inf",
        "--users 0",
        "--users -3",
        "--seconds 0",
        "--seconds inf",
        "--size -1",
        "--size 100000000000",
        "--poll-interval 0",
        "--hold -1",
        "--delay -1",
        "--delay nan",
        "--warm-up -1",
        "--repeat 0",
        "--processes -1",
        "--full --users 5",
        "--full --delay 7",
        "--rate-shape spike",
        "--fail-if p98>3",
        "--fail-if lost",
        "--require GOOD",
        "--junit /no/such/folder/junit.xml",
        "--and --headers --against RUN",
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_starts(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parse_arguments(line.split())
    assert end.value.code == 2
    assert line.split()[0] in capsys.readouterr().err.splitlines()[-1]


def test_what_can_be_measured_is_taken() -> None:
    line = (
        "--users 1 7 --rate 0.5 --delay 0 2.5 --size 0 --warm-up 0 --repeat 1 "
        "--rate-shape spike --seconds 20"
    )
    options = parse_arguments(line.split())
    assert (options.users, options.rate, options.delay) == ([1, 7], [0.5], [0.0, 2.5])
    assert (options.size, options.warm_up, options.seconds) == (0, 0.0, 20.0)


def test_the_other_side_has_the_options_of_the_first_and_its_own() -> None:
    words = ["--techniques", "sse", "--users", "7", "--seed", "3", "--and=--headers browser"]
    turns = make_turns(parse_arguments(words), words)
    assert turns is not None
    assert (turns.a.settings.headers, turns.b.settings.headers) == ("lean", "browser")
    assert [level.users for level in turns.b.levels] == [7, 7]
    planned = turns.trials()
    assert turns.a.repeats == 10  # 8 are the least for four tests; two may fail
    assert len(planned) == 10 * 2 * 2
    blocks = [planned[at : at + 2] for at in range(0, len(planned), 2)]
    for one, two in blocks:
        assert one.cell.repeat == two.cell.repeat
        assert one.cell.network == two.cell.network
        assert {one.cell.variant, two.cell.variant} == {"A", "B, browser headers"}
        assert one.settings.seed == two.settings.seed  # the same messages are due
    assert {one.cell.variant[0] for one, _ in blocks} == {"A", "B"}, "in random order"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("--users 1 2", "A and B have to pair"),
        ("--techniques sse polling", "A and B have to pair"),
        ("--rate 0", "--rate"),
        ("'", "--and: No closing quotation"),
        ("--no-such", "--no-such"),
    ],
)
def test_another_side_that_is_wrong_is_refused(
    other: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--techniques", "sse", f"--and={other}"]
    with pytest.raises(SystemExit) as end:
        make_turns(parse_arguments(words), words)
    assert end.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
@pytest.mark.usefixtures("forked_programs", "one_figure")
@pytest.mark.timeout(60)
def test_a_full_disk_is_told_and_ends_with_a_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once all is measured no file may have more than 3 KiB, so a figure does not fit."""
    report = ending.report

    def without_room(*told: Any, **more: Any) -> bool:
        with files_of_at_most(3 * 1024):
            return report(*told, **more)

    monkeypatch.setattr(ending, "report", without_room)
    words = [*SMALL, "--techniques", "sse", "--delay", "0", "--out", str(tmp_path / "run")]
    status = main(words)
    said = capsys.readouterr().out
    assert status == 2, said
    assert "File too large" in " ".join(said.split())  # in lines as long as the path lets them be
    assert read_run(tmp_path / "run").cells


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
@pytest.mark.timeout(180)
def test_all_deliver_everything_and_a_broken_threshold_decides_the_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of three thresholds one is broken: the status says so, as does what a build server reads."""
    folder, junit = tmp_path / "run", tmp_path / "junit.xml"
    limits = ["--fail-if", "p99 > 60 s", "--fail-if", "lost > 0", "--fail-if", "sse: p90 > 1 us"]
    demands = ["--require", *map(str, Verdict), *limits, "--junit", str(junit)]
    words = ["--delay", "0", "--techniques", *TWO, "--out", str(folder), *demands]
    status = main([*SMALL, *words])
    printed = capsys.readouterr().out
    assert status == 4, printed
    assert ET.parse(junit).getroot().attrib["failures"] == "1"
    assert "p90 is" in printed
    assert "p99 is" not in printed
    run = read_run(folder)
    assert {cell.technique for cell in run.cells} == TWO
    assert run.head["finished"] is True
    rows = pd.read_csv(folder / "latency.csv")
    delivery = rows[rows["metric"] == "delivery"].set_index("technique")
    assert set(delivery.index) == TWO
    for slug, row in delivery.iterrows():
        assert row["expected"] > 0, slug
        assert row["received"] == row["expected"], slug
        assert (row["duplicated"], row["reordered"]) == (0, 0), slug
        assert 0 < row["p50_ms"] <= row["p99_ms"] <= row["max_ms"], slug
    layers = pd.read_csv(folder / "bytes.csv")
    down = layers[(layers["role"] == "subscriber") & (layers["direction"] == "down")]
    assert set(down["technique"]) == TWO
    assert (down["bytes"] > 0).all()
    assert (folder / "report.html").read_text().count("<figure") >= 3
    assert "Server-Sent Events" in printed


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("--scenario echo --arrivals constant", "--arrivals"),
        ("--scenario echo --rate-shape spike --seconds 20", "--rate-shape"),
        ("--scenario idle --arrivals constant", "--arrivals"),
        ("--no-jitter", "--no-jitter"),
        ("--scenario chat --no-jitter", "--no-jitter"),
        ("--scenario idle --rate 5 10", "--rate"),
        ("--scenario idle --rate-shape steps --seconds 20", "--rate-shape"),
    ],
)
def test_what_a_scenario_does_not_heed_is_refused_by_name(
    words: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_arguments(words.split())
    assert ended.value.code == 2
    assert f"does not heed {option}," in capsys.readouterr().err
