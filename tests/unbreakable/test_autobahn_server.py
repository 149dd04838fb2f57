"""The Autobahn Testsuite's client against our server: no case failed, none closed wrongly."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.autobahn import HOW_TO_GET_IT, MOST_SECONDS, bad_cases, cases, find_wstest
from tests.unbreakable.serving import serving

pytestmark = pytest.mark.slow


@pytest.mark.timeout(MOST_SECONDS)
@pytest.mark.parametrize("loop", ["auto", "asyncio"])
def test_the_suite_finds_no_fault_in_the_server(tmp_path: Path, loop: str) -> None:
    program = find_wstest()
    if program is None:
        pytest.skip(HOW_TO_GET_IT)
    patterns, count = cases()
    if loop == "asyncio":  # the second loop need not echo megabytes again
        patterns, count = [f"{number}.*" for number in (1, 2, 3, 4, 5, 7, 10)], 102
    with serving(tmp_path, "--deflate", "--loop", loop) as server:
        plan = {
            "outdir": str(tmp_path),
            "servers": [
                {"agent": "duplex", "url": f"ws://127.0.0.1:{server.port}/web_socket/echo"}
            ],
            "cases": patterns,
        }
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        command = [program, "-m", "fuzzingclient", "-s", str(tmp_path / "plan.json")]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (tmp_path / "index.json").exists(), done.stderr
    assert bad_cases(tmp_path / "index.json", "duplex") == (count, {})
