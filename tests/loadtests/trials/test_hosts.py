"""Workers on other hosts: what is asked for, and a comparison that they take part in."""

import csv
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loadtests.__main__ import main as run
from loadtests.trials import hosts
from loadtests.trials.compare import parse_arguments
from loadtests.trials.generator import free_port
from loadtests.trials.hosts import Hosts, split_address
from loadtests.trials.processes import Child


def test_an_address_says_where_the_comparison_waits() -> None:
    assert split_address("10.0.0.1:5557") == ("10.0.0.1", 5557)
    assert split_address("10.0.0.1", 0) == ("10.0.0.1", 0)
    for wrong in ("10.0.0.1", "10.0.0.1:", "host:1", "0.0.0.0:1", "10.0.0.1:0", "10.0.0.1:65536"):
        with pytest.raises(ValueError, match="IPv4"):
            split_address(wrong)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--hosts 2", "by --listen"),
        ("--listen 127.0.0.1", "is for --hosts"),
        ("--hosts 2 --listen 0.0.0.0", "no IPv4 address"),
        ("--hosts 2 --listen 192.0.2.1", "nothing can listen at 192.0.2.1"),
        ("--hosts 2 --listen 127.0.0.1 --delay 25", "without --delay"),
        ("--hosts 2 --listen 127.0.0.1 --tls", "without --tls"),
        ("--hosts 2 --listen 127.0.0.1 --processes 2", "without --processes"),
    ],
)
def test_what_cannot_be_is_refused(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(words.split())
    assert said in capsys.readouterr().err


def test_the_line_for_the_hosts_names_the_address() -> None:
    line = Hosts(2, "10.0.0.1", 5557).line
    assert line == "python -m loadtests worker 10.0.0.1:5557"


class Worker(Child):
    """What a host starts for each cell; it ends as by Ctrl-C, of which no thread hears."""

    over = threading.Event()
    _ends = False

    def wait(self, seconds: float) -> bool:
        if self.over.is_set() and not self._ends:
            raise KeyboardInterrupt
        return super().wait(seconds)

    def end(self) -> None:
        self._ends = True
        super().end()


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs", "one_figure")
@pytest.mark.timeout(120)
def test_workers_serve_one_cell_after_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each host is a thread here."""
    address = f"127.0.0.1:{free_port()}"
    words = f"--techniques sse polling --users 4 --seconds 1 --hosts 2 --listen {address}"
    words += " --require VALID HOST-BUSY GENERATOR-BOUND SERVER-BOUND --out"
    monkeypatch.setattr(hosts, "Child", Worker)
    with ThreadPoolExecutor() as pool:
        workers = [pool.submit(run, ["worker", address]) for _ in range(2)]
        try:
            status = run([*words.split(), str(tmp_path / "run")])
        finally:
            Worker.over.set()
        assert [worker.result() for worker in workers] == [0, 0]
    said = capsys.readouterr().out
    assert status == 0, said
    assert f"python -m loadtests worker {address}" in said.splitlines()
    with (tmp_path / "run" / "hosts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["network"] for row in rows} == {"2 hosts"}
    # One host, in truth: the master and both workers.
    assert [(row["processes"], row["subscribers"]) for row in rows] == [("3", "4")] * 2
