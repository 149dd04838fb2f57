"""HTTP/2 before the lab's line: it stands while it is wanted, and says what is missing."""

import asyncio
import socket
import ssl

import pytest

from servers.front.certificates import AUTHORITY, FOLDER
from servers.front.problems import Problem
from servers.lecture import front
from servers.lecture.front import Front
from tests.support.programs import need
from tests.support.waiting import until


async def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "PROGRAM", "no-such-program")
    nobody = Front("127.0.0.1", 0, 1, ())
    assert nobody.state() == {"front": {"port": 0, "missing": "no-such-program"}}
    with pytest.raises(Problem, match="not installed"):
        await nobody.order({})


@pytest.mark.slow  # as all that needs a program of the system's
async def test_it_speaks_http_2_until_it_is_stopped() -> None:
    need("haproxy")
    before = Front("127.0.0.1", 0, 1, ())
    await asyncio.gather(before.order({}), before.order({}))
    port = before.port
    assert before.state() == {"front": {"port": port, "missing": ""}}
    trusting = ssl.create_default_context(cafile=FOLDER / AUTHORITY)
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
    writer.transport.abort()
    await before.stop()

    def is_gone() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) != 0

    await until(is_gone, "nobody listens there any more")
