import gzip
import zlib
from collections.abc import Callable

import pytest

from servers.app import Running, running
from servers.front.codings import decode
from servers.front.problems import Problem
from servers.service import Settings
from tests.servers.asking import Answer, ask

TEXT = b"hello hello hello"
FORM = b"text=hello+hello+hello"
JSON = b'{"text":"hello hello hello"}'
WHOLE: dict[tuple[str, str], Callable[[bytes], bytes]] = {
    ("gzip", "one member"): gzip.compress,
    ("gzip", "two members"): lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:]),
    ("gzip", "an empty member first"): lambda body: gzip.compress(b"") + gzip.compress(body),
    ("deflate", "zlib"): zlib.compress,
    ("deflate", "raw"): lambda body: zlib.compress(body, wbits=-15),
}
DOORS = [
    ("/publish", "text/plain", TEXT),
    ("/publish", "application/octet-stream", TEXT),
    ("/publish", "application/json", JSON),
    ("/page_reload", "application/x-www-form-urlencoded", FORM),
    ("/frame_reload", "application/x-www-form-urlencoded", FORM),
]
TOO_LARGE = Problem(413, "too large")


async def send(here: Running, door: tuple[str, str, bytes], coding: str, body: bytes) -> Answer:
    path, kind, _ = door
    fields = f"Content-Type: {kind}", f"Content-Encoding: {coding}"
    return await ask(here, f"POST {path}?channel=x", *fields, body=body)


@pytest.mark.parametrize("how", WHOLE, ids=" ".join)
def test_a_coded_body_is_taken_whole_or_not_at_all(how: tuple[str, str]) -> None:
    coding, body = how[0], WHOLE[how](TEXT)
    assert decode(coding, body, 100, TOO_LARGE) == TEXT
    ends = [size for size in range(len(body)) if _decodes(coding, body[:size])]
    # Where one member ends, nobody can see that another one should have come.
    assert len(ends) == ("member first" in how[1] or "two" in how[1])
    for after in (b"x", b"\0", body[:9]):
        assert not _decodes(coding, body + after)
    if how[1] != "raw":  # which has no sum of its own
        assert not _decodes(coding, body[:-1] + bytes([body[-1] ^ 1]))


def _decodes(coding: str, body: bytes) -> bool:
    try:
        decode(coding, body, 100, TOO_LARGE)
    except Problem as problem:
        return problem.status != 400
    return True


@pytest.mark.parametrize("door", DOORS, ids=[f"{path} {kind}" for path, kind, _ in DOORS])
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_half_a_body_is_published_by_no_door(
    here: Running, door: tuple[str, str, bytes], coding: str
) -> None:
    body, channel = WHOLE[coding, {"gzip": "one member"}.get(coding, "zlib")](door[2]), "x"
    for part in (b"", body[:10], body[:15], body[:-8], body[:-1], body + b"x"):
        answer = await send(here, door, coding, part)
        answer.check_problem(400, "not in the coding that its head names")
    assert here.service.channel(channel).log.last == 0
    assert (await send(here, door, coding, body)).status in (201, 303)
    assert here.service.channel(channel).log.last == 1


async def test_two_fields_are_one_list_of_codings(here: Running) -> None:
    fields = "Content-Type: text/plain", "Content-Encoding: gzip", "Content-Encoding: gzip"
    answer = await ask(here, "POST /publish", *fields, body=gzip.compress(gzip.compress(TEXT)))
    answer.check_problem(415, "gzip, gzip")


@pytest.mark.parametrize("how", WHOLE, ids=" ".join)
def test_the_limit_is_that_of_what_was_decoded(how: tuple[str, str]) -> None:
    body = WHOLE[how](b"x" * 10_000)
    assert decode(how[0], body, 10_000, TOO_LARGE) == b"x" * 10_000
    for most in (9_999, 1, 0):
        with pytest.raises(Problem) as told:
            decode(how[0], body, most, TOO_LARGE)
        assert (told.value.status, told.value.detail) == (413, "too large")


def test_an_empty_text_may_come_coded() -> None:
    for (coding, _), encode in WHOLE.items():
        assert decode(coding, encode(b""), 0, TOO_LARGE) == b""
        with pytest.raises(Problem):
            decode(coding, b"", 0, TOO_LARGE)


def test_members_are_joined_across_the_pieces_in_which_they_are_read() -> None:
    text = bytes(range(256)) * 1000
    parts = [gzip.compress(text[start : start + 997]) for start in range(0, len(text), 997)]
    assert decode("gzip", b"".join(parts), len(text), TOO_LARGE) == text


def test_a_flood_of_empty_members_is_refused() -> None:
    with pytest.raises(Problem, match="coding"):
        decode("gzip", gzip.compress(b"") * 200_000, 10, TOO_LARGE)


async def test_a_coded_body_past_the_limit_is_refused_before_it_is_published() -> None:
    async with running(Settings(most_message=1000)) as server:
        for coding, encode in (("gzip", gzip.compress), ("deflate", zlib.compress)):
            for size, status in ((1000, 201), (1001, 413)):
                answer = await send(server, DOORS[0], coding, encode(b"x" * size))
                assert answer.status == status
