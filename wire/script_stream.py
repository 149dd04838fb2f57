r"""The forever frame: a page that never ends, one ``<script>`` for each message.

The browser runs each script as soon as it has arrived, inside a hidden iframe, and the script
calls a function of the page around it. The message's JSON is JavaScript as it stands (see
:mod:`wire.message` for the escapes that make this safe).
"""

import json
import re

from wire.message import Gap, Message, message_from

# Browsers of the time showed nothing before they had seen enough of a page to guess its type:
# Internet Explorer waited for 256 bytes, Safari for 1,024, Chrome for 1,024 to 4,096. Today's
# Chromium needs none (measured: 0 to 4,096 bytes alike), so padding is only told, not sent.
_PROLOGUE = b"<!doctype html><meta charset=utf-8><title>forever frame</title>"
HEARTBEAT = b"\n"
_CALL = re.compile(rb"<script>parent\.receive\((.*?)\)</script>", re.DOTALL)


def encode_prologue(padding: int = 0) -> bytes:
    """Begin the page, with ``padding`` bytes of comment for browsers of the time."""
    if padding <= 0:
        return _PROLOGUE + b"\n"
    return _PROLOGUE + b"<!--" + b" " * max(padding - 7, 0) + b"-->\n"


def encode_script(json_bytes: bytes) -> bytes:
    """Wrap one JSON value into the call that hands it to the page."""
    return b"<script>parent.receive(%b)</script>\n" % json_bytes


class ScriptStreamDecoder:
    """Reads the calls out of the page, as the browser's parser would run them."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def decode(self, chunk: bytes) -> list[Message | Gap]:
        """Take what arrived; return the messages and gap notices that it completed."""
        # A script cannot end before the new bytes, less the end tag's own length.
        start = max(len(self._rest) - len(b"</script>"), 0)
        self._rest += chunk
        if self._rest.find(b"</script>", start) < 0:
            return []
        received = []
        end = 0
        for match in _CALL.finditer(self._rest):
            received.append(message_from(json.loads(match[1])))
            end = match.end()
        del self._rest[:end]
        return received
