from servers.app import Running
from servers.kinds.web_socket_echo import _NO_CHANNEL, Echo
from servers.service import Settings, make_service
from tests.servers.asking import Link
from tests.servers.framing import masked, open_socket, read_frame
from tests.servers.standing_in import FakeTransport
from wire.web_socket_frames import Opcode


async def test_the_echo_is_no_subscriber_and_publishes_nothing(here: Running) -> None:
    async with Link(here.port) as link:
        fields = await open_socket(link, "/web_socket/echo")
        assert "duplex-cursor" not in fields
        link.send(masked(Opcode.BINARY, b"\xff" * 70_000))
        assert await read_frame(link) == (0x82, b"\xff" * 70_000)
        assert here.service.row("web_socket").publishes == 0
        assert not any(channel.readers for channel in here.service.hub.channels.values())


async def test_text_comes_back_as_text(here: Running) -> None:
    async with Link(here.port) as link:
        await open_socket(link, "/web_socket/echo")
        link.send(masked(Opcode.TEXT, "¿qué?".encode()))
        assert await read_frame(link) == (0x81, "¿qué?".encode())


async def test_a_peer_that_does_not_read_the_echo_is_not_read() -> None:
    transport = FakeTransport()
    echo = Echo(make_service(Settings()), _NO_CHANNEL, None, b"", limit=1000)
    echo.connection_made(transport)
    echo.pause_writing()
    assert not transport.is_reading()
    echo.resume_writing()
    assert transport.is_reading()
