"""The server's side of the opening handshake, for every address that speaks WebSocket."""

from dataclasses import dataclass

from aiohttp import web

from servers.front.handover import is_alone
from servers.front.heads import count_request, fields_of
from servers.front.problems import Problem
from servers.service import SERVICE
from wire import web_socket_deflate
from wire.web_socket_deflate import Agreement
from wire.web_socket_handshake import SUBPROTOCOL, Opening, check_request, encode_answer


@dataclass(frozen=True, slots=True)
class Opened:
    """A handshake that may be answered: what was asked, and what is agreed on."""

    opening: Opening
    agreement: Agreement | None
    extension: str

    def answer(self, *fields: tuple[str, str]) -> bytes:
        """Write the 101 answer, with more ``fields``."""
        protocol = SUBPROTOCOL if SUBPROTOCOL in self.opening.protocols else None
        return encode_answer(self.opening, protocol, self.extension, fields)


def open_handshake(request: web.Request) -> Opened:
    """Check an opening handshake and agree on compression, where the server allows it.

    Raises :class:`~wire.errors.HandshakeError` or :class:`~servers.front.problems.Problem`.
    """
    service = request.app[SERVICE]
    opening = check_request(request.method, request.version.minor, fields_of(request))
    if not is_alone(request):
        # RFC 6455, 4.1: a client waits for the answer. What came before it would get lost.
        raise Problem(400, "nothing may be sent before the opening handshake was answered")
    count_request(service.row("web_socket"), request)
    agreed = web_socket_deflate.agree(opening.extensions) if service.settings.deflate else None
    agreement, extension = agreed or (None, "")
    return Opened(opening, agreement, extension)
