"""What somebody wrote is shown, and never run: no message is ever taken for markup or script."""

import html.parser
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.raw import RawSocket, get, upgrade
from tests.unbreakable.serving import Server, serving
from tests.unbreakable.undefended import without
from wire.web_socket_frames import Opcode, encode_frame

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

EVIL_TEXTS = [
    "</script><script>parent.owned=1</script>",
    "<!--<script>",
    "--><script>parent.owned=1</script>",
    "]]></script><svg onload=parent.owned=1>",
    "\u2028parent.owned=1\u2029",
    "\"');parent.owned=1//",
    "'\"><img src=x onerror=parent.owned=1>",
    "</main></ol><iframe srcdoc='<script>parent.parent.owned=1</script>'>",
    "${parent.owned=1}`\\",
    '\\"});parent.owned=1;({"',
    "&lt;script&gt;&amp;quot;",
    "</title></textarea></style><script>parent.owned=1</script>",
    "\0\x01\x7f\x80\ufffe",
    "javascript:parent.owned=1",
]


class Reader(html.parser.HTMLParser):
    """Reads a page as a browser would: elements, and what stands in scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.shown = ""
        self._open = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        self._open = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            self.scripts[-1] += data
        elif self._open in ("span", "b"):
            self.shown += data + "\n"


def read(page: bytes) -> Reader:
    reader = Reader()
    reader.feed(page.decode())
    reader.close()
    return reader


@pytest.mark.parametrize("path", ["/page_reload", "/frame_reload"])
def test_pages_show_markup_and_run_none(server: Server, path: str) -> None:
    channel = f"evil{path.replace('/', '-')}"
    address = f"{path}?channel={channel}&name=%22%3E%3Cscript%3E"
    innocent = [tag for tag, _ in read(server.ask(address).body).elements]
    for number, text in enumerate(EVIL_TEXTS, 1):
        fields = {"text": text, "sender": text}
        answer = server.ask(
            f"/publish?channel={channel}",
            "POST",
            json.dumps(fields).encode(),
            Content_Type="application/json",
        )
        assert answer.status == 201
        reader = read(server.ask(address).body)
        tags = [tag for tag, _ in reader.elements]
        assert sorted(tags) == sorted(innocent + ["li", "b", "span"] * number)
        assert not any(name.startswith("on") for _, found in reader.elements for name in found)
        items = [found for tag, found in reader.elements if tag == "li"]
        message = json.loads(items[-1]["data-message"] or "")
        assert (message["text"], message["sender"]) == (text, text)
        if "\0" not in text:
            assert text in reader.shown


@pytest.mark.parametrize("text", EVIL_TEXTS)
def test_a_forever_frame_calls_and_does_nothing_else(server: Server, text: str) -> None:
    with RawSocket(server.port, get("/forever_frame?channel=evil-scripts")) as talk:
        talk.hear(b"<title>")
        server.ask(
            "/publish?channel=evil-scripts",
            "POST",
            json.dumps({"text": text, "sender": text}).encode(),
            Content_Type="application/json",
        )
        page = talk.hear(b"</script>").partition(b"\r\n\r\n")[2]
    # Chunks: without their sizes, which are lines of their own.
    body = b"".join(part for part in page.split(b"\r\n")[1::2])
    reader = read(body)
    assert [tag for tag, _ in reader.elements if tag not in ("meta", "title")] == ["script"]
    (script,) = reader.scripts
    call = script.removeprefix("parent.receive(").removesuffix(")")
    assert not {"\u2028", "\u2029"} & set(call)  # which ended strings before ES2019
    assert "<" not in call
    assert json.loads(call)["text"] == text


def test_text_from_a_web_socket_is_escaped_as_well(server: Server) -> None:
    with RawSocket(server.port, upgrade("/web_socket?channel=evil-ws", server.port)) as talk:
        talk.hear(b"\r\n\r\n")
        for text in EVIL_TEXTS[:-2]:
            talk.send(encode_frame(Opcode.TEXT, text.encode(), mask=b"abcd"))
        talk.hear(lambda heard: heard.count(b'"id":') == len(EVIL_TEXTS) - 2)
    reader = read(server.ask("/page_reload?channel=evil-ws").body)
    assert not reader.scripts
    assert "img" not in [tag for tag, _ in reader.elements]


def ran_and_heard(browser: "Browser", server: Server) -> tuple[set[str], list[str]]:
    """Look at what was written by Chromium: where of it something ran, and what a page heard."""
    ran: set[str] = set()
    for text in EVIL_TEXTS:
        server.ask(
            "/publish?channel=real",
            "POST",
            json.dumps({"text": text, "sender": text}).encode(),
            Content_Type="application/json",
        )
    page = browser.new_page()

    def look(path: str) -> None:
        if any(frame.evaluate("'owned' in window") for frame in page.frames):
            ran.add(path)

    for path in ("page_reload", "frame_reload", "frame_reload/frames"):
        page.goto(f"{server.url}/{path}?channel=real&after=00000000-0")
        page.wait_for_load_state("load")
        look(path)
    page.goto(f"{server.url}/frame_reload?channel=real")
    # The page around the forever frame: it collects what the frame hands it.
    page.evaluate("window.heard = []; window.receive = (message) => heard.push(message); 0")
    page.evaluate(
        "url => { const f = document.createElement('iframe'); f.src = url;"
        " document.body.append(f) }",
        f"{server.url}/forever_frame?channel=real&after=00000000-0",
    )
    page.wait_for_function(f"'owned' in window || heard.length > {len(EVIL_TEXTS)}")
    look("forever_frame")
    heard = page.evaluate("heard.filter(message => 'id' in message).map(m => m.text)")
    page.context.close()
    return ran, heard


@pytest.mark.attack("have what people wrote run as script", "off", "on")
def test_chromium_runs_nothing_that_somebody_wrote(
    browser: "Browser", server: Server, tmp_path: Path
) -> None:
    assert ran_and_heard(browser, server) == (set(), EVIL_TEXTS)
    with serving(tmp_path, launcher=without("markup")) as unescaped:
        ran, heard = ran_and_heard(browser, unescaped)
    assert ran == {"page_reload", "frame_reload", "frame_reload/frames", "forever_frame"}
    assert heard != EVIL_TEXTS
