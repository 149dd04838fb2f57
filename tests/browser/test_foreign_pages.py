"""Pages of other sites in a real browser: what they can do with a defence off, and not with it on.

Names that end in ``.test`` are this machine's here. Chromium trusts them no more than an address
of a LAN, so it leaves the Sec-Fetch fields out, as it does there.
"""

import http.client
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.processes import Lecture, QuickLecture, ServerProcess
from tests.support.waiting import eventually
from tests.unbreakable.undefended import without

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def foreign() -> Iterator[str]:
    """An empty page of another site; what it does is written into it by the tests."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>evil</title>")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://evil.test:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def usual() -> Iterator[Lecture]:
    """A lecture with all its defences."""
    lecture = QuickLecture()
    yield lecture
    lecture.stop()


@pytest.fixture(scope="module")
def telling() -> Iterator[Lecture]:
    """A lecture that any name leads to, and that tells what is whose and lets another in."""

    class Telling(Lecture):
        command = (*without("news"), *QuickLecture.command)

    lecture = Telling("--allow-host", "*")
    yield lecture
    lecture.stop()


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    """One that each test sends elsewhere."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def said(server: ServerProcess, channel: str) -> int:
    found: int = server.stats()["channels"].get(channel, {}).get("messages", 0)
    return found


ASK = """async ([url, policy]) => {
  const image = document.createElement("img");
  image.referrerPolicy = policy;
  const done = new Promise((resolve) => { image.onload = image.onerror = resolve; });
  image.src = url;
  document.body.append(image);
  await done;
}"""


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., ServerProcess]]:
    """Gives servers, one for all tests that want the same defences."""
    running: dict[tuple[str, ...], ServerProcess] = {}

    def make(*arguments: str) -> ServerProcess:
        if arguments not in running:
            running[arguments] = ServerProcess(*arguments)
        return running[arguments]

    yield make
    for server in running.values():
        server.stop()


@pytest.mark.attack("announce people by an image", "off", "on")
@pytest.mark.parametrize(("defence", "told"), [(["--allow-origin", "*"], 2), ([], 0)])
def test_an_image_elsewhere_says_nothing_in_its_readers_name(
    page: Any, foreign: str, serve: Callable[..., ServerProcess], channel: str,
    defence: list[str], told: int,
) -> None:  # fmt: skip
    server = serve("--allow-host", "lan.test", *defence)
    page.goto(foreign)
    for policy in ("", "no-referrer"):
        prey = f"{channel}.{policy}"
        # On loopback the browser says that the image is another site's, in a LAN it does not.
        for host in ("lan.test", "127.0.0.1"):
            url = f"http://{host}:{server.port}/page_reload?channel={prey}&name=evil-{host}"
            page.evaluate(ASK, [url, policy])
        assert said(server, prey) == told, policy
    # A page of our own still announces its reader, and says what it is told to.
    page.goto(f"http://lan.test:{server.port}/page_reload?channel={channel}")
    page.fill("[name=sender]", "ana")
    page.fill("[name=text]", "hola")
    page.click("button")
    eventually(lambda: said(server, channel) == 2, "what our own page sent")


TAKE_FOR_SCRIPT = """async (paths) => {
  const taken = [];
  for (const path of paths) {
    const script = document.createElement("script");
    await new Promise((done) => {
      script.onload = () => { taken.push(path); done(); };
      script.onerror = done;
      script.src = path;
      document.documentElement.append(script);
    });
  }
  return taken;
}"""


@pytest.mark.attack("have an answer taken for a script", "off", "on")
@pytest.mark.parametrize("is_lecture", [False, True], ids=["servers", "lecture"])
def test_what_is_no_script_is_taken_for_none(
    page: Any, serve: Callable[..., ServerProcess], usual: Lecture, is_lecture: bool
) -> None:
    """Chromium tries to run JSON and pages, too, if it is not told to trust their type."""
    url = usual.url.rstrip("/") if is_lecture else serve().url
    paths = ["/lecture/clock", "/lecture/present", "/"]
    if not is_lecture:
        paths = ["/clock", "/stats", "/metrics", "/page_reload"]
    page.goto(f"{url}{paths[0]}")  # nothing more is asked for by what is shown
    assert page.evaluate(TAKE_FOR_SCRIPT, paths) == []

    def without_nosniff(route: Any) -> None:
        answer = route.fetch()
        headers = {k: v for k, v in answer.headers.items() if k != "x-content-type-options"}
        route.fulfill(response=answer, headers=headers)

    page.route("**/*", without_nosniff)
    assert page.evaluate(TAKE_FOR_SCRIPT, paths) == paths
    page.unroute("**/*")


REBOUND = """async () => {
  const found = {};
  const post = { method: "POST", body: "forged", headers: { "Content-Type": "text/plain" } };
  for (const [path, how] of [["/stats", {}], ["/polling", {}], ["/publish?channel=prey", post]]) {
    found[path] = (await fetch(path, how)).ok;
  }
  found.socket = await new Promise((resolve) => {
    const socket = new WebSocket(`ws://${location.host}/web_socket`);
    socket.onopen = () => resolve(true);
    socket.onerror = () => resolve(false);
  });
  return found;
}"""


@pytest.mark.attack("let its own name point here", "off", "on")
@pytest.mark.parametrize(("defence", "gets_in"), [(["--allow-host", "*"], True), ([], False)])
def test_a_page_that_had_its_name_rebound_finds_no_way_in(
    page: Any, serve: Callable[..., ServerProcess], defence: list[str], gets_in: bool
) -> None:
    server = serve(*defence)
    # Its name points to us; what runs under it, an answer of ours or not, is of its origin.
    page.goto(f"http://evil.test:{server.port}/clock")
    found = page.evaluate(REBOUND)
    assert set(found.values()) == {gets_in}, found
    assert said(server, "prey") == gets_in


def get(url: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    is_stream = answer.getheader("Content-Type") == "text/event-stream"
    first = answer.read1() if is_stream else answer.read()
    connection.close()
    return answer.status, first


@pytest.mark.attack("let its own name point here", "off", "on")
def test_a_rebound_name_opens_no_lecture_either(
    page: Any, usual: Lecture, telling: Lecture
) -> None:
    for lecture, status in [(telling, 200), (usual, 403)]:
        address = f"http://evil.test:{urlsplit(lecture.url).port}"
        for path in ("/", "/lecture/clock", "/page/main.js"):
            assert page.goto(address + path).status == status


@pytest.fixture(params=[False, True], ids=["open", "held"])
def is_held(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def lecture(is_held: bool, usual: Lecture, telling: Lecture) -> Lecture:
    """A lecture that holds what is whose, or one that tells it and lets another in."""
    return usual if is_held else telling


@pytest.mark.attack("hear another page's news", "off", "on")
def test_nothing_that_the_room_can_see_opens_another_pages_news(
    open_page: Any, lecture: Lecture, is_held: bool
) -> None:
    """Who knows a page's name reads what passes on its lines; so nobody may learn it."""
    page = open_page().open("chat")
    page.fill("#chat-name", "ana")
    page.click("form.connect button")
    page.wait_for_selector("#chat-text:enabled")
    page.fill("#chat-text", "to myself")
    page.click("text=Echo to myself")
    page.wait_for_selector("li.echo")
    viewer = page.evaluate("import('/page/room.js').then(({ room }) => room.viewer)")
    # The list of channels is for this machine alone.
    here = json.loads(get(lecture.direct, "/stats")[1])["channels"]
    (echo,) = [name for name in here if name.startswith("echo-")]
    assert viewer not in json.dumps(list(here))
    lines = page.evaluate("import('/page/room.js').then(({ lines }) => lines)")
    for slug, port in lines.items():
        if slug != "plugin_socket":
            for path in ("/stats", "/metrics", "/%73tats"):
                status, body = get(f"http://127.0.0.1:{port}", path)
                assert status == (404 if is_held else 200)
                assert echo.encode() not in body or not is_held
                assert echo.encode() in body or is_held or path == "/metrics"
    # And who learns it otherwise comes too late, until the page has gone.
    status, news = get(lecture.url, f"/lecture/events?viewer={viewer}")
    assert (status, news.startswith(b"data: ")) == ((409, False) if is_held else (200, True))
    page.goto("about:blank")
    eventually(
        lambda: get(lecture.url, f"/lecture/events?viewer={viewer}")[0] == 200,
        "the name to be free",
    )
