"""The bytes that subscribe, for bare sockets that use no client."""

import json

from wire.techniques import BY_SLUG

_MORE = {
    "web_socket_frames": (
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    ),
    "event_stream": "Accept: text/event-stream\r\n",
}


def greeting(slug: str, channel: str, after: str = "", host: str = "localhost") -> bytes:
    """Return the bytes that subscribe by a technique, behind the cursor ``after`` if there is one.

    A technique with a port of its own is taken to speak JSON lines.
    """
    technique = BY_SLUG[slug]
    if technique.own_port:
        cursor = {"cursor": after} if after else {}
        return json.dumps({"channel": channel} | cursor).encode() + b"\0"
    query = f"channel={channel}" + (f"&after={after}" if after else "")
    return get(slug, f"/{slug}?{query}", host)


def get(slug: str, path: str, host: str = "localhost") -> bytes:
    """Return the bytes that ask a server for ``path`` by a technique."""
    more = _MORE.get(BY_SLUG[slug].codec or "", "")
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode()
