import pytest

from servers.channels.channel import Channel
from servers.front.query import Query
from servers.kinds import reloads as html
from servers.service import Service, Settings, make_service
from wire.cursor import Cursor, parse_cursor


@pytest.fixture
async def service() -> Service:
    return make_service(Settings(log_messages=50))


@pytest.fixture
def lobby(service: Service) -> Channel:
    return service.channel("lobby")


async def test_everything_that_somebody_wrote_is_escaped(lobby: Channel) -> None:
    evil = "<script>alert('&amp;')</script>\"><img src=x>\0"
    lobby.publish(evil, evil[:50])
    text, _, _ = html.messages(lobby, Query())
    assert "<script" not in text
    assert "<img" not in text
    assert "\0" not in text
    assert text.count("<li ") == 1
    assert evil not in html.form("/page_reload", Query(name=evil[:50]))


async def test_without_a_cursor_the_last_messages_are_shown_and_none_is_new(lobby: Channel) -> None:
    for number in range(30):
        lobby.publish(str(number))
    text, cursor, new = html.messages(lobby, Query())
    assert text.count("<li ") == html.SHOWN
    assert f'<li value="{30 - html.SHOWN + 1}"' in text
    assert (cursor, new) == (lobby.cursor(), 0)
    assert f'data-cursor="{cursor}" data-gap="false"' in text


async def test_all_that_follows_a_cursor_is_shown_and_never_less_than_the_last(
    lobby: Channel,
) -> None:
    for number in range(45):
        lobby.publish(str(number))
    text, _, new = html.messages(lobby, Query(after=parse_cursor(lobby.cursor(5))))
    assert (text.count("<li "), new) == (40, 40)
    text, _, new = html.messages(lobby, Query(after=parse_cursor(lobby.cursor(44))))
    assert (text.count("<li "), new) == (html.SHOWN, 1)


async def test_a_gap_is_said_to_programs_and_people(lobby: Channel) -> None:
    text, _, _ = html.messages(lobby, Query(after=Cursor("other", 1)))
    assert 'data-gap="true"' in text
    assert "gone" in text


async def test_a_page_is_bounded_and_the_next_one_goes_on(lobby: Channel) -> None:
    for _ in range(6):
        lobby.publish("x" * 2**20)
    start = parse_cursor(lobby.cursor(0))
    text, cursor, new = html.messages(lobby, Query(after=start))
    assert len(text) < 5 * 2**20
    assert parse_cursor(cursor).id == new == 3
    text, cursor, new = html.messages(lobby, Query(after=parse_cursor(cursor)))
    assert (cursor, new) == (lobby.cursor(), 3)
    assert '<li value="4"' in text


async def test_long_texts_bytes_and_notices_are_shown_in_short(lobby: Channel) -> None:
    lobby.publish("ř" * 1000)
    lobby.publish(b"\xff" * 7)
    lobby.publish("sse", "ana", presence="joined")
    lobby.publish("lone \ud83d")
    text, _, _ = html.messages(lobby, Query())
    assert "ř" * 280 + "…</span>" in text
    assert "<span>(7 bytes)</span>" in text
    assert "<b>ana</b> <span>has joined by sse</span>" in text
    assert "<span>lone ?</span>" in text


def test_a_refresh_comes_back_with_the_cursor_and_asks_again() -> None:
    assert html.refresh("/p", Query(), "e-1") == ""
    assert html.refresh("/p", Query(channel="c", every=2.5), "e-1") == (
        '<meta http-equiv="refresh" content="2.5;url=/p?channel=c&amp;after=e-1&amp;every=2.5">'
    )


def test_a_refresh_keeps_the_name_and_any_number_of_seconds() -> None:
    for every, written in [(999999.9, "999999.9"), (0.00001, "0"), (20.0, "20"), (0.25, "0.25")]:
        query = Query(name="a&b", every=every)
        assert html.refresh("/p", query, "e-1") == (
            f'<meta http-equiv="refresh" content="{written};url=/p?channel=lobby&amp;after=e-1'
            f'&amp;every={written}&amp;name=a%26b">'
        )
        assert f'<input type="hidden" name="every" value="{written}">' in html.form("/p", query)
    assert "every" not in html.form("/p", Query())


def test_a_document_may_not_be_framed_by_others() -> None:
    response = html.document("Title", "<p>x</p>")
    assert response.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert response.content_type == "text/html"
    assert response.charset == "utf-8"
