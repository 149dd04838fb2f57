import html

import pytest

from clients.net.page import parse_page
from wire.errors import MessageError
from wire.message import Gap, Message, encode_message


def page(cursor: str, *messages: Message, gap: bool = False) -> bytes:
    items = "".join(
        f'<li value="{m.id}" data-message="{html.escape(encode_message(m).decode())}">'
        f"<p>{html.escape(str(m.body))}</p></li>"
        for m in messages
    )
    flag = "true" if gap else "false"
    return f'<body><main data-cursor="{cursor}" data-gap="{flag}">{items}</main>'.encode()


ONE = Message(1, "ana", 2, 3, "<li data-message='x'> & \" </main>")
TWO = Message(2, "ana", 2, 3, b"\0\xff")


def test_reads_what_was_written() -> None:
    read = parse_page(page("a-2", ONE, TWO))
    assert read.messages == (ONE, TWO)
    assert (read.cursor, read.gap) == ("a-2", False)


def test_what_is_new_depends_on_the_reader() -> None:
    read = parse_page(page("a-2", ONE, TWO))
    assert list(read.news("a-0")) == [ONE, TWO]
    assert list(read.news("a-1")) == [TWO]
    assert list(read.news("a-2")) == []
    assert list(read.news(None)) == []


def test_a_gap_stands_before_what_is_left() -> None:
    read = parse_page(page("b-2", TWO, gap=True))
    assert list(read.news("a-9")) == [Gap("b-1"), TWO]
    assert list(parse_page(page("b-5", gap=True)).news("a-9")) == [Gap("b-5")]


def test_another_page_is_refused() -> None:
    with pytest.raises(MessageError, match="data-cursor"):
        parse_page(b"<html><body>It works!")


@pytest.mark.parametrize("broken", [b"\xff", b"<main data-cursor='&#" + b"9" * 5000 + b";'>"])
def test_what_cannot_be_read_is_refused(broken: bytes) -> None:
    with pytest.raises(MessageError, match="not a page"):
        parse_page(page("a-1") + broken)


@pytest.mark.parametrize(
    "around",
    [
        "<!-- {} -->",
        "<!doctype {}>",
        "<script>'{}'</script >",
        "<TITLE>{}</tITLE>",
        "<b title='{}'>",
        "<p data-message={}",
    ],
)
def test_what_a_browser_sees_no_tag_in_is_none(around: str) -> None:
    shown = page("a-2", ONE).decode()
    hidden = "<li value=9 data-message=x>" if "{}>" not in around else "<li"
    assert parse_page((shown + around.format(hidden)).encode()).messages == (ONE,)


def test_attributes_are_read_as_a_browser_reads_them() -> None:
    text = html.escape(encode_message(ONE).decode()).replace(" ", "&#32;")
    tag = f"<LI\n value = 1 Data-Message\t=\n{text} data-message='another'/>"
    assert parse_page(b"<main/data-cursor=a-2/b>" + tag.encode()).messages == (ONE,)
    assert parse_page(b"<main/data-cursor=a-2/b>").cursor == "a-2/b"


@pytest.mark.attack("stop who reads it by text that takes for ever", "on")
@pytest.mark.parametrize("hostile", [b"<a ", b"<a b=", b"<a b='", b"<x", b"<!--", b"<![CDATA["])
def test_a_megabyte_of_unfinished_tags_is_read_in_no_time(hostile: bytes) -> None:
    """Where each looks for its end anew, this takes hours."""
    assert parse_page(page("a-2", ONE) + hostile * (10**6 // len(hostile))).messages == (ONE,)
