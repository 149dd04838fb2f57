"""``python -m loadtests start NAME``: a foreign server by itself, until Ctrl-C.

It listens at a free port of this machine and says where, so that one can look at it, ask the
specification about it, or measure it by its address.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from clients.foreign.table import PeerFileError
from loadtests.trials.peers import Peer, find_peer
from loadtests.trials.processes import ProcessError
from loadtests.trials.signals import interruptible
from wire.ready_line import ReadyLine, encode_ready_line

_LOOK_S = 1.0


def main(arguments: Sequence[str]) -> int:
    """Start a server and stay with it; return 0 once it was told to end, 1 if it ended itself."""
    parser = argparse.ArgumentParser(
        os.environ.pop("DUPLEX_COMMAND", "python -m loadtests start"),
        description="Start a foreign server by itself, until Ctrl-C.",
    )
    parser.add_argument("server", help="a name on the shelf, or a peer file")
    parser.add_argument("program", nargs="?", help="one of the programs beside it ([also])")
    options = parser.parse_args(arguments)
    try:
        peer = find_peer(options.server)
        if options.program:
            peer = peer.program(options.program)
        if peer.url:
            raise PeerFileError(f"{peer.title} runs already, at {peer.url}")
    except PeerFileError as error:
        parser.error(str(error))
    try:
        with interruptible(), Peer(peer) as server:
            print(encode_ready_line(ReadyLine("peer", url=server.url)), flush=True)
            while not server.wait(_LOOK_S):
                pass
            print(f"it ended with status {server.status}:\n{server.last_words()}", file=sys.stderr)
    except KeyboardInterrupt:
        return 0
    except ProcessError as error:
        print(error, file=sys.stderr)
    return 1
