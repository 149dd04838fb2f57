import json

from servers.app import Running
from servers.web_socket import framing
from tests.servers.asking import Link
from tests.servers.framing import masked, open_socket, read_frame
from tests.support.waiting import until
from wire.message import Message, decode_binary_message, encode_message
from wire.web_socket_deflate import Agreement
from wire.web_socket_frames import Opcode, encode_frame
from wire.web_socket_messages import Binary, MessageDecoder, Text

MESSAGE = Message(1, 'x,"base64":"x"', 2, 3, b"\xff")


def test_a_message_is_one_text_frame() -> None:
    json_bytes = encode_message(MESSAGE)
    assert framing(None, False).message("e-1", json_bytes) == encode_frame(Opcode.TEXT, json_bytes)


def test_bytes_are_one_binary_frame_where_asked_for() -> None:
    form = framing(None, True)
    decoder = MessageDecoder(masked=False, limit=2**20)
    (event,) = decoder.decode(form.message("e-1", encode_message(MESSAGE)))
    assert isinstance(event, Binary)
    assert decode_binary_message(event.data) == MESSAGE
    text = encode_message(Message(1, "", 2, 3, 'say ,"base64":"/w=="'))
    (event,) = decoder.decode(form.message("e-1", text))
    assert isinstance(event, Text)


def test_streams_share_bytes_only_where_their_framing_is_the_same() -> None:
    forms = [framing(agreed, binary) for agreed in (None, Agreement()) for binary in (False, True)]
    assert len({form.key for form in forms}) == 4
    assert framing(Agreement(), True).key == framing(Agreement(), True).key


async def test_the_head_names_the_cursor(here: Running) -> None:
    async with Link(here.port) as link:
        fields = await open_socket(link, "/web_socket?channel=x")
        assert fields["duplex-cursor"] == here.service.channel("x").cursor()


async def test_frames_up_are_messages_down(here: Running) -> None:
    async with Link(here.port) as link:
        await open_socket(link, "/web_socket?channel=x&name=ana")
        assert json.loads((await read_frame(link))[1])["presence"] == "joined"
        link.send(masked(Opcode.TEXT, "¿qué?".encode()) + masked(Opcode.BINARY, b"\xff"))
        text, binary = [json.loads((await read_frame(link))[1]) for _ in range(2)]
        assert (text["text"], text["sender"]) == ("¿qué?", "ana")
        assert (binary["base64"], binary["sender"]) == ("/w==", "ana")
        assert here.service.row("web_socket").publishes == 2


async def test_a_socket_that_is_gone_is_no_subscriber(here: Running) -> None:
    channel = here.service.channel("x")
    async with Link(here.port) as link:
        await open_socket(link, "/web_socket?channel=x")
        assert sum(reader.size for reader in channel.readers.values()) == 1
    await until(lambda: not channel.readers, "it is gone")
