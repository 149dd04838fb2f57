"""Which client a peer file asks for, and opening it."""

import importlib.util
import secrets
from collections.abc import Callable
from typing import Any

from clients.client import Client
from clients.foreign.asking import ForeignLongPolling, ForeignPolling
from clients.foreign.finding import Finder
from clients.foreign.peer_file import PeerFile
from clients.foreign.streams import ForeignEvents, ForeignStream
from clients.foreign.table import PeerFileError
from clients.foreign.two_way import ForeignSocket
from wire.techniques import BY_SLUG, Delivery


def foreign_class(peer: PeerFile, slug: str) -> Callable[..., Client]:
    """Return the class of a technique's clients: the one beside the file, or ours.

    Raises :class:`~clients.foreign.table.PeerFileError`.
    """
    how = peer.subscribe.get(slug)
    if how is None:
        known = ", ".join(peer.subscribe)
        raise PeerFileError(f"{peer.path.name} does not say how to subscribe by {slug}: {known}")
    if how.client:
        return _beside(peer, how.client)
    technique = BY_SLUG[slug]
    if technique.two_way:
        return ForeignSocket
    if technique.codec == "event_stream":
        return ForeignEvents
    return {
        Delivery.STREAM: ForeignStream,
        Delivery.REQUEST: ForeignLongPolling,
        Delivery.TIMER: ForeignPolling,
    }[technique.delivery]


def _beside(peer: PeerFile, words: str) -> Callable[..., Client]:
    file, _, name = words.partition(":")
    path = peer.folder / file
    where = f"{peer.path.name}: client = {words!r}"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise PeerFileError(f"{where}: there is no {path.name} beside it")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a stranger's file may raise
        raise PeerFileError(f"{where}: {type(error).__name__}: {error}") from error
    found = getattr(module, name, None)
    if not (isinstance(found, type) and issubclass(found, Client)):
        raise PeerFileError(f"{where}: {name} is no subclass of clients.client.Client")
    return found


def open_foreign(peer: PeerFile, slug: str, url: str, **options: Any) -> Client:
    """Connect to a foreign server at ``url`` by one technique.

    ``options`` are those of our own client of that technique, of which only these are heeded: the
    common ones (:class:`clients.options.Options`), and the ``interval`` between polls.
    """
    heeded = {"headers", "extra_headers", "reconnects", "jitter", "timeout", "dial"}
    heeded |= {"interval"} if BY_SLUG[slug].asks else set()
    kept = {name: value for name, value in options.items() if name in heeded}
    make = foreign_class(peer, slug)
    return make(url, peer.subscribe[slug].of_one(secrets.token_hex(8)), **kept)


def stray_words(client: Client) -> str:
    """Say what came instead of messages, if anything did."""
    finder = getattr(client, "finder", None)
    if not isinstance(finder, Finder) or not finder.strays:
        return ""
    return f"{finder.strays:,} times something else came, first {finder.stray!r}"
