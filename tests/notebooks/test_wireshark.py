"""The ready traces: whole, small, understood by Wireshark, and the answers are what it says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from notebooks.course.traces import FOLDER, TRACES, answered
from wire.pcapng import PcapngDecoder

PAGE = FOLDER / "README.md"
FILES = sorted(FOLDER.glob("*.pcapng"))
EACH = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
has_tshark = pytest.mark.skipif(
    not shutil.which("tshark"), reason="tshark is missing: `apt install tshark`"
)


def test_there_are_five_and_the_page_asks_about_each() -> None:
    assert [path.stem for path in FILES] == list(TRACES)
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"]({path.name})" in page for path in FILES)
    assert page.count("<summary>Answer</summary>") == page.count("```console") >= 15


@EACH
def test_a_trace_is_small_whole_and_in_order(path: Path) -> None:
    assert path.stat().st_size < 10_000
    packets = PcapngDecoder().decode(path.read_bytes())
    assert [one.time_ns for one in packets] == sorted(one.time_ns for one in packets)
    assert all(len(one.data) == one.length for one in packets)


@has_tshark
@pytest.mark.slow
def test_nothing_in_a_trace_is_malformed(tmp_path: Path) -> None:
    every = tmp_path / "all.pcapng"  # a file may have many sections
    every.write_bytes(b"".join(path.read_bytes() for path in FILES))
    wrong = "_ws.malformed || tcp.analysis.flags || tcp.checksum.status == 0"
    command = ["tshark", "-r", str(every), "-o", "tcp.check_checksum:TRUE", "-Y", wrong]
    assert subprocess.check_output(command, stderr=subprocess.DEVNULL) == b""


@has_tshark
@pytest.mark.slow
def test_each_answer_is_what_tshark_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert answered(page) == page, "python -m notebooks.course.traces --answers writes them anew"
