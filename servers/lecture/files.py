"""The lecture page's files, and the policies under which browsers run them.

Files are read from ``clients/browser`` as they are: no build step, no list to keep. Its folder
``page`` lies over it, so that a module of the page names a technique's as its neighbour. A policy
(CSP) allows nothing but this command's own ports: no script written into a message can run, and
no request can leave for another host.

What lanes load has a stamp in its address, which is another one once a file is: so a browser keeps
it, and nine lanes that are opened anew for each race, by a whole room, ask for nothing twice.
"""

import hashlib
import io
import os
import re
from html import escape
from pathlib import Path

import segno
from aiohttp import web

from servers.front.hosts import split_host
from servers.front.problems import Problem

FOLDER = Path(__file__).resolve().parents[2] / "clients" / "browser"
_NAME = re.compile(r"(?:(?:words|hall|race|script)/)?[a-z0-9_]+(\.js|\.css)")
_STAMPED = re.compile(r"([0-9a-f]{16})/([a-z0-9_]+\.(?:js|css))")
_TYPES = {".js": "text/javascript", ".css": "text/css"}


def host_of(request: web.Request) -> str:
    """Return the host by which the browser reached us, without its port."""
    host = split_host(request.headers.get("Host", ""))
    if host is None:
        raise Problem(400, "the Host field is missing or is no name of a host")
    return host


def document(name: str, policy: str, **values: str) -> web.Response:
    """Answer with an HTML file of the page; ``{{name}}`` in it becomes a value, as text."""
    text = _find(name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace("{{" + key + "}}", escape(value))
    headers = {
        "Content-Security-Policy": policy,
        # By it we know our own pages over plain HTTP, where browsers leave Sec-Fetch-Site out.
        "Referrer-Policy": "origin",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)


def code(room: str, fragment: str = "") -> web.Response:
    """Answer with an address of the room as a picture that phones read (a QR code)."""
    if not room:
        raise Problem(404, "this lecture is on this machine only; --host opens it to a room")
    picture = io.BytesIO()
    made = segno.make(room + fragment, error="m")
    made.save(picture, kind="svg", scale=8, border=3, light="#fff")
    return web.Response(body=picture.getvalue(), content_type="image/svg+xml")


def page_policy(host: str, line_ports: list[int]) -> str:
    """Write the policy of the page: its own files, and frames of its own lines."""
    frames = " ".join(f"http://{host}:{port}" for port in line_ports)
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        f"img-src 'self' data: blob:; frame-src {frames}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def lane_policy(host: str, line: str, page_port: int) -> str:
    """Write the policy of a lane's document: its own line, and the page around it."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data: blob:; "
        f"connect-src 'self' ws://{line} wss://{line}; frame-src 'self'; base-uri 'none'; "
        f"form-action 'self'; frame-ancestors http://{host}:{page_port}"
    )


async def _file(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    stamped = _STAMPED.fullmatch(name)
    if stamped is not None:
        name = stamped[2]
    match = _NAME.fullmatch(name)
    if match is None or not (path := _find(name)).is_file():
        raise Problem(404, f"the page has no file {name[:60]!r}")
    answer = web.Response(body=path.read_bytes(), content_type=_TYPES[match[1]], charset="utf-8")
    if stamped is not None and stamped[1] == stamp() and path.parent == FOLDER:
        answer.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return answer


def stamp() -> str:
    """Tell apart what lanes load from what they loaded before any of it was changed."""
    with os.scandir(FOLDER) as entries:
        files = sorted((one.name, one.stat().st_mtime_ns, one.stat().st_size) for one in entries)
    return hashlib.sha256(repr(files).encode()).hexdigest()[:16]


def _find(name: str) -> Path:
    over = FOLDER / "page" / name
    return over if over.is_file() else FOLDER / name


def routes() -> list[web.RouteDef]:
    """Return the route of scripts and styles."""
    return [web.get("/page/{name:.+}", _file)]
