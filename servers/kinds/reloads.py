"""HTML that the reload techniques share: the list of messages, and small documents.

Everything that somebody wrote is escaped. The exact message travels as JSON in an attribute of
its list item, as HTML text would change line ends and NUL bytes; what people see is the text, cut
short where it is long.
"""

import html
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from servers.channels.channel import Channel
from servers.front.handover import Front
from servers.front.heads import count_request
from servers.front.problems import Problem
from servers.front.query import Query, check_name, parse_sent_ns
from servers.publish import decode_text, kept, publish_body, read_body
from servers.service import SERVICE, query_of
from wire.cursor import check_channel
from wire.message import Message, decode_message
from wire.techniques import BY_SLUG

SHOWN = 20  # messages on a page that follows no cursor
_LONGEST_TEXT = 280
_STYLE = "body{font:1em/1.5 sans-serif;margin:1em;max-width:60em}li span{white-space:pre-wrap}"


def document(title: str, body: str, head: str = "") -> web.Response:
    """Answer with a whole document."""
    text = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>{head}</head>\n'
        f"<body>{body}</body></html>\n"
    )
    headers = {"Content-Security-Policy": "frame-ancestors 'self'"}
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)


def refresh(path: str, query: Query, cursor: str) -> str:
    """Write the element that makes the browser come again, where the query asks for it."""
    if query.every is None:
        return ""
    every = seconds(query.every)
    again = {"channel": query.channel, "after": cursor, "every": every}
    if query.name:
        again["name"] = query.name
    # Netscape's client pull of 1995: the only way a page could renew itself without a script.
    url = html.escape(f"{path}?{urlencode(again)}")
    return f'<meta http-equiv="refresh" content="{every};url={url}">'


def seconds(value: float) -> str:
    """Write seconds as a query takes them, which is without an exponent."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def messages(channel: Channel, query: Query, longest: int = 4 * 2**20) -> tuple[str, str, int]:
    """Write the list of messages; return it with the cursor after them and how many are new.

    Shown is all that follows the query's cursor, up to ``longest`` bytes, and never less than the
    last few.
    """
    seen, has_gap = channel.resume(query.after)
    log = channel.log
    entries = log.read(seen, longest)
    newest = entries[-1][0] if entries else seen
    # What is new comes first; the room that it leaves is for what was there before.
    room = longest - sum(len(json) for _, json in entries)
    for number in range(seen, max(newest - SHOWN, log.first - 1), -1):
        older = log.read(number - 1, 0)
        room -= len(older[0][1])
        if room < 0:
            break
        entries[:0] = older
    cursor = channel.cursor(newest)
    items = "\n".join(_item(number, json) for number, json in entries)
    text = (
        f'<main data-cursor="{cursor}" data-gap="{"true" if has_gap else "false"}">\n'
        f"{'<p>Some messages are gone.</p>' if has_gap else ''}<ol>\n{items}\n</ol></main>"
    )
    return text, cursor, max(newest - seen, 0)


def _item(number: int, json: bytes) -> str:
    message = decode_message(json)
    assert isinstance(message, Message)
    body = message.body
    if isinstance(body, bytes):
        shown = f"({len(body)} bytes)"
    elif len(body) > _LONGEST_TEXT:
        shown = body[:_LONGEST_TEXT] + "\u2026"
    else:
        shown = body
    shown = f"has {message.presence} by {shown}" if message.presence else shown
    return (
        f'<li value="{number}" data-message="{html.escape(json.decode())}">'
        f"<b>{_show(message.sender)}</b> <span>{_show(shown)}</span></li>"
    )


def _show(text: str) -> str:
    return html.escape(text.replace("\0", "\ufffd").encode("utf-8", "replace").decode())


def form(path: str, query: Query) -> str:
    """Write the form that sends a message."""
    every = "" if query.every is None else _hidden("every", seconds(query.every))
    return (
        f'<form method="post" action="{path}" accept-charset="utf-8">'
        f"{_hidden('channel', query.channel)}{every}"
        f'<label>Name <input name="sender" value="{_show(query.name)}" maxlength="100"></label> '
        '<label>Message <input name="text" required></label> <button>Send</button></form>'
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{html.escape(value)}">'


async def take_form(request: web.Request, slug: str, path: str) -> web.Response:
    """Publish what a form sent, and redirect, so that a reload does not send it again."""
    service = request.app[SERVICE]
    if request.content_type != "application/x-www-form-urlencoded":
        raise Problem(415, "this address takes forms: application/x-www-form-urlencoded")
    body = await read_body(request, 3 * service.settings.most_message + 4096)
    try:
        pairs = parse_qsl(
            decode_text(body), keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except UnicodeDecodeError:
        raise Problem(400, "the form's fields are not UTF-8") from None
    except ValueError:
        raise Problem(400, "the form has more than 50 fields") from None
    values = dict(pairs)
    query = query_of(request)
    name = check_name(values.get("sender", query.sender))
    channel = service.channel(check_channel(values.get("channel", query.channel)))
    if "text" not in values:
        raise Problem(400, "the form has no field named text")
    sent_ns = parse_sent_ns(values.get("sent_ns"))
    await kept(publish_body(service, slug, channel, values["text"], name, sent_ns))
    again = {"channel": channel.name, "name": name}
    if "every" in values:
        again["every"] = values["every"][:20]
    # 303 says that what follows is a GET, whatever the request was (RFC 9110, 15.4.4).
    return web.Response(status=303, headers={"Location": f"{path}?{urlencode(again)}"})


async def count_page(request: web.Request, response: web.StreamResponse) -> None:
    """Count what techniques that answer with whole documents move; others count their own bytes."""
    slug = request.path[1:].partition("/")[0]  # of OPTIONS and CONNECT it may have no slash
    if slug not in BY_SLUG or not BY_SLUG[slug].reloads:
        return
    row = request.app[SERVICE].row(slug)
    count_request(row, request)
    front = request.transport.get_protocol() if request.transport is not None else None
    if isinstance(front, Front):
        front.count_for(row)
    row.bytes_up += request.content_length or 0
    down = sum(len(name) + len(value) + 4 for name, value in response.headers.items())
    row.bytes_down += len(f"HTTP/1.1 {response.status} {response.reason}\r\n") + down + 2
    row.bytes_down += response.content_length or 0
