"""A line to somebody else's server: publishes as its peer file says, and numbers the messages."""

from collections.abc import Callable
from urllib.parse import quote

from clients.errors import ClientError, RefusedError, UnreachableError
from clients.foreign.peer_file import PeerFile
from loadtests.measures.server_line import ServerLine
from wire.peer_text import write_text

EPOCH = "peer"  # of the cursors that stand for our own numbers


class PeerLine(ServerLine):
    """Publishes to a peer. There is one for each test: two would overtake each other."""

    def __init__(self, url: str, peer: PeerFile) -> None:
        super().__init__(url, "")
        self._how = peer.publish
        self._number = 0

    def publish(self, text: str, sender: str, sent_ns: int) -> str:
        """Publish a text of as many bytes as ``text``, with its own number and due time in it.

        What was refused, or never left, has no number. Of anything else that fails nobody knows
        whether it was published, so it keeps its own and is expected.
        """
        number = self._number + 1
        text = write_text(number, sent_ns, sender, len(text))
        said = {"text": text, "number": number, "sender": sender, "sent_ns": sent_ns}

        def fill(template: str, encode: Callable[[str], str] = str) -> str:
            for name, value in said.items():
                template = template.replace(f"{{{name}}}", encode(str(value)))
            return template

        fields = tuple((name, fill(value)) for name, value in self._how.headers)
        target = self.address.target(fill(self._how.path, quote))
        try:
            body = fill(self._how.body).encode()
            self.ask(self._how.method, target, range(200, 300), body, fields)
        except (RefusedError, UnreachableError):
            raise
        except ClientError:
            self._number = number
            raise
        self._number = number
        self.text_bytes += len(text)
        return self.cursor()

    def cursor(self) -> str:
        return f"{EPOCH}-{self._number}" if self._number else ""
