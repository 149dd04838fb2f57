"""What the terminal shows of a run."""

import io
import re
from pathlib import Path

from results.console import Console
from results.record.reading import Run, read_run
from results.summary import has_servers
from results.tables import print_summary


def shown(run: Run) -> str:
    console = Console(file=io.StringIO(), width=80)
    print_summary(console, run)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_servers_stand_side_by_side_in_one_table_for_each_load(servers: Run) -> None:
    assert has_servers(servers)
    said = shown(servers)
    assert said.count("foreign server") == 2
    first = said[: said.index("200 users")]
    block = first[first.index("Long-polling") : first.index("Server-Sent Events")]
    assert re.findall(r"^(\w+) .* clean", block, re.MULTILINE) == [
        "a_server_with_a_long_name",
        "duplex",
        "nchan",
    ]
    assert "nchan: Polling, loopback: SERVER-BOUND, invented for this test" in said


def test_each_host_is_told_of_where_there_were_several(run: Run) -> None:
    assert "host 1" not in shown(run)
    sample = Path(__file__).parent / "record" / "samples" / "format_5"
    said = shown(read_run(sample))
    assert "host 1: 1 processes, up to 2 users, clock known within 0 ms\n" in said
    assert "host 2: 1 processes, up to 1 users, clock known within 0.049 ms, p50 2 ms\n" in said


def test_techniques_of_one_server_need_no_column_for_it(run: Run) -> None:
    assert not has_servers(run)
    assert "foreign" not in shown(run)
