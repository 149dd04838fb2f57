"""The doors: without the lecturer's key nothing can be changed, and other origins get nothing."""

import http.client
import json
import socket
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest

from servers.lecture.controls import Controls
from servers.lecture.hall import Hall
from tests.support.processes import Lecture, QuickLecture
from tests.unbreakable.undefended import without

pytestmark = pytest.mark.slow
VIEWER = "viewer=0123456789abcdef"


def ask(
    url: str, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    text = body if body is None or isinstance(body, str) else json.dumps(body)
    connection.request(method, path, text, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    is_json = "json" in answer.headers.get("Content-Type", "")
    return answer.status, json.loads(content) if is_json else {"text": content.decode()}


def lines_of(lecture: Lecture) -> dict[str, int]:
    """Read the port of each line, as the page tells it to its scripts."""
    page = ask(lecture.url, "GET", "/")[1]["text"]
    lines: dict[str, int] = json.loads(unescape(page.split('data-lines="')[1].split('"')[0]))
    return lines


ORDERS: dict[str, dict[str, Any]] = {
    "fits": {},
    "link": {"delay_s": 1},
    "cut": {"seconds": 1},
    "source": {"rate": 1},
    "burst": {"count": 1},
    "restart": {},
    "workers": {"count": 1},
    "ask": {"question": "half", "choices": 4},
    "show": {"measured": 1.5, "fits": 2},
    "go": {"at": "race", "step": 3},
}


def test_each_order_has_its_example() -> None:
    nobody: Any = None
    hall = Hall({}, nobody, nobody, nobody)
    controls = Controls(nobody, nobody, nobody, nobody, hall.orders)
    assert set(ORDERS) == set(controls.orders)


@pytest.fixture(scope="module")
def keyless() -> Iterator[Lecture]:
    """A lecture that takes everybody for the lecturer."""

    class Keyless(Lecture):
        command = (*without("key"), *Lecture.command)

    lecture = Keyless()
    yield lecture
    lecture.stop()


@pytest.mark.attack("change the network, the race or the server", "off", "on")
@pytest.mark.parametrize("control", ORDERS)
def test_whoever_has_no_key_gives_orders_only_where_none_is_asked(
    lecture: Lecture, keyless: Lecture, control: str
) -> None:
    for there, status in [(keyless, 200), (lecture, 403)]:
        assert ask(there.url, "POST", f"/lecture/{control}", ORDERS[control])[0] == status


@pytest.mark.parametrize("control", ORDERS)
@pytest.mark.parametrize("key", ["", "wrong", "é"])
def test_no_control_without_the_key(lecture: Lecture, control: str, key: str) -> None:
    ask(lecture.url, "POST", "/lecture/source", {"rate": 0}, Duplex_Key=lecture.key)
    _, before = ask(lecture.url, "POST", "/lecture/fits", {}, Duplex_Key=lecture.key)
    fields = {"Duplex_Key": key.encode().decode("latin-1")} if key else {}
    status, problem = ask(lecture.url, "POST", f"/lecture/{control}", ORDERS[control], **fields)
    assert status == problem["status"] == 403
    _, after = ask(lecture.url, "POST", "/lecture/fits", {}, Duplex_Key=lecture.key)
    same = ("link", "source", "ready", "asked", "tour")
    assert {name: before[name] for name in same} == {name: after[name] for name in same}


@pytest.mark.parametrize("control", ORDERS)
def test_no_control_from_another_origin_even_with_the_key(lecture: Lecture, control: str) -> None:
    for origin in ("http://evil.example", "null", lecture.direct):
        status, _ = ask(
            lecture.url,
            "POST",
            f"/lecture/{control}",
            ORDERS[control],
            Duplex_Key=lecture.key,
            Origin=origin,
        )
        assert status == 403


def test_no_preflight_is_granted(lecture: Lecture) -> None:
    status, _ = ask(lecture.url, "OPTIONS", "/lecture/link", Origin="http://evil.example")
    assert status == 403


@pytest.mark.parametrize(
    ("control", "order"),
    [
        ("link", {"delay_s": -1}),
        ("link", {"delay_s": 1e9}),
        ("link", {"delay_s": "1"}),
        ("link", {"bytes_per_s": 1}),
        ("cut", {}),
        ("cut", {"seconds": 1e9}),
        ("source", {"rate": 1e9}),
        ("source", {"rate": True}),
        ("source", {"preset": "no preset"}),
        ("source", {"preset": 1}),
        ("burst", {"count": 10**9}),
        ("ask", {"question": "half", "choices": 7}),
        ("ask", {"question": "<b>", "choices": 2}),
        ("show", {"measured": "much"}),
        ("go", {"at": "https://evil.example"}),
        ("go", {"step": 100}),
        ("burst", "[]"),
        ("burst", "{"),
    ],
)
def test_a_wrong_order_is_explained(
    lecture: Lecture, control: str, order: dict[str, Any] | str
) -> None:
    status, problem = ask(lecture.url, "POST", f"/lecture/{control}", order, Duplex_Key=lecture.key)
    assert status == problem["status"] == 400
    assert problem["detail"]


def test_a_new_schedule_begins_behind_all_that_was_due(lecture: Lecture) -> None:
    def order(control: str, what: dict[str, int]) -> int:
        doors = f"/lecture/{control}"
        status, told = ask(lecture.url, "POST", doors, what, Duplex_Key=lecture.key)
        assert status == 200
        return int(told["source"]["published"])

    before = order("source", {"rate": 0})
    order("burst", {"count": 150})
    told = order("source", {"rate": 0})
    assert told == before + 150


def test_the_room_cannot_publish_to_the_race(lecture: Lecture) -> None:
    lines = lines_of(lecture)
    for channel in ("race", "race-2", "clock"):
        url = f"http://127.0.0.1:{lines['sse']}"
        plain = {"Content_Type": "text/plain"}
        status, problem = ask(url, "POST", f"/publish?channel={channel}", "hola", **plain)
        assert status == problem["status"] == 403
    status, _ = ask(url, "POST", "/stage/publish", {"channel": "race", "messages": []})
    assert status == 403


def test_the_room_has_a_limit_of_rate_and_size(lecture: Lecture) -> None:
    plain = {"Content_Type": "text/plain"}
    statuses = []
    for _ in range(400):
        statuses.append(ask(lecture.direct, "POST", "/publish?channel=flood", "x", **plain)[0])
        if statuses[-1] == 429:
            break
    assert statuses[0] == 201
    assert statuses[-1] == 429
    large = "x" * (2 * 2**20 + 1)
    assert ask(lecture.direct, "POST", "/publish?channel=flood", large, **plain)[0] == 413


def test_doors_for_all_have_limits(lecture: Lecture) -> None:
    assert ask(lecture.url, "GET", "/lecture/events?viewer=NO")[0] == 400
    assert ask(lecture.url, "POST", f"/lecture/plugin?{VIEWER}", {"channel": "room"})[0] == 409
    assert ask(lecture.url, "POST", f"/lecture/plugin/send?{VIEWER}&plugin=1", {})[0] == 404
    for door in ("part", "measured", "vote"):
        assert ask(lecture.url, "POST", f"/lecture/{door}?{VIEWER}", {})[0] == 409
        assert ask(lecture.url, "POST", f"/lecture/{door}?{VIEWER}", {"who": "x" * 5000})[0] == 413
    assert ask(lecture.url, "POST", "/lecture/pass", {})[0] == 403
    assert ask(lecture.url, "GET", "/page/../lane.html")[0] == 404
    assert ask(lecture.url, "GET", "/page/lane.html")[0] == 404
    assert ask(lecture.url, "GET", "/lecture/qr")[0] == 404
    for _ in range(200):
        if ask(lecture.url, "POST", "/lecture/fits", {})[0] == 429:
            break
    else:
        pytest.fail("nobody counted")


def test_lanes_may_be_embedded_by_the_page_only(lecture: Lecture) -> None:
    lines = lines_of(lecture)
    port = urlsplit(lecture.url).port
    connection = http.client.HTTPConnection("127.0.0.1", lines["sse"], timeout=20)
    for path in ("/lane?technique=sse", "/page_reload?channel=room"):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        policy = answer.headers["Content-Security-Policy"]
        ancestors = policy.split("frame-ancestors ")[1]
        assert ancestors.split() in (
            [f"http://127.0.0.1:{port}"],
            ["'self'", f"http://127.0.0.1:{port}"],
        )
    for site in ("cross-site", "same-site"):
        fields = {"Sec_Fetch_Site": site, "Sec_Fetch_Dest": "script"}
        url = f"http://127.0.0.1:{lines['sse']}"
        assert ask(url, "GET", "/polling?channel=room", **fields)[0] == 403
    fields = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "iframe"}
    assert ask(url, "GET", "/lane?technique=sse", **fields)[0] == 403
    connection.close()


def test_only_loopback_listens_unless_asked(lecture: Lecture) -> None:
    ports = [urlsplit(lecture.url).port, urlsplit(lecture.direct).port]
    others = {
        found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    } - {"127.0.0.1"}
    for address in others:
        for port in ports:
            with socket.socket() as tried:
                tried.settimeout(5)
                assert tried.connect_ex((address, port)) != 0
    assert "WARNING" not in "".join(lecture.said)


def test_a_room_is_told_its_address_and_warned() -> None:
    lecture = QuickLecture("--host", "0.0.0.0")
    try:
        said = "".join(lecture.said)
        assert "The room's address: http://" in said
        assert "WARNING" in said
        assert "█" in said  # the code for phones
        status, _ = ask(lecture.url, "GET", "/lecture/qr")
        assert status == 200
        status, _ = ask(lecture.url, "POST", "/lecture/pass", {}, Duplex_Key=lecture.key)
        assert status == 200
        # The address for the room holds no key.
        assert lecture.key not in said.split("The room's address")[1]
    finally:
        lecture.stop()
