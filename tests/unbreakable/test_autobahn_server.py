"""The Autobahn Testsuite's client against our server: no case failed, none closed wrongly."""

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.autobahn import HOW_TO_GET_IT, MOST_SECONDS, bad_cases, cases, find_wstest
from tests.unbreakable.serving import serving

pytestmark = pytest.mark.slow


# The second loop need not echo again what the first has: what comes in pieces, and how it ends.
LEFT_OUT = [f"{chapter}.*" for chapter in (1, 2, 3, 4, 6, 9, 10, 12, 13)]
LEFT = 57


@pytest.mark.timeout(MOST_SECONDS)
def test_the_suite_finds_no_fault_in_the_server(tmp_path: Path) -> None:
    program = find_wstest()
    if program is None:
        pytest.skip(HOW_TO_GET_IT)
    patterns, count = cases("server")
    with ExitStack() as stack:
        servers = []
        for loop in ("auto", "asyncio"):
            server = stack.enter_context(serving(tmp_path, "--deflate", "--loop", loop))
            url = f"ws://127.0.0.1:{server.port}/web_socket/echo"
            servers.append({"agent": loop, "url": url})
        plan = {
            "outdir": str(tmp_path),
            "servers": servers,
            "cases": patterns,
            "exclude-agent-cases": {"asyncio": LEFT_OUT},
        }
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        command = [program, "-m", "fuzzingclient", "-s", str(tmp_path / "plan.json")]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (tmp_path / "index.json").exists(), done.stderr
    assert bad_cases(tmp_path / "index.json", "auto") == (count, {})
    assert bad_cases(tmp_path / "index.json", "asyncio") == (LEFT, {})
