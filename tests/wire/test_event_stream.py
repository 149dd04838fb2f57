"""The parsing rules of WHATWG HTML 9.2.5 and 9.2.6, each by name, in both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.feeding import check_golden, cuts, decoded, ways
from wire.errors import MessageError
from wire.event_stream import HEARTBEAT, Event, EventStreamDecoder, encode_event, encode_retry

EVENTS = [
    pytest.param(("hola",), b"data: hola\n\n", Event("hola"), id="data"),
    pytest.param(("",), b"data: \n\n", Event(""), id="empty data is an event"),
    pytest.param((" a:b",), b"data:  a:b\n\n", Event(" a:b"), id="spaces and colons stay"),
    pytest.param(("ñ€😀",), "data: ñ€😀\n\n".encode(), Event("ñ€😀"), id="UTF-8"),
    pytest.param(
        ("\u2028\x0b\x85",),
        "data: \u2028\x0b\x85\n\n".encode(),
        Event("\u2028\x0b\x85"),
        id="other line ends are none here",
    ),
    pytest.param(
        ("x", "a1-7"), b"id: a1-7\ndata: x\n\n", Event("x", last_event_id="a1-7"), id="id"
    ),
    pytest.param(
        ("x", "a1-7", "gap"),
        b"id: a1-7\nevent: gap\ndata: x\n\n",
        Event("x", "gap", "a1-7"),
        id="id and type",
    ),
]


def check(data: bytes, *expected: Event) -> None:
    check_golden(EventStreamDecoder, data, list(expected))


def after(data: bytes) -> EventStreamDecoder:
    decoder = EventStreamDecoder()
    decoder.decode(data)
    return decoder


# Writing


@pytest.mark.parametrize(("arguments", "data", "event"), EVENTS)
def test_golden_both_ways(arguments: tuple[str, ...], data: bytes, event: Event) -> None:
    assert encode_event(arguments[0].encode(), *arguments[1:]) == data
    check(data, event)
    check(data + b"data: unfini", event)


@pytest.mark.parametrize("data", ["a\nb", "a\rb", "\n", "\r"])
def test_a_line_end_in_the_data_would_break_the_event_apart(data: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        encode_event(data.encode())


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\ndata: forged\n\n"])
def test_nor_may_an_id_or_a_type_hold_one(bad: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        encode_event(b"x", event_id=bad)
    with pytest.raises(ValueError, match="one line"):
        encode_event(b"x", event_type=bad)


def test_an_id_with_nul_is_not_written_since_readers_ignore_it() -> None:
    with pytest.raises(ValueError, match="NUL"):
        encode_event(b"x", event_id="a\0")


def test_retry_both_ways() -> None:
    assert encode_retry(2000) == b"retry: 2000\n\n"
    decoder = EventStreamDecoder()
    assert decoder.retry_ms is None
    assert decoder.decode(encode_retry(2000)) == []
    assert decoder.retry_ms == 2000


LINES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))
IDS = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(st.tuples(LINES, IDS, LINES), max_size=5), st.data())
def test_round_trip_however_the_stream_is_cut(
    parts: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    stream = HEARTBEAT.join(encode_event(text.encode(), *rest) for text, *rest in parts)
    expected = [Event(text, kind or "message", event_id) for text, event_id, kind in parts]
    assert decoded(EventStreamDecoder(), data.draw(cuts(stream))) == expected


# Lines


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_lines_end_with_cr_or_lf_or_crlf_split_anywhere(end: str) -> None:
    stream = end.join(["id: 1", "data: a", "data: b", "", "data: c", "", ""])
    check(stream.encode(), Event("a\nb", last_event_id="1"), Event("c", last_event_id="1"))


def test_line_ends_may_be_mixed() -> None:
    check(b"data: a\rdata: b\r\ndata: c\n\r\n\ndata: d\n\r", Event("a\nb\nc"), Event("d"))


def test_a_cr_ends_the_line_at_once_and_the_lf_of_the_next_chunk_belongs_to_it() -> None:
    decoder = EventStreamDecoder()
    assert decoder.decode(b"data: a\r") == []
    assert decoder.decode(b"\r") == [Event("a")]  # not held back until an LF may have come
    assert decoder.decode(b"\n") == []
    assert decoder.decode(b"data: b\r\n") == []
    assert decoder.decode(b"\r") == [Event("b")]
    assert decoder.decode(b"\ndata: c\n\n") == [Event("c")]


def test_an_empty_chunk_between_cr_and_lf_changes_nothing() -> None:
    decoder = EventStreamDecoder()
    assert decoded(decoder, [b"data: a\r", b"", b"\ndata: b\n\n"]) == [Event("a\nb")]


def test_of_two_lf_after_a_cr_only_the_first_is_swallowed() -> None:
    decoder = EventStreamDecoder()
    assert decoded(decoder, [b"data: a\r", b"\n", b"\n"]) == [Event("a")]


def test_one_leading_byte_order_mark_is_dropped_even_when_cut_apart() -> None:
    check(b"\xef\xbb\xbfdata: a\n\n", Event("a"))
    # The second one is a character of the field's name, which nobody knows then.
    check(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n")


def test_a_byte_order_mark_later_on_is_text() -> None:
    check(b"data: a\n\n\xef\xbb\xbfdata: b\n\n", Event("a"))
    check(b"data: \xef\xbb\xbfb\n\n", Event("\ufeffb"))


def test_bytes_that_are_not_utf8_become_replacement_characters() -> None:
    check(b"data: \xff\xc3(\n\n", Event("\ufffd\ufffd("))


# Fields


def test_a_comment_is_ignored() -> None:
    check(b": comment\ndata: a\n:\n:data: b\n\n", Event("a"))


def test_a_line_without_colon_is_a_field_with_an_empty_value() -> None:
    check(b"data\n\n", Event(""))
    check(b"data\ndata\n\n", Event("\n"))
    check(b"event\ndata: a\n\n", Event("a"))
    assert after(b"id: 1\n\nid\n\n").last_event_id == ""


def test_one_leading_space_is_removed_and_not_more() -> None:
    check(b"data:a\ndata: b\ndata:  c\ndata:\td\n\n", Event("a\nb\n c\n\td"))


def test_an_unknown_field_is_ignored_and_names_are_case_sensitive() -> None:
    check(b"other: x\nDATA: y\n data: z\ndata: a\n\n", Event("a"))


def test_the_type_belongs_to_one_event_and_an_empty_one_is_message() -> None:
    check(b"event: gap\ndata: a\n\ndata: b\n\n", Event("a", "gap"), Event("b"))
    check(b"event: gap\nevent:\ndata: a\n\n", Event("a"))


def test_the_type_of_an_event_without_data_is_forgotten() -> None:
    check(b"event: gap\n\ndata: a\n\n", Event("a"))


@pytest.mark.parametrize("value", ["-5", "+5", "5.0", "5s", " 5", "5 ", "", "٥", "²", "9" * 5000])
def test_retry_takes_digits_only(value: str) -> None:
    decoder = after(b"retry: 1000\n\n")
    assert decoder.decode(b"retry: " + value.encode() + b"\n\n") == []
    assert decoder.retry_ms == 1000


def test_retry_needs_no_empty_line_after_it() -> None:
    assert after(b"retry:0\n").retry_ms == 0


# Events and their ids


def test_no_data_no_event() -> None:
    check(b"\n\n\nevent: gap\n\nid: 3\n\nretry: 5\n\n: \n\n")


def test_an_id_is_kept_across_events() -> None:
    check(
        b"id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\nid\ndata: d\n\n",
        Event("a", last_event_id="1"),
        Event("b", last_event_id="1"),
        Event("c", last_event_id="2"),
        Event("d", last_event_id=""),
    )


def test_an_id_with_nul_is_ignored() -> None:
    check(
        b"id: 1\ndata: a\n\nid: 2\x00\ndata: b\n\n",
        Event("a", last_event_id="1"),
        Event("b", last_event_id="1"),
    )


def test_an_id_counts_once_its_event_is_finished_and_needs_no_data() -> None:
    assert after(b"id: 1\n").last_event_id == ""
    assert after(b"id: 1\n\n").last_event_id == "1"


def test_a_heartbeat_after_an_event_with_an_id_yields_no_event() -> None:
    check(b"id: 1\ndata: a\n\n" + HEARTBEAT * 3, Event("a", last_event_id="1"))


def test_an_unfinished_event_is_dropped() -> None:
    check(b"data: a\n\ndata: b\n", Event("a"))
    assert after(b"id: 1\ndata: a\n\nid: 2\ndata: b\n").last_event_id == "1"


# Hostile


def test_a_line_that_never_ends_is_refused_at_the_limit() -> None:
    decoder = EventStreamDecoder(limit=100)
    decoder.decode(b"x" * 100)
    with pytest.raises(MessageError, match="more than 100 characters"):
        decoder.decode(b"x")


def test_an_event_of_endless_lines_is_refused_even_when_they_are_empty() -> None:
    decoder = EventStreamDecoder(limit=100)
    with pytest.raises(MessageError, match="more than 100 characters"):
        decoder.decode(b"data\n" * 101)


def test_nothing_piles_up_over_many_events() -> None:
    decoder = EventStreamDecoder(limit=100)
    for _ in range(100):
        assert decoder.decode(b"id: 1\ndata: " + b"x" * 50 + b"\n\n:heartbeat\n:x") != []


@given(st.binary())
def test_hostile_bytes_give_no_error_and_every_cut_the_same_events(data: bytes) -> None:
    results = [decoded(EventStreamDecoder(), chunks) for chunks in ways(data)]
    assert all(result == results[0] for result in results)


TOKENS = [
    b"data",
    b"id",
    b"event",
    b"retry",
    b"5",
    b":",
    b" ",
    b"\r",
    b"\n",
    b"\0",
    b"\xc3",
    b"\xb1",
]


@given(st.lists(st.sampled_from([*TOKENS, b"\xef\xbb\xbf"])).map(b"".join))
def test_hostile_fields_give_no_error_and_every_cut_the_same_events(data: bytes) -> None:
    results = [decoded(EventStreamDecoder(), chunks) for chunks in ways(data)]
    assert all(result == results[0] for result in results)
