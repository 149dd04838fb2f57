"""The chunked transfer coding (RFC 9112, 7.1): how HTTP/1.1 sends a body of unknown length.

Each chunk is its length in hexadecimal, CRLF, that many bytes, CRLF; a chunk of length 0 ends
the body. Chunks are not messages: anything in between may cut and join them anew.
"""

import re

from wire.errors import HttpError

END = b"0\r\n\r\n"
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_LONGEST_LINE = 4096


def encode_chunk(data: bytes) -> bytes:
    """Frame ``data`` as one chunk; an empty chunk would end the body, so there is none."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


class ChunkedDecoder:
    """Takes the framing away; ``finished`` once the ending chunk and its trailers were read.

    ``decode`` returns the body's pieces as they arrive, whole chunks or parts of them;
    ``trailing`` holds what came after the end: the next response's bytes on a kept connection.
    """

    def __init__(self) -> None:
        self.finished = False
        self.trailing = b""
        self._line = bytearray()
        self._left = 0  # bytes of the present chunk not yet seen, its CRLF included
        self._in_trailers = False

    def decode(self, chunk: bytes) -> list[bytes]:
        """Take what arrived; return the pieces of the body that it held.

        Raises :class:`~wire.errors.HttpError` where the coding is broken.
        """
        pieces = []
        at = 0
        while at < len(chunk) and not self.finished:
            if self._left:
                end = min(at + self._left, len(chunk))
                data_end = min(at + max(self._left - 2, 0), len(chunk))
                if data_end > at:
                    pieces.append(chunk[at:data_end])
                for i in range(data_end, end):
                    if chunk[i] != b"\r\n"[-(self._left - (i - at))]:
                        raise HttpError("a chunk is longer than its size line says")
                self._left -= end - at
                at = end
                continue
            newline = chunk.find(b"\n", at)
            end = len(chunk) if newline < 0 else newline + 1
            self._line += chunk[at:end]
            at = end
            if len(self._line) > _LONGEST_LINE:
                raise HttpError(f"a chunk-size line of more than {_LONGEST_LINE} bytes")
            if newline >= 0:
                self._end_line(bytes(self._line).rstrip(b"\r\n"))
                self._line.clear()
        if self.finished:
            self.trailing += chunk[at:]
        return pieces

    def _end_line(self, line: bytes) -> None:
        if self._in_trailers:
            self.finished = not line
            return
        match = _SIZE.fullmatch(line)
        if match is None:
            raise HttpError(f"{line[:40]!r} is not a chunk size (hexadecimal digits)")
        size = int(match[1], 16)
        self._left = size + 2 if size else 0
        self._in_trailers = size == 0
