import asyncio
import socket
import time

from servers.relay.loop import new_loop


def test_the_fine_loop_neither_fires_early_nor_misses_a_socket() -> None:
    async def ping() -> None:
        asked = time.monotonic()
        await asyncio.sleep(0.0123)
        assert time.monotonic() - asked >= 0.0122
        left, right = socket.socketpair()
        with left, right:
            left.setblocking(False)
            asyncio.get_running_loop().call_later(0.001, right.send, b"!")
            assert await asyncio.get_running_loop().sock_recv(left, 9) == b"!"

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(ping())
