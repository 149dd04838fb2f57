"""Blocking clients, one for each technique, all with the same few verbs.

::

    import clients

    for message in clients.open("sse", "http://127.0.0.1:8000"):
        print(message.sender, message.body)

Rules of this room:

* plain blocking sockets and the standard library: no event loop, no thread, no select. So a
  client works in a notebook, in a thread, and by the thousand under gevent's monkey patching;
* it imports :mod:`wire`, which knows the bytes, and nothing else of ours;
* one file for each technique, where only what is peculiar to it stands. :mod:`clients.client` has
  the verbs, :mod:`clients.net` the socket, its counts and requests;
* a timeout in mid-message loses nothing; a lost connection resumes from its cursor; what cannot
  be mended is an error of :mod:`clients.errors`;
* every byte is counted, because this suite compares bytes.

Import the module you need (``from clients.sse import SseClient``), or :func:`open` by slug.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clients.client import Client


def client_class(slug: str) -> "type[Client]":
    """Return the client class of a technique; its module is imported only now.

    Raises :class:`ValueError` for what is no technique's slug.
    """
    from importlib import import_module

    from wire.techniques import BY_SLUG, unknown

    if slug not in BY_SLUG:
        raise ValueError(unknown(slug))
    name = f"{BY_SLUG[slug].class_stem}Client"
    found: type[Client] = getattr(import_module(f"clients.{slug}"), name)
    return found


def open(slug: str, url: str, channel: str = "lobby", **options: Any) -> "Client":
    """Connect to ``channel`` of the server at ``url`` by one technique.

    ``options`` are those of :class:`clients.client.Options` and of the technique's own class.
    """
    return client_class(slug)(url, channel, **options)


open_client = open  # for those who import it by name and want to keep Python's own open
