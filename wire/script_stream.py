r"""The forever frame: a page that never ends, one ``<script>`` for each message.

The browser runs each script as soon as it has arrived, inside a hidden iframe, and the script
calls a function of the page around it. The message's JSON is JavaScript as it stands (see
:mod:`wire.message` for the escapes that make this safe).
"""

from collections.abc import Callable

from wire.errors import MessageError
from wire.message import Gap, Message, decode_message

# Browsers of the time showed nothing before they had seen enough of a page to guess its type:
# Internet Explorer waited for 256 bytes, Safari for 1,024, Chrome for 1,024 to 4,096. Today's
# Chromium needs none (measured: 0 to 4,096 bytes alike), so padding is only told, not sent.
_PROLOGUE = b"<!doctype html><meta charset=utf-8><title>forever frame</title>"
HEARTBEAT = b"\n"
_BEGIN = b"<script>parent.receive("
_END = b"</script>"


def encode_prologue(padding: int = 0) -> bytes:
    """Begin the page, with ``padding`` bytes of comment for browsers of the time."""
    if padding <= 0:
        return _PROLOGUE + b"\n"
    return _PROLOGUE + b"<!--" + b" " * max(padding - 7, 0) + b"-->\n"


def encode_script(json_bytes: bytes) -> bytes:
    """Wrap one JSON value into the call that hands it to the page."""
    return b"%b%b)%b\n" % (_BEGIN, json_bytes, _END)


class ScriptStreamDecoder:
    """Reads the calls out of the page, as the browser's parser would run them.

    Raises :class:`~wire.errors.MessageError` when a call holds no message of ours, or when more
    than ``limit`` bytes come without the end of a script. ``read`` makes a message of a call's
    JSON; a caller with many decoders may give one that remembers.
    """

    def __init__(
        self, limit: int = 16 * 2**20, read: Callable[[bytes], Message | Gap] = decode_message
    ) -> None:
        self._limit = limit
        self._decode_message = read
        self._rest = bytearray()

    def decode(self, chunk: bytes) -> list[Message | Gap]:
        """Take what arrived; return the messages and gap notices that it completed."""
        # A script cannot end before the new bytes, less the end tag's own length.
        start = max(len(self._rest) - len(_END), 0)
        self._rest += chunk
        scripts: list[bytes] = []
        if self._rest.find(_END, start) >= 0:
            *scripts, rest = bytes(self._rest).split(_END)
            self._rest[:] = rest
        if len(self._rest) > self._limit:
            raise MessageError(f"{self._limit} bytes without the end of a script")
        received = []
        for script in scripts:
            _, begin, call = script.partition(_BEGIN)
            if begin and call.endswith(b")"):
                received.append(self._decode_message(call[:-1]))
        return received
