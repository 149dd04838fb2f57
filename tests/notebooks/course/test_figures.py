"""The notebooks' figures: each says in words what it shows, and draws what it was given."""

import pytest

from notebooks.course import figures
from wire.web_socket_frames import Opcode, encode_frame

pytestmark = pytest.mark.slow


def test_summary_has_mean_interval_median_and_worst() -> None:
    found = figures.summary([1.0, 2.0, 3.0, 10.0])
    assert (found["mean"], found["median"], found["worst"]) == (4.0, 2.5, 10.0)
    assert found["low"] < 4.0 < found["high"]


def test_dots_name_techniques_means_and_models() -> None:
    drawing = figures.dots({"sse": [1, 3], "mine": [5]}, "T", models={"sse": 2.5})
    assert drawing.alt == (
        "Dot plot, one row each. Server-Sent Events mean 2, model 2.5 ms; mine 5 ms."
    )


def test_a_narrow_logarithmic_axis_has_numbers_to_read_it_by() -> None:
    drawing = figures.dots({"alone": [0.65, 1.1, 2.4], "beside": [0.8, 1.0]}, "T", log=True)
    (axes,) = drawing.figure.axes
    low, high = axes.get_xlim()
    numbers = [label.get_text() for label in axes.get_xticklabels()]
    inside = [one for one in numbers if one and low <= float(one) <= high]
    assert inside == ["0.7", "1", "1.5", "2"]


def test_bars_stack_parts_and_ticks_list_moments() -> None:
    bars = figures.bars({"polling": {"up": 1, "down": 2}, "sse": 4}, "T", "bytes")
    assert "Polling 3 (up 1, down 2)" in bars.alt
    assert "WebSocket at 1, 2" in figures.ticks({"web_socket": [1, 2]}, "T").alt


def test_ticks_name_the_gap_in_a_long_row() -> None:
    got = {"all": range(1, 31), "without": [*range(1, 10), *range(20, 31)]}
    alt = figures.ticks(got, "T", "number").alt
    assert alt == "Marks along an axis, number. all at 1 to 30; without at 1 to 9, 20 to 30."


def test_curves_and_models_list_their_points() -> None:
    drawing = figures.curves({"sse": ([1, 2], [3, 4])}, "T", "x", "y", {"sse": ([1], [3.2])}, "xy")
    assert "from 3 to 4" in drawing.alt
    assert "measured Server-Sent Events: 3.2" in drawing.alt
    point = {"mean": 2.0, "low": 1.0, "high": 3.0}
    on_model = figures.on_model("sse", {1: point, 2: point}, lambda x: x / 1000, "T", "x")
    assert "1: 2, 2: 2" in on_model.alt


def test_a_frame_is_cut_into_its_fields() -> None:
    short = figures.frame_fields(encode_frame(Opcode.TEXT, b"hi", mask=b"\1\2\3\4"), "T")
    assert "masking key: 01 02 03 04; payload: 69 6b" in short.alt
    long = figures.frame_fields(encode_frame(Opcode.TEXT, b"x" * 200), "T")
    assert "longer length: 00 c8" in long.alt
    assert "masking key" not in long.alt


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("GET /sse?channel=a HTTP/1.1\r\n", "up", "GET /sse"),
        ("HTTP/1.1 204 No Content\r\n\r\n", "down", "204 No"),
        ('HTTP/1.1 200 OK\r\n\r\n{"messages":[{"text":"a"}]}', "down", "200 OK, message"),
        ('HTTP/1.1 200 OK\r\n\r\n{"messages":[{"id":1,"sen', "down", "200 OK, message"),
        ('HTTP/1.1 200 OK\r\n\r\n{"messages":[],"cursor":', "down", "200 OK"),
        ("79\r\n<script>x", "down", "chunk: script"),
        ("73\r\nid: 1\ndata: x", "down", "chunk: event"),
        ("\x81\x02hi", "down", "text frame"),
        ("\x89\x00", "down", "ping"),
        ('{"channel":"a"}\0', "up", "first line"),
        ("?", "up", "bytes"),
    ],
)
def test_bytes_on_the_wire_get_a_name(text: str, kind: str, said: str) -> None:
    assert figures.describe(text, kind) == said


def test_a_conversation_begins_with_its_first_bytes() -> None:
    events = [
        {"kind": "open", "connection": 1, "sent_ms": 5, "t_ms": 5, "bytes": 0, "text": ""},
        {"kind": "up", "connection": 1, "sent_ms": 10, "t_ms": 35, "bytes": 9, "text": "GET /a "},
        {"kind": "down", "connection": 1, "sent_ms": 35, "t_ms": 60, "bytes": 9, "text": "?"},
    ]
    drawing = figures.conversation(events, "T")
    assert "at 0 ms client to server GET /a" in drawing.alt
    assert "there at 50 ms" in drawing.alt


def test_a_conversation_marks_when_messages_were_published() -> None:
    moment = {"connection": 0, "bytes": 0, "text": ""}
    events = [
        moment | {"kind": "published", "sent_ms": 30, "t_ms": 30},
        moment | {"kind": "published", "sent_ms": 34.5, "t_ms": 34.5},
        moment | {"kind": "down", "sent_ms": 31, "t_ms": 56, "bytes": 9, "text": "?"},
    ]
    alt = figures.conversation(events, "T").alt
    assert alt.endswith("At -1 ms: message 1 published. At 4 ms: message 2 published.")


def test_a_long_first_arrow_is_explained_as_the_opening() -> None:
    request = {"kind": "up", "connection": 1, "bytes": 9, "text": "GET /a "}
    first = request | {"sent_ms": 0, "t_ms": 75}
    later = request | {"sent_ms": 100, "t_ms": 125}

    def said(*events: dict[str, object]) -> str:
        return " ".join(text.get_text() for text in figures.conversation(events, "T").figure.texts)

    assert "opening of the connection" in said(first, later)
    assert "opening of the connection" not in said(later)


def test_the_shown_figure_is_small_and_carries_its_words() -> None:
    image, metadata = figures.dots({"sse": [1, 2, 3]}, "T")._repr_png_()
    assert image.startswith(b"\x89PNG")
    assert len(image) < 30_000
    assert metadata["alt"].startswith("Dot plot")
