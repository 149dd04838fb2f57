"""Many clients in one thread, as in a load test: gevent patches the sockets beneath them."""

import os
import subprocess
import sys

import pytest

from tests.support.processes import ServerProcess
from wire.techniques import SLUGS

PROGRAM = """
from gevent import monkey; monkey.patch_all()
import sys
import gevent
import clients

slug, url, channel, plugin_port = sys.argv[1:]
options = {"plugin_port": int(plugin_port)} if slug == "plugin_socket" else {}
if slug in ("page_reload", "frame_reload", "polling"):
    options["interval"] = 0.2
opened = []

def follow():
    with clients.open(slug, url, channel, **options) as client:
        opened.append(client)
        return [client.receive(30).body for _ in range(20)]

users = [gevent.spawn(follow) for _ in range(50)]
while len(opened) < 50:
    gevent.sleep(0.01)
    assert not any(user.ready() for user in users), "a user ended early"
with clients.open(slug, url, channel, **options) as sender:
    for number in range(20):
        sender.send(str(number))
gevent.joinall(users, timeout=60)
wanted = [str(number) for number in range(20)]
print(sum(user.value == wanted for user in users))
"""


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
def test_fifty_users_in_one_thread(server: ServerProcess, channel: str, slug: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, slug, server.url, channel, str(server.plugin_port)],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout.strip() == "50", done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("slug", ["polling", "sse", "web_socket"])
def test_fifty_users_in_one_thread_by_tls(channel: str, slug: str) -> None:
    secure = ServerProcess("--tls")
    assert secure.cafile
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, slug, secure.url, channel, str(secure.plugin_port)],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "SSL_CERT_FILE": secure.cafile},
    )
    assert secure.stop() == 0
    assert done.stdout.strip() == "50", done.stderr[-2000:]


CLOSING = """
from gevent import monkey; monkey.patch_all()
import sys
import gevent
import clients
from clients.errors import ClosedError

slug, url, channel, plugin_port = sys.argv[1:]
options = {"plugin_port": int(plugin_port)} if slug == "plugin_socket" else {}
client = clients.open(slug, url, channel, **options)

def follow():
    try:
        client.receive()
    except ClosedError:
        return "told"

user = gevent.spawn(follow)
gevent.sleep(0)
client.close()
user.join(30)
print(user.value)
"""


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
def test_another_greenlet_closes(server: ServerProcess, channel: str, slug: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLOSING, slug, server.url, channel, str(server.plugin_port)],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout.strip() == "told", done.stderr[-2000:]
