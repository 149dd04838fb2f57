"""Content codings of bodies: taken off whole, or not at all.

aiohttp takes gzip and deflate off by itself, but does not look for a stream's end, so that half of
a message would be taken for the whole. So it is told not to (:mod:`servers.front.handler`).
"""

import zlib

from servers.front.problems import Problem

_GZIP = 31  # the window and the format, as zlib takes them
_ZLIB, _RAW = 15, -15
_AT_ONCE = 2**14
_MOST_MEMBERS = 1000  # a gzip body may be several in a row; each costs time, however small


def wrong_coding() -> Problem:
    """Return the refusal of a body that is not coded as its head says."""
    return Problem(400, "the body is not in the coding that its head names")


def decode(coding: str, body: bytes | bytearray, most: int, too_large: Problem) -> bytes:
    """Decode a whole ``gzip`` (RFC 1952) or ``deflate`` body (RFC 1950, or 1951 as some send it).

    Raises ``too_large`` past ``most`` bytes, and :class:`~servers.front.problems.Problem` 400 for
    what is cut off, spoiled, or followed by anything else.
    """
    is_zlib = len(body) > 1 and body[0] % 16 == 8 and int.from_bytes(body[:2]) % 31 == 0
    window = _GZIP if coding == "gzip" else _ZLIB if is_zlib else _RAW
    decoder, members, parts, size = zlib.decompressobj(window), 1, [], 0
    # In pieces, as each member's end copies what follows it.
    for start in range(0, len(body), _AT_ONCE):
        piece = body[start : start + _AT_ONCE]
        while piece:
            if decoder.eof:
                members += 1
                if coding != "gzip" or members > _MOST_MEMBERS:
                    raise wrong_coding()
                decoder = zlib.decompressobj(window)
            try:
                parts.append(decoder.decompress(piece, most - size + 1))
            except zlib.error:
                raise wrong_coding() from None
            size += len(parts[-1])
            if size > most:
                raise too_large.anew()
            piece = decoder.unused_data
    if not decoder.eof:
        raise wrong_coding()
    return b"".join(parts)
