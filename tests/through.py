"""The specification through a reverse proxy set for push: ``python -m tests.through nginx``.

Our server and the proxy of the shelf are started; words after the name go to pytest. What is
asked of a connection itself (how it is closed, what stalls on it, malformed heads, who counts
it) is the proxy's to answer, so it is not asked here.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from loadtests.between.intermediary import read_shelf
from loadtests.between.standing import HERE, Standing
from loadtests.trials.processes import Server
from loadtests.trials.signals import interruptible
from servers.front.certificates import AUTHORITY, FOLDER, signed_for
from tests.support import specification
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
def proxied(name: str) -> Iterator[list[str]]:
    """Give the address of a proxy of the shelf, set for push, before a server of ours.

    It is given as the words that say it to pytest.
    """
    (one,) = read_shelf([name])
    with ExitStack() as stack:
        server = stack.enter_context(Server(SLUGS))
        places = {
            "SERVER": f"{HERE}:{server.port}",
            "SERVER_HOST": HERE,
            "SERVER_PORT": str(server.port),
            "PLUGIN_SERVER": f"{HERE}:{server.plugin_port}",
        }
        scheme, trust = "http", []
        if one.kind == "tls":
            places["CERTIFICATE"] = str(stack.enter_context(signed_for([HERE])))
            scheme, trust = "https", ["--cafile", str(FOLDER / AUTHORITY)]
        standing = stack.enter_context(Standing(one, one.setups[-1], places))
        standing.await_listening()
        yield ["--url", f"{scheme}://{HERE}:{standing.port}", *trust]


def ask(there: Sequence[str], words: Sequence[str] = (), *, sparsely: bool = False) -> int:
    """Ask the server ``there`` for the specification, and return pytest's exit status."""
    asked = [f"{specification.FOLDER}/test_{name}.py" for name in ASKED]
    left = [f"--deselect=tests/conformance/test_{name}" for name in PROXY_S_OWN]
    without = ["--without", *OWN_PORT, "-m", "not slow"]
    return specification.ask(*asked, *left, *there, *without, *words, sparsely=sparsely)


def main(words: Sequence[str]) -> int:
    """Ask through the proxy that the first word names."""
    with interruptible(), proxied(words[0]) as there:
        return ask(there, words[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
