import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.cursor import DEFAULT_CHANNEL, Cursor, check_channel, parse_cursor
from wire.errors import CursorError

CURSORS = [
    (Cursor("a1b2", 17), "a1b2-17"),
    (Cursor("0", 0), "0-0"),
    (Cursor("z" * 32, 10**18 - 1), "z" * 32 + "-" + "9" * 18),
]


@pytest.mark.parametrize(("cursor", "text"), CURSORS)
def test_golden_both_ways(cursor: Cursor, text: str) -> None:
    assert str(cursor) == text
    assert parse_cursor(text) == cursor


@given(st.from_regex(r"[0-9a-z]{1,32}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_round_trip(epoch: str, number: int) -> None:
    assert parse_cursor(str(Cursor(epoch, number))) == Cursor(epoch, number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "17",
        "a-",
        "-17",
        "a-1-2",
        "A-1",
        "a-1\n",
        " a-1",
        "a-+1",
        "a--1",
        "a-1e3",
        "ä-1",
        "a-١",
        "a-" + "1" * 19,
        "a" * 33 + "-1",
        "a-1\x00",
        "../a-1",
        "a-1, a-2",
    ],
)
def test_anything_else_is_refused_and_named(text: str) -> None:
    with pytest.raises(CursorError, match="epoch-id") as caught:
        parse_cursor(text)
    assert repr(text[:60]) in str(caught.value)


@given(st.text())
def test_hostile_text_gives_a_cursor_that_writes_alike_or_an_error(text: str) -> None:
    try:
        cursor = parse_cursor(text)
    except CursorError:
        return
    assert parse_cursor(str(cursor)) == cursor


@pytest.mark.parametrize("name", [DEFAULT_CHANNEL, "a", "A-Z_0.9", "x" * 64])
def test_channel_names(name: str) -> None:
    assert check_channel(name) == name


@pytest.mark.parametrize("name", ["", " ", "a b", "x" * 65, "a/b", "a\n", "ñ", "a\0", "<b>"])
def test_other_channel_names_are_refused_with_what_is_accepted(name: str) -> None:
    with pytest.raises(CursorError, match=r"1 to 64 of the characters A-Z a-z 0-9 _ \. -"):
        check_channel(name)
