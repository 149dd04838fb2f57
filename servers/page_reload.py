"""Page reload: the document web. To see what is new, the whole page is fetched again.

The server can only answer, and the only answer is a document. ``every`` adds the refresh element
with which pages renewed themselves; a form sends a message and comes back by a redirect.

    GET  /page_reload?channel=lobby[&after=CURSOR][&every=2]
    POST /page_reload   channel=lobby&sender=ana&text=hola   303, back to the page
"""

from aiohttp import web

from servers.kinds import reloads as html
from servers.service import SERVICE, Service, query_of

PATH = "/page_reload"


async def page(request: web.Request) -> web.Response:
    """Answer with the whole page."""
    service = request.app[SERVICE]
    query = query_of(request)
    channel = await service.open(query.channel, query.after)
    service.presence.seen(channel, query.name, "page_reload")
    shown, cursor, new = html.messages(channel, query, service.settings.longest_page)
    service.row("page_reload").deliveries += new
    return html.document(
        f"Channel {query.channel}",
        f"<h1>Channel {query.channel}</h1>"
        "<p>This page knows nothing new until all of it is loaded again.</p>"
        f"{shown}\n{html.form(PATH, query)}",
        head=html.refresh(PATH, query, cursor),
    )


async def send(request: web.Request) -> web.Response:
    """Publish what the form holds, and go back to the page."""
    return await html.take_form(request, "page_reload", PATH)


def routes(service: Service) -> list[web.RouteDef]:
    """Return the technique's routes."""
    return [web.get(PATH, page, allow_head=False), web.post(PATH, send)]
