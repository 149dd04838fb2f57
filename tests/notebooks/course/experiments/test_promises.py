"""What a server promises its readers is found out, whether it keeps it or not."""

import pytest

from loadtests.trials.peers import Peer, find_peer
from notebooks.course.experiments.place import Place
from notebooks.course.experiments.promises import promises


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize(("name", "caught_up"), [("my_chat", 0), ("duplex", 5)])
def test_only_a_server_with_ids_lets_a_reader_catch_up(name: str, caught_up: int) -> None:
    peer = find_peer(name)
    with Peer(peer) as server:
        found = promises(Place(server.url, server.url, 0), str(peer.path), texts=5, most_mib=1)
    assert found == {"in order": True, "caught up": caught_up, "stopped after MiB": None}
