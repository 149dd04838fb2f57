"""What a real browser does behind a proxy and before a front: for tests, and for the course.

``python -m tests.browser.seeing`` writes what the notebook on what stands in between shows.
"""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from loadtests.between.intermediary import read_shelf
from loadtests.between.standing import HERE, Standing
from loadtests.trials.processes import ROOT, Server
from servers.front.certificates import signed_for
from tests.support import chromium
from wire.techniques import SLUGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RECORDING = ROOT / "notebooks" / "course" / "recordings" / "16" / "browser.json"
SOURCES = 20
# A WebSocket and its events in order; it says something, and closes when that comes back.
SOCKET = """url => new Promise(done => {
  const socket = new WebSocket(url), seen = [];
  socket.onopen = () => { seen.push("open"); socket.send("hola"); };
  socket.onmessage = event => { seen.push(`message ${event.data}`); socket.close(1000); };
  socket.onerror = () => seen.push("error");
  socket.onclose = event => { seen.push(`close ${event.code}`); done(seen); };
})"""
# As many event streams as are wanted: those that are open when no more come, and by which protocol.
STREAMS = """async wanted => {
  const all = Array.from({ length: wanted }, (_, n) => new EventSource(`/sse?channel=s${n}`));
  const open = () => all.filter(one => one.readyState === 1).length;
  for (let before = -1, still = 0; open() < wanted && still < 8; still += 1) {
    await new Promise(done => setTimeout(done, 250));
    if (open() !== before) still = 0;
    before = open();
  }
  const [{ nextHopProtocol }] = performance.getEntriesByType("navigation");
  const found = { open: open(), protocol: nextHopProtocol };
  for (const one of all) one.close();
  return found;
}"""


@contextlib.contextmanager
def launched() -> Iterator["Browser"]:
    """Start the whole Chromium, as people have it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.WHOLE)
        yield browser
        browser.close()


def page_at(browser: "Browser", url: str, proxy: str | None = None) -> "Page":
    """Open a page of the server, from which scripts may speak with it."""
    by: Any = {"server": proxy, "bypass": "<-loopback>"} if proxy else None
    page = browser.new_context(ignore_https_errors=True, proxy=by).new_page()
    page.goto(f"{url}/polling?channel=seen")
    return page


def socket_url(url: str, path: str = "/web_socket/echo") -> str:
    return url.replace("http", "ws", 1) + path


def places_of(server: Server) -> dict[str, str]:
    return {
        "SERVER": f"{server.host}:{server.port}",
        "SERVER_HOST": server.host,
        "SERVER_PORT": str(server.port),
    }


def through_a_proxy(browser: "Browser", plain: Server) -> list[str]:
    """Return what Chromium asks of a forward proxy for a page, a stream, ws:// and wss://."""
    (one,) = read_shelf(["tinyproxy"])
    with Server(SLUGS, flags=["--tls"]) as secure, Standing(one, one.setups[-1], {}) as proxy:
        proxy.await_listening()
        for server in (plain, secure):
            page = page_at(browser, server.url, f"http://{HERE}:{proxy.port}")
            page.evaluate(STREAMS, 1)
            assert page.evaluate(SOCKET, socket_url(server.url))[0] == "open"
            page.context.close()
        log = (proxy.scratch / "log").read_text(encoding="utf-8")
        asked = re.findall(r"Request \(file descriptor \d+\): (\S+ \S+)", log)
        ports = {str(plain.port): "80", str(secure.port): "443"}
        told = [
            re.sub(r":(\d+)", lambda port: f":{ports.get(port[1], port[1])}", one) for one in asked
        ]
        ours = [one for one in told if HERE in one]
        return list(dict.fromkeys(one.replace(HERE, "server") for one in ours))


def before_a_front(browser: "Browser", server: Server, name: str = "") -> dict[str, Any]:
    """Return how many streams open, by which protocol, and with which status a WebSocket does.

    ``name`` is the front's, which speaks HTTP/2; without one the server is asked itself.
    """
    with contextlib.ExitStack() as stack:
        url = server.url
        if name:
            (one,) = read_shelf([name])
            assert one.h2 is not None
            certificate = stack.enter_context(signed_for([HERE]))
            places = {**places_of(server), "CERTIFICATE": str(certificate)}
            front = stack.enter_context(Standing(one, one.h2, places))
            front.await_listening()
            url = f"https://{HERE}:{front.port}"
        page = page_at(browser, url)
        seen = watch_network(page)
        found: dict[str, Any] = page.evaluate(STREAMS, SOURCES)
        found["socket"] = page.evaluate(SOCKET, socket_url(url))
        found["status"] = next(one["status"] for one in seen if "status" in one)
        page.context.close()
        return found


def watch_network(page: "Page") -> list[dict[str, Any]]:
    """Return a list that fills with what the developer tools' Network tab is told of WebSockets."""
    seen: list[dict[str, Any]] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def handshake(event: dict[str, Any]) -> None:
        seen.append({"what": "handshake", "status": event["response"]["status"]})

    def frame(what: str) -> Any:
        def note(event: dict[str, Any]) -> None:
            told = event["response"]
            seen.append({"what": what, "opcode": told["opcode"], "text": told["payloadData"]})

        return note

    session.on("Network.webSocketHandshakeResponseReceived", handshake)
    session.on("Network.webSocketFrameSent", frame("frame up"))
    session.on("Network.webSocketFrameReceived", frame("frame down"))
    return seen


def a_page_with_a_socket(browser: "Browser", server: Server) -> dict[str, Any]:
    """Return a page's events of a WebSocket that opens and of one that is refused, and what the
    developer tools show of the first.
    """
    page = page_at(browser, server.url)
    shown = watch_network(page)
    opened = page.evaluate(SOCKET, socket_url(server.url))
    told = list(shown)
    refused = page.evaluate(SOCKET, socket_url(server.url, "/nowhere"))
    page.context.close()
    return {"opened": opened, "refused": refused, "tools": told, "browser": browser.version}


def main() -> None:
    """Write all of it down."""
    with Server(SLUGS) as server, launched() as browser:
        found: dict[str, Any] = {"proxy": through_a_proxy(browser, server)}
        found["fronts"] = {
            name or "none": before_a_front(browser, server, name)
            for name in ("", "haproxy", "nghttpx")
        }
        found["page"] = a_page_with_a_socket(browser, server)
    RECORDING.parent.mkdir(parents=True, exist_ok=True)
    RECORDING.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
