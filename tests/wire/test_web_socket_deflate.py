import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.feeding import outcome
from wire.errors import WebSocketError
from wire.web_socket_deflate import NAME, Agreement, accept, agree, deflate, inflate, offer

ANSWER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def test_the_offer() -> None:
    assert offer() == ANSWER + "; client_max_window_bits"


# Offers that RFC 7692, 7.1 shows, and what a server without context takeover answers.
OFFERS = [
    ("permessage-deflate", 15, ANSWER),
    ("permessage-deflate; client_max_window_bits", 15, ANSWER),
    ("permessage-deflate; client_max_window_bits=10", 15, ANSWER),
    ("permessage-deflate; server_no_context_takeover", 15, ANSWER),
    ("permessage-deflate; server_max_window_bits=10", 10, ANSWER + "; server_max_window_bits=10"),
    (
        "permessage-deflate; client_max_window_bits; server_max_window_bits=10, "
        "permessage-deflate; client_max_window_bits",
        10,
        ANSWER + "; server_max_window_bits=10",
    ),
    ('permessage-deflate;server_max_window_bits="9"', 9, ANSWER + "; server_max_window_bits=9"),
    ("x-webkit-deflate-frame, permessage-deflate", 15, ANSWER),
    # A window of 8 bits cannot be made with zlib: the next offer counts.
    ("permessage-deflate; server_max_window_bits=8, permessage-deflate", 15, ANSWER),
    (offer(), 15, ANSWER),
]


@pytest.mark.parametrize(("offers", "bits", "answer"), OFFERS)
def test_offers_and_their_answers(offers: str, bits: int, answer: str) -> None:
    assert agree(offers) == (Agreement(bits), answer)
    assert accept(answer) == Agreement()


@pytest.mark.parametrize(
    "offers",
    [
        "",
        "permessage-bzip2",
        "Permessage-Deflate",
        "permessage-deflate; unknown",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; server_max_window_bits=x",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=" + "9" * 5000,
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate;",
    ],
)
def test_offers_that_are_declined(offers: str) -> None:
    assert agree(offers) is None


def test_no_answer_is_no_compression() -> None:
    assert accept("") is None
    assert accept("  ") is None


@pytest.mark.parametrize(
    "answer",
    [
        "permessage-deflate",  # context takeover, which this decoder cannot do
        "permessage-deflate; client_no_context_takeover",
        ANSWER + "; client_max_window_bits",
        ANSWER + "; client_max_window_bits=8",  # which zlib cannot make
        ANSWER + "; client_max_window_bits=16",
        ANSWER + "; server_max_window_bits",
        ANSWER + "; server_max_window_bits=16",
        ANSWER + "; unknown",
        ANSWER + "; server_no_context_takeover",
        ANSWER + ", " + ANSWER,
        "permessage-bzip2; server_no_context_takeover",
        ";",
    ],
)
def test_answers_that_fail_the_connection(answer: str) -> None:
    with pytest.raises(ValueError, match="offered"):
        accept(answer)


@pytest.mark.parametrize(
    "answer",
    ["permessage-deflate; server_no_context_takeover", ANSWER + "; server_max_window_bits=8"],
)
def test_answers_to_the_offer(answer: str) -> None:
    assert accept(answer) == Agreement()


def test_the_server_may_ask_for_a_smaller_window() -> None:
    for bits in range(9, 16):
        assert accept(f"{ANSWER}; client_max_window_bits={bits}") == Agreement(bits)


def test_golden_payload_of_the_rfc_both_ways() -> None:
    assert deflate(b"Hello") == bytes.fromhex("f248cdc9c90700")
    assert inflate(bytes.fromhex("f248cdc9c90700"), 5) == b"Hello"


@given(st.binary(), st.integers(9, 15))
def test_round_trip(payload: bytes, bits: int) -> None:
    assert inflate(deflate(payload, bits), len(payload)) == payload


def test_what_is_sent_keeps_to_the_window_agreed_on() -> None:
    payload = bytes(range(256)) * 8
    data = deflate(payload, 9) + b"\x00\x00\xff\xff"
    assert zlib.decompressobj(wbits=-9).decompress(data) == payload


def test_each_message_stands_by_itself() -> None:
    assert deflate(b"hola hola") == deflate(b"hola hola")


def test_a_bomb_stops_at_the_limit() -> None:
    bomb = deflate(bytes(2**20))
    assert inflate(bomb, 2**20) == bytes(2**20)
    for limit in (0, 100, 2**20 - 1):
        with pytest.raises(WebSocketError, match="inflates to more than") as caught:
            inflate(bomb, limit)
        assert caught.value.code == 1009


def test_data_cut_short_is_1007_and_not_a_shorter_message() -> None:
    text = "fog of war, log of data, hola ñandú".encode()
    data = deflate(text)
    for size in range(len(data)):
        result = outcome(WebSocketError, inflate, data[:size], 1000)
        if isinstance(result, WebSocketError):
            assert result.code == 1007
        else:
            assert result in (b"", text)  # a cut where a block ends


def test_a_block_that_promises_more_than_comes_is_1007() -> None:
    promises_100 = b"\x00" + (100).to_bytes(2, "little") + (100 ^ 0xFFFF).to_bytes(2, "little")
    with pytest.raises(WebSocketError, match="1007: deflate data that ends too soon"):
        inflate(promises_100 + b"abc", 1000)


@given(st.binary())
def test_hostile_bytes_give_1007_or_1009(data: bytes) -> None:
    result = outcome(WebSocketError, inflate, data, 100)
    if isinstance(result, WebSocketError):
        assert result.code in (1007, 1009)
    else:
        assert len(result) <= 100


WORDS = [
    *ANSWER.split(),
    "server_max_window_bits",
    "client_max_window_bits",
    "=",
    '"',
    "8",
    "15",
    "²",
]


@given(st.text(), st.lists(st.sampled_from([", ", *WORDS])).map("".join))
def test_hostile_headers_are_declined_or_refused(text: str, words: str) -> None:
    for header in (text, words, f"{NAME}; {words}"):
        agree(header)
        result = outcome(ValueError, accept, header)
        assert not isinstance(result, ValueError) or "offered" in str(result)
