"""Figures of what passes on the wire: bytes by their fields, and who said what when."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from notebooks.course.drawing import PARTS, SmallDrawing, small
from results.figures.diagrams import sequence_diagram
from results.figures.style import Drawing, blank, heading, lecture_style
from results.record.rows import TraceRow


def byte_fields(fields: Sequence[tuple[str, bytes]], title: str, conditions: str = "") -> Drawing:
    """Draw bytes as boxes in a row, coloured by field, each with its name."""
    shown = [(name, data if len(data) <= 8 else data[:6]) for name, data in fields]
    total = sum(len(data) for _, data in shown)
    with lecture_style():
        figure = blank(10, 2.9)
        axes = figure.subplots()
        at = 0
        for number, ((name, data), (_, whole)) in enumerate(zip(shown, fields, strict=True)):
            ink = PARTS[number % 5]
            for byte in data:
                axes.barh(0, 0.94, left=at + 0.03, height=1, color=ink)
                axes.text(
                    at + 0.5,
                    0,
                    f"{byte:02x}",
                    ha="center",
                    va="center",
                    color="white",
                    family="DejaVu Sans Mono",
                    fontsize=13 if total > 16 else 16,
                )
                at += 1
            more = f" … {len(whole)} B" if len(whole) > len(data) else ""
            middle = at - len(data) / 2
            below = number % 2 == 1
            axes.text(
                middle,
                0.72 if not below else -0.72,
                name + more,
                ha="center",
                color=ink,
                va="bottom" if not below else "top",
                fontweight="bold",
                fontsize=13,
            )
        axes.set_xlim(0, at)
        axes.set_ylim(-1.6, 1.6)
        axes.set_axis_off()
        heading(figure, title, conditions)
    said = "; ".join(f"{name}: {data.hex(' ')}" for name, data in shown)
    return SmallDrawing("bytes", title, f"Boxes of bytes in their order. {said}.", figure)


def conversation(events: Sequence[Mapping[str, Any]], title: str, most: int = 14) -> Drawing:
    """Draw a recorded trace as a sequence diagram; time begins with its first bytes.

    Where messages were published while it was recorded, those moments are marked.
    """
    rows = [
        TraceRow(
            event["connection"],
            event["kind"],
            event["sent_ms"],
            event["t_ms"],
            event["bytes"],
            describe(event["text"], event["kind"]),
        )
        for event in events
        if event["kind"] in ("up", "down") and event["bytes"]
    ][:most]
    first = min((row.sent_ms for row in rows), default=0.0)
    moved = [replace(row, sent_ms=row.sent_ms - first, t_ms=row.t_ms - first) for row in rows]
    ways = [row.t_ms - row.sent_ms for row in moved]
    opens = bool(ways) and ways[0] > 2 * min(ways)  # a round trip before the first bytes can go
    conditions = "the first arrow holds the opening of the connection, too" if opens else ""
    published = [event["sent_ms"] - first for event in events if event["kind"] == "published"]
    moments = {f"message {n} published": at for n, at in enumerate(published, 1)}
    return small(sequence_diagram(moved, "conversation", title, conditions, moments))


def describe(text: str, kind: str) -> str:
    """Say in two or three words what bytes on the wire are; ``text`` is their beginning."""
    if text.startswith("HTTP/1.1 "):
        status = " ".join(text[9:].split("\r\n")[0].split()[:2])
        body = text.partition("\r\n\r\n")[2]
        # The recorded beginning may end before a message does.
        found = any(mark in body for mark in ('"text"', '"messages":[{'))
        return f"{status}, message" if found else status
    if text.startswith(("GET ", "POST ")):
        return text.split("?")[0].split(" HTTP")[0]
    for mark, word in (("<script>", "chunk: script"), ("data:", "chunk: event")):
        if mark in text:
            return word
    if text[:1] in ("\x81", "\x82", "\x88", "\x89", "\x8a"):
        return {
            "\x81": "text frame",
            "\x82": "binary frame",
            "\x88": "close frame",
            "\x89": "ping",
            "\x8a": "pong",
        }[text[0]]
    if text.startswith("{"):
        return "message" if '"text"' in text else "first line"
    return "bytes"


def frame_fields(frame: bytes, title: str) -> Drawing:
    """Draw the bytes of one WebSocket frame by field (RFC 6455, 5.2)."""
    more = {126: 2, 127: 8}.get(frame[1] & 127, 0)
    key = 4 if frame[1] & 128 else 0
    cuts = [0, 1, 2, 2 + more, 2 + more + key, len(frame)]
    names = ["FIN, opcode", "mask bit, length", "longer length", "masking key", "payload"]
    fields = [
        (name, frame[begin:end])
        for name, begin, end in zip(names, cuts, cuts[1:], strict=False)
        if end > begin
    ]
    return byte_fields(fields, title)
