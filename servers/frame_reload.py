"""Frame reload: the page stays, and only a frame in it is fetched again.

What changes often was put into a frame of its own, so that each reload brings less; the form sits
in another frame, so that sending does not disturb reading. The server still only answers.

    GET  /frame_reload?channel=lobby[&after=CURSOR][&every=2]   the frame with the messages
    GET  /frame_reload/frames                                   the page around both frames
    GET  /frame_reload/form                                     the frame with the form
    POST /frame_reload   channel=lobby&sender=ana&text=hola     303, back to the form's frame
"""

import html as escaping
from urllib.parse import urlencode

from aiohttp import web

from servers.kinds import reloads as html
from servers.service import SERVICE, Service, query_of

PATH = "/frame_reload"


async def frame(request: web.Request) -> web.Response:
    """Answer with the frame that holds the messages, and nothing else."""
    service = request.app[SERVICE]
    query = query_of(request)
    channel = await service.open(query.channel, query.after)
    service.presence.seen(channel, query.name, "frame_reload")
    shown, cursor, new = html.messages(channel, query, service.settings.longest_page)
    service.row("frame_reload").deliveries += new
    return html.document("Messages", shown, head=html.refresh(PATH, query, cursor))


async def frames(request: web.Request) -> web.Response:
    """Answer with the page around the frames, which is loaded once."""
    query = query_of(request)
    who = {"channel": query.channel} | ({"name": query.name} if query.name else {})
    every = {"every": html.seconds(query.every or 2)}
    messages = escaping.escape(f"{PATH}?{urlencode(who | every)}")
    form = escaping.escape(f"{PATH}/form?{urlencode(who)}")
    return html.document(
        f"Channel {query.channel} in frames",
        f"<h1>Channel {query.channel}</h1>"
        "<p>Only the upper frame is loaded again; this page stays.</p>"
        f'<iframe title="Messages" src="{messages}" width="100%" height="320"></iframe>'
        f'<iframe title="Send a message" src="{form}" width="100%" height="90"></iframe>',
    )


async def form(request: web.Request) -> web.Response:
    """Answer with the frame that holds the form."""
    return html.document("Send a message", html.form(PATH, query_of(request)))


async def send(request: web.Request) -> web.Response:
    """Publish what the form holds, and go back to the form's frame."""
    return await html.take_form(request, "frame_reload", f"{PATH}/form")


def routes(service: Service) -> list[web.RouteDef]:
    """Return the technique's routes."""
    return [
        web.get(PATH, frame, allow_head=False),
        web.get(f"{PATH}/frames", frames, allow_head=False),
        web.get(f"{PATH}/form", form, allow_head=False),
        web.post(PATH, send),
    ]
