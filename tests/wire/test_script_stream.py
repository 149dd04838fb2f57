import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.feeding import check_golden, cuts, decoded
from wire.errors import MessageError
from wire.message import Gap, Message, encode_gap, encode_message
from wire.script_stream import HEARTBEAT, ScriptStreamDecoder, encode_prologue, encode_script

MESSAGE = Message(1, "ana", 1, 2, "hola")
SCRIPT = (
    b'<script>parent.receive({"id":1,"sender":"ana","sent_ns":1,"published_ns":2,"text":"hola"})'
    b"</script>\n"
)


def test_golden_both_ways() -> None:
    assert encode_script(encode_message(MESSAGE)) == SCRIPT
    check_golden(ScriptStreamDecoder, SCRIPT, [MESSAGE])


def test_a_whole_page_however_it_is_cut() -> None:
    gap = b'<script>parent.receive({"gap":true,"cursor":"a1-0"})</script>\n'
    assert encode_script(encode_gap(Gap("a1-0"))) == gap
    page = encode_prologue() + gap + HEARTBEAT + SCRIPT + HEARTBEAT + SCRIPT[:-20]
    check_golden(ScriptStreamDecoder, page, [Gap("a1-0"), MESSAGE])


@given(st.lists(st.text() | st.binary(), max_size=4), st.data())
def test_round_trip(bodies: list[str | bytes], data: st.DataObject) -> None:
    messages = [Message(i, "ana", 1, 2, body) for i, body in enumerate(bodies)]
    page = encode_prologue() + b"".join(encode_script(encode_message(m)) for m in messages)
    assert decoded(ScriptStreamDecoder(), data.draw(cuts(page))) == messages


@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", "<!--<script>", ")</script>"]
)
def test_a_message_is_shown_and_never_run(text: str) -> None:
    script = encode_script(encode_message(Message(1, "ana", 1, 2, text)))
    assert script.count(b"<") == 2  # the begin and the end tag, nothing else
    (message,) = ScriptStreamDecoder().decode(script)
    assert isinstance(message, Message)
    assert message.body == text


def test_the_call_is_json_and_javascript_alike() -> None:
    call = SCRIPT.partition(b"receive(")[2].removesuffix(b")</script>\n")
    assert json.loads(call)["text"] == "hola"


@pytest.mark.parametrize(("padding", "more"), [(0, 0), (-1, 0), (7, 7), (256, 256), (4096, 4096)])
def test_padding_is_a_comment_of_so_many_bytes(padding: int, more: int) -> None:
    page = encode_prologue(padding)
    assert page.startswith(b"<!doctype html>")
    assert page.endswith(b"\n")
    assert len(page) - len(encode_prologue()) == more
    check_golden(ScriptStreamDecoder, page + SCRIPT, [MESSAGE])


def test_other_scripts_are_none_of_ours() -> None:
    check_golden(
        ScriptStreamDecoder, b"<script>parent.other(1)</script><p></script>" + SCRIPT, [MESSAGE]
    )


def test_a_script_ends_at_its_end_tag_though_its_call_is_not_closed() -> None:
    check_golden(ScriptStreamDecoder, b"<script>parent.receive({;</script>" + SCRIPT, [MESSAGE])


@pytest.mark.parametrize("call", [b"", b"1", b"[]", b"{}", b"{", b'{"id":1}', b"\xff", b"alert(1)"])
def test_a_call_that_holds_no_message(call: bytes) -> None:
    with pytest.raises(MessageError):
        ScriptStreamDecoder().decode(encode_script(call))


def test_a_script_that_never_ends_is_refused_at_the_limit() -> None:
    decoder = ScriptStreamDecoder(limit=100)
    decoder.decode(b"x" * 100)
    with pytest.raises(MessageError, match="100 bytes without the end of a script"):
        decoder.decode(b"x")


def test_what_was_read_does_not_pile_up() -> None:
    decoder = ScriptStreamDecoder(limit=200)
    for _ in range(50):
        assert decoder.decode(b"<p></script>" + SCRIPT) == [MESSAGE]


TOKENS = [b"<script>", b"parent.receive(", b")", b"</script>", b"{}", b"\0", b"<!--", SCRIPT]


@given(st.lists(st.sampled_from(TOKENS) | st.binary(max_size=5)).map(b"".join), st.data())
def test_hostile_bytes_give_only_message_errors(page: bytes, data: st.DataObject) -> None:
    with contextlib.suppress(MessageError):
        decoded(ScriptStreamDecoder(), data.draw(cuts(page)))
