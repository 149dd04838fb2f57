"""Several servers beside each other: each by what it speaks, in one run and one table."""

import pytest

from loadtests.plan.options import USUAL
from loadtests.trials.beside import make_beside
from loadtests.trials.compare import main, make_plan, parse_arguments
from loadtests.trials.peers import SHELF
from results.record.reading import read_run
from tests.support.processes import ServerProcess


def test_each_server_is_measured_by_what_it_speaks() -> None:
    line = "--servers nchan ws --techniques sse web_socket --delay 0 --seed 1"
    options = parse_arguments(line.split())
    trials = make_beside(make_plan(options), options.spoken).trials()
    assert {(trial.cell.variant, trial.cell.technique) for trial in trials} == {
        ("foreign nchan", "sse"),
        ("foreign nchan", "web_socket"),
        ("foreign ws", "web_socket"),
    }
    assert {(trial.settings.server, trial.cell.variant) for trial in trials} == {
        ("nchan", "foreign nchan"),
        ("ws", "foreign ws"),
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--servers nobody", "'nobody' is no file, no http:// address and no peer of"),
        ("--servers ws --techniques polling", "ws speaks none of polling"),
        ("--servers ws --server nchan", "several are measured without --server"),
        ("--servers ws nchan --and=", "several are measured without --and"),
        ("--servers ws nchan --against RUN", "several are measured without --against"),
        ("--servers ws nchan ws", "ws would be called like another one of them"),
        ("--servers ws nchan --scenario echo", "measured by feed or idle, not by echo"),
        ("--servers ws nchan --tls", "a foreign server is measured without --tls"),
    ],
)
def test_what_cannot_stand_side_by_side_is_refused(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parse_arguments(line.split())
    assert end.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
@pytest.mark.timeout(120)
def test_two_servers_are_measured_and_shown_side_by_side(
    server: ServerProcess,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One that runs already, and one of a file."""
    other = tmp_path_factory.mktemp("peer") / "another.toml"
    ours = (SHELF / "duplex" / "peer.toml").read_text(encoding="utf-8")
    other.write_text(ours, encoding="utf-8")
    out = tmp_path_factory.mktemp("run") / "run"
    load = "--techniques web_socket --delay 0 --users 3 --seconds 1 --rate 40 --arrivals constant"
    words = ["--servers", server.url, str(other), *load.split(), "--out", str(out)]
    assert main(words) in (0, 3)
    said = capsys.readouterr().out
    assert said.index("another ") < said.index("http:", said.index("another "))
    latency = read_run(out).latency
    delivery = latency[latency["metric"] == "delivery"].set_index("variant")
    assert set(delivery.index) == {
        f"constant arrivals, foreign {name}" for name in (server.url, "another")
    }
    due = 3 * 40 * (1 + USUAL.warm_up)
    assert (delivery["received"] == due).all(), delivery
    assert (delivery[["lost", "duplicated", "reordered"]] == 0).all(axis=None), delivery
    drawn = {path.stem for path in (out / "figures").iterdir()}
    assert drawn == {"latency_of_servers", "cost_of_servers"}
    assert "compare of 2 servers" in (out / "report.html").read_text(encoding="utf-8")
