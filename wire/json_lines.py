"""JSON values ended by a NUL byte, as on the sockets that plugins opened.

Flash's XMLSocket ended every message with ``\\0`` in both directions, and asked for permission
with ``<policy-file-request/>\\0`` before it let a page connect; the answer is a small XML file.
JSON never contains a NUL byte (it is written ``\\u0000``), so no escaping is needed: a raw TCP
stream has no message boundaries, and this one byte is what makes them.
"""

from wire.errors import MessageError

END = b"\0"
POLICY_REQUEST = b"<policy-file-request/>"
# The lesson is in the port list: a site had to name each port that Flash might open.
_POLICY = (
    '<?xml version="1.0"?>'
    '<cross-domain-policy><allow-access-from domain="{domain}" to-ports="{port}"/>'
    "</cross-domain-policy>"
)


def encode_line(json: bytes) -> bytes:
    """End one JSON value."""
    return json + END


def encode_policy(port: int, domain: str = "*") -> bytes:
    """Write the policy file that lets pages of ``domain`` connect to ``port``."""
    return _POLICY.format(domain=domain, port=port).encode() + END


class JsonLinesDecoder:
    """Cuts a byte stream at NUL bytes; ``decode`` returns complete lines without their NUL.

    ``end`` may be another byte that ends a line. Raises :class:`~wire.errors.MessageError` when a
    line grows past ``limit`` bytes.
    """

    def __init__(self, limit: int = 16 * 2**20, end: bytes = END) -> None:
        self._limit = limit
        self._end = end
        self._rest = bytearray()

    @property
    def waiting(self) -> int:
        """How many bytes of an unfinished line are held."""
        return len(self._rest)

    def decode(self, chunk: bytes) -> list[bytes]:
        """Take what arrived; return the lines that it completed."""
        lines: list[bytes] = []
        if self._end in chunk:
            *lines, chunk = (bytes(self._rest) + chunk).split(self._end)
            self._rest.clear()
        self._rest += chunk
        if max(map(len, [self._rest, *lines])) > self._limit:
            raise MessageError(f"a line of more than {self._limit} bytes")
        return lines
