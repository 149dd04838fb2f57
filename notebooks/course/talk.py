"""WebSocket by hand, for notebooks: a handshake of which every header may be changed, and frames.

Nothing is random here (the key is the one of an article that the course examines, the mask is
fixed), so that a recorded talk can be replayed.
"""

from collections.abc import Mapping, Sequence

from notebooks.course.lab import Lab
from notebooks.course.raw_line import RawLine
from wire.web_socket_frames import Opcode, encode_frame
from wire.web_socket_messages import Event, MessageDecoder

MASK = b"\x11\x22\x33\x44"
_FIELDS = {
    "Host": "lab",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
    "Sec-WebSocket-Version": "13",
}


def opening(changes: Mapping[str, str] | None = None) -> bytes:
    """Write the opening handshake for the echo; ``changes`` adds, replaces or ("") drops fields."""
    fields = _FIELDS | dict(changes or {})
    lines = [f"{name}: {value}" for name, value in fields.items() if value]
    return "\r\n".join(["GET /web_socket/echo HTTP/1.1", *lines, "\r\n"]).encode()


def shake(lab: Lab, name: str, changes: Mapping[str, str] | None = None) -> tuple[RawLine, bytes]:
    """Dial and send the opening; return the connection and the server's answer."""
    wire = lab.dial(name)
    wire.send(opening(changes))
    return wire, wire.read()


def client_frame(opcode: Opcode, payload: bytes, fin: bool = True) -> bytes:
    """Write a frame as a client does: masked."""
    return encode_frame(opcode, payload, mask=MASK, fin=fin)


def talk(lab: Lab, name: str, frames: Sequence[bytes]) -> list[Event]:
    """Open, send the frames in one go, and return what comes back."""
    wire, _ = shake(lab, name)
    wire.send(b"".join(frames))
    return MessageDecoder(masked=False, limit=2**20).decode(wire.read())
