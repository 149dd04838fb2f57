"""Many clients in one thread, as in a load test: gevent patches the sockets beneath them."""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.support.processes import ServerProcess
from wire.techniques import SLUGS

BEGINNING = """
from gevent import monkey; monkey.patch_all()
import sys
import gevent
import clients
from clients.errors import ClosedError

url, channel, plugin_port, *slugs = sys.argv[1:]

def connect(slug):
    options = {"plugin_port": int(plugin_port)} if slug == "plugin_socket" else {}
    if slug in ("page_reload", "frame_reload", "polling"):
        options["interval"] = 0.2
    return clients.open(slug, url, f"{channel}-{slug}", **options)
"""
FIFTY = """
for slug in slugs:
    opened = []

    def follow():
        with connect(slug) as client:
            opened.append(client)
            return [client.receive(30).body for _ in range(10)]

    users = [gevent.spawn(follow) for _ in range(50)]
    while len(opened) < 50:
        gevent.sleep(0.01)
        assert not any(user.ready() for user in users), f"a user of {slug} ended early"
    with connect(slug) as sender:
        for number in range(10):
            sender.send(str(number))
    gevent.joinall(users, timeout=60)
    wanted = [str(number) for number in range(10)]
    print(slug, sum(user.value == wanted for user in users))
"""
CLOSING = """
for slug in slugs:
    client = connect(slug)

    def follow():
        try:
            client.receive()
        except ClosedError:
            return "told"

    user = gevent.spawn(follow)
    gevent.sleep(0)
    client.close()
    user.join(30)
    print(slug, user.value)
"""


def run(program: str, server: ServerProcess, channel: str, slugs: Sequence[str]) -> list[str]:
    """Run what takes one technique after the other, and return what it said of each."""
    words = [server.url, channel, str(server.plugin_port), *slugs]
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING + program, *words],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "SSL_CERT_FILE": server.cafile or os.devnull},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.mark.slow
def test_fifty_users_in_one_thread_and_another_greenlet_closes(
    server: ServerProcess, channel: str
) -> None:
    said = run(FIFTY + CLOSING, server, channel, SLUGS)
    assert said == [f"{slug} 50" for slug in SLUGS] + [f"{slug} told" for slug in SLUGS]


@pytest.mark.slow
def test_fifty_users_in_one_thread_by_tls(channel: str) -> None:
    slugs = ("polling", "sse", "web_socket")
    secure = ServerProcess("--tls")
    try:
        assert secure.cafile
        assert run(FIFTY, secure, channel, slugs) == [f"{slug} 50" for slug in slugs]
    finally:
        assert secure.stop() == 0
