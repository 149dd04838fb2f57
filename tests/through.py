"""The specification through a reverse proxy set for push: ``python -m tests.through nginx``.

Our server, the proxy of the shelf and pytest are started; words after the name go to pytest. What
is asked of a connection itself (how it is closed, what stalls on it, malformed heads, who counts
it) is the proxy's to answer, so it is not asked here.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from loadtests.between.intermediary import read_shelf
from loadtests.between.standing import HERE, Standing
from loadtests.trials.processes import ROOT, Server
from loadtests.trials.signals import interruptible
from wire.techniques import OWN_PORT, SLUGS

# What holds through whatever passes on HTTP; the others look at the connection to the server.
ASKED = (
    *("01_messages", "02_resuming", "03_ways_up", "04_http", "05_handshake"),
    *("10_foreign_clients", "11_answers", "12_refusals"),
)
# But for these, which the proxy answers by itself.
PROXY_S_OWN = (
    "04_http.py::test_a_head_too_long_is_told_which_part",  # it has limits of its own
    "04_http.py::test_what_is_no_http_is_refused_with_400",  # and reads requests first
    "05_handshake.py::test_frames_sent_before_the_answer_refuse_the_handshake",
    "05_handshake.py::test_a_wrong_handshake_is_refused_and_told_why",
)


@contextmanager
def proxied(name: str) -> Iterator[str]:
    """Give the address of a proxy of the shelf, set for push, before a server of ours."""
    (one,) = read_shelf([name])
    with Server(SLUGS) as server:
        places = {
            "SERVER": f"{HERE}:{server.port}",
            "SERVER_HOST": HERE,
            "SERVER_PORT": str(server.port),
        }
        with Standing(one, one.setups[-1], places) as standing:
            standing.await_listening()
            yield f"http://{HERE}:{standing.port}"


def ask(url: str, words: Sequence[str] = ()) -> int:
    """Ask the server at ``url`` for the specification, and return pytest's exit status."""
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--url", url, "--without", *OWN_PORT]
    command += ["-m", "not slow", *(f"tests/conformance/test_{name}.py" for name in ASKED)]
    command += [f"--deselect=tests/conformance/test_{name}" for name in PROXY_S_OWN]
    return subprocess.run([sys.executable, *command, *words], cwd=ROOT, check=False).returncode


def main(words: Sequence[str]) -> int:
    """Ask through the proxy that the first word names."""
    with interruptible(), proxied(words[0]) as url:
        return ask(url, words[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
