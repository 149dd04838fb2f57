"""How long a head may be: one rule, whoever reads it."""

import pytest

from servers.app import Running
from servers.front.heads import LONGEST_ADDRESS, LONGEST_FIELDS, MOST_FIELDS
from tests.servers.asking import Answer, Link

DOORS = [
    "GET /page_reload",
    "GET /frame_reload",
    "GET /frame_reload/frames",
    "GET /polling",
    "GET /long_polling",
    "GET /forever_frame",
    "GET /sse",
    "GET /web_socket",
    "GET /web_socket/echo",
    "GET /stats",
    "GET /nothing",
    "POST /publish",
    "POST /page_reload",
    "OPTIONS /publish",
]
SECRET = "s3cret"


async def told(here: Running, line: str, *fields: str, later: str = "") -> Answer:
    """Ask on a new connection, or on one that was kept after a request of ``later``."""
    async with Link(here.port) as link:
        if later:
            link.ask(f"GET {later}")
            assert (await link.answer()).status == 200
        link.ask(line, *fields)
        return await link.answer()


@pytest.mark.parametrize("later", ["", "/polling", "/long_polling", "/stats"])
@pytest.mark.parametrize("door", DOORS)
async def test_a_long_head_is_refused_on_every_door_first_and_later(
    here: Running, door: str, later: str
) -> None:
    cookie = f"Cookie: a={SECRET}" + "x" * LONGEST_FIELDS
    many = [f"Cookie: {SECRET}={'x' * 4000}"] * 5
    for fields in ([cookie], many, [f"X-{number}: y" for number in range(MOST_FIELDS)]):
        answer = await told(here, door, *fields, later=later)
        answer.check_problem(431, f"{LONGEST_FIELDS:,} bytes")
        assert SECRET.encode() not in answer.body
    answer = await told(here, f"{door}?a={'x' * LONGEST_ADDRESS}", later=later)
    answer.check_problem(414, f"{LONGEST_ADDRESS:,} bytes")


@pytest.mark.parametrize("later", ["", "/polling", "/long_polling", "/stats"])
@pytest.mark.parametrize("path", ["/polling", "/long_polling", "/page_reload", "/stats"])
async def test_the_limits_are_the_same_to_the_byte(here: Running, path: str, later: str) -> None:
    host = len("Host: here\r\n")
    for extra, status in ((0, 200), (1, 431)):
        value = "x" * (LONGEST_FIELDS - host - len("X-Long: \r\n") + extra)
        # The spaces around a value do not count, however many there are.
        for field in (f"X-Long: {value}", f"X-Long:{value}", f"X-Long:  {value} \t"):
            assert (await told(here, f"GET {path}", field, later=later)).status == status
    for extra, status in ((0, 200), (1, 431)):
        fields = ["X: y"] * (MOST_FIELDS - 1 + extra)
        assert (await told(here, f"GET {path}", *fields, later=later)).status == status
    for extra, status in ((0, 200), (1, 414)):
        more = "x" * (LONGEST_ADDRESS - len(f"{path}?a=") + extra)
        assert (await told(here, f"GET {path}?a={more}", later=later)).status == status


@pytest.mark.parametrize("later", ["", "/polling"])
async def test_what_is_wrong_with_a_cookie_is_told_without_it(here: Running, later: str) -> None:
    for wrong in ("\0", "\x01", "\x7f"):
        answer = await told(here, "GET /polling", f"Cookie: {SECRET}{wrong}", later=later)
        answer.check_problem(400)
        assert SECRET.encode() not in answer.body


async def test_an_address_without_an_end_is_refused_on_a_kept_connection(here: Running) -> None:
    async with Link(here.port) as link:
        link.ask("GET /polling")
        await link.answer()
        link.send(b"GET /polling?a=" + b"x" * 30_000)
        (await link.answer()).check_problem(414)
