"""The other side's code: a commit's files in a folder, from which its server runs."""

import json
import shutil
from pathlib import Path

import psutil
import pytest

from loadtests.trials.processes import Server
from loadtests.trials.sides import code_of, commit_of
from results.errors import ResultsError
from results.record.facts import commit

SAMPLE = Path(__file__).resolve().parents[2] / "results/record/samples/format_2"
needs_git = pytest.mark.skipif(not commit(), reason="the project stands in no Git repository")


@pytest.mark.slow
@needs_git
def test_a_commits_server_runs_from_its_own_files_which_are_gone_afterwards() -> None:
    with code_of(commit().removesuffix("+changes")) as root:
        assert (root / "servers" / "__main__.py").is_file()
        with Server(["sse"], root=root) as server:
            assert Path(psutil.Process(server.pid).cwd()) == root
            with server.successor() as next_one:
                assert Path(psutil.Process(next_one.pid).cwd()) == root
    assert not root.exists()


@needs_git
def test_a_commit_that_is_not_here_is_refused_with_what_helps() -> None:
    refused = pytest.raises(ResultsError, match=r"0000 is not in this repository.*use --and")
    with refused, code_of("0" * 40):
        pass


def test_a_run_tells_its_commit_or_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(SAMPLE, folder)
    head = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(head | {"commit": "abc1234+changes"}))
    assert commit_of(folder) == "abc1234"
    for wrong in ("", "--output=/tmp/x", "HEAD", "abc1234\n"):
        (folder / "run.json").write_text(json.dumps(head | {"commit": wrong}))
        with pytest.raises(ResultsError, match="does not say of which commit"):
            commit_of(folder)
    with pytest.raises(ResultsError, match="is not a run"):
        commit_of(tmp_path)
